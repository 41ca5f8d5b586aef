package statement

import (
	"reflect"
	"testing"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// Where one member asks for another, or rules it out, the refusal says which and under what condition.
func TestARefusalSaysWhereAMemberBelongs(t *testing.T) {
	const (
		verification = KindCustomerVerification
		account      = KindAccountStatus
		remediation  = KindRemediation
		confirmation = KindOrderConfirmation
		id           = "1 to 255 printable ASCII characters without spaces"
		leaveOut     = "Leave it out. It belongs only where "
	)
	owner := func(value string) string { return example(t, verification, 2, "owner", value) }
	for name, test := range map[string]struct {
		kind                              Kind
		event, pointer, wanted, got, then string
	}{
		"verified, and nobody knows where": {
			verification, example(t, verification, 1, "countries", ""), "/countries", "an object with home", "nothing",
			`Add "countries", such as {"home":"BR"}. It is required where it was verified.`,
		},
		"verified, and nobody knows how": {
			verification, example(t, verification, 1, "method", ""), "/method", `one of "documentary", "non-documentary", "both"`, "nothing",
			`Add "method", such as "documentary". It is required where it was verified.`,
		},
		"verified, and yet something is done": {
			verification, example(t, verification, 1, "actions", `["closed"]`), "/actions", "no such member here", "one", leaveOut + "it could not be verified.",
		},
		"not verified, and nothing is done": {
			verification, example(t, verification, 0, "actions", ""), "/actions", "a list", "nothing",
			`Add "actions", such as ["no-account"]. It is required where it could not be verified.`,
		},
		"an owner that is not named": {
			verification, example(t, verification, 1, "party", `"owner"`), "/owner", "an object with id, basis", "nothing",
			`Add "owner", such as {"basis":"both","id":"owner-2","share_percent":40}. It is required where the party is an owner.`,
		},
		"a customer that is an owner": {
			verification, example(t, verification, 1, "owner", `{"id":"x","basis":"control"}`), "/owner", "no such member here", "one", leaveOut + "the party is an owner.",
		},
		"ownership of nothing": {
			verification, owner(`{"id":"x","basis":"ownership"}`), "/owner/share_percent", "a whole number from 1 to 100", "nothing",
			`Add "share_percent", such as 40. It is required where the basis is ownership or both.`,
		},
		"control with a share": {
			verification, owner(`{"id":"x","basis":"control","share_percent":30}`), "/owner/share_percent", "no such member here", "one", leaveOut + "the basis is ownership or both.",
		},
		"more than all of it": {
			verification, owner(`{"id":"x","basis":"both","share_percent":101}`), "/owner/share_percent", "a whole number from 1 to 100", "a larger number",
			"Write a number inside these bounds.",
		},
		"a U.S. person without footing": {
			verification, example(t, verification, 1, "us_person", `{"found":true,"reasonable_belief":true}`), "/us_person/basis",
			`one of "citizen", "permanent-resident", "organised-in-us", "in-us"`, "nothing",
			`Add "basis", such as "in-us". It is required where a U.S. person was found. One more member needs work.`,
		},
		"the footing of no U.S. person": {
			verification, example(t, verification, 1, "us_person", `{"found":false,"reasonable_belief":true,"basis":"citizen"}`), "/us_person/basis",
			"no such member here", "one", leaveOut + "a U.S. person was found.",
		},
		"a country in words": {
			verification, example(t, verification, 1, "countries", `{"home":"Brazil"}`), "/countries/home", "a country as two capital letters (ISO 3166-1)",
			"a text of another form", `Write it in this form, such as "BR".`,
		},
		"a scan": {
			verification, example(t, verification, 1, "document", `"JVBERi0="`), "/document", "only members that the schema names", `"document"`,
			`Did you mean "documents"?`,
		},
		"an account opened on no plan": {
			account, example(t, account, 1, "plan", ""), "/plan", `one of "trial", "free", "paid"`, "nothing",
			`Add "plan", such as "trial". It is required where the account was opened.`,
		},
		"an account opened for nothing": {
			account, example(t, account, 1, "products", ""), "/products", "a list", "nothing",
			`Add "products", such as ["processing","storage"]. It is required where the account was opened.`,
		},
		"an account closed for no reason": {
			account, example(t, account, 2, "order", "", "reason", ""), "/reason",
			`one of "not-verified", "order", "special-measure", "suspicious-activity", "customer-request", "payment", "inactivity", "other"`, "nothing",
			`Add "reason", such as "order". It is required where the account was limited or closed.`,
		},
		"a reason to have used it": {
			account, example(t, account, 0, "reason", `"other"`), "/reason", "no such member here", "one", leaveOut + "the account was limited or closed.",
		},
		"closed by which order": {
			account, example(t, account, 2, "order", ""), "/order", id, "nothing",
			`Add "order", such as "0190f0a0-0000-7000-8000-000000000004". It is required where the reason is order.`,
		},
		"an order that is not the reason": {
			account, example(t, account, 2, "reason", `"payment"`), "/order", "no such member here", "one", leaveOut + "the reason is order.",
		},
		"a day where a time belongs": {
			KindSuspiciousActivity, example(t, KindSuspiciousActivity, 0, "discovered_at", `"2026-02-10"`), "/discovered_at",
			"a time in UTC, whole seconds, as 2026-03-01T12:00:00Z", "a text of another form", `Write it in this form, such as "2026-02-10T08:30:00Z".`,
		},
		"against nothing": {
			KindSuspiciousActivity, example(t, KindSuspiciousActivity, 0, "categories", `[]`), "/categories", "at least 1 item", "0 items",
			"Fill the list, or leave it out if it is not required.",
		},
		"occurred, and nobody knows when": {
			KindAITraining, example(t, KindAITraining, 1, "started_on", ""), "/started_on", "a day of this century as YYYY-MM-DD", "nothing",
			`Add "started_on", such as "2026-02-01". It is required where the training occurred.`,
		},
		"operations as a number": {
			KindAITraining, example(t, KindAITraining, 0, "parameters", `{"operations":1.2e26}`), "/parameters/operations",
			`a number in scientific form as a text, such as "1.2e26"`, "a number", `Write a value such as "1.2e26".`,
		},
		"a field by what a person calls it": {
			KindAITraining, example(t, KindAITraining, 0, "fields", `[{"name":"Name of Ana Souza","value":"x"}]`), "/fields/0/name",
			"a name in small letters, digits and underscores", "a text of another form", `Write it in this form, such as "customer_name".`,
		},
		"a cure of nothing": {
			remediation, example(t, remediation, 0, "finding", "", "inquiry", `"i"`), "/finding", id, "nothing",
			`Add "finding", such as "cip.incomplete.20260228T080000Z". It is required where no inquiry is explained.`,
		},
		"an explanation of nothing": {
			remediation, example(t, remediation, 1, "inquiry", ""), "/finding", id, "nothing",
			`Add "finding", such as "cip.incomplete.20260228T080000Z". It is required where no inquiry is explained.`,
		},
		"a dispute on no ground": {
			remediation, example(t, remediation, 3, "ground", ""), "/ground", `one of "false-positive", "compensating-control", "wrong-severity"`, "nothing",
			`Add "ground", such as "compensating-control". It is required where it is a dispute.`,
		},
		"a cure on a ground": {
			remediation, example(t, remediation, 0, "ground", `"false-positive"`), "/ground", "no such member here", "one", leaveOut + "it is a dispute.",
		},
		"time without end": {
			remediation, example(t, remediation, 2, "until", ""), "/until", "a day of this century as YYYY-MM-DD", "nothing",
			`Add "until", such as "2027-02-10". It is required where it is an extension-request.`,
		},
		"a cure until": {
			remediation, example(t, remediation, 0, "until", `"2027-02-10"`), "/until", "no such member here", "one", leaveOut + "it is an extension-request.",
		},
		"impossible, and why not": {
			confirmation, example(t, confirmation, 1, "reason", ""), "/reason", "text without control characters", "nothing",
			`Add "reason", such as "A court ordered the account to be kept.". It is required where something was not carried out.`,
		},
		"impossible, and yet closed": {
			confirmation, example(t, confirmation, 1, "accounts", `["a"]`), "/accounts", "no such member here", "one", leaveOut + "something was carried out.",
		},
		"nothing forwarded": {
			KindForwarded, `{"received_at":"2026-02-10T08:30:00Z","path":["https://a.example"]}`, "/set", "a compact JWS: three parts in base64url, joined by dots", "nothing",
			`Add "set", such as "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJodHRwczovL2JlbG93LmV4YW1wbGUifQ.AA". It is required where there is no jwe.`,
		},
		"forwarded in the open and sealed": {
			KindForwarded, example(t, KindForwarded, 0, "jwe", `"a.b.c.d.e"`), "/set", "no such member here", "one", leaveOut + "there is no jwe.",
		},
		"keys rotated at once": {
			KindKeysChanged, example(t, KindKeysChanged, 1, "overlap_until", ""), "/overlap_until", "a time in UTC, whole seconds, as 2026-03-01T12:00:00Z", "nothing",
			`Add "overlap_until", such as "2026-03-02T12:00:00Z". It is required where the reason is rotation.`,
		},
		"a measure against nobody": {
			KindSpecialMeasureImposed, example(t, KindSpecialMeasureImposed, 0, "scope", `{}`), "/scope/country", "a country as two capital letters (ISO 3166-1)", "nothing",
			`Add "country", such as "XA". It is required where the measure is not against a person.`,
		},
		"exempt without end": {
			KindExemptionGranted, example(t, KindExemptionGranted, 0, "until", ""), "/until", "a time in UTC, whole seconds, as 2026-03-01T12:00:00Z", "nothing",
			`Add "until", such as "2027-03-02T00:00:00Z".`,
		},
		"a condition that nobody knows": {
			KindSpecialMeasureImposed, example(t, KindSpecialMeasureImposed, 1, "conditions", ""), "/conditions", "text without control characters", "nothing",
			`Add "conditions", such as "Each account is approved by the Department first.". It is required where the effect is condition.`,
		},
	} {
		_, err := read(test.kind, []byte(test.event))
		want := &envelope.Fault{
			Reason: envelope.ErrMalformed, Pointer: "/claims/events/" + test.kind.URI() + test.pointer,
			Wanted: test.wanted, Got: test.got, Fix: test.then + " The schema is /schemas/" + fileName(test.kind) + ".",
		}
		if !reflect.DeepEqual(err, error(want)) {
			t.Errorf("%s:\ngot  %v\nwant %v", name, err, want)
		}
	}
}
