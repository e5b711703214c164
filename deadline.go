package tracewhy

// judgeDeadline changes the roles along the chain of causes that begins at a root's failure, if the
// failure was that of a deadline.
func (w *errorWork) judgeDeadline(head int) {
	var chain []int32 // from the root down
	for i := int32(head); i != noCause; i = w.fails[i].cause {
		chain = append(chain, i)
	}
	from := len(chain) // the chain's last part, where all gave up or were cancelled
	owner := -1
	for from > 0 && w.fails[chain[from-1]].ending != endedByError {
		from--
		if owner < 0 && w.fails[chain[from]].ending.gaveUp() {
			owner = from
		}
	}
	if from == len(chain) {
		return
	}
	if owner < 0 {
		owner = from
	}
	// A call that was made late in its caller's time reports the deadline of its caller.
	const share = 4
	for owner > from && w.fails[chain[owner]].ending == endedByDeadline && w.fails[chain[owner-1]].ending == endedByDeadline &&
		w.durationOf(chain[owner-1]) > share*w.durationOf(chain[owner]) {
		owner--
	}
	slow, ok := w.slowest(Span{w.set, w.fails[chain[owner]].num}, owner < len(chain)-1)
	if !ok {
		return
	}
	for i, n := range chain {
		f := &w.fails[n]
		f.origin = slow
		switch {
		case f.num == slow: // set below
		case i == owner:
			f.role, f.rule = RoleDeadline, RuleGaveUp
		case i > owner:
			f.role, f.rule = RoleDeadline, RuleCutShort
		}
	}
	if f := &w.fails[chain[owner]]; f.num == slow {
		f.role, f.rule = RoleOrigin, RuleOwnWait
		return
	}
	w.setOrigin(slow)
}

func (w *errorWork) durationOf(fail int32) int64 { return w.set.cols.duration[w.fails[fail].num] }

// setOrigin makes a span the origin, whether it failed or not.
func (w *errorWork) setOrigin(num int32) {
	for i := range w.fails {
		if f := &w.fails[i]; f.num == num {
			f.role, f.rule, f.origin = RoleOrigin, RuleSlow, num
			return
		}
	}
	w.fails = append(w.fails, failure{num: num, above: callerHealthy, cause: noCause, origin: num, role: RoleOrigin, rule: RuleSlow})
}

// slowest returns the span that has the largest part of the owner's critical path, the first in the Set
// of several. It is false if nothing was running under the owner until it gave up, as is known if it had to
// cut something short.
func (w *errorWork) slowest(owner Span, hasCutShort bool) (int32, bool) {
	start, end, ok := owner.Interval()
	if !ok {
		return 0, false
	}
	if !hasCutShort {
		held := false
		for p := range w.set.awaited(owner.num, start, end) {
			length := w.set.cols.duration[p.num]
			// Its end, or its length where the clock of its host is not the owner's.
			held = held || p.end >= end-(end-start)/patience || length >= (end-start)-(end-start)/patience
		}
		if !held {
			return 0, false
		}
	}
	total := map[int32]int64{}
	slow := owner.num
	for _, section := range owner.AppendCriticalPath(nil) {
		num := section.Span.num
		total[num] += section.End - section.Start
	}
	for num, ns := range total { // in any order: the best is one
		if ns > total[slow] || ns == total[slow] && num < slow {
			slow = num
		}
	}
	return slow, true
}
