package backend

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pemFile writes a PEM file and returns its path.
func pemFile(t *testing.T, name, kind string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// clientCertificate makes a certificate and its key.
func clientCertificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(4711), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pemFile(t, "client.pem", "CERTIFICATE", signed), pemFile(t, "client.key", "PRIVATE KEY", encoded)
}

func TestCertificates(t *testing.T) {
	s := &store{traces: burst(1, 5)}
	serve := func(auth tls.ClientAuthType) *httptest.Server {
		server := httptest.NewUnstartedServer(s.jaeger(t))
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.TLS = &tls.Config{ClientAuth: auth}
		server.StartTLS()
		t.Cleanup(server.Close)
		return server
	}
	open, closed := serve(tls.NoClientCert), serve(tls.RequireAnyClientCert)
	plain := httptest.NewServer(s.jaeger(t))
	defer plain.Close()
	ca := pemFile(t, "ca.pem", "CERTIFICATE", open.Certificate().Raw) // the same for both
	cert, key := clientCertificate(t)
	for _, tt := range []struct {
		why     string
		url     string
		client  Client
		message string
	}{
		{"an unknown authority", open.URL, Client{}, "certificate signed by unknown authority"},
		{"a file with it", open.URL, Client{CAFile: ca}, ""},
		{"not looked at", open.URL, Client{InsecureSkipVerify: true}, ""},
		{"a client certificate", closed.URL, Client{CAFile: ca, CertFile: cert, KeyFile: key}, ""},
		{"no client certificate", closed.URL, Client{CAFile: ca}, "certificate required"},
		{"no authority in the file", open.URL, Client{CAFile: key}, "no certificate in PEM"},
		{"without TLS", "http" + strings.TrimPrefix(open.URL, "https"), Client{}, "status 400 Bad Request"},
		{"TLS where there is none", "https" + strings.TrimPrefix(plain.URL, "http"), Client{}, "HTTP response to HTTPS client"},
	} {
		r, err := Jaeger{URL: tt.url, Client: tt.client}.Fetch(t.Context(), hour, drop)
		if (err == nil) != (tt.message == "") || err != nil && !strings.Contains(err.Error(), tt.message) || r.Retries > 0 || err == nil && r.Traces != 5 {
			t.Errorf("%s: %v, want %q; %+v", tt.why, err, tt.message, r)
		}
	}
}

// Proxies are those of the environment, which net/http looks at once in a process.
func TestProxy(t *testing.T) {
	const isChild, user = "BACKEND_TEST_PROXY", "ann:s3cr3t"
	if os.Getenv(isChild) != "" {
		r, err := Jaeger{URL: "http://jaeger.invalid", Client: Client{Retries: -1}}.Fetch(t.Context(), hour, drop)
		t.Logf("%d traces, %v", r.Traces, err)
		return
	}
	s := &store{traces: burst(1, 5)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "jaeger.invalid" || r.Header.Get("Proxy-Authorization") == "" {
			t.Errorf("asked for %s with %v", r.Host, r.Header)
		}
		s.jaeger(t).ServeHTTP(w, r)
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	for proxy, want := range map[string]string{
		"http://" + user + "@" + host:     "5 traces, <nil>",
		"http://" + user + "@127.0.0.1:1": "connect",
	} {
		c := exec.Command(os.Args[0], "-test.run=^TestProxy$", "-test.v")
		c.Env = append(os.Environ(), isChild+"=1", "HTTP_PROXY="+proxy, "http_proxy="+proxy, "NO_PROXY=", "no_proxy=")
		said, err := c.CombinedOutput()
		if err != nil || !strings.Contains(string(said), want) || strings.Contains(string(said), "s3cr3t") {
			t.Errorf("%s: %v: %s, want %q", proxy, err, said, want)
		}
	}
}
