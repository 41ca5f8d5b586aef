package findings

import (
	"time"

	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// The deciders take what they read by its address, since it is large; tests have it at hand as a value.

func assess(p policy.Policy, h history.History, now time.Time) ([]Finding, time.Time) {
	return Assess(&p, &h, now)
}

func aheadOf(p policy.Policy, h history.History, now time.Time) []Finding { return Ahead(&p, &h, now) }

func curedOf(p policy.Policy, h history.History, rule string, since time.Time, evidence []int64) (Cure, bool) {
	return Cured(&p, &h, rule, since, evidence)
}

func goesOn(p policy.Policy, h history.History, f Finding, rule string, since time.Time, evidence []int64) bool {
	return GoesOn(&p, &h, f, rule, since, evidence)
}
