package compare

import (
	"maps"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
)

// tallies counts texts by side.
type tallies map[string]*[2]int

func (t tallies) add(text string, side int) {
	if t[text] == nil {
		t[text] = new([2]int)
	}
	t[text][side]++
}

// differences returns the texts that one side has more often.
func (t tallies) differences() []TextDifference {
	list := []TextDifference{}
	for _, text := range slices.Sorted(maps.Keys(t)) {
		if n := t[text]; n[leftSide] != n[rightSide] {
			list = append(list, TextDifference{text, n[leftSide], n[rightSide]})
		}
	}
	return list
}

// eventText is what an event says: its name, and the message or the exception that it carries.
func eventText(e tracewhy.Event) string {
	text := e.Name
	for _, key := range []string{"exception.type", "exception.message", "message", "event"} {
		for _, kv := range e.Attributes {
			if v := kv.Value.String(); kv.Key == key && v != "" && v != e.Name {
				text += " " + v
			}
		}
	}
	return textTemplate(text)
}

// textTemplate returns the first line of a text with # for words that have a digit.
func textTemplate(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	words := strings.Fields(s)
	for i, w := range words {
		if strings.ContainsAny(w, "0123456789") {
			words[i] = "#"
		}
	}
	return strings.Join(words, " ")
}

// attributeValues is the distinct values of attributes, by key and then by type and text.
type attributeValues map[string]*[2]map[valueKey]tracewhy.Value

type valueKey struct {
	kind tracewhy.ValueKind
	text string
}

func (a attributeValues) add(key string, v tracewhy.Value, side int) {
	if a[key] == nil {
		a[key] = &[2]map[valueKey]tracewhy.Value{{}, {}}
	}
	a[key][side][valueKey{v.Kind(), v.String()}] = v
}

// differences returns the attributes that have other values on one side than on the other, by key.
func (a attributeValues) differences(most int) []AttributeDifference {
	list := []AttributeDifference{}
	for _, key := range slices.Sorted(maps.Keys(a)) {
		left, right := a[key][leftSide], a[key][rightSide]
		same := maps.EqualFunc(left, right, func(tracewhy.Value, tracewhy.Value) bool { return true })
		if same {
			continue
		}
		d := AttributeDifference{Key: key}
		d.Left, d.MoreLeft = firstValues(left, most)
		d.Right, d.MoreRight = firstValues(right, most)
		list = append(list, d)
	}
	return list
}

func firstValues(values map[valueKey]tracewhy.Value, most int) (first []tracewhy.Value, more int) {
	keys := slices.SortedFunc(maps.Keys(values), func(x, y valueKey) int {
		if x.text != y.text {
			return strings.Compare(x.text, y.text)
		}
		return int(x.kind) - int(y.kind)
	})
	first = []tracewhy.Value{}
	for _, k := range keys[:min(most, len(keys))] {
		first = append(first, values[k])
	}
	return first, len(keys) - len(first)
}

// services returns how the resources of services differ that both traces have.
func (a *aligner) services() []ServiceDifference {
	byService := map[string]attributeValues{}
	var has [2]map[string]bool
	for side := range a.sides {
		has[side] = map[string]bool{}
		seen := map[int]bool{} // resources
		for s := range a.sides[side].trace.Spans() {
			if seen[s.ResourceIndex()] {
				continue
			}
			seen[s.ResourceIndex()] = true
			has[side][s.Service()] = true
			if byService[s.Service()] == nil {
				byService[s.Service()] = attributeValues{}
			}
			for _, kv := range s.Resource().Attributes {
				byService[s.Service()].add(kv.Key, kv.Value, side)
			}
		}
	}
	list := []ServiceDifference{}
	for _, name := range slices.Sorted(maps.Keys(byService)) {
		if !has[leftSide][name] || !has[rightSide][name] {
			continue
		}
		if d := byService[name].differences(a.cfg.maxValues()); len(d) > 0 {
			list = append(list, ServiceDifference{name, d})
		}
	}
	return list
}
