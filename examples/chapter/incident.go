package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/timeline"
	"github.com/tracewhy/tracewhy/timeline/gantt"
)

// When what began, in hours since midnight.
const (
	deployed    = 0
	degraded    = 1 // queries
	exhausted   = 4 // the connection pool
	failing     = 5 // services, which try again and succeed
	symptomatic = 7 // customers notice
	recorded    = 8 // the end
)

func hours(n int) int64 { return midnight.Add(time.Duration(n) * time.Hour).UnixNano() }

// drawIncident draws the incident as it is told.
func drawIncident(context.Context) (drawing, error) {
	return &gantt.Chart{Title: "Incident Timeline", Tasks: []gantt.Task{
		{Section: "Deployment", Name: "Code Deployment", Status: gantt.Done, Start: hours(deployed), End: hours(degraded)},
		{Section: "Database", Name: "Query Degradation Begins", Status: gantt.Active, Start: hours(degraded), End: hours(exhausted)},
		{Section: "Database", Name: "Connection Pool Exhaustion", Status: gantt.Critical, Start: hours(exhausted), End: hours(failing)},
		{Section: "Services", Name: "Cascading Failures", Status: gantt.Critical, Start: hours(failing), End: hours(symptomatic)},
		{Section: "Customer Impact", Name: "First Symptoms Detected", Start: hours(symptomatic), End: hours(symptomatic)},
	}}, nil
}

// incidentTraces are logins of the eight hours, one in fifteen seconds. A login is mostly spent elsewhere, so that
// nobody notices slower queries.
func incidentTraces() []tracewhy.SpanData {
	r := recorder{}
	random := rand.New(rand.NewPCG(4, 1))
	vary := func(mean time.Duration) time.Duration {
		return mean/2 + time.Duration(random.ExpFloat64()*float64(mean)/2)
	}
	for at := 7 * time.Second; at < recorded*time.Hour; at += 15 * time.Second {
		hour := at.Hours()
		r.begin()
		wait, query := time.Millisecond, vary(10*time.Millisecond)
		if hour >= degraded {
			query = vary(60 * time.Millisecond)
		}
		if hour >= exhausted {
			wait = vary(250 * time.Millisecond)
		}
		elsewhere := vary(3 * time.Second)
		root := r.span(0, "gateway", "POST /login", tracewhy.KindServer, at, elsewhere+2*(wait+query)+20*time.Millisecond)
		now := at + elsewhere
		failed := false
		for try := range 2 {
			call := r.span(root, "gateway", "authenticate", tracewhy.KindClient, now, wait+query+5*time.Millisecond)
			auth := r.span(call, "auth", "authenticate", tracewhy.KindServer, now+time.Millisecond, wait+query+3*time.Millisecond)
			r.span(auth, "auth", "SELECT accounts", tracewhy.KindClient, now+time.Millisecond+wait, query, tracewhy.String("server.address", "accounts-db"))
			failed = hour >= failing && random.Float64() < 0.3 || hour >= symptomatic && random.Float64() < 0.6
			if failed = failed && (try == 0 || hour >= symptomatic); !failed {
				break
			}
			r.fail(call, true, "deadline exceeded")
			r.fail(auth, true, "no connection")
			now += wait + query + 6*time.Millisecond
		}
		r.fail(root, failed, "login failed")
	}
	return r.spans
}

// findChanges finds what changed when in the traces.
func findChanges(ctx context.Context) (*timeline.ChangePointsResult, error) {
	return timeline.ChangePoints(ctx, tracewhy.SetOf(incidentTraces()...).All(), timeline.ChangePointsConfig{Series: timeline.SeriesConfig{
		Bin: 5 * time.Minute, Kinds: []timeline.SubjectKind{timeline.SubjectTransactions, timeline.SubjectService, timeline.SubjectDependency},
	}})
}

// reconstructIncident draws the incident as its traces tell it, beside the deployment that was recorded.
func reconstructIncident(ctx context.Context) (drawing, error) {
	points, err := findChanges(ctx)
	if err != nil {
		return nil, err
	}
	return gantt.OfIncident(points, []timeline.Change{{
		Time: midnight, Until: midnight.Add(time.Hour), Kind: "deployment", Service: "auth", Description: "code deployment",
	}}, 12), nil
}
