package tracewhy

// TransactionConfig says what makes several traces one transaction. Its zero value joins a trace with
// those that its spans link to.
type TransactionConfig struct {
	// Key, if set, names a correlation attribute such as order.id: traces with a span that has an equal
	// value ([Value.Canonical]) are one transaction. An empty text joins nothing.
	Key string

	// IgnoreLinks says that links join nothing, so that Key decides alone.
	IgnoreLinks bool

	// MaxFan is how many traces a span may link to, or share a value of Key, and still be joined with
	// them. Above it the span is a batch that many transactions went through, and the value is no
	// correlation id. 0 means 100.
	MaxFan int
}

// Transaction is a group of traces that belong together.
type Transaction struct {
	Traces  []Trace // in the order of the Set, so the earliest first
	Missing int     // how often a span links to a trace outside the cohort
}

// The warnings of [Cohort.Transactions].
const (
	WarningTransactionBatch  = "transaction_batch"  // a span links to more traces than TransactionConfig.MaxFan: not joined
	WarningTransactionCommon = "transaction_common" // a correlation value is shared by more traces than that: not joined
)

// Transactions groups the traces of the cohort into transactions: for a payment that is taken in one
// trace and settled from a queue in another, the outcome is that of both. Every trace is in exactly one
// transaction; most are alone. Joining is transitive, and links join in both directions.
//
// It takes time in O(spans + links) of the cohort, nearly.
func (c Cohort) Transactions(cfg TransactionConfig) ([]Transaction, []Warning) {
	if c.set == nil {
		return nil, nil
	}
	if cfg.MaxFan <= 0 {
		cfg.MaxFan = 100
	}
	j := joiner{cohort: c, maxFan: cfg.MaxFan, group: newDisjoint(len(c.set.traces)), missing: map[int32]int{}}
	if !cfg.IgnoreLinks {
		j.joinLinks()
	}
	if cfg.Key != "" {
		j.joinValues(cfg.Key)
	}
	return j.groups(), j.problems.list()
}

// joiner groups the traces of a Set. A group is found by its earliest trace, so the result does not depend
// on the order of joining.
type joiner struct {
	cohort   Cohort
	maxFan   int
	group    disjoint      // by trace of the Set
	missing  map[int32]int // by trace
	problems problems
}

func (j *joiner) joinLinks() {
	set := j.cohort.set
	if len(set.links) == 0 {
		return
	}
	type target struct {
		id    TraceID
		trace int32 // -1: not in the Set
	}
	targets := map[target]bool{} // of one span
	for t := range j.cohort.Traces() {
		for s := range t.Spans() {
			links := set.links[set.cols.link[s.num]:set.cols.link[s.num+1]]
			if len(links) == 0 {
				continue
			}
			clear(targets)
			for _, l := range links {
				if l.trace.IsZero() { // a broken link
					continue
				}
				to := target{l.trace, -1}
				if x, ok := set.linkTarget(l.trace, l.span); ok {
					to.trace = x.num
				}
				if to.trace != t.num {
					targets[to] = true
				}
			}
			if len(targets) > j.maxFan {
				j.problems.note(WarningTransactionBatch, "", t.ID())
				continue
			}
			for to := range targets {
				if to.trace >= 0 && j.cohort.Has(Trace{set, to.trace}) {
					j.group.join(t.num, to.trace)
				} else {
					j.missing[t.num]++
				}
			}
		}
	}
}

func (j *joiner) joinValues(key string) {
	set := j.cohort.set
	first, end := set.AttrRange(key)
	values := attrRange{first, end}
	if first == end {
		return
	}
	// Values that count as one get the number of the first of them.
	same := make([]AttrID, end-first)
	byContent := map[string]AttrID{}
	for id := first; id < end; id++ {
		same[id-first] = id
		if set.pairs[id].isBlob() {
			continue
		}
		v := set.AttrValue(id).Canonical()
		content := string(rune('0'+v.Kind())) + v.String()
		if as, ok := byContent[content]; ok {
			same[id-first] = as
		} else {
			byContent[content] = id
		}
	}
	traces := make([][]int32, end-first) // by value, up to maxFan+1
	for t := range j.cohort.Traces() {
		for s := range t.Spans() {
			id, ok := values.in(s.attrs())
			if !ok || set.AttrValue(id).String() == "" {
				continue
			}
			with := &traces[same[id-first]-first]
			if n := len(*with); n <= j.maxFan && (n == 0 || (*with)[n-1] != t.num) {
				*with = append(*with, t.num)
			}
		}
	}
	for _, with := range traces {
		if len(with) > j.maxFan {
			j.problems.note(WarningTransactionCommon, "", set.traces[with[0]].id)
			continue
		}
		for _, t := range with {
			j.group.join(with[0], t)
		}
	}
}

// groups returns the transactions, in the order of their first traces.
func (j *joiner) groups() []Transaction {
	var out []Transaction
	at := map[int32]int{} // by first trace: place in out
	for t := range j.cohort.Traces() {
		first := j.group.find(t.num)
		i, ok := at[first]
		if !ok {
			i = len(out)
			at[first] = i
			out = append(out, Transaction{})
		}
		out[i].Traces = append(out[i].Traces, t)
		out[i].Missing += j.missing[t.num]
	}
	return out
}
