package main

import (
	"context"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/timeline"
	"github.com/tracewhy/tracewhy/timeline/gantt"
)

// failedPayment is the trace of a payment in which the fraud verification waits for a connection.
func failedPayment() tracewhy.Trace {
	const s = time.Second
	var r recorder
	r.begin()
	root := r.span(0, "journey", "Payment Journey", tracewhy.KindServer, 1*s, 35*s)
	r.span(root, "initiation", "Payment Initiation", tracewhy.KindServer, 1*s, 5*s)
	fraud := r.span(root, "fraud", "Fraud Verification", tracewhy.KindServer, 6*s, 15*s)
	r.span(fraud, "fraud", "SELECT rules", tracewhy.KindClient, 20*s, 1*s, tracewhy.String("server.address", "fraud-db"))
	r.span(root, "processing", "Payment Processing", tracewhy.KindServer, 21*s, 10*s)
	r.span(root, "notification", "Notification Delivery", tracewhy.KindServer, 31*s, 5*s)
	for t := range tracewhy.SetOf(r.spans...).Traces() {
		return t
	}
	return tracewhy.Trace{}
}

// drawWaterfall draws what the journey calls. The call with the longest gap is where the journey got stuck: what
// ended before is done, and what came after has not begun.
func drawWaterfall(context.Context) (drawing, error) {
	rows := timeline.Waterfall(failedPayment())
	stuck := 0
	var longest time.Duration
	for i, r := range rows {
		for _, g := range r.Gaps {
			if d := time.Duration(g.End - g.Start); r.Depth == 1 && d > longest {
				stuck, longest = i, d
			}
		}
	}
	g := &gantt.Chart{Title: "Waterfall View of a Failed Payment Journey"}
	for i, r := range rows {
		if r.Depth != 1 {
			continue
		}
		start, end, _ := r.Span.Interval()
		task := gantt.Task{Section: "Transaction Flow", Name: r.Span.Name(), Start: start, End: end}
		switch {
		case i == stuck:
			task.Name, task.Status = task.Name+" (Gap)", gantt.Active
		case i < stuck:
			task.Status = gantt.Done
		}
		g.Tasks = append(g.Tasks, task)
	}
	return g, nil
}

// drawDrilldown draws the whole trace.
func drawDrilldown(context.Context) (drawing, error) {
	return gantt.OfTrace(failedPayment(), 0), nil
}
