package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/tracewhy/tracewhy/compare"
	"github.com/tracewhy/tracewhy/internal/visible"
)

// DiffMarkdown writes what [Diff] writes as Markdown, for tickets and reviews. Texts from traces are
// code spans, in which nothing is a link, an image, a mention or HTML.
func DiffMarkdown(w io.Writer, r *compare.TracesResult, cfg Config) error {
	d := newDiffLayout(r, cfg)
	var b bytes.Buffer
	fmt.Fprintf(&b, "- left: %s, %s\n- right: %s, %s%s\n\n", r.Left.TraceID, describeSide(r.Left), r.Right.TraceID, describeSide(r.Right), diffTotal(r))
	b.WriteString("| | call | left | right | waited | differences |\n|---|---|---:|---:|---:|---|\n")
	for _, i := range d.shown {
		row := &r.Rows[i]
		var details []string
		first, more := capped(d.details(row), maxDiffDetails)
		for _, text := range first {
			details = append(details, markdownCode(visible.Cut(Clean(text), 120)))
		}
		if more > 0 {
			details = append(details, count(more)+" more")
		}
		mark := diffMark(row)
		if mark != "" {
			mark = markdownCode(mark)
		}
		fmt.Fprintf(&b, "| %s | %s%s%s | %s | %s | %s | %s |\n", mark,
			strings.Repeat("· ", min(row.Depth, maxIndent)), markdownCode(visible.CutMiddle(Clean(row.Service+" "+row.Operation), 80)), diffCalls(row),
			sideTime(row.Left), sideTime(row.Right), signed(row.Critical()), strings.Join(details, "; "))
	}
	if d.hidden > 0 {
		fmt.Fprintf(&b, "| | %s | | | %s | |\n", plural(d.hidden, "more call"), signed(d.hiddenCritical))
	}
	for _, s := range r.Services {
		fmt.Fprintf(&b, "\nResource of %s:\n\n", markdownCode(visible.Cut(Clean(s.Service), 80)))
		first, more := capped(s.Attributes, 2*maxDiffDetails)
		for _, a := range first {
			fmt.Fprintf(&b, "- %s\n", markdownCode(visible.Cut(Clean(attributeLine(a)), 120)))
		}
		if more > 0 {
			fmt.Fprintf(&b, "- %s more\n", count(more))
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// markdownCode makes a code span of any text. The fence is longer than any run of backticks in it, and a
// vertical bar, which would end a cell of a table even within code, is written out as an escape.
func markdownCode(s string) string {
	s = strings.ReplaceAll(Clean(s), "|", `\x7c`)
	longest, run := 0, 0
	for _, r := range s {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", longest+1)
	if longest > 0 || s == "" {
		s = " " + s + " "
	}
	return fence + s + fence
}

// DiffJSON writes r as indented JSON, with the escapes of [JSON].
func DiffJSON(w io.Writer, r *compare.TracesResult) error {
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
