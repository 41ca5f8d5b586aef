package history

import (
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

func granted(leafIndex int64, id string, untilHour int) statement.Entry {
	return at(leafIndex, gateway, statement.ExemptionGranted{Exemption: id, GrantedBy: "Secretary", Until: start.Add(time.Duration(untilHour) * time.Hour),
		Conditions: "a report every quarter", Reference: "R-" + id})
}

func ended(leafIndex int64, id string) statement.Entry {
	return at(leafIndex, gateway, statement.ExemptionWithdrawn{Exemption: id, Reason: "revoked"})
}

func TestAnExemptionHoldsFromWhenItIsTakenUntilItsEnd(t *testing.T) {
	h := fold(enrolled(0, "Example"), granted(5, "a", 20))
	for hour, want := range map[int]bool{4: false, 5: true, 19: true, 20: false} {
		if got := h.Exempt.In(start.Add(time.Duration(hour) * time.Hour)); got != want {
			t.Errorf("at hour %d: %v", hour, got)
		}
	}
	want := Exemption{ID: "a", Since: start.Add(5 * time.Hour), Until: start.Add(20 * time.Hour), Conditions: "a report every quarter",
		GrantedBy: "Secretary", Reference: "R-a", LeafIndex: 5, EndLeaf: 5}
	if h.Exempt != want {
		t.Errorf("got %+v", h.Exempt)
	}
	if (Exemption{}).In(time.Time{}) {
		t.Error("exempt by nothing")
	}
}

func TestAnExemptionIsExtendedReplacedAndWithdrawn(t *testing.T) {
	for name, c := range map[string]struct {
		entries     []statement.Entry
		id          string
		since, ends int // hours
		leaf, end   int64
	}{
		"extended":                          {[]statement.Entry{granted(5, "a", 20), granted(10, "a", 40)}, "a", 5, 40, 10, 10},
		"shortened":                         {[]statement.Entry{granted(5, "a", 40), granted(10, "a", 20)}, "a", 5, 20, 10, 10},
		"by another one, in time":           {[]statement.Entry{granted(5, "a", 20), granted(10, "b", 40)}, "b", 5, 40, 10, 10},
		"by another one, after a gap":       {[]statement.Entry{granted(5, "a", 20), granted(25, "b", 40)}, "b", 25, 40, 25, 25},
		"withdrawn":                         {[]statement.Entry{granted(5, "a", 20), ended(10, "a")}, "a", 5, 10, 5, 10},
		"another one is withdrawn":          {[]statement.Entry{granted(5, "a", 20), ended(10, "b")}, "a", 5, 20, 5, 5},
		"withdrawn when it was over":        {[]statement.Entry{granted(5, "a", 20), ended(30, "a")}, "a", 5, 20, 5, 5},
		"withdrawn twice":                   {[]statement.Entry{granted(5, "a", 20), ended(10, "a"), ended(12, "a")}, "a", 5, 10, 5, 10},
		"granted when it was over":          {[]statement.Entry{granted(5, "a", 20), granted(30, "b", 25)}, "a", 5, 20, 5, 5},
		"again after it was withdrawn":      {[]statement.Entry{granted(5, "a", 20), ended(10, "a"), granted(15, "a", 30)}, "a", 15, 30, 15, 15},
		"granted by the reseller to itself": {[]statement.Entry{granted(5, "a", 20), at(6, reseller, statement.ExemptionGranted{Exemption: "x", Until: start.Add(99 * time.Hour)})}, "a", 5, 20, 5, 5},
	} {
		got := fold(append([]statement.Entry{enrolled(0, "Example")}, c.entries...)...).Exempt
		if got.ID != c.id || !got.Since.Equal(start.Add(time.Duration(c.since)*time.Hour)) || !got.Until.Equal(start.Add(time.Duration(c.ends)*time.Hour)) ||
			got.LeafIndex != c.leaf || got.EndLeaf != c.end {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
