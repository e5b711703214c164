package scenario

import "slices"

// Withhold returns the case as it is when nobody wrote down what was changed: without the changes that set its faults
// off, and with a label that names none. Its name ends in -withheld; it has the same traces, and shares them with c.
func (c Case) Withhold() Case {
	named := map[string]bool{}
	c.Label.Causes = slices.Clone(c.Label.Causes)
	for i := range c.Label.Causes {
		named[c.Label.Causes[i].ChangeID] = true
		c.Label.Causes[i].ChangeID = ""
	}
	c.Changes = slices.DeleteFunc(slices.Clone(c.Changes), func(x Change) bool { return named[x.ID] })
	c.Name += "-withheld"
	c.Label.Case = c.Name
	return c
}
