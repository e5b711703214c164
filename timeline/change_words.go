package timeline

import (
	"slices"
	"strings"
	"unicode"

	"github.com/tracewhy/tracewhy"
)

// A mechanism is a way in which things go wrong that descriptions of changes have words for.
type mechanism uint8

const (
	mechanismUnknown mechanism = iota
	mechanismCache             // calls are made that were spared before
	mechanismStatements
	mechanismRetries
	mechanismDemand
	mechanismNetwork
	mechanisms
)

// mechanismWords are what the words of a description begin with, or, where a space ends them, are, if it is about a
// mechanism. Two words beside each other are one as well. They are of the vocabulary of the OpenTelemetry semantic
// conventions, and of the commands and settings of common databases, caches and proxies.
var mechanismWords = [mechanisms][]string{
	mechanismCache: {"cache", "caching", "ttl", "timetolive", "expir", "evict", "flush", "invalidat", "purg", "prewarm", "warmup", "memcache"},
	mechanismStatements: {
		"index", "indices", "reindex", "statistics", "analyze ", "vacuum", "schema", "migrat", "partition", "collation",
		"queryplan", "executionplan", "optimizer", "ddl ", "table ", "tables ", "column ", "columns ",
	},
	mechanismRetries: {"retry", "retries ", "retried ", "timeout", "deadline", "backoff", "attempt", "hedging", "circuitbreaker"},
	mechanismDemand: {
		"limit ", "limits ", "ratelimit", "quota", "throttl", "campaign", "promotion", "marketing", "bulk ", "batch", "backfill",
	},
	mechanismNetwork: {
		"dns ", "route ", "routes ", "routing ", "firewall", "certificate", "tls ", "mtls ", "proxy", "network", "subnet", "loadbalanc",
		"servicemesh", "sidecar",
	},
}

// String says what the mechanism does.
func (m mechanism) String() string {
	return [...]string{
		mechanismUnknown: "", mechanismCache: "calls that were spared before", mechanismStatements: "statements",
		mechanismRetries: "further attempts", mechanismDemand: "demand", mechanismNetwork: "the way of calls",
	}[m]
}

// How often a description speaks of what the change set off, and how often others speak of that, before the record of
// changes tells: of the latter it counts as so many others. Descriptions are written by people, in any language and as
// short as they like, so that one that does not speak of it is no evidence.
const (
	spokenOf    = 0.5
	otherwise   = 0.15
	asManyTexts = 10.0
)

// A vocabulary is what the descriptions of all changes speak of.
type vocabulary struct {
	texts int // that say anything
	about [mechanisms]int
	words map[string]int // how many texts have a word
}

// spoken is what the description of one change speaks of.
type spoken struct {
	about [mechanisms]string // the first word that does, or ""
	words []string           // each once, in order
}

const (
	mostWords    = 200 // of a description
	shortestWord = 4   // bytes of a word of an operation
)

// newVocabulary reads the descriptions of changes.
func newVocabulary(items []candidate) *vocabulary {
	v := &vocabulary{words: map[string]int{}}
	for i := range items {
		x := &items[i]
		if x.change.ID == "" && x.change == x.seen {
			continue // spans show it, and nobody wrote about it
		}
		x.spoken = newSpoken(x.change)
		if len(x.spoken.words) == 0 {
			continue
		}
		v.texts++
		for m, word := range x.spoken.about {
			if word != "" {
				v.about[m]++
			}
		}
		for _, word := range x.spoken.words {
			v.words[word]++
		}
	}
	return v
}

// newSpoken reads the description of a change, less the words of the name of what was changed: that a cache is called
// one says nothing of what was done to it.
func newSpoken(c Change) spoken {
	var s spoken
	own := wordsOf(c.Service)
	list := slices.DeleteFunc(wordsOf(c.Description), func(word string) bool { return slices.Contains(own, word) })
	for i, word := range list {
		terms := []string{word}
		if i+1 < len(list) {
			terms = append(terms, word+list[i+1])
		}
		for m := range s.about {
			for _, term := range terms {
				if s.about[m] == "" && mechanism(m).has(term) {
					s.about[m] = word
				}
			}
		}
	}
	slices.Sort(list)
	s.words = slices.Compact(list)
	return s
}

func (m mechanism) has(term string) bool {
	return slices.ContainsFunc(mechanismWords[m], func(start string) bool {
		if whole, ok := strings.CutSuffix(start, " "); ok {
			return term == whole
		}
		return strings.HasPrefix(term, start)
	})
}

// wordsOf returns the words of a text in lower case: letters and digits, parted where a capital follows another letter.
func wordsOf(text string) []string {
	var out []string
	var word []rune
	end := func() {
		if len(word) > 0 && len(out) < mostWords {
			out = append(out, strings.ToLower(string(word)))
		}
		word = word[:0]
	}
	for _, r := range text {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end()
			continue
		case unicode.IsUpper(r) && len(word) > 0 && unicode.IsLower(word[len(word)-1]):
			end()
		}
		word = append(word, r)
	}
	end()
	return out
}

// factor returns how much more probable it is that a description speaks as one does of what rose if its change set that
// off, and the word that does; 1 and "" if none does.
func (v *vocabulary) factor(s *spoken, m mechanism, operation string) (float64, string) {
	best, with := 1.0, ""
	try := func(word string, texts int) {
		others := (float64(texts-1) + otherwise*asManyTexts) / (float64(v.texts-1) + asManyTexts)
		if f := spokenOf / others; f > best {
			best, with = f, word
		}
	}
	if word := s.about[m]; word != "" {
		try(word, v.about[m])
	}
	for _, word := range wordsOf(operation) {
		if _, ok := slices.BinarySearch(s.words, word); ok && len(word) >= shortestWord {
			try(word, v.words[word])
		}
	}
	return best, with
}

// mechanism returns how a stream's executions went wrong, if its role says.
func (y *stream) mechanism(k *ranking, s *scope) mechanism {
	switch {
	case s.spared:
		return mechanismCache
	case y.role == roleAsks:
		return mechanismDemand
	case y.role == roleMade:
		return mechanismRetries
	case y.hasPath && k.statements[y.path] && (y.role == roleIn || y.role == roleOut):
		return mechanismStatements
	case y.role == roleIn && !k.graph.nodes[s.nodes[0]].isPeer:
		return mechanismNetwork
	}
	return mechanismUnknown
}

// operation returns what the stream's executions are of, if they are of one operation.
func (y *stream) operation(set *tracewhy.Set) string {
	if !y.hasPath {
		return ""
	}
	return set.Path(y.path).Operation()
}
