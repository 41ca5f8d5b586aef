package officer

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

const (
	gateway  = envelope.Entity("https://gateway.example")
	reseller = envelope.Entity("https://gateway.example/e/nimbus")
)

func day(month time.Month, day int) time.Time {
	return time.Date(2026, month, day, 18, 0, 0, 0, time.UTC)
}

func TestEachKindIsToldInPlainSentences(t *testing.T) {
	contact := statement.Contact{Name: "Jane Roe", Email: "jane@nimbus.example"}
	on := statement.Date{Year: 2026, Month: time.November, Day: 20}
	inPlace := statement.Element{InPlace: true}
	all := statement.Elements{
		WrittenProgram: inPlace, IdentificationData: inPlace, AccessAddresses: inPlace, IdentityVerification: inPlace,
		BeneficialOwners: inPlace, UnverifiedNoAccount: inPlace, UnverifiedLimitedUse: inPlace, UnverifiedClosure: inPlace,
		UnverifiedRedress: inPlace, Reverification: inPlace, RecordRetention: inPlace, CustomerDisclosure: inPlace,
		ThirdPartyAccess: inPlace, AIMisuse: inPlace, RedFlags: inPlace,
		ResellerOversight: &inPlace,
	}
	some := all
	some.RedFlags, some.ResellerOversight = statement.Element{}, nil
	for _, c := range []struct {
		said             statement.Statement
		headline, detail string
	}{
		{
			statement.EntityEnrolled{Name: "Nimbus GmbH", Country: "DE", Superior: gateway, Contact: "compliance@nimbus.example", Tier: 1, LEI: "529900T8BM49AURSDO55"},
			"Nimbus GmbH (Germany) was enrolled.",
			"It is a reseller of tier 1 under https://gateway.example, and proved that it holds its keys. Contact: compliance@nimbus.example. Legal Entity Identifier: 529900T8BM49AURSDO55.",
		},
		{
			statement.CIPAttestation{Occasion: "initial", Basis: "own", AttestedOn: on, ResponsibleContact: contact, Elements: &all},
			"The reseller attested its customer identification program for the first time.",
			"All 16 elements are in place. Attested on 20 Nov 2026 by Jane Roe; it keeps a program of its own.",
		},
		{
			statement.CIPAttestation{Occasion: "annual", Basis: "referenced", AgreementID: "A-7", AttestedOn: on, ResponsibleContact: contact, Elements: &some,
				YearlyAttestations: &statement.YearlyAttestations{Reviewed: true, UpdatedForOfferings: true, UpdatedForThreats: true, ResolutionsRecorded: true}},
			"The reseller attested its customer identification program for the year.",
			"Not attested: complies with the rule. Not in place, 1 of 15 elements: acting on red flags. Attested on 20 Nov 2026 by Jane Roe; it refers to its superior's program under agreement A-7.",
		},
		{
			statement.CIPAttestation{Occasion: "change", Basis: "adopted", AgreementID: "A-7", AttestedOn: on, ResponsibleContact: contact,
				MaterialChanges: []statement.MaterialChange{{What: "New owner.", On: on}}},
			"The reseller attested its customer identification program after a change.",
			"Attested on 20 Nov 2026 by Jane Roe; it adopted its superior's program under agreement A-7. Changed on 20 Nov 2026: New owner.",
		},
		{
			statement.FindingOpened{Rule: "cip.missing", Severity: "serious", Since: day(time.December, 24), Cure: "An accepted cip-attestation"},
			"A shortfall was found: no attestation of a customer identification program since it was enrolled.",
			"It is serious and holds since 24 Dec 2026 18:00 UTC (rule cip.missing). What cures it: An accepted cip-attestation.",
		},
		{
			statement.FindingOpened{Rule: "custom.7", Severity: "minor", Since: day(time.December, 24), Cure: "Ask."},
			"A shortfall was found: what the rule custom.7 asks for is missing.",
			"It is minor and holds since 24 Dec 2026 18:00 UTC (rule custom.7). What cures it: Ask.",
		},
		{
			statement.FindingCured{Rule: "cip.stale", CuredBy: 41},
			"A shortfall was cured: the last attestation of its customer identification program is out of date.",
			"Entry 41 of the ledger cured it (rule cip.stale).",
		},
		{
			statement.StandingChanged{Before: "good", After: "warned", Why: "one thing is open"},
			"The reseller's standing went from “good” to “warned”.",
			"Something serious falls short, and the time to cure it runs.",
		},
		{
			statement.StandingChanged{Before: "pending", After: "watch", Why: "open since 2026-12-24 18:00:59 UTC, but minor"},
			"The reseller's standing went from “pending” to “watch”.",
			"Open since 24 Dec 2026 18:00 UTC, but minor.",
		},
		{
			statement.WarningIssued{CureBy: day(time.December, 8), LimitAt: day(time.December, 24), ToCure: []string{"a new one", "a copy."}},
			"The reseller was warned.",
			"It has until 8 Dec 2026 18:00 UTC to cure what falls short, by: a new one; a copy. If it does not, it may open no new accounts. The limit of the case is 24 Dec 2026 18:00 UTC.",
		},
		{
			statement.RestrictionOrdered{Order: "no-new-accounts", Next: "closing: the account is ordered closed", NextAt: day(time.December, 15), LimitAt: day(time.December, 24)},
			"The reseller was ordered to open no new accounts.",
			"Accounts that exist go on, and a cure lifts the order. If nothing is cured, this follows at 15 Dec 2026 18:00 UTC: the account is ordered closed. The limit of the case is 24 Dec 2026 18:00 UTC.",
		},
		{
			statement.ClosureOrdered{Scope: "reseller-account", TerminatesAt: day(time.December, 23), LimitAt: day(time.December, 24)},
			"The reseller's own account was ordered closed.",
			"If nothing is cured, the relationship ends at 23 Dec 2026 18:00 UTC. The limit of the case is 24 Dec 2026 18:00 UTC.",
		},
		{
			statement.ClosureOrdered{Scope: "customer-accounts", TerminatesAt: day(time.December, 23), LimitAt: day(time.December, 24)},
			"The accounts of the customers concerned were ordered closed.",
			"If nothing is cured, the relationship ends at 23 Dec 2026 18:00 UTC. The limit of the case is 24 Dec 2026 18:00 UTC.",
		},
		{
			statement.OrderWithdrawn{Order: "no-new-accounts", Why: "everything is cured"},
			"The order to open no new accounts was taken back.",
			"Everything is cured.",
		},
		{
			statement.RelationshipTerminated{LimitAt: day(time.December, 24), Why: "nothing was cured."},
			"The relationship with the reseller was ended.",
			"Nothing was cured. From here on its statements are refused.",
		},
		{
			statement.PolicyActivated{Policy: "us-iaas-2024.2", Digest: "abc", Replaces: "us-iaas-2024.1", EffectiveAt: day(time.November, 24)},
			"The policy us-iaas-2024.2 was put in force.",
			"It replaces us-iaas-2024.1. Resellers are judged by it from 24 Nov 2026 18:00 UTC on. SHA-256 of its text: abc.",
		},
	} {
		told := Tell(statement.Entry{Statement: c.said, About: reseller, By: gateway}, gateway)
		if told.Headline != c.headline || told.Detail != c.detail {
			t.Errorf("%s\n got %q\n     %q\nwant %q\n     %q", c.said.Kind(), told.Headline, told.Detail, c.headline, c.detail)
		}
	}
}

func TestEveryKindHasWords(t *testing.T) {
	for _, kind := range statement.Kinds() {
		said := example(t, kind)
		told := Tell(statement.Entry{Statement: said, About: reseller, By: gateway}, gateway)
		if told.Headline == unknown || !strings.HasSuffix(told.Headline, ".") || told.Detail != "" && !strings.HasSuffix(told.Detail, ".") && !strings.HasSuffix(told.Detail, "?") {
			t.Errorf("%s is told as %q, %q", kind, told.Headline, told.Detail)
		}
		if strings.Contains(told.Headline+told.Detail, "..") || strings.Contains(told.Headline+told.Detail, "?.") || strings.Contains(told.Headline+told.Detail, "  ") {
			t.Errorf("%s is told with a stumble: %q, %q", kind, told.Headline, told.Detail)
		}
	}
}

// example returns the smallest example of the kind's schema, as Recall would read it.
func example(t *testing.T, kind statement.Kind) statement.Statement {
	t.Helper()
	read := map[statement.Kind]statement.Statement{}
	for _, candidate := range []statement.Statement{
		into[statement.CIPAttestation](t, kind), into[statement.FindingOpened](t, kind), into[statement.FindingCured](t, kind),
		into[statement.StandingChanged](t, kind), into[statement.WarningIssued](t, kind), into[statement.RestrictionOrdered](t, kind),
		into[statement.ClosureOrdered](t, kind), into[statement.OrderWithdrawn](t, kind), into[statement.RelationshipTerminated](t, kind),
		into[statement.PolicyActivated](t, kind), into[statement.PolicyShadowed](t, kind), into[statement.EntityEnrolled](t, kind),
		into[statement.CustomerVerification](t, kind), into[statement.AccountStatus](t, kind), into[statement.SuspiciousActivity](t, kind),
		into[statement.AITraining](t, kind), into[statement.Remediation](t, kind), into[statement.OrderConfirmation](t, kind), into[statement.Forwarded](t, kind),
		into[statement.RelationshipReinstated](t, kind), into[statement.AppealDecided](t, kind), into[statement.InformationRequested](t, kind),
		into[statement.CIPRequested](t, kind), into[statement.DocumentReceived](t, kind), into[statement.SpecialMeasureImposed](t, kind),
		into[statement.SpecialMeasureLifted](t, kind), into[statement.KeysChanged](t, kind), into[statement.OfficerAction](t, kind),
		into[statement.RecordErased](t, kind), into[statement.OutageRecorded](t, kind),
		into[statement.LimitPassed](t, kind), into[statement.NoticeProved](t, kind), into[statement.StatedByLink](t, kind),
		into[statement.ScreeningChanged](t, kind), into[statement.TransactionCovered](t, kind),
		into[statement.HandOverOrdered](t, kind), into[statement.SuperiorChanged](t, kind), into[statement.SuperiorTold](t, kind),
		into[statement.ExemptionGranted](t, kind), into[statement.ExemptionWithdrawn](t, kind),
	} {
		read[candidate.Kind()] = candidate
	}
	said, ok := read[kind]
	if !ok {
		t.Fatalf("this test does not know the kind %s", kind)
	}
	return said
}

// into reads the kind's smallest example into S if S is of that kind.
func into[S statement.Statement](t *testing.T, kind statement.Kind) statement.Statement {
	t.Helper()
	var said S
	if said.Kind() == kind {
		if err := json.Unmarshal(statement.Example(kind), &said); err != nil {
			t.Fatalf("the example of %s: %v", kind, err)
		}
	}
	return said
}

func TestWhoStatedItIsNamedFromWhereTheReaderStands(t *testing.T) {
	at := time.Date(2026, 11, 24, 20, 0, 0, 0, time.FixedZone("CET", 2*60*60))
	for by, want := range map[envelope.Entity]string{
		gateway: "the gateway", reseller: "the reseller", "https://other.example": "https://other.example",
	} {
		told := Tell(statement.Entry{Statement: statement.FindingCured{}, About: reseller, By: by, AcceptedAt: at}, gateway)
		if told.By != want {
			t.Errorf("stated by %s: %q, wanted %q", by, told.By, want)
		}
		if told.At.Location() != time.UTC || !told.At.Equal(at) {
			t.Errorf("told at %s, wanted the same moment in UTC", told.At)
		}
	}
}

func TestAMomentIsWrittenToTheMinuteInUTC(t *testing.T) {
	at := time.Date(2026, 11, 25, 1, 59, 59, 0, time.FixedZone("CET", 60*60))
	if got := When(at); got != "25 Nov 2026 00:59 UTC" {
		t.Errorf("got %q", got)
	}
}

func TestSentencesBeginLargeAndEndOnce(t *testing.T) {
	for words, want := range map[string]string{
		"": "", " . ": "", "warned: a warning": "Warned: a warning.", "It is so.": "It is so.", "émis": "Émis.", "<b>": "<b>.",
		"who signs it?": "Who signs it?", "told at 2027-01-10 08:03:42 UTC": "Told at 10 Jan 2027 08:03 UTC.",
	} {
		if got := Sentence(words); got != want {
			t.Errorf("%q: %q, wanted %q", words, got, want)
		}
	}
}
