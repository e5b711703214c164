package scenario

import "github.com/tracewhy/tracewhy"

// An estate is what a bank runs: services, the operations that they offer, and what these call. It does not
// change between the windows of a case; what does (instances, versions, traffic) is in a fleet and a traffic.
type estate struct {
	services      []*service
	entries       []*entry
	hosts         []*host
	regions       []region
	style         style
	numOperations int

	// What a family adds, and its own words for it.
	details   []detail
	rush      rush
	profile   profile
	rate      float64 // of requests a second that it is planned for
	customers int     // how many there are; 0 where no operation depends on who it is
	places    map[string]*operation
	desk      *lendingDesk
}

// A style is how the bank's engineers write things.
type style struct {
	suffix    string // of service names
	prefix    string // of HTTP paths
	namespace string
	domain    string
	keys      int // which spelling of attribute keys
}

// A tech is how an operation is called, and so which spans a call leaves.
type tech uint8

const (
	techHTTP      tech = iota
	techGRPC           // like HTTP: a client and a server span
	techQueue          // producer and consumer span; the caller does not wait
	techSQL            // client span only, like all that follow
	techRedis          //
	techVendor         // HTTP to somebody else's service
	techVendorRPC      // gRPC to one
)

// A service has instances, unless it is a store or a vendor, which send no spans.
type service struct {
	index     int
	role      role
	name      string
	tech      tech
	language  string
	address   string
	port      int64
	version   [3]int
	instances int  // how many run before anything changes
	coarse    bool // whether its clock counts microseconds only

	// Connections to its store: how many each instance has, how long a request waits for one, and whether a
	// span records the wait.
	connections  int
	patience     int64
	recordsWaits bool
	waitAttrs    []tracewhy.KeyValue

	capacity int // of a store: how many statements it works on before they slow each other down; 0: any number
	// workers is how many requests an instance works on at a time, whether or not somebody still waits for the
	// answer; 0: any number. accepts says whether its spans begin when a request comes in, before its turn.
	workers int
	accepts bool

	channel *channel // to a vendor, or nil: as many connections as calls
}

// A channel is the connections that each instance of a service keeps to a vendor, and for how long a request waits
// for one.
type channel struct {
	to       *service
	size     int
	patience int64
	waits    waitSpans
	attrs    []tracewhy.KeyValue // of the spans of waits
}

// inCall reports whether waits are within the span of the call, and hasSpans whether they have spans of their own.
func (c *channel) inCall() bool   { return c.waits == waitWithin || c.waits == waitPart }
func (c *channel) hasSpans() bool { return c.waits == waitBefore || c.waits == waitWithin }

// waitSpans says how waits for a connection are recorded.
type waitSpans uint8

const (
	waitUnseen waitSpans = iota // not at all
	waitBefore                  // by a span before that of the call
	waitWithin                  // by a span within that of the call
	waitPart                    // as a part of the call's span that nothing tells from the vendor's
)

// silent reports whether the service sends no spans of its own.
func (s *service) silent() bool { return s.tech >= techSQL }

// outside reports whether the service is somebody else's.
func (s *service) outside() bool { return s.tech == techVendor || s.tech == techVendorRPC }

// An operation is a unit of work of one service: what arrives as a call, or an internal part of another
// operation of the same service.
type operation struct {
	index      int
	service    *service
	name       string // of the span of who does the work
	clientName string // of the span of who calls
	internal   bool
	server     []tracewhy.KeyValue // attributes of every span of who does the work
	client     []tracewhy.KeyValue // attributes of every span of who calls
	statusKey  string              // of the answer's status; "" is the protocol's usual one

	own   latency // work before the first step
	after latency // work after the last
	steps []step

	errors    float64 // the share of executions that fail in good times
	rejects   float64 // the share that refuse the request, as they should: a wrong password, a limit
	rejection int64   // the HTTP status of that
	holds     bool    // whether it keeps one connection from the first statement to the last
	shows     []int   // the dimensions of the request that its span carries as attributes
}

// A step is one thing that an operation does in order.
type step struct {
	to       *operation
	group    int                 // consecutive steps of the same group, if it is not 0, run side by side
	share    float64             // the share of requests that take the step; 0 means all
	when     func(*request) bool // which requests take it; nil means all
	pause    latency             // work before it
	cache    *operation          // a lookup that comes first, and makes the call unnecessary if it hits
	hits     float64             // how often it does
	keyed    *keyedCache         // what it holds, where that decides; nil if hits does
	attempts int                 // how often it is tried; 0 means once
	timeout  int64               // how long each attempt may take; 0 means any time
	hasty    bool                // whether it is tried again at once, and after a time-out as well
	optional bool                // whether the caller goes on without it
	repeat   int                 // how many times it is done; 0 means once
}

// An entry is an operation that customers call.
type entry struct {
	op    *operation
	share float64 // of the traffic, in good times
	dims  []int   // what is recorded about its requests
	asks  bool    // whether the answer is a decision, to approve or to decline
	ids   []idKey // what else tells its requests apart
}

// A region is where hosts stand, and where a share of the customers is.
type region struct {
	name  string
	zones []string
	share float64
}

// A host has a clock of its own: true time plus an offset plus a drift, which is corrected before it is much.
type host struct {
	name   string
	region int
	zone   string
	offset int64 // nanoseconds
	drift  int64 // nanoseconds per second
}

// disciplined is for how long a clock drifts before it is slewed back, for as long: NTP's longest usual interval
// between two looks at other clocks.
const disciplined = 1024 * second

// clock returns what the host's clock shows at a true time, both since the window began.
func (h *host) clock(t int64) int64 {
	drifted := t % (2 * disciplined)
	if drifted > disciplined {
		drifted = 2*disciplined - drifted
	}
	return t + h.offset + drifted/microsecond*h.drift/1_000_000
}

// find returns the service with the given role, or nil.
func (e *estate) find(r role) *service {
	for _, s := range e.services {
		if s.role == r {
			return s
		}
	}
	return nil
}

// operations returns all operations, callers before what they call.
func (e *estate) operations() []*operation {
	all := make([]*operation, 0, e.numOperations)
	seen := make([]bool, e.numOperations)
	add := func(op *operation) {
		if op != nil && !seen[op.index] {
			seen[op.index] = true
			all = append(all, op)
		}
	}
	for _, en := range e.entries {
		add(en.op)
	}
	for i := 0; i < len(all); i++ {
		for _, s := range all[i].steps {
			add(s.cache)
			add(s.to)
		}
	}
	return all
}
