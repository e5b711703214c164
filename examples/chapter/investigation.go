package main

import (
	"context"

	"github.com/tracewhy/tracewhy/timeline/sequence"
)

// The parties to the investigation.
const (
	alert = iota
	operations
	experts
	logs
	databaseTeam
	rootCause
)

// drawInvestigation draws how an investigation without traces went.
func drawInvestigation(context.Context) (drawing, error) {
	return &sequence.Diagram{
		Participants: []string{
			alert: "Initial Alert", operations: "Operations Team", experts: "Subject Matter Experts", logs: "Log File Analysis",
			databaseTeam: "Database Team", rootCause: "Root Cause Identified",
		},
		Steps: []sequence.Step{
			{From: alert, To: operations, Text: "Alert triggered due to failing payments"},
			{From: operations, To: experts, Text: "Assemble SMEs from all domains"},
			{From: experts, To: logs, Text: "Check individual system logs and health"},
			{From: logs, To: operations, Text: "Inconclusive findings after 2 hours"},
			{From: operations, To: databaseTeam, Text: "Payment manager mentions prior database issue"},
			{From: databaseTeam, To: rootCause, Text: "Database team identifies connection pool exhaustion"},
			{From: rootCause, To: operations, Text: "Root cause confirmed after 3 hours"},
		},
	}, nil
}
