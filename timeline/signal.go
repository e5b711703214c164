package timeline

import (
	"context"

	"github.com/tracewhy/tracewhy"
)

type Signal struct{}
type SignalCourse struct{}

func layOver(ctx context.Context, bins *SeriesResult, cfg ResourcesConfig) ([]SignalCourse, []tracewhy.Warning, error) {
	return nil, nil, nil
}
