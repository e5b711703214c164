package tracewhy_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest"
)

// What holds of the facts of any trace holds of recorded ones.
func TestFactsOfRecordedTraces(t *testing.T) {
	data := os.Getenv("TRACEWHY_DATA")
	if data == "" {
		t.Skip("set TRACEWHY_DATA to the folder that holds cases/ with recorded traces")
	}
	for _, pattern := range []string{"hotrod/*/incident.otlp.jsonl.gz", "nezha/nezha-ob-*-adservice-return/incident.otlp.jsonl.gz", "nezha/nezha-tt-*-exception/incident.otlp.jsonl.gz"} {
		files, err := filepath.Glob(filepath.Join(data, "cases", pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files match %s under TRACEWHY_DATA: %v", pattern, err)
		}
		for _, file := range files {
			t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
				var b tracewhy.Builder
				if err := ingest.Files(t.Context(), &b, "", ingest.Config{}, file); err != nil {
					t.Fatal(err)
				}
				set, err := b.Build(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				requireFacts(t, set)
			})
		}
	}
}

func requireFacts(t *testing.T, set *tracewhy.Set) {
	self := set.SelfTimes()
	roles, patterns, failed := map[tracewhy.ErrorRole]int{}, map[tracewhy.CallPattern]int{}, 0
	classes := map[tracewhy.GapClass]int{}
	for tr := range set.Traces() {
		onPath := map[tracewhy.Span]bool{}
		if _, _, ok := tr.Root().Interval(); ok {
			path := tr.CriticalPath()
			requirePartition(t, path, tr.Root())
			for _, section := range path {
				onPath[section.Span] = true
			}
		}
		for _, s := range tr.Slacks() {
			if onPath[s.Span] && s.Slack != 0 || s.Drag > s.Span.Duration() || s.Slack != 0 && s.Drag > 0 {
				t.Errorf("trace %v, %s: drag %v, slack %v, on the critical path: %t", tr.ID(), s.Span.Name(), s.Drag, s.Slack, onPath[s.Span])
			}
		}
		for _, h := range tr.ErrorHops() {
			roles[h.Role]++
		}
		if origin, ok := tr.ErrorOrigin(); ok {
			failed++
			if origin.Role != tracewhy.RoleOrigin {
				t.Errorf("trace %v began to fail at %s, %v", tr.ID(), origin.Span.Name(), origin.Role)
			}
		}
		for s := range tr.Spans() {
			if got := int64(s.SelfTime()); got != self[s.Index()] || got > int64(s.Duration()) {
				t.Errorf("trace %v, %s: self times %d and %d of %v", tr.ID(), s.Name(), got, self[s.Index()], s.Duration())
			}
			for g := range s.Gaps() {
				classes[g.Class]++
			}
			for _, g := range s.CallGroups() {
				patterns[g.Pattern]++
			}
		}
	}
	t.Logf("%d traces, %d failed; hops %v; gaps %v; calls %v", set.NumTraces(), failed, roles, classes, patterns)
}
