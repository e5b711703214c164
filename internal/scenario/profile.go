package scenario

// A profile is how many requests come at a time of the window, as a multiple of how many do on average: straight
// lines between points.
type profile []point

type point struct {
	at   int64 // nanoseconds since the window began
	rate float64
}

// rate returns the multiple at a time. Before the first point and after the last it does not change.
func (x profile) rate(at int64) float64 {
	if at <= x[0].at {
		return x[0].rate
	}
	for i := 1; i < len(x); i++ {
		if from, to := x[i-1], x[i]; at < to.at {
			part := float64(at-from.at) / float64(to.at-from.at)
			return from.rate + float64((to.rate-from.rate)*part)
		}
	}
	return x[len(x)-1].rate
}

// peak returns the largest multiple.
func (x profile) peak() float64 {
	most := 0.0
	for _, p := range x {
		most = max(most, p.rate)
	}
	return most
}

// scaled returns the profile with a mean of 1 from its first point to its last.
func (x profile) scaled() profile {
	area := 0.0
	for i := 1; i < len(x); i++ {
		area += float64(float64(x[i].at-x[i-1].at) * float64(x[i].rate+x[i-1].rate) / 2)
	}
	mean := area / float64(x[len(x)-1].at-x[0].at)
	out := make(profile, len(x))
	for i, p := range x {
		out[i] = point{p.at, p.rate / mean}
	}
	return out
}
