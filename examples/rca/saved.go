package main

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/otlp"
)

// saved is where traces are saved: a file that gets its name once it is whole, or standard output.
type saved struct {
	path     string
	file     *os.File // nil for standard output
	buffer   *bufio.Writer
	compress io.WriteCloser // nil if it is not compressed
	write    func(w io.Writer, t tracewhy.Trace) error
}

// partSuffix is that of a file that is not whole yet.
const partSuffix = ".part"

func newSaved(env *environment, path string) (*saved, error) {
	s := &saved{path: path, buffer: bufio.NewWriterSize(env.stdout, 64<<10)}
	if path != "" {
		f, err := os.OpenFile(path+partSuffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
		if err != nil {
			return nil, err
		}
		s.file, s.buffer = f, bufio.NewWriterSize(f, 64<<10)
	}
	switch {
	case strings.HasSuffix(path, ".gz"):
		s.compress = gzip.NewWriter(s.buffer)
	case strings.HasSuffix(path, ".zst"):
		z, err := zstd.NewWriter(s.buffer)
		if err != nil {
			return nil, errors.Join(err, s.close(false))
		}
		s.compress = z
	}
	s.write = func(w io.Writer, t tracewhy.Trace) error { return otlp.WriteJSON(w, t.Spans()) }
	if strings.HasSuffix(strings.TrimSuffix(strings.TrimSuffix(path, ".gz"), ".zst"), ".pb") {
		s.write = func(w io.Writer, t tracewhy.Trace) error { return otlp.WriteProto(w, t.Spans()) }
	}
	return s, nil
}

func (s *saved) add(t tracewhy.Trace) error {
	if s.compress != nil {
		return s.write(s.compress, t)
	}
	return s.write(s.buffer, t)
}

// close ends the output. Unless it is to be kept, a file is removed.
func (s *saved) close(keep bool) error {
	var err error
	if s.compress != nil {
		err = s.compress.Close()
	}
	err = cmp.Or(err, s.buffer.Flush())
	if s.file == nil {
		return err
	}
	err = cmp.Or(err, s.file.Close())
	if !keep || err != nil {
		return cmp.Or(err, os.Remove(s.path+partSuffix))
	}
	return os.Rename(s.path+partSuffix, s.path)
}
