// Package report renders an [rca.Report]: as text for a person who was woken by a pager, and as the
// JSON that docs/report.schema.json describes.
//
//	r, err := rca.Investigate(ctx, baseline, incident, rca.Config{})
//	if err != nil {
//		return err
//	}
//	err = report.Text(os.Stdout, r, report.Config{Baseline: baseline, Incident: incident})
//
// Whoever can send a span chooses its name, its attributes and so every text of a report. Text shows
// control characters and invisible ones as escapes, keeps texts from data away from the left margin,
// and cuts long texts and long lists; JSON escapes the same characters the way JSON has it, which loses
// nothing. Output depends on the report and the Config alone.
//
// Rendering takes time linear in the size of the report, plus O(s log s) for each waterfall of s spans
// and O(t log t) for the choice of a healthy trace among t.
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/visible"
	"github.com/tracewhy/tracewhy/rca"
)

// Config adjusts how text looks. Its zero value is the documented default.
type Config struct {
	// Width is how many terminal columns to use; 0 means 80, and less than 40 is 40.
	Width int
	// Color says whether to use the colours of ANSI terminals.
	Color bool
	// Rows is how many rows a waterfall may have; 0 means 24. What does not fit is folded, and counted.
	Rows int
	// Baseline and Incident are the cohorts that the report is about. With them, Text ends with the
	// waterfall of a trace that shows the first cause, above that of a healthy one.
	Baseline, Incident tracewhy.Cohort
}

func (c Config) width() int {
	if c.Width == 0 {
		return 80
	}
	return max(c.Width, 40)
}

func (c Config) rows() int {
	if c.Rows <= 0 {
		return 24
	}
	return c.Rows
}

// JSON writes r as indented JSON and a line break. Characters that a terminal could act on or hide
// (C1 controls, DEL, bidirectional controls and everything else that does not print) are written as
// \u escapes, so that the file can be looked at; decoding gives them back.
func JSON(w io.Writer, r *rca.Report) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err := w.Write(escapeJSON(b.Bytes()))
	return err
}

// escapeJSON escapes what does not print. Valid JSON has such characters within strings only, where an
// escape means the same; the line breaks between its lines stay.
func escapeJSON(in []byte) []byte {
	out := make([]byte, 0, len(in))
	for i := 0; i < len(in); {
		r, size := utf8.DecodeRune(in[i:])
		switch {
		case r == '\n' || visible.Shows(r):
			out = append(out, in[i:i+size]...)
		case r <= 0xffff:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		}
		i += size
	}
	return out
}
