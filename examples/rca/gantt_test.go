package main

import "testing"

func TestGanttGolden(t *testing.T) {
	changes := write(t, t.TempDir(), "changes.json", `[
		{"time": "2024-01-01T00:19:00Z", "kind": "deployment", "service": "store", "id": "CHG-2", "description": "new index; <b>end</b>"},
		{"time": "2023-12-31T23:50:00Z", "until": "2023-12-31T23:55:00Z", "kind": "maintenance", "service": "disk-7"}]`)
	goldens(t, "timeline", map[string][]string{
		"gantt.txt":       {"-format", "gantt", "-changes", changes, outage(t, true)},
		"gantt.mmd":       {"-format", "mermaid", "-changes", changes, outage(t, true)},
		"gantt.quiet.txt": {"-format", "gantt", outage(t, false)},
		"gantt.demo.txt":  {"-format", "gantt", demoFolder},
		"gantt.demo.mmd":  {"-format", "mermaid", "-rows", "8", demoFolder},
	})
}

func TestGanttUsage(t *testing.T) {
	recording := outage(t, true)
	rejects(t, "timeline", []rejected{
		{[]string{"-format", "dot", recording}, statusUsage, "dot"},
		{[]string{"-format", "gantt", "-changes", "missing.json", recording}, statusInput, "missing.json"},
	})
}
