package officer

import (
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

func TestWhatIsStatedOfCustomersAndOrdersIsToldInWords(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, time.November, 24, hour, 0, 0, 0, time.UTC) }
	on := statement.Date{Year: 2026, Month: time.November, Day: 24}
	mara, jon := statement.Officer{ID: "1", Name: "Mara Lind"}, statement.Officer{ID: "2", Name: "Jon Reyes"}
	for _, c := range []struct {
		said             statement.Statement
		headline, detail string
	}{
		{
			statement.CustomerVerification{Party: "owner", Result: "not-verified", CheckedOn: on, RiskTier: "high", Actions: []string{"limited-use", "watched"}},
			"The reseller could not verify a beneficial owner of a customer.",
			"On 24 Nov 2026, high risk. What is done: limited-use, watched.",
		},
		{
			statement.CustomerVerification{
				Party: "customer", Result: "reverified", CheckedOn: on, RiskTier: "low", Countries: &statement.Countries{Home: "BR"},
				NextDue: statement.Date{Year: 2027, Month: time.November, Day: 24},
			},
			"The reseller verified a customer again.",
			"On 24 Nov 2026, low risk. It belongs to Brazil. To be verified again by 24 Nov 2027.",
		},
		{
			statement.AccountStatus{Account: "a-1", Status: "last-accessed", On: on},
			"A customer's account was last accessed on 24 Nov 2026.",
			"Account a-1.",
		},
		{
			statement.SuspiciousActivity{Certainty: "suspected", DiscoveredAt: at(9), Categories: []string{"integrity"}, Description: "secret", Audience: "need-to-know"},
			"The reseller reported suspected malicious activity.",
			"It learned of it at 24 Nov 2026 09:00 UTC; against integrity. Secret.",
		},
		{
			statement.SuspiciousActivity{Certainty: "actual", DiscoveredAt: at(9), Categories: []string{"integrity"}, Description: "a botnet.", Audience: "provider"},
			"The reseller reported actual malicious activity.",
			"It learned of it at 24 Nov 2026 09:00 UTC; against integrity. A botnet.",
		},
		{
			statement.AITraining{
				Transaction: "t-1", State: "occurred", Parameters: &statement.TrainingParameters{Operations: "1.2e26"},
				Knowledge: []statement.Knowledge{{Actor: "reseller", KnewAt: at(12)}, {Actor: "subordinate", KnewAt: at(8)}},
			},
			"The reseller reported an AI training that occurred.",
			"Transaction t-1. First known at 24 Nov 2026 08:00 UTC, by the subordinate. 1.2e26 operations.",
		},
		{
			statement.Remediation{RemediationKind: "dispute", Text: "it was sent", Finding: "f-1", Ground: "false-positive"},
			"The reseller disputes a finding.",
			"It was sent. About the finding f-1. The ground is false-positive.",
		},
		{
			statement.OrderConfirmation{Order: "o-1", Outcome: "partly", On: on, Accounts: []string{"a", "b"}, Reason: "a court forbids the third"},
			"The reseller carried out an order in part.",
			"On 24 Nov 2026, the order o-1. Accounts closed: 2. A court forbids the third.",
		},
		{
			statement.Forwarded{ReceivedAt: at(9), JWE: "a.b.c.d.e"},
			"The reseller forwarded a statement of one below it.",
			"It came in at 24 Nov 2026 09:00 UTC, sealed.",
		},
		{
			statement.KeysChanged{Purpose: "statement", Reason: "compromise", OldKids: []string{"k1", "k2"}, ValidFrom: at(9), CompromisedSince: at(7)},
			"The reseller's statement keys were changed.",
			"The reason is compromise. Old keys: k1, k2. The change holds from 24 Nov 2026 09:00 UTC on. What they signed after 24 Nov 2026 07:00 UTC does not count.",
		},
		{
			statement.OfficerAction{
				Officer: mara, Action: "hold.placed", On: statement.Target{Type: "case", ID: "c-1"}, Reason: "a court asked",
				EndsAt: at(9), ProposedBy: &jon, Details: []statement.Field{{Name: "kind", Value: "stay"}},
			},
			"Mara Lind let the steps of the case wait.",
			"A court asked. Proposed by Jon Reyes. It ends at 24 Nov 2026 09:00 UTC. Kind: stay.",
		},
		{
			statement.SpecialMeasureImposed{
				Measure: "m-1", Scope: statement.MeasureScope{Person: &statement.MeasuredPerson{Names: []string{"Ghost LLC"}}}, Effect: "condition",
				Conditions: "approval first.", EffectiveOn: on, ExpiresOn: on, List: "l-1", Source: "91 FR 1",
			},
			"A special measure was imposed on Ghost LLC.",
			"Accounts are allowed under conditions: approval first. It is in force from 24 Nov 2026 to 24 Nov 2026. Source: 91 FR 1 (measure m-1, list l-1).",
		},
	} {
		told := Tell(statement.Entry{Statement: c.said, About: reseller, By: reseller}, gateway)
		if told.Headline != c.headline || told.Detail != c.detail {
			t.Errorf("%s\n got %q\n     %q\nwant %q\n     %q", c.said.Kind(), told.Headline, told.Detail, c.headline, c.detail)
		}
	}
}
