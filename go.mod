module github.com/tracewhy/tracewhy

go 1.26
