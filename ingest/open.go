package ingest

import (
	"context"

	"github.com/tracewhy/tracewhy"
)

// Open reads files into a Set, in which the spans of each file are a source under its path
// ([tracewhy.Set.Source]). It stops at the first file that cannot be read.
//
// Use [Files] and a Builder of your own to name sources otherwise, or to choose what to keep.
func Open(ctx context.Context, cfg Config, paths ...string) (*tracewhy.Set, error) {
	var b tracewhy.Builder
	for _, path := range paths {
		if err := Files(ctx, &b, path, cfg, path); err != nil {
			return nil, err
		}
	}
	return b.Build(ctx)
}
