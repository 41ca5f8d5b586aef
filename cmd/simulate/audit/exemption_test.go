package audit

import (
	"testing"
	"time"
)

// In the second in which an exemption was withdrawn the order of the ledger tells what it ended: what was there when it was granted, and
// nothing that came behind it.
func TestAnExemptionEndsNothingThatCameBehindItsGrant(t *testing.T) {
	withdrawn := begin.Add(100 * time.Millisecond)
	for name, c := range map[string]struct {
		began         time.Time
		beganAt, cure int64
		exempt        bool
	}{
		"before it":                       {begin, 1, 2, true},
		"behind the end, and mended by 5": {withdrawn, 4, 5, false},
	} {
		f := facts{exempt: exemption{id: "x", since: begin.Add(time.Millisecond), until: withdrawn, leaf: 2, ended: 3}}
		f.incomplete.is(true, c.beganAt, c.began)
		o := &finding{rule: "cip.incomplete", since: begin, evidence: []int64{c.beganAt}}
		if leaf, _, cured := f.cure(&numbers{}, o); cured != c.exempt {
			t.Errorf("%s: while it lasted cured %t by entry %d", name, cured, leaf)
		}
		f.incomplete.is(false, 5, begin.Add(oneDay))
		if leaf, _, cured := f.cure(&numbers{}, o); !cured || leaf != c.cure {
			t.Errorf("%s: cured %t by entry %d, wanted %d", name, cured, leaf, c.cure)
		}
	}
}
