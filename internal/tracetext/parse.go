package tracetext

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy"
)

// parser holds what lines that were read leave behind for those that follow.
type parser struct {
	spans     []tracewhy.SpanData
	open      []openSpan // the spans that the next line may be indented under
	labels    map[string]tracewhy.Link
	links     []pendingLink
	resources map[string]*tracewhy.Resource // by their text
	scopes    map[string]*tracewhy.Scope

	trace  int    // number of the trace, 0 before the first
	number int    // of the last span of the trace
	source string // of the trace
	base   int64  // what starts of the trace count from
}

type openSpan struct{ indent, span int }

type pendingLink struct {
	span  int
	label string
}

func (p *parser) line(line string) error {
	rest := strings.TrimLeft(line, " \t")
	indent := len(line) - len(rest)
	rest = strings.TrimRight(rest, " \t")
	switch {
	case rest == "" || rest[0] == '#':
		return nil
	case rest == "trace" || strings.HasPrefix(rest, "trace "):
		return p.newTrace(rest)
	}
	for len(p.open) > 0 && p.open[len(p.open)-1].indent >= indent {
		p.open = p.open[:len(p.open)-1]
	}
	if rest[0] == '!' {
		return p.event(rest[1:])
	}
	return p.span(indent, rest)
}

func (p *parser) newTrace(line string) error {
	words, err := split(line)
	if err != nil {
		return err
	}
	p.trace, p.number, p.base, p.source, p.open = p.trace+1, 0, 0, "", nil
	for _, w := range words[1:] {
		key, value, ok := w.attribute()
		switch {
		case !ok: // the trace's name, for the reader
		case key == "source":
			p.source = value.String()
		case key == "at":
			if p.base, err = parseTime(w.text[len("at="):]); err != nil {
				return err
			}
		default:
			return fmt.Errorf("a trace has no %q", key)
		}
	}
	return nil
}

func (p *parser) span(indent int, line string) error {
	words, err := split(line)
	if err != nil {
		return err
	}
	at := 0 // of the time
	for at < len(words) && !words[at].isTime() {
		at++
	}
	if at == len(words) {
		return errors.New("no start+duration")
	}
	name := make([]string, at)
	for i, w := range words[:at] {
		name[i] = w.text
	}
	service, operation, ok := strings.Cut(strings.Join(name, " "), "/")
	operation = word{operation}.unquoted()
	if !ok || operation == "" {
		return errors.New("no service/operation before the time")
	}
	if p.trace == 0 {
		p.trace = 1
	}
	p.number++
	s := tracewhy.SpanData{TraceID: TraceID(p.trace), SpanID: SpanID(p.number), Name: operation, Source: p.source}
	if len(p.open) > 0 {
		s.ParentSpanID = p.spans[p.open[len(p.open)-1].span].SpanID
	}
	if err := p.setTimes(&s, words[at].text); err != nil {
		return err
	}
	w := wordReader{parser: p, span: &s}
	if service != "" {
		w.resource = append(w.resource, tracewhy.String("service.name", service))
	}
	for _, word := range words[at+1:] {
		if err := w.read(word); err != nil {
			return err
		}
	}
	s.Resource = p.resource(w.resource)
	p.open = append(p.open, openSpan{indent, len(p.spans)})
	p.spans = append(p.spans, s)
	return nil
}

// resource returns one pointer for equal resources, as readers do.
func (p *parser) resource(attrs []tracewhy.KeyValue) *tracewhy.Resource {
	key := fmt.Sprintf("%#v", attrs) // tells 1 from "1"
	if p.resources[key] == nil {
		p.resources[key] = &tracewhy.Resource{Attributes: attrs}
	}
	return p.resources[key]
}

func (p *parser) setTimes(s *tracewhy.SpanData, text string) error {
	start, duration, _ := strings.Cut(text, "+")
	begin := Epoch + p.base // where a span of unknown start ends, if that is known
	if start != "?" {
		ns, err := parseTime(start)
		if err != nil {
			return err
		}
		begin += ns
		s.Start = uint64(begin)
	}
	if duration != "?" {
		ns, err := parseTime(duration)
		if err != nil {
			return err
		}
		s.End = uint64(begin + ns)
	}
	return nil
}

func (p *parser) event(line string) error {
	words, err := split(line)
	if err != nil {
		return err
	}
	if len(p.open) == 0 || len(words) < 2 {
		return errors.New("an event needs a span above it, a time and a name")
	}
	e := tracewhy.Event{Name: words[1].unquoted()}
	if words[0].text != "?" {
		ns, err := parseTime(words[0].text)
		if err != nil {
			return err
		}
		e.Time = uint64(Epoch + p.base + ns)
	}
	for _, w := range words[2:] {
		key, value, ok := w.attribute()
		if !ok {
			return fmt.Errorf("%q is no key=value", w.text)
		}
		e.Attributes = append(e.Attributes, tracewhy.KeyValue{Key: key, Value: value})
	}
	s := &p.spans[p.open[len(p.open)-1].span]
	s.Events = append(s.Events, e)
	return nil
}

func (p *parser) resolveLinks() error {
	for _, l := range p.links {
		to, ok := p.labels[l.label]
		if !ok {
			return fmt.Errorf("no span is labelled @%s", l.label)
		}
		p.spans[l.span].Links = append(p.spans[l.span].Links, to)
	}
	return nil
}

// wordReader applies the words after the time to a span.
type wordReader struct {
	*parser
	span     *tracewhy.SpanData
	resource []tracewhy.KeyValue
}

var kinds = map[string]tracewhy.Kind{
	"internal": tracewhy.KindInternal, "server": tracewhy.KindServer, "client": tracewhy.KindClient,
	"producer": tracewhy.KindProducer, "consumer": tracewhy.KindConsumer,
}

func (r *wordReader) read(w word) error {
	s := r.span
	if k, ok := kinds[w.text]; ok {
		s.Kind = k
		return nil
	}
	switch w.text {
	case "ok":
		s.Status = tracewhy.StatusOK
		return nil
	case "error":
		s.Status = tracewhy.StatusError
		return nil
	case "orphan":
		if !s.ParentSpanID.IsZero() {
			return errors.New("an orphan is under no other span")
		}
		s.ParentSpanID = SpanID(math.MaxInt)
		return nil
	}
	if label, ok := strings.CutPrefix(w.text, "@"); ok {
		if _, taken := r.labels[label]; taken {
			return fmt.Errorf("two spans are labelled @%s", label)
		}
		r.labels[label] = tracewhy.Link{TraceID: s.TraceID, SpanID: s.SpanID}
		return nil
	}
	key, value, ok := w.attribute()
	if !ok {
		return fmt.Errorf("%q is no word of a span, nor key=value", w.text)
	}
	switch {
	case key == "error" && value.Kind() == tracewhy.StringValue:
		s.Status, s.StatusMessage = tracewhy.StatusError, value.Str()
	case key == "link" && strings.HasPrefix(value.Str(), "@"):
		r.links = append(r.links, pendingLink{len(r.spans), value.Str()[1:]})
	case key == "flags":
		s.Flags = uint32(value.Int())
	case key == "tracestate":
		s.TraceState = value.String()
	case key == "scope":
		name := value.String()
		if r.scopes[name] == nil {
			r.scopes[name] = &tracewhy.Scope{Name: name}
		}
		s.Scope = r.scopes[name]
	case strings.HasPrefix(key, "resource."):
		r.resource = append(r.resource, tracewhy.KeyValue{Key: strings.TrimPrefix(key, "resource."), Value: value})
	default:
		s.Attributes = append(s.Attributes, tracewhy.KeyValue{Key: key, Value: value})
	}
	return nil
}

// word is a part of a line between spaces. Quotes belong to its text; spaces within them do not end it.
type word struct{ text string }

func split(line string) ([]word, error) {
	var words []word
	for {
		line = strings.TrimLeft(line, " \t")
		if line == "" {
			return words, nil
		}
		end := 0
		for end < len(line) && line[end] != ' ' && line[end] != '\t' {
			if line[end] != '"' {
				end++
				continue
			}
			quoted, err := strconv.QuotedPrefix(line[end:])
			if err != nil {
				return nil, errors.New("a quote without its end")
			}
			end += len(quoted)
		}
		words = append(words, word{line[:end]})
		line = line[end:]
	}
}

func (w word) unquoted() string {
	if s, err := strconv.Unquote(w.text); err == nil && strings.HasPrefix(w.text, `"`) {
		return s
	}
	return w.text
}

// attribute splits key=value.
func (w word) attribute() (string, tracewhy.Value, bool) {
	key, text, ok := strings.Cut(w.text, "=")
	if !ok || key == "" {
		return "", tracewhy.Value{}, false
	}
	if strings.HasPrefix(text, `"`) {
		s, err := strconv.Unquote(text)
		return key, tracewhy.StringOf(s), err == nil
	}
	if text == "true" || text == "false" {
		return key, tracewhy.BoolOf(text == "true"), true
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return key, tracewhy.IntOf(n), true
	}
	if isNumber := text != "" && strings.ContainsRune("+-.0123456789", rune(text[0])); isNumber {
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return key, tracewhy.FloatOf(f), true
		}
	}
	return key, tracewhy.StringOf(text), true
}

// isTime reports whether the word is start+duration.
func (w word) isTime() bool {
	start, duration, ok := strings.Cut(w.text, "+")
	looksTimed := func(s string) bool {
		return s == "?" || strings.TrimLeft(s, "-.0123456789") != s && strings.Trim(s, "-.0123456789nuµmsh") == ""
	}
	return ok && looksTimed(start) && looksTimed(duration)
}

// parseTime reads a number of milliseconds, or one with a unit.
func parseTime(s string) (int64, error) {
	if strings.TrimLeft(s, "-.0123456789") == "" {
		s += "ms"
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is no time", s)
	}
	return d.Nanoseconds(), nil
}
