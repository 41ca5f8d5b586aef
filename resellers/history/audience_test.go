package history

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// wrapped is a statement as its issuer signed it, in what its superior forwards.
func wrapped(t *testing.T, said statement.Statement) statement.Forwarded {
	t.Helper()
	signer, err := envelope.NewSigner(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	set, err := signer.Sign(envelope.Draft{Issuer: "https://below.example", Audience: "https://gateway.example", IssuedAt: at, JTI: "j", EventURI: said.Kind().URI(), Event: said})
	if err != nil {
		t.Fatal(err)
	}
	return statement.Forwarded{ReceivedAt: at, Set: string(set.Raw())}
}

func TestAnEntrySaysItselfWhoMayBeShownIt(t *testing.T) {
	at := time.Date(2026, 2, 1, 9, 0, 0, 0, time.UTC)
	evidence := func(audience string) statement.OfficerAction {
		return statement.OfficerAction{Action: ActionEvidence, Details: []statement.Field{{Name: "audience", Value: audience}}}
	}
	report := func(audience string) statement.SuspiciousActivity {
		return statement.SuspiciousActivity{Certainty: "actual", DiscoveredAt: at, ObservedFrom: at, Categories: []string{"integrity"}, Description: "x", Audience: audience}
	}
	hold := evidence("need-to-know")
	hold.Action = "hold.placed"
	wrong := wrapped(t, report("provider"))
	wrong.Set = wrong.Set[1:]
	for name, c := range map[string]struct {
		entry statement.Entry
		want  Audience
	}{
		"evidence for the reseller":               {statement.Entry{Statement: evidence("reseller")}, ""},
		"evidence for the chain":                  {statement.Entry{Statement: evidence("chain")}, ToChain},
		"evidence for the provider":               {statement.Entry{Statement: evidence("provider")}, ToProvider},
		"evidence for those who need to know":     {statement.Entry{Statement: evidence("need-to-know")}, ToNeedToKnow},
		"evidence for somebody nobody knows":      {statement.Entry{Statement: evidence("friends")}, ToNeedToKnow},
		"evidence for nobody in particular":       {statement.Entry{Statement: statement.OfficerAction{Action: ActionEvidence}}, ""},
		"another act with such a detail":          {statement.Entry{Statement: hold}, ""},
		"a report for the provider":               {statement.Entry{Statement: report("provider")}, ToProvider},
		"a report that was erased":                {statement.Entry{Statement: report("need-to-know"), Erased: true}, ToNeedToKnow},
		"a report that is forwarded":              {statement.Entry{Statement: wrapped(t, report("need-to-know"))}, ToNeedToKnow},
		"a report that is forwarded twice":        {statement.Entry{Statement: wrapped(t, wrapped(t, report("provider")))}, ToProvider},
		"something else that is forwarded":        {statement.Entry{Statement: wrapped(t, statement.OrderConfirmation{Order: "o", Outcome: "done", On: statement.DateOf(at)})}, ""},
		"a forwarded one that nobody can read":    {statement.Entry{Statement: wrong}, ToNeedToKnow},
		"a forwarded one that was erased":         {statement.Entry{Statement: statement.Forwarded{Set: "e30.e30.AA"}, Erased: true}, ""},
		"a forwarded one that is sealed":          {statement.Entry{Statement: statement.Forwarded{JWE: "a.b.c.d.e"}}, ""},
		"what the gateway decided":                {statement.Entry{Statement: statement.StandingChanged{}}, ""},
		"what the reseller states of its program": {statement.Entry{Statement: statement.CIPAttestation{}}, ""},
	} {
		if got := AudienceIn(c.entry); got != c.want {
			t.Errorf("%s: %q, wanted %q", name, got, c.want)
		}
	}
}
