// Package scenario makes incidents of a bank that have a known cause: traces of a baseline and of an incident, the
// changes that people made, and a label with the truth. They measure how often an analysis is right, and how often
// it finds something where nothing is.
//
// It is a simulation, not a painter of symptoms. A seed draws an estate: services with instances on hosts in zones,
// and operations that call each other in order, side by side, behind caches, with limits and retries. Customers
// arrive and their requests run through it in simulated time ([Generate]). A fault changes one thing: connections
// are not given back, an instance works slowly, a message takes longer. What customers see of it (waits, time-outs,
// retries that help or don't) follows from the queues.
//
// Every case has what makes real traces hard to read: errors that nobody notices, slow requests for no reason,
// clocks that differ and drift, spans and whole batches that are lost, late or sent twice, and deployments,
// settings and fashions that change between the windows and have nothing to do with it. A fault is strong enough
// to be seen in how requests end: the same window is simulated with and without it, on the same requests.
//
// Families can be held out from one another, and so can estates: names, protocols, topology and habits depend on
// the seed, so that nothing learned of one seed's bank by heart helps with another's. Cases of one seed happen to
// the same bank, so that a quiet case shows what an incident's bank looks like in peace.
//
// A family may give its bank a journey of its own, with details that only its requests have (a currency, formats of
// documents, a type of contract): recorded by the entry and by the operations that would, in the bank's spelling of
// keys, beside details that mean nothing, near-aliases, identifiers, and values that some requests leave out. A
// fault looks at what a request asks for, not at what its spans record. So settlements fail in three modes at once
// (settlement-modes), a mortgage stalls where memory is short for both of its formats (mortgage-stall), messages of
// some contracts break as if the network failed (serialization), and a fault among few is outshone by a segment
// that sends more and always failed (traffic-mix).
//
// Some families are about how an incident unfolds. At night an index changes, a cache hides it until its entries
// expire in the morning, and hours later logins wait for connections in vain (index-change); its windows are whole
// nights, and what else people did that night is recorded beside the change that matters. A new version gets a few
// requests while the window goes on (canary). A cache loses what it holds, and what is behind it cannot serve all
// (cache-expiry). A service is slow for some seconds, and its callers' attempts keep it so (retry-storm). They have
// caches with an entry for each customer, databases whose statements slow each other down, and services that work
// on few requests at a time. [Case.Withhold] leaves out the change that mattered: then none can be named.
//
// Some families look across the bank's boundary, where other vendors work as ever. A bureau refuses or delays what
// exceeds a rate that nobody knew of, once more loans are applied for (vendor-throttling, and -untagged where calls say
// nothing but its address), or answers slowly by itself (vendor-slow). The limit holds in both windows, and is part of
// the simulation. Connections of our own to the bureau run out while it answers as before (pool-before-vendor).
//
//	f, _ := scenario.Lookup("pool-exhaustion")
//	c := scenario.Generate(f, 1)
//	fmt.Println(c.Label.Causes[0].Services)
//
// The command examples/scenario writes cases as folders, which package rca/evaluate reads.
//
// The same family and seed give the same bytes on every machine: random numbers are keyed by what they are for
// (package stats), and no floating-point result depends on the processor.
//
// To add a family, write a file family_….go with a [Family]: inject draws what is wrong, says it in hooks of a
// fault, and writes the label; it may also change instances or versions. What it adds to the bank is for prepare, and
// what else is different in the incident for shift, so that the fault is measured against the same requests.
// Strength, visibility and what happens beside the fault are taken care of.
//
// A case takes time in O(s log s) for s spans, about 0.2 s for 2 × 1,000 requests, and memory for all of them.
package scenario
