package scenario

import (
	"slices"
	"strconv"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// newEstate draws a bank. Which services it has, what they are called, what calls what, in which order, with
// which protocol, caches, retries and limits all depend on the seed, so that nothing about one estate holds for
// another.
func newEstate(seed uint64) *estate {
	r := stats.NewRand(seed, stats.Key("estate"))
	b := &builder{estate: &estate{}, r: r}
	b.style = style{
		suffix: pick(r, suffixes...), prefix: pick(r, prefixes...), namespace: pick(r, namespaces...),
		domain: pick(r, domains...), keys: r.IntN(3),
	}
	b.trouble = magnitude(r, 0.5, 6)
	b.places()
	b.bank()
	return b.estate
}

// places draws regions and hosts.
func (b *builder) places() {
	r := b.r
	places := slices.Clone(pick(r, geography...))
	places = places[:min(len(places), 1+r.IntN(3))]
	for i, name := range places {
		b.regions = append(b.regions, region{
			name: name, zones: []string{name + "-a", name + "-b", name + "-c"}, share: 1 / float64(i+1),
		})
	}
	for i := range b.regions {
		for k := range 6 + r.IntN(4) {
			h := &host{
				name: "node-" + strconv.Itoa(i+1) + "-" + letters(r, 4), region: i, zone: b.regions[i].zones[k%3],
				offset: int64(normal(r) * float64(300*microsecond)), drift: int64(normal(r) * float64(6*microsecond)),
			}
			if chance(r, 0.1) { // a clock that nobody watches
				h.offset = int64(normal(r) * float64(40*millisecond))
			}
			b.hosts = append(b.hosts, h)
		}
	}
}

// protocol draws how a service is called.
func (b *builder) protocol() tech {
	if chance(b.r, 0.55) {
		return techGRPC
	}
	return techHTTP
}

// bank draws the services and what they do.
func (b *builder) bank() {
	r := b.r
	var (
		fraud    = b.service(roleFraud, b.protocol())
		ledger   = b.service(roleLedger, b.protocol())
		limits   = b.service(roleLimits, b.protocol())
		profile  = b.service(roleProfile, b.protocol())
		vault    = b.service(roleVault, b.protocol())
		rates    = b.service(roleRates, b.protocol())
		identity = b.service(roleIdentity, b.protocol())
		auth     = b.service(roleAuthorisation, b.protocol())
		payments = b.service(rolePayments, b.protocol())
	)

	// What many need.
	push := b.vendor(rolePush, "/v2/messages", 60)
	push.errors = magnitude(r, 0.003, 0.04) // nobody minds
	notify := b.op(b.service(roleNotification, techQueue), "", "", "Customer", 2,
		b.call(push).within(3*second).retried(2))
	audit := b.op(b.service(roleAudit, techQueue), "", "", "Events", 1.5)
	audit.steps = inOrder(b.call(b.sql(audit.service, "INSERT", "audit_events", 3)))
	policy := b.op(b.service(rolePolicy, b.protocol()), "POST", "/decisions", "Decide", 1.5)
	features := b.op(b.service(roleFeatures, b.protocol()), "POST", "/features", "Lookup", 2)
	features.steps = inOrder(b.call(b.redis(features.service, "MGET")))
	features.errors = magnitude(r, 0.001, 0.02) // its callers can do without
	reference := b.op(b.service(roleReference, b.protocol()), "GET", "/products", "Product", 1)
	reference.steps = inOrder(b.call(b.sql(reference.service, "SELECT", "products", 2.5)))
	lookup := b.redis(reference.service, "GET")
	session := b.op(b.service(roleSessions, b.protocol()), "POST", "/sessions/verify", "Verify", 0.8)
	session.steps = inOrder(b.call(b.redis(session.service, "GET")))
	clearing := b.vendor(roleClearing, "/instructions", 110)
	settle := b.op(b.service(roleSettlement, techQueue), "", "", "Instructions", 3)
	settle.steps = slices.Concat(
		inOrder(b.call(b.sql(settle.service, "INSERT", "instructions", 5))),
		b.maybe(0.7, b.call(clearing).within(4*second)),
		inOrder(b.call(b.sql(settle.service, "UPDATE", "instructions", 5))),
	)

	// extra are calls that one bank makes at a place and another doesn't.
	extra := func(p float64) []step {
		return b.maybe(p, pick(r,
			b.call(audit),
			b.call(policy),
			b.call(reference).cached(lookup, between(r, 0.7, 0.97)),
			b.call(features).ifAble(),
		))
	}

	quote := b.op(rates, "GET", "/quotes/{pair}", "Quote", 1)
	quote.steps = inOrder(
		b.call(b.sql(rates, "SELECT", "rates", 3)).cached(b.redis(rates, "GET"), between(r, 0.6, 0.95)))

	getProfile := b.op(profile, "GET", "/customers/{id}", "GetCustomer", 1.5)
	getProfile.shows = []int{dimSegment}
	getProfile.steps = slices.Concat(
		inOrder(b.call(b.sql(profile, "SELECT", "customers", 4)).cached(b.redis(profile, "GET"), between(r, 0.3, 0.9))),
		b.maybe(0.5, b.call(b.sql(profile, "SELECT", "preferences", 2)).sometimes(0.4)),
		extra(0.2),
	)

	detokenize := b.op(vault, "POST", "/detokenize", "Detokenize", 1)
	detokenize.steps = slices.Concat(
		inOrder(b.call(b.part(vault, "hsm.decrypt", 3.5))),
		b.maybe(0.8, b.call(b.sql(vault, "SELECT", "tokens", 2.5))),
	)

	checkLimits := b.op(limits, "POST", "/limits/check", "Check", 1.2)
	checkLimits.shows = []int{dimBand}
	checkLimits.rejects, checkLimits.rejection = magnitude(r, 0.002, 0.02), 422
	if chance(r, 0.5) {
		checkLimits.steps = inOrder(b.call(b.redis(limits, "GET")), b.call(b.redis(limits, "INCRBY")))
	} else {
		checkLimits.steps = inOrder(
			b.call(b.sql(limits, "SELECT", "counters", 3)), b.call(b.sql(limits, "UPDATE", "counters", 4)))
	}

	score, loginRisk := b.fraud(fraud, features, extra)

	balance, hold, post, entries := b.ledger(ledger, audit, settle)

	network := b.vendor(roleNetwork, "/messages/0100", 85)
	authorise := b.op(auth, "POST", "/authorizations", "Authorize", 3)
	authorise.shows = []int{dimNetwork, dimBand}
	checks := b.together(b.call(getProfile).retried(b.attempts()), b.call(checkLimits))
	authorise.steps = slices.Concat(
		inOrder(b.call(detokenize).retried(b.attempts())),
		checks,
		b.maybe(0.5, b.call(policy).onlyFor(large)),
		extra(0.3),
		inOrder(
			b.call(quote).onlyFor(foreign).retried(b.attempts()),
			b.call(score).within(int64(pick(r, 0, 0, 5000, 8000))*millisecond),
		),
		b.maybe(0.5, b.call(network).sometimes(between(r, 0.1, 0.4)).within(4*second)),
		inOrder(b.call(hold), b.call(notify)),
	)
	reverse := b.op(auth, "POST", "/reversals", "Reverse", 2)
	reverse.steps = slices.Concat(inOrder(b.call(detokenize), b.call(post)), extra(0.4))

	transfer := b.op(payments, "POST", "/payments", "Pay", 2.5)
	transfer.shows = []int{dimBand, dimSegment}
	transfer.steps = slices.Concat(
		b.together(b.call(getProfile).retried(b.attempts()), b.call(checkLimits), b.call(policy)),
		inOrder(b.call(quote).onlyFor(foreign), b.call(score)),
		extra(0.3),
		inOrder(b.call(post), b.call(notify)),
	)

	login := b.op(identity, "POST", "/login", "Login", 4)
	login.rejects, login.rejection = between(r, 0.01, 0.04), 401
	login.steps = slices.Concat(
		inOrder(b.call(b.sql(identity, "SELECT", "credentials", 4)), b.call(b.part(identity, "password.verify", 22))),
		b.maybe(0.6, b.call(loginRisk).within(2*second).ifAble()),
		inOrder(b.call(b.redis(identity, "SETEX"))),
	)

	b.entrances(entrance{
		authorise: authorise, reverse: reverse, transfer: transfer, login: login, balance: balance, entries: entries,
		profile: getProfile, session: session, policy: policy, reference: b.call(reference).cached(lookup, 0.9),
	})
}

// attempts draws how often a caller tries.
func (b *builder) attempts() int { return pick(b.r, 1, 2, 2, 3) }

// fraud draws how transactions and logins are scored.
func (b *builder) fraud(s *service, features *operation, extra func(float64) []step) (score, login *operation) {
	r := b.r
	history := b.sql(s, "SELECT", "card_history", 6)
	devices := b.sql(s, "SELECT", "devices", 4)
	var gather []step
	if chance(r, 0.5) {
		load := b.part(s, "features.load", 0.8,
			b.call(history), b.call(devices).sometimes(between(r, 0.3, 0.8)))
		load.holds = true
		gather = inOrder(b.call(load))
	} else {
		gather = inOrder(b.call(history), b.call(devices).sometimes(between(r, 0.3, 0.8)))
	}
	score = b.op(s, "POST", "/scores", "Score", 2)
	score.shows = []int{dimCategory, dimEntryMode}
	score.steps = slices.Concat(
		gather,
		b.maybe(0.4, b.call(features).ifAble()),
		inOrder(b.call(b.part(s, "model.evaluate", 14))),
		b.maybe(0.5, b.call(b.sql(s, "INSERT", "decisions", 4))),
		extra(0.2),
	)
	login = b.op(s, "POST", "/login-scores", "ScoreLogin", 1.5)
	login.steps = inOrder(b.call(devices), b.call(b.part(s, "model.evaluate", 8)))
	return score, login
}

// ledger draws how accounts are kept.
func (b *builder) ledger(s *service, audit, settle *operation) (balance, hold, post, entries *operation) {
	r := b.r
	read := b.sql(s, "SELECT", "accounts", 4)
	write := b.sql(s, "INSERT", "entries", 5)
	update := b.sql(s, "UPDATE", "accounts", 6)
	list := b.sql(s, "SELECT", "entries", 11)
	balance = b.op(s, "GET", "/accounts/{id}/balance", "GetBalance", 1.2, b.call(read))
	hold = b.op(s, "POST", "/holds", "PlaceHold", 2, b.call(read), b.call(write))
	post = b.op(s, "POST", "/entries", "PostEntry", 2.5, b.call(read), b.call(write).times(2), b.call(update))
	post.holds, hold.holds = true, chance(r, 0.5)
	if chance(r, 0.5) { // the booking under a span of its own
		inner := b.part(s, "ledger.book", 1, post.steps...)
		inner.holds, post.holds = true, false
		post.steps = inOrder(b.call(inner))
	}
	post.steps = slices.Concat(post.steps, b.maybe(0.6, b.call(settle)), b.maybe(0.5, b.call(audit)))
	entries = b.op(s, "GET", "/accounts/{id}/entries", "ListEntries", 1.5, b.call(list))
	return balance, hold, post, entries
}

// An entrance is what the gateways have to offer.
type entrance struct {
	authorise, reverse, transfer, login, balance, entries, profile, session, policy *operation
	reference                                                                       step
}

var (
	cardDims = []int{
		dimRegion, dimChannel, dimNetwork, dimCategory, dimBand, dimCurrency, dimEntryMode, dimCountry, dimSegment,
	}
	appDims = []int{dimRegion, dimSegment, dimDevice, dimApp}
	payDims = []int{dimRegion, dimSegment, dimDevice, dimApp, dimBand, dimCurrency}
)

// entrances draws the gateways and the operations that customers call there.
func (b *builder) entrances(o entrance) {
	r := b.r
	enter := func(s *service, share float64, dims []int, method, path string, steps ...step) *entry {
		en := &entry{op: b.op(s, method, path, "", 1.2, steps...), share: float64(share * factor(r, 0.2)), dims: dims}
		b.entries = append(b.entries, en)
		return en
	}
	verify := func() []step { return b.maybe(0.75, b.call(o.session)) }

	cards := b.service(roleCards, techHTTP)
	authorise := enter(cards, 45, cardDims, "POST", "/authorize", b.call(o.authorise).within(b.patience()))
	authorise.asks = true
	enter(cards, 4, cardDims, "POST", "/reversal", b.call(o.reverse))

	history, merchants := b.service(roleHistory, b.protocol()), b.service(roleMerchants, b.protocol())
	enrich := b.op(merchants, "POST", "/merchants/search", "Search", 1.5)
	enrich.steps = inOrder(
		b.call(b.sql(merchants, "SELECT", "merchants", 3)).cached(b.redis(merchants, "MGET"), between(r, 0.5, 0.9)))
	list := b.op(history, "GET", "/accounts/{id}/transactions", "List", 2)
	list.steps = inOrder(b.call(o.entries), b.call(enrich).ifAble())

	gateways := []*service{b.service(roleMobile, techHTTP)}
	if chance(r, 0.8) {
		gateways = append(gateways, b.service(roleWeb, techHTTP))
	}
	for i, g := range gateways {
		weight := 1 / float64(i+1)
		if chance(r, 0.3) { // what a load balancer asks
			enter(g, 3*weight, nil, "GET", "/healthz")
		}
		enter(g, 8*weight, appDims, "POST", "/login", b.call(o.login))
		enter(g, 16*weight, appDims, "GET", "/balance", slices.Concat(verify(),
			b.together(b.call(o.balance).retried(b.attempts()), b.call(o.profile).retried(b.attempts()).ifAble()))...)
		enter(g, 11*weight, payDims, "POST", "/transfer",
			slices.Concat(verify(), inOrder(b.call(o.transfer).within(b.patience())))...)
		enter(g, 7*weight, appDims, "GET", "/transactions",
			slices.Concat(verify(), inOrder(b.call(list).retried(b.attempts())))...)
	}
	if chance(r, 0.5) {
		partner := b.service(rolePartner, techHTTP)
		enter(partner, 5, appDims, "POST", "/payment-initiations",
			slices.Concat(b.maybe(0.6, b.call(o.policy)), inOrder(b.call(o.transfer)))...)
		enter(partner, 4, appDims, "GET", "/accounts", b.call(o.policy), b.call(o.balance))
	}
	if chance(r, 0.6) {
		lending := b.service(roleLending, b.protocol())
		bureau := b.vendor(roleBureau, "/reports", 170)
		offer := b.op(lending, "POST", "/offers", "Offer", 5)
		offer.steps = slices.Concat(
			b.together(b.call(o.profile), b.call(bureau).within(4*second).retried(2)),
			inOrder(o.reference, b.call(b.part(lending, "price.offer", 9)), b.call(b.sql(lending, "INSERT", "offers", 5))),
		)
		enter(gateways[0], 3, appDims, "POST", "/loans/quote", slices.Concat(verify(), inOrder(b.call(offer)))...)
	}
}

// patience draws how long a gateway waits.
func (b *builder) patience() int64 { return int64(pick(b.r, 0, 0, 6, 10)) * second }
