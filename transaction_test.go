package tracewhy

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// transactions writes groups as text: the last bytes of trace ids, and what is missing.
func transactions(ts []Transaction) string {
	var out []string
	for _, tx := range ts {
		s := ""
		for _, tr := range tx.Traces {
			s += fmt.Sprint(tr.ID()[15], "+")
		}
		s = strings.TrimSuffix(s, "+")
		if tx.Missing > 0 {
			s += fmt.Sprintf(" (%d missing)", tx.Missing)
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func TestTransactions(t *testing.T) {
	order := func(v Value) KeyValue { return KeyValue{"order.id", v} }
	// trace makes a trace whose child span has an attribute and links.
	trace := func(id byte, attr KeyValue, to ...byte) []SpanData {
		root, child := span(1, 0, "root", uint64(id), 99), span(2, 1, "child", uint64(id), 99)
		root.TraceID, child.TraceID = tid(id), tid(id)
		if attr.Key != "" {
			child.Attributes = []KeyValue{attr}
		}
		for _, l := range to {
			child.Links = append(child.Links, Link{TraceID: tid(l), SpanID: sid(1)})
		}
		return []SpanData{root, child}
	}
	none := KeyValue{}
	tests := []struct {
		name     string
		cfg      TransactionConfig
		traces   [][]SpanData
		want     string
		warnings map[string]int
	}{
		{"nothing in common", TransactionConfig{}, [][]SpanData{trace(1, none), trace(2, none)}, "1, 2", nil},
		{"a link forward", TransactionConfig{}, [][]SpanData{trace(1, none, 3), trace(2, none), trace(3, none)}, "1+3, 2", nil},
		{"a link backward", TransactionConfig{}, [][]SpanData{trace(1, none), trace(2, none), trace(3, none, 1)}, "1+3, 2", nil},
		{"a chain", TransactionConfig{}, [][]SpanData{trace(1, none, 2), trace(2, none, 3), trace(3, none), trace(4, none)}, "1+2+3, 4", nil},
		{"a ring", TransactionConfig{}, [][]SpanData{trace(1, none, 2), trace(2, none, 3), trace(3, none, 1)}, "1+2+3", nil},
		{"a link to itself", TransactionConfig{}, [][]SpanData{trace(1, none, 1)}, "1", nil},
		{"a link to the unknown", TransactionConfig{}, [][]SpanData{trace(1, none, 7, 7, 8), trace(2, none)}, "1 (2 missing), 2", nil},
		{"links ignored", TransactionConfig{IgnoreLinks: true}, [][]SpanData{trace(1, none, 2), trace(2, none)}, "1, 2", nil},
		{"a batch", TransactionConfig{MaxFan: 2}, [][]SpanData{trace(1, none), trace(2, none), trace(3, none), trace(4, none, 1, 2, 3), trace(5, none, 1, 2)},
			"1+2+5, 3, 4", map[string]int{WarningTransactionBatch: 1}},
		{"one order", TransactionConfig{Key: "order.id"}, [][]SpanData{trace(1, order(StringOf("a"))), trace(2, order(StringOf("b"))), trace(3, order(StringOf("a")))}, "1+3, 2", nil},
		{"one order in several types", TransactionConfig{Key: "order.id"}, [][]SpanData{trace(1, order(StringOf("7"))), trace(2, order(IntOf(7))), trace(3, order(FloatOf(7))), trace(4, order(StringOf("07")))}, "1+2+3, 4", nil},
		{"a list is a value as others are", TransactionConfig{Key: "order.id"}, [][]SpanData{trace(1, order(ArrayOf(IntOf(7)))), trace(2, order(ArrayOf(IntOf(7)))), trace(3, order(StringOf("[7]")))}, "1+2, 3", nil},
		{"an empty text", TransactionConfig{Key: "order.id"}, [][]SpanData{trace(1, order(StringOf(""))), trace(2, order(StringOf("")))}, "1, 2", nil},
		{"a value that everybody has", TransactionConfig{Key: "order.id", MaxFan: 2}, [][]SpanData{trace(1, order(IntOf(0))), trace(2, order(IntOf(0))), trace(3, order(IntOf(0))), trace(4, order(IntOf(1))), trace(5, order(IntOf(1)))},
			"1, 2, 3, 4+5", map[string]int{WarningTransactionCommon: 1}},
		{"an unknown key", TransactionConfig{Key: "payment.id"}, [][]SpanData{trace(1, order(IntOf(0))), trace(2, order(IntOf(0)))}, "1, 2", nil},
		{"links and a key", TransactionConfig{Key: "order.id"}, [][]SpanData{trace(1, order(IntOf(5))), trace(2, order(IntOf(5)), 3), trace(3, none), trace(4, none)}, "1+2+3, 4", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var spans []SpanData
			for _, tr := range tt.traces {
				spans = append(spans, tr...)
			}
			for seed := range uint64(3) {
				got, warnings := SetOf(shuffled(spans, seed)...).All().Transactions(tt.cfg)
				if text := transactions(got); text != tt.want {
					t.Errorf("got %s, want %s", text, tt.want)
				}
				codes := map[string]int{}
				for _, w := range warnings {
					if codes[w.Code] = w.Count; w.Message == "" || w.TraceID == "" {
						t.Errorf("warning %+v says nothing", w)
					}
				}
				if len(codes)+len(tt.warnings) > 0 && !reflect.DeepEqual(codes, tt.warnings) {
					t.Errorf("warnings %v, want %v", codes, tt.warnings)
				}
			}
		})
	}

	t.Run("of a cohort", func(t *testing.T) {
		set := SetOf(append(trace(1, none, 2), append(trace(2, none), trace(3, none, 2)...)...)...)
		got, _ := set.Select(func(tr Trace) bool { return tr.ID() != tid(2) }).Transactions(TransactionConfig{})
		if text := transactions(got); text != "1 (1 missing), 3 (1 missing)" {
			t.Errorf("got %s", text)
		}
		if got, warnings := (Cohort{}).Transactions(TransactionConfig{}); got != nil || warnings != nil {
			t.Errorf("the zero Cohort has transactions %v, %v", got, warnings)
		}
	})
}

// Every trace is in one transaction, and traces are in one exactly if a chain of links joins them.
func TestTransactionsAreAPartition(t *testing.T) {
	for seed := range uint64(100) {
		g := randomGen(seed)
		set := SetOf(g.spans(1 + g.choose(40))...)
		got, _ := set.All().Transactions(TransactionConfig{})
		group := make([]int, set.NumTraces())
		seen, last := 0, -1
		for i, tx := range got {
			for j, tr := range tx.Traces {
				group[tr.Index()] = i
				seen++
				if j == 0 && tr.Index() <= last || j > 0 && tr.Index() <= tx.Traces[j-1].Index() {
					t.Fatal("transactions are out of order")
				}
			}
			last = tx.Traces[0].Index()
		}
		if seen != set.NumTraces() {
			t.Fatalf("%d traces in transactions, %d in the Set", seen, set.NumTraces())
		}
		// By brute force: the transitive closure of links.
		n := set.NumTraces()
		joined := make([][]bool, n)
		for i := range joined {
			joined[i] = make([]bool, n)
			joined[i][i] = true
		}
		for tr := range set.Traces() {
			for s := range tr.Spans() {
				for l := range s.Links() {
					if to, ok := set.Lookup(l.TraceID); ok {
						joined[tr.Index()][to.Index()], joined[to.Index()][tr.Index()] = true, true
					}
				}
			}
		}
		for k := range n {
			for i := range n {
				for j := range n {
					joined[i][j] = joined[i][j] || joined[i][k] && joined[k][j]
				}
			}
		}
		for i := range n {
			for j := range n {
				if joined[i][j] != (group[i] == group[j]) {
					t.Fatalf("seed %d: traces %d and %d: joined %v, groups %d and %d", seed, i, j, joined[i][j], group[i], group[j])
				}
			}
		}
	}
}
