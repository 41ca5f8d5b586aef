package policy

// Guard is the brake on mass action: above its numbers nothing of that kind leaves the gateway until two people say otherwise, or, where
// it counts by the day, until the next day, UTC. A policy without one brakes nothing.
type Guard struct {
	Closures     Brake         `json:"closures"`     // accounts of resellers ordered closed in a day
	Terminations Brake         `json:"terminations"` // relationships ended in a day
	Accounts     Count         `json:"accounts"`     // customers' accounts that those closures and terminations close in a day
	Findings     FindingsBrake `json:"findings"`     // resellers of which a finding was opened
}

// Brake is how many in a day: the smaller of a count and a share of all resellers, and one at least.
type Brake struct {
	Count  int    `json:"count"`
	Share  int    `json:"share"` // percent of all resellers whose relationship was not terminated
	Source string `json:"source"`
	Status Origin `json:"status"`
}

// FindingsBrake is of how many resellers findings may be opened within a time: of the larger of a count and a share of all. More than
// that is held to be a fault of the gateway's own.
type FindingsBrake struct {
	Count  int      `json:"count"`
	Share  int      `json:"share"` // percent
	Within Duration `json:"within"`
	Source string   `json:"source"`
	Status Origin   `json:"status"`
}

// Allowed is how many of a kind may leave in a day where there are so many resellers.
func (b Brake) Allowed(resellers int) int { return max(1, min(b.Count, shareOf(b.Share, resellers))) }

// Allowed is of how many resellers findings may be opened within the time.
func (b FindingsBrake) Allowed(resellers int) int { return max(b.Count, shareOf(b.Share, resellers)) }

// shareOf rounds down: a part of a reseller is none.
func shareOf(percent, all int) int { return percent * all / 100 }

func (r *reader) guard(v value) Guard {
	f := r.object(v, "closures", "terminations", "accounts", "findings")
	return Guard{Closures: r.brake(f[0]), Terminations: r.brake(f[1]), Accounts: r.counted(f[2]), Findings: r.findingsBrake(f[3])}
}

func (r *reader) brake(v value) Brake {
	f := r.object(v, "count", "share", "source", "status")
	return Brake{Count: r.count(f[0]), Share: r.share(f[1]), Source: r.text(f[2]), Status: r.origin(f[3])}
}

func (r *reader) findingsBrake(v value) FindingsBrake {
	f := r.object(v, "count", "share", "within", "source", "status")
	return FindingsBrake{Count: r.count(f[0]), Share: r.share(f[1]), Within: r.duration(f[2]), Source: r.text(f[3]), Status: r.origin(f[4])}
}

func (r *reader) share(v value) int {
	n := r.count(v)
	if n > 100 {
		r.fault(v, "a whole number from 1 to 100", describe(v.node))
	}
	return n
}
