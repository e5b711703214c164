package backendtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const (
	jaegerModule  = "github.com/jaegertracing/jaeger"
	jaegerVersion = "v1.76.0" // of the tree that has the second generation of Jaeger in cmd/jaeger
)

// programs returns the folder with jaeger and hotrod, having built them where they are not there yet.
func programs(t *testing.T) string {
	t.Helper()
	bin := os.Getenv("BACKENDTEST_BIN")
	if bin == "" {
		t.Skip("set BACKENDTEST_BIN to a folder for the programs jaeger and hotrod, which are built if they are not there")
	}
	bin, err := filepath.Abs(bin)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(bin, 0o777); err != nil {
		t.Fatal(err)
	}
	module := "" // in which to build
	for name, pkg := range map[string]string{"jaeger": "/cmd/jaeger", "hotrod": "/examples/hotrod"} {
		path := filepath.Join(bin, name)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if module == "" {
			module = jaegerBuildModule(t)
		}
		t.Logf("building %s", path)
		command(t, module, "go", "get", "-tool", jaegerModule+pkg+"@"+jaegerVersion)
		command(t, module, "go", "build", "-o", path, jaegerModule+pkg)
	}
	return bin
}

// jaegerBuildModule makes a module in which Jaeger can be built. "go install" refuses to, since Jaeger's
// go.mod replaces a module by an older version of itself.
func jaegerBuildModule(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	const mod = "module scratch\n\ngo 1.26\n\nreplace github.com/Shopify/sarama => github.com/Shopify/sarama v1.33.0\n"
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o666); err != nil {
		t.Fatal(err)
	}
	var source struct{ Dir string }
	if err := json.Unmarshal(command(t, dir, "go", "mod", "download", "-json", jaegerModule+"@"+jaegerVersion), &source); err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(source.Dir, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

// command runs a program to its end and returns what it printed.
func command(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir, c.Stdout, c.Stderr = dir, &stdout, &stderr
	if err := c.Run(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, stderr.Bytes())
	}
	return stdout.Bytes()
}

// start runs a program until the returned function is called, or the test ends.
func start(t *testing.T, env []string, name string, args ...string) (stop func()) {
	t.Helper()
	var output bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, name, args...)
	c.Env, c.Stdout, c.Stderr = append(os.Environ(), env...), &output, &output
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 10 * time.Second
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	isRunning := true
	stop = func() {
		if !isRunning {
			return
		}
		isRunning = false
		cancel()
		c.Wait() // its error is that it was interrupted
		if t.Failed() {
			t.Logf("%s printed, at last:\n%s", filepath.Base(name), output.Bytes()[max(0, output.Len()-4000):])
		}
	}
	t.Cleanup(stop)
	return stop
}

// ports returns ports of the loopback interface that are free.
func ports(t *testing.T, n int) []int {
	t.Helper()
	var list []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // when all are known, so that they differ
		list = append(list, l.Addr().(*net.TCPAddr).Port)
	}
	return list
}

// await waits until a URL answers.
func await(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if resp, err := http.Get(url); err == nil {
			resp.Body.Close()
			return
		}
	}
	t.Fatalf("%s does not answer", url)
}

// startJaeger runs a Jaeger that keeps traces in memory, and returns the URLs of its query API and of
// its receiver.
func startJaeger(t *testing.T, bin string) (query, receiver string) {
	t.Helper()
	p := ports(t, 3)
	config := fmt.Sprintf(`
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [jaeger_storage_exporter]}
  telemetry:
    metrics: {level: none}
    logs: {level: warn}
extensions:
  jaeger_query:
    storage: {traces: memory}
    http: {endpoint: "127.0.0.1:%d"}
    grpc: {endpoint: "127.0.0.1:%d"}
  jaeger_storage:
    backends:
      memory: {memory: {max_traces: 10000}}
receivers:
  otlp:
    protocols:
      http: {endpoint: "127.0.0.1:%d"}
processors:
  batch: {timeout: 200ms}
exporters:
  jaeger_storage_exporter: {trace_storage: memory}
`, p[0], p[1], p[2])
	path := filepath.Join(t.TempDir(), "jaeger.yaml")
	if err := os.WriteFile(path, []byte(config), 0o666); err != nil {
		t.Fatal(err)
	}
	start(t, nil, filepath.Join(bin, "jaeger"), "--config", path)
	query, receiver = fmt.Sprintf("http://127.0.0.1:%d", p[0]), fmt.Sprintf("http://127.0.0.1:%d", p[2])
	await(t, query+"/api/services")
	return query, receiver
}

// startHotROD runs the application with the given flags, and returns its URL.
func startHotROD(t *testing.T, bin, receiver string, flags ...string) (url string, stop func()) {
	t.Helper()
	const host = "127.0.0.1"
	args := append([]string{"all"}, flags...)
	p := ports(t, 4)
	for i, service := range []string{"frontend", "customer", "driver", "route"} {
		args = append(args, "--"+service+"-service-hostname", host, "--"+service+"-service-port", fmt.Sprint(p[i]))
	}
	env := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + receiver, "OTEL_BSP_SCHEDULE_DELAY=200"}
	stop = start(t, env, filepath.Join(bin, "hotrod"), args...)
	url = fmt.Sprintf("http://%s:%d", host, p[0])
	await(t, url)
	return url, stop
}
