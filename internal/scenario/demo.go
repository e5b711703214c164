package scenario

// The demo is the incident of a bank whose services have plain names: card authorisations fail because the service
// fraud-guard does not give back its database connections after a change of its rules.
const demoSeed = 20202

var demoSize = size{requests: 400, gap: 300 * millisecond}

// Demo returns the case that programs show themselves with: a small one of the family pool-exhaustion, with spans
// for the waits.
func Demo() Case {
	c := generate(poolExhaustion, demoSeed, demoSize)
	c.Name, c.Label.Case = "demo", "demo"
	return c
}
