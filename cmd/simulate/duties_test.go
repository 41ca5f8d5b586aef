package main

import (
	"bytes"
	"testing"
)

// The rules about orders and contacts are on in the lives with duties alone: those must come to all of it, and break no rule.
func TestTheLivesWithDutiesComeToWhatTheyAreAbout(t *testing.T) {
	p := lives
	p.duties, p.years = true, 80
	r, err := p.live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var told bytes.Buffer
	r.tell(&told, 1)
	if len(r.violations) > 0 {
		t.Error(told.String())
	}
	for _, kind := range []string{
		"finding-opened order.overdue", "finding-cured order.overdue", "finding-opened contact.unreachable", "finding-cured contact.unreachable",
		"finding-opened contact.unconfirmed", "finding-cured contact.unconfirmed", "order-confirmation", "notice-proved", "hand-over-ordered",
	} {
		if r.kinds[kind] == 0 {
			t.Errorf("in %.0f years no %s:\n%s", r.years, kind, told.String())
		}
	}
}
