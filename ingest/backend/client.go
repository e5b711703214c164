package backend

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"time"
)

// Client says how to reach a backend. The zero Client is right for one that asks for no credentials.
// Proxies are taken from the environment, as [http.ProxyFromEnvironment] does it.
type Client struct {
	// Bearer is a token, User and Password are for basic authentication, Header has what else to send
	// with every request. A user in the URL counts as User and Password.
	Bearer   Secret
	User     string
	Password Secret
	Header   map[string]Secret

	// CAFile is a PEM file with the authorities to trust instead of the system's. CertFile and KeyFile
	// are the client's certificate and its key.
	CAFile, CertFile, KeyFile string

	// InsecureSkipVerify says not to look at the server's certificate: whoever is on the way can then
	// read along, credentials included.
	InsecureSkipVerify bool

	// Transport, if set, makes the requests instead, for a service mesh or a way to sign them. The fields
	// about certificates must not be set then, and proxies are its affair.
	Transport http.RoundTripper

	// Timeout is how long one request may take, its answer included. Default: one minute.
	Timeout time.Duration

	// Retries is how often to make a request again that failed because of the network, or with status
	// 429, 502, 503 or 504. Default: 5; negative for never.
	Retries int

	// Backoff is how long to wait before the first of them, about. Each further wait is twice as long, up
	// to 30 seconds, or as long as the server asks for. Default: half a second.
	Backoff time.Duration

	// MaxAnswer is how many bytes an answer may have, after decompression. Its traces take about as much
	// memory, those of hostile answers up to 20 times as much. Default: 256 MiB.
	MaxAnswer int64

	// Progress, if set, is called now and then, after one search or a few traces, by one goroutine.
	Progress func(Progress)
}

// A Secret is text that is sent, and neither printed nor logged nor marshalled.
type Secret string

const redacted = "[redacted]"

// Format implements [fmt.Formatter]: it writes that there is a secret.
func (s Secret) Format(f fmt.State, _ rune) {
	if s != "" {
		fmt.Fprint(f, redacted)
	}
}

// MarshalText implements [encoding.TextMarshaler]: it says that there is a secret.
func (s Secret) MarshalText() ([]byte, error) {
	if s == "" {
		return nil, nil
	}
	return []byte(redacted), nil
}

// session is a Client at work on one backend.
type session struct {
	Client
	base    *url.URL // without user, query and fragment
	http    *http.Client
	header  http.Header
	secrets []string // that may not be in messages

	mu     sync.Mutex
	state  Progress
	report func(Progress) Progress // adds what the session does not know
}

// open checks the settings and makes ready for requests.
func (c Client) open(rawURL string) (*session, error) {
	c.Timeout, c.Backoff = cmp.Or(c.Timeout, time.Minute), cmp.Or(c.Backoff, 500*time.Millisecond)
	c.Retries, c.MaxAnswer = max(0, cmp.Or(c.Retries, 5)), cmp.Or(c.MaxAnswer, 256<<20)
	s := &session{Client: c, header: http.Header{}}
	if err := s.parse(rawURL); err != nil {
		return nil, err
	}
	if err := s.authorize(); err != nil {
		return nil, err
	}
	transport, err := c.transport()
	if err != nil {
		return nil, err
	}
	s.http = &http.Client{Transport: transport, CheckRedirect: s.checkRedirect}
	return s, nil
}

// close lets go of the connections.
func (s *session) close() {
	if s.Transport == nil {
		s.http.CloseIdleConnections()
	}
}

// parse reads the URL, with the credentials that it may have.
func (s *session) parse(rawURL string) error {
	u, err := url.Parse(rawURL)
	if err != nil { // whose text has the URL, and in that maybe a password
		return errors.New("backend: the URL cannot be parsed")
	}
	if u.User != nil {
		password, _ := u.User.Password()
		s.User, s.Password = cmp.Or(s.User, u.User.Username()), cmp.Or(s.Password, Secret(password))
		u.User = nil
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return errors.New("backend: the URL must begin with http:// or https:// and a host")
	case u.RawQuery != "" || u.Fragment != "":
		return errors.New("backend: the URL must end with the path under which the API is, without a query")
	}
	s.base = u
	return nil
}

// authorize makes the header of all requests.
func (s *session) authorize() error {
	for key, value := range s.Header {
		s.header.Set(key, string(value))
		s.secrets = append(s.secrets, string(value))
	}
	isSet := s.header.Get("Authorization") != ""
	basic := s.User != "" || s.Password != ""
	if isSet && (basic || s.Bearer != "") || basic && s.Bearer != "" {
		return errors.New("backend: more than one way to authenticate: give a bearer token, a user with a password, or a header")
	}
	credentials := ""
	switch {
	case s.Bearer != "":
		credentials = "Bearer " + string(s.Bearer)
		s.secrets = append(s.secrets, string(s.Bearer))
	case basic:
		encoded := base64.StdEncoding.EncodeToString([]byte(s.User + ":" + string(s.Password)))
		credentials = "Basic " + encoded
		s.secrets = append(s.secrets, encoded, string(s.Password))
	default:
		return nil
	}
	s.header.Set("Authorization", credentials)
	return nil
}

// isUnencrypted reports whether credentials go over a network in clear text.
func (s *session) isUnencrypted() bool {
	host := s.base.Hostname()
	ip := net.ParseIP(host)
	isLocal := host == "localhost" || ip != nil && ip.IsLoopback()
	return s.base.Scheme == "http" && len(s.secrets) > 0 && !isLocal
}

func (c *Client) transport() (http.RoundTripper, error) {
	hasTLS := c.CAFile != "" || c.CertFile != "" || c.KeyFile != "" || c.InsecureSkipVerify
	if c.Transport != nil {
		if hasTLS {
			return nil, errors.New("backend: a Transport has its own certificates")
		}
		return c.Transport, nil
	}
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   15 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
	if !hasTLS {
		return t, nil
	}
	t.TLSClientConfig = &tls.Config{InsecureSkipVerify: c.InsecureSkipVerify}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("backend: authorities to trust: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("backend: %s holds no certificate in PEM", c.CAFile)
		}
		t.TLSClientConfig.RootCAs = pool
	}
	if c.CertFile != "" || c.KeyFile != "" {
		if c.CertFile == "" || c.KeyFile == "" {
			return nil, errors.New("backend: a client certificate and its key belong together")
		}
		cert, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("backend: client certificate: %w", err)
		}
		t.TLSClientConfig.Certificates = []tls.Certificate{cert}
	}
	return t, nil
}

// checkRedirect stops at another host: it could read the credentials.
func (s *session) checkRedirect(r *http.Request, via []*http.Request) error {
	if r.URL.Scheme != s.base.Scheme || r.URL.Host != s.base.Host {
		return &redirectError{r.URL.Scheme + "://" + r.URL.Host}
	}
	if len(via) >= 10 {
		return &redirectError{"itself, again and again"}
	}
	return nil
}

// A redirectError says where a server points that is not gone to.
type redirectError struct{ to string }

func (e *redirectError) Error() string {
	return "it redirects to " + e.to + ", which is not followed: give that URL if it is right"
}

// url returns the URL of a request, and how messages name it.
func (s *session) url(name string, query url.Values) (full, shown string) {
	u := *s.base
	u.RawPath, u.Path = "", path.Join("/", s.base.Path, name)
	shown = u.String()
	u.RawQuery = query.Encode()
	return u.String(), shown
}

// redact takes secrets out of a text that came from a server. Header values that are too short to be one
// stay, since the text may have them for other reasons.
func (s *session) redact(text string) string {
	const short = 4
	for _, secret := range s.secrets {
		if len(secret) >= short {
			text = strings.ReplaceAll(text, secret, redacted)
		}
	}
	return text
}

// count changes the numbers of the progress.
func (s *session) count(change func(*Progress)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.state)
}

func (s *session) progress() Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// tell calls Progress. It is called by the goroutine of Fetch alone.
func (s *session) tell() {
	if s.Progress != nil {
		s.Progress(s.report(s.progress()))
	}
}
