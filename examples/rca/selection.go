package main

import (
	"flag"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy"
)

// selection is flags that select traces by a span that they have.
type selection struct {
	service, operation string
	failed             bool
	minDuration        time.Duration
	where              listFlag
}

// define adds the flags. Which begins what they say, such as "only traces".
func (f *selection) define(fs *flag.FlagSet, which string) {
	fs.StringVar(&f.service, "service", "", which+" with a span of this service `NAME`")
	fs.StringVar(&f.operation, "operation", "", which+" with a span of this `NAME`")
	fs.BoolVar(&f.failed, "failed", false, which+" with a span that failed")
	fs.DurationVar(&f.minDuration, "min-duration", 0, which+" with a span that took this `DURATION` or longer")
	fs.Var(&f.where, "where", which+" with a span, or its resource, for which `CONDITION` holds: KEY=VALUE, KEY!=VALUE, 'KEY>=NUMBER', 'KEY<NUMBER', 'KEY has VALUE' of a list, 'KEY missing', or KEY for any value; may be repeated for all of several. One span has to meet all of these flags")
}

// isAny reports whether every trace is selected.
func (f *selection) isAny() bool {
	return f.service == "" && f.operation == "" && !f.failed && f.minDuration == 0 && len(f.where) == 0
}

// predicate returns what the flags select traces by.
func (f *selection) predicate() (tracewhy.Predicate, error) {
	m := tracewhy.Matcher{Service: f.service, Operation: f.operation, Failed: f.failed, MinDuration: f.minDuration}
	for _, text := range f.where {
		c, err := parseCondition(text)
		if err != nil {
			return tracewhy.Predicate{}, err
		}
		m.Where = append(m.Where, c)
	}
	return tracewhy.Predicate{Has: []tracewhy.Matcher{m}}, nil
}

// parseCondition reads a condition as it is written on a command line.
func parseCondition(text string) (tracewhy.Condition, error) {
	at := strings.IndexAny(text, "!<>=")
	if at < 0 {
		at = len(text)
	}
	c := tracewhy.Condition{Key: strings.TrimSpace(text[:at]), Op: tracewhy.OpPresent}
	if c.Key == "" {
		return c, usagef("-where is KEY, or KEY=VALUE with =, !=, >= or <, not %q", text)
	}
	if key, value, ok := strings.Cut(text[:at], " has "); ok { // as conditions are printed
		c.Key, c.Op, c.Value = strings.TrimSpace(key), tracewhy.OpHas, tracewhy.StringOf(strings.TrimSpace(value+text[at:]))
		return c, nil
	}
	if at == len(text) {
		if key, ok := strings.CutSuffix(c.Key, " missing"); ok {
			c.Key, c.Op = strings.TrimSpace(key), tracewhy.OpMissing
		}
		return c, nil
	}
	for _, op := range [...]tracewhy.Op{tracewhy.OpNotEqual, tracewhy.OpAtLeast, tracewhy.OpEqual, tracewhy.OpLess} {
		value, ok := strings.CutPrefix(text[at:], string(op))
		if !ok {
			continue
		}
		c.Op, c.Value = op, tracewhy.StringOf(strings.TrimSpace(value))
		if _, isNumber := c.Value.Number(); !isNumber && (op == tracewhy.OpAtLeast || op == tracewhy.OpLess) {
			return c, usagef("-where %s compares with a number, and %q is none", op, value)
		}
		return c, nil
	}
	return c, usagef("-where knows =, !=, >= and <, which %q has none of", text)
}
