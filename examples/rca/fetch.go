package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/backend"
	"github.com/tracewhy/tracewhy/rca/report"
)

// The environment variables that credentials may come in.
const (
	envBearer = "RCA_BEARER" // a token
	envBasic  = "RCA_BASIC"  // user:password
)

// fetchFlags are the flags of fetch.
type fetchFlags struct {
	jaeger, tempo, tenant  string
	services, where        listFlag
	operation              string
	since, minDuration     time.Duration
	start, end             string
	errors                 bool
	limit                  int
	headers                listFlag
	headerFile, bearerFile string
	basicFile              string
	ca, cert, key          string
	insecure               bool
	timeout                time.Duration
	maxAnswer              int64
	output                 string
}

func (f *fetchFlags) define(fs *flag.FlagSet) {
	fs.StringVar(&f.jaeger, "jaeger", "", "read from the Jaeger at `URL`")
	fs.StringVar(&f.tempo, "tempo", "", "read from the Tempo at `URL`")
	fs.StringVar(&f.tenant, "tenant", "", "the Tempo `TENANT` whose traces to read")
	fs.Var(&f.services, "service", "traces through the service `NAME`; may be repeated for any of several")
	fs.StringVar(&f.operation, "operation", "", "traces with a span of this `NAME`")
	fs.DurationVar(&f.since, "since", time.Hour, "traces that began no longer ago than this `DURATION`")
	fs.StringVar(&f.start, "start", "", "traces that began at this `TIME` or later, such as 2026-03-01T14:30:00Z; instead of -since")
	fs.StringVar(&f.end, "end", "", "traces that began before this `TIME`; now if it is not given")
	fs.BoolVar(&f.errors, "errors", false, "traces with a failed span: to look at, not to compare with a baseline")
	fs.DurationVar(&f.minDuration, "min-duration", 0, "traces with a span that took this `DURATION` or longer")
	fs.Var(&f.where, "where", "traces with a span, or its resource, for which `CONDITION` holds, as for rca convert; may be repeated for all of several. One span has to meet all of these flags, -errors apart")
	fs.Var(&f.where, "tag", "the same as -where, for a tag `KEY=VALUE`")
	fs.IntVar(&f.limit, "limit", 5000, "save `N` traces at most, a sample spread over the time; 0 means all")
	fs.Var(&f.headers, "header", "send the header `'KEY: VALUE'`; may be repeated. Others on this machine may see it: for secrets there is -header-file")
	fs.StringVar(&f.headerFile, "header-file", "", "send the headers that `FILE` has, one a line")
	fs.StringVar(&f.bearerFile, "bearer-file", "", "authenticate with the token in `FILE`, or in the environment variable "+envBearer)
	fs.StringVar(&f.basicFile, "basic-file", "", "authenticate with user:password in `FILE`, or in the environment variable "+envBasic)
	fs.StringVar(&f.ca, "ca", "", "trust the certificate authorities in the PEM `FILE`")
	fs.StringVar(&f.cert, "cert", "", "show the client certificate in the PEM `FILE`")
	fs.StringVar(&f.key, "key", "", "the key of -cert, a PEM `FILE`")
	fs.BoolVar(&f.insecure, "insecure", false, "do not look at the server's certificate: anyone on the way can read along")
	fs.DurationVar(&f.timeout, "timeout", time.Minute, "how long one request may take, as a `DURATION`")
	fs.Int64Var(&f.maxAnswer, "max-answer", 256, "how long an answer of the backend may be, in `MiB`")
	fs.StringVar(&f.output, "o", "", "save to `FILE`: OTLP JSON lines, or protobuf if it ends in .pb; compressed if that is followed by .gz or .zst")
}

// fetch saves the traces that a backend has.
func fetch(ctx context.Context, env *environment, c *command, args []string) error {
	fs := c.flagSet()
	var f fetchFlags
	f.define(fs)
	positional, err := c.parse(env, fs, args)
	if err != nil {
		return err
	}
	if len(positional) > 0 {
		return usagef("it takes no arguments: %s", positional[0])
	}
	if (f.jaeger == "") == (f.tempo == "") {
		return usagef("say where to read from: -jaeger URL, or -tempo URL")
	}
	isGiven := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { isGiven[f.Name] = true })
	if isGiven["since"] && isGiven["start"] {
		return usagef("-since and -start both say where to begin")
	}
	query, err := f.query(time.Now())
	if err != nil {
		return err
	}
	if f.maxAnswer <= 0 || f.maxAnswer > 1<<20 {
		return usagef("-max-answer is a number of MiB, not %d", f.maxAnswer)
	}
	client, err := f.client()
	if err != nil {
		return err
	}
	p := newProgress(env, "fetching")
	client.Progress = p.fetched
	out, err := newSaved(env, f.output)
	if err != nil {
		return err
	}
	var result *backend.Result
	if f.jaeger != "" {
		result, err = backend.Jaeger{URL: f.jaeger, Client: client}.Fetch(ctx, query, out.add)
	} else {
		result, err = backend.Tempo{URL: f.tempo, Client: client, Tenant: f.tenant}.Fetch(ctx, query, out.add)
	}
	p.done()
	if err = errors.Join(err, out.close(err == nil)); err != nil {
		return err
	}
	summary := env.stdout
	if f.output == "" {
		summary = env.stderr
	}
	return writeFetched(summary, query, result, f.output)
}

// fetched says how far a fetch got.
func (p *progress) fetched(at backend.Progress) {
	if p != nil && time.Since(p.last) > 100*time.Millisecond {
		p.say(fmt.Sprintf(" %.0f %% of the time, %d traces, %d spans, %.1f MB", 100*at.Share, at.Traces, at.Spans, float64(at.Bytes)/1e6))
	}
}

// query returns what to ask for.
func (f *fetchFlags) query(now time.Time) (backend.Query, error) {
	q := backend.Query{
		Services: f.services, Operation: f.operation, MinDuration: f.minDuration, Errors: f.errors,
		End: now, Limit: f.limit,
	}
	var err error
	if f.end != "" {
		if q.End, err = time.Parse(time.RFC3339Nano, f.end); err != nil {
			return q, usagef("-end is a time such as 2026-03-01T14:30:00Z, not %q", f.end)
		}
	}
	q.Start = q.End.Add(-f.since)
	if f.start != "" {
		if q.Start, err = time.Parse(time.RFC3339Nano, f.start); err != nil {
			return q, usagef("-start is a time such as 2026-03-01T14:30:00Z, not %q", f.start)
		}
	}
	switch {
	case !q.Start.Before(q.End):
		return q, usagef("the time from %s to %s has no length", q.Start.Format(time.RFC3339), q.End.Format(time.RFC3339))
	case q.Limit < 0:
		return q, usagef("-limit is a number of traces, not %d", q.Limit)
	}
	for _, text := range f.where {
		c, err := parseCondition(text)
		if err != nil {
			return q, err
		}
		if c.Key == "error" { // which Jaeger has as a tag, and OTLP as a status
			return q, usagef("for traces with errors there is -errors")
		}
		q.Where = append(q.Where, c)
	}
	return q, nil
}

// client returns how to reach the backend, with credentials from files, the environment and flags.
func (f *fetchFlags) client() (backend.Client, error) {
	c := backend.Client{
		CAFile: f.ca, CertFile: f.cert, KeyFile: f.key, InsecureSkipVerify: f.insecure,
		Timeout: f.timeout, MaxAnswer: f.maxAnswer << 20, Header: map[string]backend.Secret{},
	}
	lines := []string(f.headers)
	if f.headerFile != "" {
		text, err := secretFile(f.headerFile)
		if err != nil {
			return c, err
		}
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
	}
	for _, line := range lines {
		key, value, ok := strings.Cut(line, ":")
		if !ok || key == "" {
			return c, usagef("a header is KEY: VALUE") // which is not shown: it may be a secret
		}
		c.Header[key] = backend.Secret(strings.TrimSpace(value))
	}
	bearer, basic := os.Getenv(envBearer), os.Getenv(envBasic)
	if f.bearerFile != "" || f.basicFile != "" { // which go before the environment
		bearer, basic = "", ""
	}
	for _, file := range []struct {
		path string
		text *string
	}{{f.bearerFile, &bearer}, {f.basicFile, &basic}} {
		if file.path == "" {
			continue
		}
		text, err := secretFile(file.path)
		if err != nil {
			return c, err
		}
		*file.text = text
	}
	user, password, ok := strings.Cut(basic, ":")
	if basic != "" && !ok {
		return c, usagef("credentials for basic authentication are user:password")
	}
	c.Bearer, c.User, c.Password = backend.Secret(bearer), user, backend.Secret(password)
	return c, nil
}

// secretFile returns what a small file holds.
func secretFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	const limit = 64 << 10
	text, err := io.ReadAll(io.LimitReader(f, limit))
	return strings.TrimSpace(string(text)), err
}

// writeFetched says what was fetched.
func writeFetched(w io.Writer, q backend.Query, r *backend.Result, output string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d traces of %d spans that began from %s to %s", r.Traces, r.Spans, q.Start.UTC().Format(time.RFC3339), q.End.UTC().Format(time.RFC3339))
	if output != "" {
		fmt.Fprintf(&b, ", saved to %s", report.Clean(output))
	}
	fmt.Fprintf(&b, "\n%d requests, %.1f MB", r.Requests, float64(r.Bytes)/1e6)
	if r.Retries > 0 {
		fmt.Fprintf(&b, ", %d of them made again", r.Retries)
	}
	if r.Skipped > 0 {
		fmt.Fprintf(&b, "; %d traces came that were not asked for", r.Skipped)
	}
	b.WriteByte('\n')
	for _, list := range [][]tracewhy.Warning{r.Warnings, r.Problems} {
		for _, p := range list {
			fmt.Fprintf(&b, "%8d %-24s %s\n", p.Count, p.Code, report.Clean(p.Message))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
