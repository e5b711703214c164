package report

import "github.com/tracewhy/tracewhy/rca"

func (p *printer) exemplar(c *rca.RootCause, cfg Config) {}
