package main

import "testing"

// storeChanges are what was done in the half hour of an outage: the store was changed just when it began to fail, and
// the shop a little before.
const storeChanges = `[
	{"time": "2024-01-01T00:15:00Z", "kind": "deployment", "service": "shop", "id": "CHG-1", "description": "new <i>colours</i>"},
	{"time": "2024-01-01T00:19:58Z", "kind": "config", "service": "store", "id": "CHG-2", "description": "quota lowered"},
	{"time": "2024-01-01T00:21:00Z", "kind": "scaling", "service": "store", "id": "CHG-3", "description": "one more\u001b[31m"},
	{"time": "2024-01-01T00:05:00Z", "kind": "maintenance", "service": "mail", "id": "CHG-4", "description": "restarted"}
]`

func TestTimelineChanges(t *testing.T) {
	file := write(t, t.TempDir(), "changes.json", storeChanges)
	goldens(t, "timeline", map[string][]string{
		"timeline.changes.txt":       {"-changes", file, outage(t, true)},
		"timeline.changes.quiet.txt": {"-changes", file, "-rows", "2", outage(t, false)},
	})
	rejects(t, "timeline", []rejected{
		{[]string{"-changes", write(t, t.TempDir(), "bad.json", `[{}]`), outage(t, true)}, statusInput, "element 0: no time"},
		{[]string{"-changes", "missing.json", outage(t, true)}, statusInput, "missing.json"},
	})
}
