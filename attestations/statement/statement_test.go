package statement

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/envelope"
)

func TestEveryExampleIsAcceptedAsItIs(t *testing.T) {
	for _, k := range Kinds() {
		for i, example := range schemas[k]().examples {
			v := sign(t, draft(k, example))
			s, err := Decode(v)
			if err != nil {
				t.Errorf("%s, example %d: %v", k, i, err)
				continue
			}
			if s.Kind() != k || reflect.TypeOf(s).Kind() != reflect.Struct {
				t.Errorf("%s, example %d: decoded as %T of kind %s", k, i, s, s.Kind())
			}
			// What was decoded says all of it: written again, it is the example.
			again, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			if !sameJSON(t, again, example) {
				t.Errorf("%s, example %d: written again\n%s\nwas\n%s", k, i, again, example)
			}
		}
	}
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var values [2]any
	for i, text := range [][]byte{a, b} {
		v, err := anyOf(text)
		if err != nil {
			t.Fatal(err)
		}
		values[i] = v
	}
	return reflect.DeepEqual(values[0], values[1])
}

func TestAnEntryReadBackSaysWhatWasAccepted(t *testing.T) {
	acceptedAt := noon.Add(time.Second)
	for _, k := range Kinds() {
		for _, example := range schemas[k]().examples {
			v := sign(t, draft(k, example))
			accepted, err := Decode(v)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Recall(7, acceptedAt, v.Digest(), v.Raw())
			if err != nil {
				t.Fatal(err)
			}
			want := Entry{
				LeafIndex: 7, AcceptedAt: acceptedAt, About: reseller, By: v.Claims().Issuer, Customer: v.Claims().Subject.ID,
				JTI: v.Claims().JTI, Digest: v.Digest(), Statement: accepted,
			}
			if forms[k].customer != noCustomer && got.Customer != "customer-7" {
				t.Errorf("%s: the customer is %q", k, got.Customer)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s:\ngot  %+v\nwant %+v", k, got, want)
			}
		}
	}
}

func TestAnEntryThatThisVersionCannotReadIsAnError(t *testing.T) {
	for name, raw := range map[string][]byte{
		"no token":               []byte("x"),
		"a kind of tomorrow":     sign(t, eventNamed("urn:cipgate:event:customer-exported:v1")).Raw(),
		"a member of tomorrow":   sign(t, draft(KindFindingCured, []byte(`{"tomorrow":1}`))).Raw(),
		"about nobody":           sign(t, subjectless(KindFindingCured)).Raw(),
		"an attestation of none": sign(t, draft(KindCIPAttestation, []byte(`{}`))).Raw(),
	} {
		if e, err := Recall(3, noon, envelope.DigestOf(raw), raw); err == nil || !strings.Contains(err.Error(), "entry 3") || e != (Entry{}) {
			t.Errorf("%s: entry %+v, error %v", name, e, err)
		}
	}
}

func eventNamed(uri string) envelope.Draft {
	d := draft(KindCIPAttestation, map[string]int{})
	d.EventURI = uri
	return d
}

func subjectless(k Kind) envelope.Draft {
	d := draft(k, Example(k))
	d.Subject = envelope.Subject{}
	return d
}

func TestAnEventTypeThatNobodyKnowsIsRefusedWithTheTypesToUse(t *testing.T) {
	for uri, got := range map[string]string{
		"urn:cipgate:event:cip-attestation:v2":                   "urn:cipgate:event:cip-attestation:v2",
		"urn:cipgate:event:CIP-attestation:v1":                   "urn:cipgate:event:CIP-attestation:v1",
		"urn:cipgate:event::v1":                                  "urn:cipgate:event::v1",
		"cip-attestation":                                        "an event type that this gateway does not know",
		"https://schemas.openid.net/secevent/caep/event-type/x":  "an event type that this gateway does not know",
		"urn:cipgate:event:ana souza":                            "an event type that this gateway does not know",
		"urn:cipgate:event:" + strings.Repeat("x", 65) + ":v1":   "an event type that this gateway does not know",
		"urn:cipgate:event:cip-attestation:v1:and-somewhat-more": "urn:cipgate:event:cip-attestation:v1:and-somewhat-more",
	} {
		_, err := Decode(sign(t, eventNamed(uri)))
		want := &envelope.Fault{
			Reason: envelope.ErrMalformed, Pointer: "/claims/events", Wanted: "an event type that this gateway knows",
			Got: got, Fix: "Use one of: urn:cipgate:event:cip-attestation:v1, urn:cipgate:event:customer-verification:v1, urn:cipgate:event:account-status:v1, " +
				"urn:cipgate:event:suspicious-activity:v1, urn:cipgate:event:ai-training:v1, urn:cipgate:event:remediation:v1, " +
				"urn:cipgate:event:order-confirmation:v1, urn:cipgate:event:forwarded:v1.",
		}
		if !reflect.DeepEqual(err, error(want)) {
			t.Errorf("%s: %v", uri, err)
		}
	}
}

func TestASubmissionIsAboutItsIssuerWhateverSubjectItNames(t *testing.T) {
	for name, test := range map[string]struct {
		subject envelope.Subject
		ok      bool
	}{
		"none":             {envelope.Subject{}, true},
		"the issuer":       {envelope.Subject{Format: "uri", URI: string(reseller)}, true},
		"another entity":   {envelope.Subject{Format: "uri", URI: "https://other.example"}, false},
		"a customer":       {envelope.Subject{Format: "opaque", ID: "customer-7"}, false},
		"the issuer's urn": {envelope.Subject{Format: "uri", URI: "urn:reseller"}, false},
	} {
		d := draft(KindCIPAttestation, Example(KindCIPAttestation))
		d.Subject = test.subject
		v := sign(t, d)
		about, err := About(v.Claims())
		if test.ok && (err != nil || about != reseller) {
			t.Errorf("%s: about %q, %v", name, about, err)
		}
		if _, decoded := Decode(v); !test.ok && (pointerOf(err) != "/claims/sub_id" || !reflect.DeepEqual(decoded, err)) {
			t.Errorf("%s: About: %v; Decode: %v", name, err, decoded)
		}
	}
}

// One of the provider's own systems confirms an order of the reseller that it names. That nobody else may, the road of submissions sees to.
func TestAnOrderConfirmationAloneMayNameAnotherReseller(t *testing.T) {
	const other = envelope.Entity("https://other.example")
	for _, kind := range Kinds() {
		if kind.ByGateway() {
			continue
		}
		d := draft(kind, Example(kind))
		d.Subject = envelope.Subject{Format: "uri", URI: string(other)}
		claims := sign(t, d).Claims()
		about, err := About(claims)
		if may := kind == KindOrderConfirmation; may != (err == nil && about == other) || may != (pointerOf(NotYours(claims)) == "/claims/sub_id") {
			t.Errorf("%s: about %q, %v; not yours: %v", kind, about, err, NotYours(claims))
		}
	}
	d := draft(KindOrderConfirmation, Example(KindOrderConfirmation))
	for _, wrong := range []envelope.Subject{{Format: "uri", URI: "https://Other.example"}, {Format: "uri", URI: "urn:x:y"}, {Format: "opaque", ID: "customer"}} {
		d.Subject = wrong
		if about, err := About(sign(t, d).Claims()); pointerOf(err) != "/claims/sub_id" {
			t.Errorf("%+v: about %q, %v", wrong, about, err)
		}
	}
}

// A customer belongs to the entity that states something about it, and the ledger keeps it under that entity.
func TestASubmissionAboutACustomerIsAboutItsIssuerToo(t *testing.T) {
	none := envelope.Subject{}
	issuer := envelope.Subject{Format: "uri", URI: string(reseller)}
	other := envelope.Subject{Format: "uri", URI: "https://other.example"}
	customer := envelope.Subject{Format: "opaque", ID: "Kunde 7, é"}
	for name, test := range map[string]struct {
		kind    Kind
		subject envelope.Subject
		got     string // of the refusal; empty: accepted
	}{
		"a verification of a customer":           {KindCustomerVerification, customer, ""},
		"a verification of nobody":               {KindCustomerVerification, none, "no sub_id"},
		"a verification of its issuer":           {KindCustomerVerification, issuer, "another subject"},
		"a verification of another entity":       {KindCustomerVerification, other, "another subject"},
		"an account of nobody":                   {KindAccountStatus, none, "no sub_id"},
		"a training for nobody":                  {KindAITraining, none, "no sub_id"},
		"suspicious activity of a customer":      {KindSuspiciousActivity, customer, ""},
		"suspicious activity of nobody known":    {KindSuspiciousActivity, none, ""},
		"suspicious activity as a stream has it": {KindSuspiciousActivity, issuer, ""},
		"suspicious activity of another entity":  {KindSuspiciousActivity, other, "another subject"},
		"a remediation about a customer":         {KindRemediation, customer, "another subject"},
		"a remediation":                          {KindRemediation, none, ""},
		"a confirmation as a stream has it":      {KindOrderConfirmation, issuer, ""},
		"a forwarded SET about a customer":       {KindForwarded, customer, "another subject"},
	} {
		d := draft(test.kind, Example(test.kind))
		d.Subject = test.subject
		v := sign(t, d)
		about, err := About(v.Claims())
		_, decoded := Decode(v)
		if test.got == "" {
			entry, recalled := Recall(1, noon, v.Digest(), v.Raw())
			if err != nil || decoded != nil || recalled != nil || about != reseller || entry.About != reseller || entry.Customer != test.subject.ID {
				t.Errorf("%s: about %q, %v; decoded %v; entry %+v, %v", name, about, err, decoded, entry, recalled)
			}
			continue
		}
		fault, ok := errors.AsType[*envelope.Fault](err)
		if !ok || about != "" || fault.Pointer != "/claims/sub_id" || fault.Got != test.got || !reflect.DeepEqual(decoded, err) {
			t.Errorf("%s: about %q, %v; decoded %v", name, about, err, decoded)
		}
		if err != nil && strings.Contains(err.Error(), "Kunde") {
			t.Errorf("%s: the refusal names the customer: %v", name, err)
		}
	}
}

func TestAStatementOfTheGatewayIsAboutTheEntityInItsSubject(t *testing.T) {
	for name, test := range map[string]struct {
		subject envelope.Subject
		got     string
	}{
		"none":                 {envelope.Subject{}, "no sub_id"},
		"opaque":               {envelope.Subject{Format: "opaque", ID: "7"}, "a subject of another format"},
		"no entity identifier": {envelope.Subject{Format: "uri", URI: "https://reseller.example/"}, "a URI that is no entity identifier"},
	} {
		d := draft(KindStandingChanged, Example(KindStandingChanged))
		d.Subject = test.subject
		_, err := Decode(sign(t, d))
		if fault, ok := errors.AsType[*envelope.Fault](err); !ok || fault.Pointer != "/claims/sub_id" || fault.Got != test.got {
			t.Errorf("%s: %v", name, err)
		}
	}
	if about, err := About(envelope.Claims{EventURI: "urn:unknown"}); about != "" || pointerOf(err) != "/claims/events" {
		t.Errorf("an unknown type is about %q, %v", about, err)
	}
}

func pointerOf(err error) string {
	fault, ok := errors.AsType[*envelope.Fault](err)
	if !ok || !errors.Is(err, envelope.ErrMalformed) {
		return ""
	}
	return fault.Pointer
}

func TestKindsAndTheirURIsNameEachOther(t *testing.T) {
	submissions := []Kind{
		KindCIPAttestation, KindCustomerVerification, KindAccountStatus, KindSuspiciousActivity, KindAITraining,
		KindRemediation, KindOrderConfirmation, KindForwarded,
	}
	for _, k := range Kinds() {
		if back, known := KindOf(k.URI()); !known || back != k {
			t.Errorf("%s: %s names %q, %v", k, k.URI(), back, known)
		}
		if k.ByGateway() == slices.Contains(submissions, k) {
			t.Errorf("%s: by the gateway: %v", k, k.ByGateway())
		}
	}
	for _, uri := range []string{"", "cip-attestation", "urn:cipgate:event:cip-attestation", "urn:cipgate:event:x:v1", "urn:cipgate:event:v1"} {
		if k, known := KindOf(uri); known {
			t.Errorf("%q is known as %s", uri, k)
		}
	}
	if len(Kinds()) != len(forms) {
		t.Errorf("%d kinds are listed, %d can be read", len(Kinds()), len(forms))
	}
	if Kind("x").ByGateway() || Schema("x") != nil || Example("x") != nil {
		t.Error("an unknown kind has a schema, an example or an author")
	}
}

func TestTimesAreWrittenAsWholeSecondsInUTC(t *testing.T) {
	berlin := time.FixedZone("", 2*60*60)
	now := time.Date(2026, 3, 1, 14, 0, 0, 999_999_999, berlin)
	basis := Basis{Policy: "us-iaas-2024.1", Seen: -1, Now: now}
	officer := Officer{ID: "o", Name: "n"}
	for _, s := range []Statement{
		FindingOpened{Basis: basis, Finding: "f", Rule: "r", Severity: "minor", Since: now, Opened: now, Cure: "c"},
		FindingCured{Basis: basis, Finding: "f", Rule: "r"},
		StandingChanged{Basis: basis, Number: 1, Before: "good", After: "watch", Why: "w"},
		WarningIssued{Basis: basis, Case: "c", Findings: []string{"f"}, CureBy: now, LimitAt: now, ToCure: []string{"t"}, Dispute: "d"},
		RestrictionOrdered{Basis: basis, Case: "c", Order: "no-new-accounts", Findings: []string{"f"}, Next: "n", NextAt: now, LimitAt: now},
		ClosureOrdered{Basis: basis, Case: "c", Scope: "reseller-account", Findings: []string{"f"}, TerminatesAt: now, LimitAt: now},
		OrderWithdrawn{Basis: basis, Case: "c", Order: "no-new-accounts", Why: "w"},
		LimitPassed{Basis: basis, Case: "c", Findings: []string{"f"}, LimitAt: now, Why: "w"},
		RelationshipTerminated{Basis: basis, Case: "c", Findings: []string{"f"}, LimitAt: now, Why: "w"},
		HandOverOrdered{Basis: basis, Case: "c", Order: "hand-over", Findings: []string{"f"}, Successor: "https://s.example", Customers: "verified", Until: now, Why: "w"},
		SuperiorChanged{Basis: basis, Number: 1, Superior: "https://s.example", Status: SuperiorClosing, FindBy: now, Why: "w"},
		PolicyActivated{Policy: "p", Digest: envelope.DigestOf(nil).String(), EffectiveAt: now, Document: "rules: []\n"},
		KeysChanged{Purpose: "statement", Reason: "revoked", OldKids: []string{"k"}, ValidFrom: now},
		OfficerAction{Officer: officer, Action: "hold.placed", On: Target{Type: "case", ID: "c"}, Reason: "r", EndsAt: now},
		DocumentReceived{Document: Copy{SHA256: envelope.DigestOf(nil).String()}, From: "f", ReceivedAt: now},
		InformationRequested{Inquiry: "i", Question: "q", DueAt: now},
		CIPRequested{Request: "r", DueAt: now},
		OutageRecorded{From: now, To: now.Add(time.Hour)},
		ScreeningChanged{Number: 1, Itself: true, Since: now, Evidence: []int64{1}},
		TransactionCovered{Transaction: "t", Policy: "p.1", Definition: "any 1e26", Ground: CoveredAnew, KnewAt: now, ReportedAt: now, ReportBy: now},
		NoticeProved{Notice: "n", Channel: ChannelCall, AddressedAt: now, SentAt: now, ProvedAt: now},
		SuperiorTold{Superior: "https://s.example", Notice: "n", Standing: "warned", StatedAt: now, NextAt: now},
		SuspiciousActivity{Certainty: "actual", DiscoveredAt: now, Categories: []string{"integrity"}, Description: "d", Audience: "chain"},
		AITraining{Transaction: "t", State: "planned", Knowledge: []Knowledge{{Actor: "reseller", KnewAt: now}}},
		Forwarded{ReceivedAt: now, Set: "a.b.c"},
	} {
		v := sign(t, draft(s.Kind(), s))
		if _, err := Decode(v); err != nil {
			t.Errorf("%s: %v", s.Kind(), err)
		}
		if event := string(v.Claims().Event); !strings.Contains(event, `"2026-03-01T12:00:00Z"`) || strings.Contains(event, "999") {
			t.Errorf("%s: %s", s.Kind(), event)
		}
	}
}

func TestWhatIsRememberedIsWhatIsRecalled(t *testing.T) {
	for _, kind := range kinds {
		for n, event := range schemas[kind]().examples {
			v := sign(t, draft(kind, event))
			recalled, err := Recall(7, noon, v.Digest(), v.Raw())
			if err != nil {
				t.Fatalf("%s, example %d: %v", kind, n, err)
			}
			for _, decoded := range []bool{false, true} {
				if decoded {
					if _, err := Decode(v); err != nil {
						t.Fatalf("%s, example %d: %v", kind, n, err)
					}
				}
				if got, err := Remember(7, noon, v); err != nil || !reflect.DeepEqual(got, recalled) {
					t.Errorf("%s, example %d, decoded before %v: %+v, %v, wanted %+v", kind, n, decoded, got, err, recalled)
				}
			}
		}
	}
}
