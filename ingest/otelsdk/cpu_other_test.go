//go:build !unix

package otelsdk_test

import "time"

var start = time.Now()

// cpuTime returns the time since the process started, where the processor time is not to be had.
func cpuTime() int64 { return int64(time.Since(start)) }
