module github.com/tracewhy/tracewhy/internal/backendtest

go 1.26.0

replace github.com/tracewhy/tracewhy => ../..

require github.com/tracewhy/tracewhy v0.0.0
