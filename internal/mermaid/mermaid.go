// Package mermaid writes text from outside into Mermaid diagrams, where it can only be text: it ends no statement
// or label, is no keyword, directive, markup, formula or HTML, and shows all that it holds.
//
//	fmt.Fprintf(w, "    n1[\"%s\"]\n", mermaid.Label(span.Name()))   // in a flowchart, within quotes
//	fmt.Fprintf(w, "    a->>b: %s\n", mermaid.Text(span.Name()))     // in a sequence diagram
//	fmt.Fprintf(w, "    %s :done, 08:00, 1h\n", mermaid.Task(name))  // in a gantt
//
// Mermaid has one way to write a character that has a meaning, its number or name as in #59; or #quot;, which it
// turns into the entity of HTML: https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters
//
// Everything takes time linear in the text.
package mermaid

import (
	"strconv"
	"strings"

	"github.com/tracewhy/tracewhy/internal/visible"
)

// maxCells is how many cells of a text are drawn.
const maxCells = 80

// inLabel is what has a meaning within quotes, or in the HTML and the formulas made of it.
var inLabel = []string{
	"#", "#35;", `"`, "#quot;", "&", "#amp;", "<", "#lt;", ">", "#gt;", "`", "#96;", `\`, "#92;", "|", "#124;", "[", "#91;", "]", "#93;",
	"{", "#123;", "}", "#125;", "*", "#42;", "_", "#95;", "%", "#37;", "$", "#36;",
}

var (
	label = strings.NewReplacer(inLabel...)
	text  = strings.NewReplacer(append([]string{":", "#58;", ";", "#59;"}, inLabel...)...)
)

// nothing stands where there is no text, since Mermaid asks for one: a space of no width.
const nothing = "#8203;"

// Label returns s for a label within double quotes.
func Label(s string) string {
	if s == "" {
		return nothing
	}
	// What looks like a style loses its last semicolon to Mermaid's preprocessor, and that may be of an entity; and
	// fa:fa-bomb would be an icon. Neither has a colon then.
	if strings.Contains(s, "style") || strings.Contains(s, "classDef") || strings.Contains(s, ":fa-") {
		return Text(s)
	}
	return label.Replace(drawn(s))
}

// Text returns s for a place without quotes, up to the end of a line.
func Text(s string) string {
	s = strings.TrimSpace(drawn(s))
	if s == "" {
		return nothing
	}
	return text.Replace(s)
}

// keywords are what a line of a gantt may begin with that is no task, in lower case.
var keywords = []string{
	"gantt", "title", "section", "dateformat", "axisformat", "tickinterval", "todaymarker", "weekday", "weekend", "includes", "excludes",
	"inclusiveenddates", "topaxis", "click", "call", "href", "acctitle", "accdescr",
}

// Task returns s for the beginning of a line of a gantt, where some words, and dates, are no name.
func Task(s string) string {
	s = Text(s)
	begins := strings.ToLower(s[:min(len(s), 20)])
	isSpecial := '0' <= s[0] && s[0] <= '9'
	for _, k := range keywords {
		isSpecial = isSpecial || strings.HasPrefix(begins, k)
	}
	if !isSpecial {
		return s
	}
	return "#" + strconv.Itoa(int(s[0])) + ";" + s[1:]
}

func drawn(s string) string { return visible.Cut(visible.Clean(s), maxCells) }
