package capacity

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mostPoints is how many measurements are read at most.
const mostPoints = 10_000_000

// ReadSignals reads gauges as JSON or CSV: which of both is seen from what comes first.
//
// As JSON they are objects, one after the other or in a list, as
//
//	{"name": "pool.size", "time": "2026-11-24T08:45:00Z", "value": 10, "service": "auth"}
//
// and as CSV lines after one that names the columns. Both have name, time and value, and may have service,
// instance and unit. A time is as in RFC 3339, or a number of seconds since the Unix epoch. A value that is
// not known is null, empty or NaN, and is a gap. Anything else is an error that says where it is. Signals are ordered
// by service, instance and name, and their points by time.
func ReadSignals(r io.Reader) ([]Signal, error) {
	in := bufio.NewReader(r)
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		in.Discard(3) // which were peeked at
	}
	for {
		c, err := in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return nil, errors.New("signals: nothing to read")
		case err != nil:
			return nil, fmt.Errorf("signals: %w", err)
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			continue
		}
		if err := in.UnreadByte(); err != nil {
			return nil, fmt.Errorf("signals: %w", err)
		}
		s := signals{numbers: map[signalID]int{}}
		if c == '{' || c == '[' {
			err = s.readJSON(in, c == '[')
		} else {
			err = s.readCSV(in)
		}
		if err != nil {
			return nil, fmt.Errorf("signals: %w", err)
		}
		return s.sorted(), nil
	}
}

// signals collects what was read.
type signals struct {
	numbers map[signalID]int // only looked up
	all     []Signal
	points  int
}

type signalID struct{ service, instance, name string }

// measurement is one object, or line, as it was written.
type measurement struct {
	Name     string          `json:"name"`
	Time     json.RawMessage `json:"time"`
	Value    *float64        `json:"value"`
	Service  string          `json:"service"`
	Instance string          `json:"instance"`
	Unit     string          `json:"unit"`
}

func (s *signals) readJSON(in io.Reader, isList bool) error {
	d := json.NewDecoder(in)
	d.DisallowUnknownFields()
	if isList {
		if _, err := d.Token(); err != nil {
			return err
		}
	}
	for n := 1; ; n++ {
		if isList && !d.More() {
			if _, err := d.Token(); err != nil {
				return fmt.Errorf("after measurement %d: %w", n-1, err)
			}
			if _, err := d.Token(); !errors.Is(err, io.EOF) {
				return errors.New("something follows the list")
			}
			return nil
		}
		var m *measurement
		err := d.Decode(&m)
		if errors.Is(err, io.EOF) && !isList {
			return nil
		}
		if err == nil && m == nil {
			err = errors.New("it is null")
		}
		if err == nil {
			err = s.addMeasurement(m)
		}
		if err != nil {
			return fmt.Errorf("measurement %d: %w", n, err)
		}
	}
}

func (s *signals) addMeasurement(m *measurement) error {
	text := string(m.Time)
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal(m.Time, &text); err != nil {
			return err
		}
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			return fmt.Errorf("the time %q is a number in quotes", text)
		}
	}
	at, err := parseMoment(text)
	if err != nil {
		return err
	}
	value := math.NaN()
	if m.Value != nil {
		value = *m.Value
	}
	return s.add(signalID{m.Service, m.Instance, m.Name}, m.Unit, Point{at, value})
}

var signalColumns = []string{"name", "time", "value", "service", "instance", "unit"}

func (s *signals) readCSV(in io.Reader) error {
	r := csv.NewReader(in)
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return err
	}
	at := slices.Repeat([]int{-1}, len(signalColumns))
	for i, name := range header {
		n := slices.Index(signalColumns, strings.ToLower(strings.TrimSpace(name)))
		switch {
		case n < 0:
			return fmt.Errorf("line 1: the columns are %s; there is none named %q", strings.Join(signalColumns, ", "), name)
		case at[n] >= 0:
			return fmt.Errorf("line 1: two columns are named %q", signalColumns[n])
		}
		at[n] = i
	}
	for n, name := range signalColumns[:3] {
		if at[n] < 0 {
			return fmt.Errorf("line 1: no column is named %q", name)
		}
	}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err // it says in which line
		}
		field := func(n int) string {
			if at[n] < 0 {
				return ""
			}
			return strings.TrimSpace(record[at[n]])
		}
		if err := s.addFields(field(0), field(1), field(2), field(3), field(4), field(5)); err != nil {
			line, _ := r.FieldPos(0)
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

func (s *signals) addFields(name, moment, value, service, instance, unit string) error {
	at, err := parseMoment(moment)
	if err != nil {
		return err
	}
	v := math.NaN()
	if value != "" {
		if v, err = strconv.ParseFloat(value, 64); err != nil {
			return fmt.Errorf("the value %q is not a number", value)
		}
	}
	return s.add(signalID{strings.Clone(service), strings.Clone(instance), strings.Clone(name)}, strings.Clone(unit), Point{at, v})
}

// latestSecond is in the year 2255: a larger number is not one of seconds.
const latestSecond = 9_000_000_000

// parseMoment reads a time as in RFC 3339, or as a number of seconds since the Unix epoch.
func parseMoment(text string) (int64, error) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		if y := t.Year(); y < 1678 || y > 2261 {
			return 0, fmt.Errorf("the time %q is not between the years 1678 and 2261", text)
		}
		return t.UnixNano(), nil
	}
	whole, part, _ := strings.Cut(text, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	isNumber := err == nil && len(part) <= 9 && strings.Trim(part, "0123456789") == ""
	switch {
	case text == "":
		return 0, errors.New("it has no time")
	case !isNumber:
		return 0, fmt.Errorf("the time %q is neither as 2006-01-02T15:04:05Z nor a number of seconds", text)
	case seconds < 0 || seconds > latestSecond:
		return 0, fmt.Errorf("the time %q is not a number of seconds since 1970: is it one of milliseconds?", text)
	}
	ns, err := strconv.ParseInt(part+strings.Repeat("0", 9-len(part)), 10, 64)
	return seconds*int64(time.Second) + ns, err
}

// add adds a point. One of a value that is not known is a gap.
func (s *signals) add(id signalID, unit string, p Point) error {
	if id.name == "" {
		return errors.New("it has no name")
	}
	if math.IsInf(p.Value, 0) {
		return errors.New("its value is infinite")
	}
	n, ok := s.numbers[id]
	if !ok {
		n = len(s.all)
		s.numbers[id] = n
		s.all = append(s.all, Signal{Name: id.name, Unit: unit, Service: id.service, Instance: id.instance})
	}
	if s.all[n].Unit != unit {
		return fmt.Errorf("%s is in %q, and was in %q before", s.all[n], unit, s.all[n].Unit)
	}
	if math.IsNaN(p.Value) {
		return nil
	}
	if s.points++; s.points > mostPoints {
		return fmt.Errorf("there are more than %d", mostPoints)
	}
	s.all[n].Points = append(s.all[n].Points, p)
	return nil
}

func (s *signals) sorted() []Signal {
	for i := range s.all {
		sortPoints(s.all[i].Points)
	}
	slices.SortFunc(s.all, compareSignals)
	return s.all
}
