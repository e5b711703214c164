package timeline

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// Change is something that people or machines did to what the traces are of: a deployment, a setting, an index.
type Change struct {
	Time time.Time `json:"time"`
	// Until is when it was complete, if it took some time, or if it is only known that it was between the two;
	// else it is the zero Time.
	Until time.Time `json:"until,omitzero"`
	// Kind is deployment, config, scaling, maintenance, feature_flag, or a word of the caller's.
	Kind string `json:"kind"`
	// Service names what was changed: a service, a dependency without spans ([tracewhy.Span.Peer]), or a host.
	Service     string `json:"service"`
	ID          string `json:"id"`
	Description string `json:"description"`

	// Each of these, if it is known, says that only a part of the service was changed: an instance or a host
	// of it, its executions of one version, one operation. Share is which share of its traffic was to meet the
	// change, from 0 to 1, and 0 if that is not known.
	Instance  string  `json:"instance,omitempty"`
	Version   string  `json:"version,omitempty"`
	Operation string  `json:"operation,omitempty"`
	Share     float64 `json:"share,omitempty"`
}

// until returns when the change was complete.
func (c Change) until() time.Time {
	if c.Until.Before(c.Time) {
		return c.Time
	}
	return c.Until
}

const (
	mostChanges    = 100_000
	longestText    = 4096 // bytes of a text of a change
	earliestChange = 1678 // the years whose moments have a number of nanoseconds
	latestChange   = 2261
)

// ParseChanges reads changes from JSON, and returns them in the order of time:
//
//	[{"time": "2026-11-24T02:30:00Z", "kind": "maintenance", "service": "users-db", "id": "CHG-7", "description": "index rebuilt"}]
//
// Fields that [Change] does not have are passed over, and so is a change that is there twice. The error names the
// element that cannot be read: its time is no time of RFC 3339, or outside the years 1678 to 2261; a text is longer
// than 4096 bytes; a share is not between 0 and 1; or there are more than 100,000.
func ParseChanges(data []byte) ([]Change, error) {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	if t, err := d.Token(); err == io.EOF {
		return nil, errors.New("changes: nothing to read")
	} else if err != nil {
		return nil, fmt.Errorf("changes: %w", err)
	} else if t != json.Delim('[') {
		return nil, errors.New("changes: not a JSON array")
	}
	var out []Change
	seen := map[Change]bool{} // only looked up
	for n := 0; d.More(); n++ {
		if n == mostChanges {
			return nil, fmt.Errorf("changes: more than %d", mostChanges)
		}
		var c *Change
		if err := d.Decode(&c); err != nil {
			return nil, fmt.Errorf("changes: element %d: %w", n, err)
		}
		if c == nil {
			return nil, fmt.Errorf("changes: element %d: null", n)
		}
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("changes: element %d: %w", n, err)
		}
		if c.Time = c.Time.UTC(); !c.Until.IsZero() {
			c.Until = c.Until.UTC()
		}
		if !seen[*c] {
			seen[*c] = true
			out = append(out, *c)
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("changes: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("changes: something follows the array")
	}
	slices.SortFunc(out, compareChanges)
	return out, nil
}

func (c *Change) check() error {
	inRange := func(t time.Time) bool { return t.UTC().Year() >= earliestChange && t.UTC().Year() <= latestChange }
	switch {
	case c.Time.IsZero():
		return errors.New("no time")
	case !inRange(c.Time):
		return fmt.Errorf("time %s is out of range", c.Time.Format(time.RFC3339))
	case !c.Until.IsZero() && !inRange(c.Until):
		return fmt.Errorf("until %s is out of range", c.Until.Format(time.RFC3339))
	case !c.Until.IsZero() && c.Until.Before(c.Time):
		return errors.New("until is before time")
	case !(c.Share >= 0 && c.Share <= 1):
		return errors.New("share is not between 0 and 1")
	}
	for _, f := range []struct{ name, text string }{
		{"kind", c.Kind}, {"service", c.Service}, {"id", c.ID}, {"description", c.Description},
		{"instance", c.Instance}, {"version", c.Version}, {"operation", c.Operation},
	} {
		if len(f.text) > longestText {
			return fmt.Errorf("%s is longer than %d bytes", f.name, longestText)
		}
	}
	return nil
}

// compareChanges orders changes by time, and then by what they say.
func compareChanges(x, y Change) int {
	return cmp.Or(
		x.Time.Compare(y.Time), x.until().Compare(y.until()),
		cmp.Compare(x.ID, y.ID), cmp.Compare(x.Service, y.Service), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Description, y.Description),
		cmp.Compare(x.Instance, y.Instance), cmp.Compare(x.Version, y.Version), cmp.Compare(x.Operation, y.Operation),
		cmp.Compare(x.Share, y.Share),
	)
}

// nanos returns a moment in nanoseconds since the Unix epoch; what has no such number is far away.
func nanos(t time.Time) int64 {
	switch year := t.UTC().Year(); {
	case year < earliestChange:
		return math.MinInt64
	case year > latestChange:
		return math.MaxInt64
	}
	return t.UnixNano()
}
