package backend

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Error is what went wrong with a request. Its text has no credentials, no query, and of the answer no
// more than the first line.
type Error struct {
	URL      string // without user and query
	Status   int    // the status of the answer; 0 if there was none
	Line     string // the first line of the answer's body, cut to 200 bytes
	Attempts int    // how often the request was made
	Err      error  // what went wrong; nil where Status says it
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "backend: %s: ", e.URL)
	if e.Status != 0 && (e.Status != http.StatusOK || e.Err == nil) {
		fmt.Fprintf(&b, "status %d %s", e.Status, http.StatusText(e.Status))
		if e.Err != nil {
			b.WriteString(": ")
		}
	}
	if e.Err != nil {
		b.WriteString(e.Err.Error())
	}
	if e.Line != "" {
		fmt.Fprintf(&b, ": %s", e.Line)
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " (%d attempts)", e.Attempts)
	}
	return b.String()
}

// Unwrap returns what went wrong.
func (e *Error) Unwrap() error { return e.Err }

var (
	errTooLong = errors.New("the answer is longer than Client.MaxAnswer")
	errPartial = errors.New("the answer stops in the middle")
	errTimeout = errors.New("no whole answer within Client.Timeout")
	errHTML    = errors.New("the answer is a web page, as for people who are to log in or took the wrong path")
)

// maxWait bounds the waits between attempts, and maxRetryAfter how long a server may ask to be left alone.
const (
	maxWait       = 30 * time.Second
	maxRetryAfter = 5 * time.Minute
)

// get makes a request, again if it is worth it, and has the body of the answer read. read may be called
// several times, each time for a new answer; an answer counts once read returns nil.
func (s *session) get(ctx context.Context, name string, query url.Values, accept string, read func(io.Reader) error) error {
	full, shown := s.url(name, query)
	for attempt := 1; ; attempt++ {
		s.count(func(p *Progress) {
			p.Requests++
			if attempt > 1 {
				p.Retries++
			}
		})
		a := s.attempt(ctx, full, accept, read)
		if a.err == nil {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		wait := s.wait(attempt)
		if a.again && attempt <= s.Retries && a.after <= maxRetryAfter {
			if err := sleep(ctx, max(wait, a.after)); err != nil {
				return err
			}
			continue
		}
		e := &Error{URL: shown, Status: a.status, Line: a.line, Attempts: attempt, Err: a.err}
		if errors.Is(a.err, errStatus) {
			e.Err = nil
		}
		if a.after > maxRetryAfter {
			e.Err = fmt.Errorf("it asks to be left alone for %s", a.after)
		}
		return e
	}
}

// wait returns how long to wait after an attempt: about twice as long as after the one before, and not at
// the same time as others that failed at the same time.
func (s *session) wait(attempt int) time.Duration {
	d := min(s.Backoff<<min(attempt-1, 16), maxWait)
	return d/2 + rand.N(d/2+1)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// outcome is how an attempt ended.
type outcome struct {
	err    error // nil if the answer was read
	again  bool  // whether another attempt is worth it
	after  time.Duration
	status int
	line   string
}

var errStatus = errors.New("status") // the status says what went wrong

func (s *session) attempt(ctx context.Context, full, accept string, read func(io.Reader) error) outcome {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, full, nil)
	if err != nil {
		return outcome{err: withoutURL(err)}
	}
	req.Header = s.header.Clone()
	req.Header.Set("Accept", accept)
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	resp, err := s.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return outcome{err: errTimeout, again: true}
		}
		err = withoutURL(err)
		return outcome{err: err, again: isPassing(err)}
	}
	defer resp.Body.Close()
	body := &body{r: resp.Body, left: s.MaxAnswer, session: s}
	o := outcome{status: resp.StatusCode}
	isPage := false
	if media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil {
		isPage = media == "text/html"
	}
	switch {
	case resp.StatusCode != http.StatusOK:
		io.CopyN(io.Discard, body, maxHead) // for the first line, as far as it comes
		o.err, o.again, o.after = errStatus, isBusy(resp.StatusCode), retryAfter(resp.Header)
	case isPage:
		io.CopyN(io.Discard, body, maxHead)
		o.err = errHTML
	default:
		o.err = read(body)
	}
	switch {
	case o.err == nil:
		return o
	case body.isTooLong:
		o.err = errTooLong
		return o
	case o.err == errStatus || o.err == errHTML:
	case ctx.Err() != nil:
		o.err, o.again = errTimeout, true
		return o
	case body.err != nil:
		o.err, o.again = fmt.Errorf("%w: %w", errPartial, withoutURL(body.err)), true
		return o
	default:
		o.again = errors.Is(o.err, errPartial)
	}
	o.line = s.redact(firstLine(body.head))
	return o
}

// isBusy reports whether a status says that the request may succeed later.
func isBusy(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// isPassing reports whether an error of the network may pass.
func isPassing(err error) bool {
	var redirect *redirectError
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var op *net.OpError
	var authority x509.UnknownAuthorityError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &redirect), errors.As(err, &cert), errors.As(err, &authority), errors.As(err, &record),
		errors.As(err, &op) && op.Op == "remote error", // which is how crypto/tls says that the server refused
		errors.As(err, &dns) && dns.IsNotFound,
		errors.Is(err, http.ErrSchemeMismatch):
		return false
	}
	return true
}

// withoutURL returns the error that a [url.Error] wraps: it has the query in its text.
func withoutURL(err error) error {
	for {
		var e *url.Error
		if !errors.As(err, &e) {
			return err
		}
		err = e.Err
	}
}

// retryAfter returns how long the server asks to wait.
func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date")) // the server's clock, if it says
	if err != nil {
		now = time.Now()
	}
	return max(0, at.Sub(now))
}

// maxHead is how much of an answer is kept for messages.
const maxHead = 4 << 10

// body is the body of an answer. It counts, keeps the beginning, and ends where there is too much.
type body struct {
	r         io.Reader
	session   *session
	left      int64
	head      []byte
	isTooLong bool
	err       error // of reading, io.EOF apart
}

func (b *body) Read(p []byte) (int, error) {
	if b.left <= 0 {
		var one [1]byte
		if n, err := b.r.Read(one[:]); n == 0 {
			return 0, err
		}
		b.isTooLong = true
		return 0, errTooLong
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	b.session.count(func(s *Progress) { s.Bytes += int64(n) })
	if len(b.head) < maxHead {
		b.head = append(b.head, p[:min(n, maxHead-len(b.head))]...)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// firstLine returns the first line of a text, as far as it can be shown.
func firstLine(b []byte) string {
	const limit = 200
	b = bytes.TrimSpace(b)
	if i := bytes.IndexAny(b, "\r\n"); i >= 0 {
		b = b[:i]
	}
	isCut := len(b) > limit
	line := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '.'
		}
		return r
	}, string(b[:min(len(b), limit)]))
	if isCut {
		line += "…"
	}
	return line
}
