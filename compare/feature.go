package compare

import (
	"cmp"
	"context"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/tracewhy/tracewhy"
)

// featureKind is what a feature of an execution says, the most telling first.
type featureKind uint8

const (
	featureUnanswered featureKind = iota // a call without the callee's span, where there usually is one
	featureCall                          // makes a call
	featureStop                          // the call that ended last
	featureFailed                        // failed
	featureRepeat                        // makes a call at least 2, 4, 8 … times
	featureEvent                         // has an event with this name or word
)

// feature is something that an execution of an operation has or lacks: a call that it makes, a word
// that it logs. Features are conditional on the operation, so that which operations run is no matter.
type feature struct {
	kind   featureKind
	text   string // the call's or the event's
	callee string // the service called, if another
	op     string // the operation called there
	times  int    // of featureRepeat
}

type operation struct{ service, name string }

// features holds the features of all executions of a comparison, as sorted lists of numbers.
type features struct {
	ops     []operation
	opOf    []int32 // by path
	known   []feature
	numbers map[feature]uint32
	list    []uint32
	from    []uint32 // by span of the comparison: where its list begins; one entry more
	spans   []tracewhy.Span
	words   map[string][]uint32
}

func (c *comparison) features(ctx context.Context, who *callees) (*features, error) {
	f := &features{numbers: map[feature]uint32{}, words: map[string][]uint32{}, opOf: make([]int32, c.set.NumPaths())}
	numbers := map[operation]int32{}
	for p := range c.set.Paths() {
		op := operation{p.Service(), p.Operation()}
		n, ok := numbers[op]
		if !ok {
			n = int32(len(f.ops))
			numbers[op] = n
			f.ops = append(f.ops, op)
		}
		f.opOf[p.ID()] = n
	}
	var buf []uint32
	for i, t := range c.traces {
		if i%cancelEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for s := range t.Spans() {
			buf = f.of(s, who, buf[:0])
			slices.Sort(buf)
			f.spans = append(f.spans, s)
			f.from = append(f.from, uint32(len(f.list)))
			f.list = append(f.list, slices.Compact(buf)...)
		}
	}
	f.from = append(f.from, uint32(len(f.list)))
	return f, nil
}

// at returns the features of span number i of the comparison.
func (f *features) at(i int) []uint32 { return f.list[f.from[i]:f.from[i+1]] }

func (f *features) number(x feature) uint32 {
	n, ok := f.numbers[x]
	if !ok {
		n = uint32(len(f.known))
		f.numbers[x] = n
		f.known = append(f.known, x)
	}
	return n
}

// call says what a child of an execution is, seen from its parent.
func call(child tracewhy.Span, parent tracewhy.Span, who *callees) feature {
	x := feature{kind: featureCall}
	switch r, ok := callee(child); {
	case ok:
		x.callee, x.op = r.Service(), r.Operation()
		x.text = x.callee + " " + x.op
	case child.Service() != parent.Service():
		x.callee, x.op = child.Service(), child.Operation()
		x.text = x.callee + " " + x.op
	case who.usual[child.Path().ID()] != "":
		x.callee = who.usual[child.Path().ID()]
		x.text = child.Operation() + " without an answer of " + x.callee
	default:
		x.text = child.Operation()
	}
	return x
}

func (f *features) of(s tracewhy.Span, who *callees, dst []uint32) []uint32 {
	var last feature
	lastEnd := int64(math.MinInt64)
	first := len(dst)
	remote, isCall := callee(s)
	for child := range s.Children() {
		if child == remote { // it is the call, not one that is made in it
			continue
		}
		x := call(child, s, who)
		dst = append(dst, f.number(x))
		if _, end, ok := child.Interval(); ok && end >= lastEnd {
			last, lastEnd = x, end
		}
	}
	slices.Sort(dst[first:])
	for i := first; i < len(dst); {
		j := i + 1
		for j < len(dst) && f.known[dst[j]].kind == featureCall && dst[j] == dst[i] {
			j++
		}
		n := j - i
		x := f.known[dst[i]]
		dst = slices.Delete(dst, i+1, j)
		i++
		for k := 1; k < bits.Len(uint(n)); k++ {
			dst = slices.Insert(dst, i, f.number(feature{kind: featureRepeat, text: x.text, callee: x.callee, op: x.op, times: 1 << k}))
			i++
		}
	}
	switch u := who.usual[s.Path().ID()]; {
	case isCall:
	case u != "":
		dst = append(dst, f.number(feature{kind: featureUnanswered, text: s.Operation(), callee: u}))
	default:
		last.kind = featureStop
		dst = append(dst, f.number(last))
	}
	if s.Failed() {
		dst = append(dst, f.number(feature{kind: featureFailed}))
	}
	for e := range s.Events() {
		dst = append(dst, f.wordsOf(tracewhy.String("event", e.Name))...)
		for _, kv := range e.Attributes {
			if kv.Value.Kind() == tracewhy.StringValue {
				dst = append(dst, f.wordsOf(kv)...)
			}
		}
	}
	return dst
}

// maxText is how much of an event's text is looked at, in bytes.
const maxText = 512

// wordsOf returns the words of an event's text as features. A message template shows in its constant
// words, whatever stands in its variable parts, so that no template need be guessed.
func (f *features) wordsOf(kv tracewhy.KeyValue) []uint32 {
	text := kv.Value.Str()
	cacheKey := kv.Key + "\x00" + text
	if ns, ok := f.words[cacheKey]; ok {
		return ns
	}
	var ns []uint32
	for w := range strings.FieldsFuncSeq(text[:min(len(text), maxText)], isSeparator) {
		if isWord(w) {
			ns = append(ns, f.number(feature{kind: featureEvent, text: kv.Key + ": " + w}))
		}
	}
	f.words[cacheKey] = ns
	return ns
}

func isSeparator(r rune) bool { return r <= ' ' || strings.ContainsRune(`[](){}<>,;="'`, r) }

// isWord reports whether w has a letter, and is no identifier: those are long, or mostly digits.
func isWord(w string) bool {
	letters, digits := 0, 0
	for _, r := range w {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r >= 'A':
			letters++
		}
	}
	return letters > digits && len(w) <= 64
}

// what says what a shift of the feature means.
func (x feature) what(gained bool) string {
	more, less := "now ", "no longer "
	if !gained {
		more = less
	}
	target := x.text
	switch x.kind {
	case featureUnanswered:
		if gained {
			return "gets no answer from " + x.callee + ": its span is missing"
		}
		return "gets an answer from " + x.callee + " again"
	case featureCall:
		return more + "calls " + target
	case featureRepeat:
		return more + "calls " + target + " " + times(x.times) + " or more"
	case featureStop:
		if target == "" {
			if gained {
				return "now returns without calling anything"
			}
			return "no longer returns without calling anything"
		}
		return more + "ends after calling " + target
	case featureFailed:
		return more + "fails"
	default:
		return more + "logs “" + x.word() + "”"
	}
}

// word returns the word of an event, without the key of its text.
func (x feature) word() string {
	_, word, _ := strings.Cut(x.text, ": ")
	return word
}

func times(n int) string {
	if n == 2 {
		return "twice"
	}
	return strconv.Itoa(n) + " times"
}

// compareFeatures orders features by how telling they are, then by text.
func compareFeatures(x, y feature) int {
	return cmp.Or(cmp.Compare(x.kind, y.kind), cmp.Compare(x.text, y.text), cmp.Compare(x.callee, y.callee),
		cmp.Compare(x.op, y.op), cmp.Compare(x.times, y.times))
}
