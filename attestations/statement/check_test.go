package statement

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// example returns one of the schema's examples with members replaced.
func example(t *testing.T, k Kind, i int, pairs ...string) string {
	t.Helper()
	return with(t, string(schemas[k]().examples[i]), pairs...)
}

// What a schema cannot say of a submission is refused at the member that is wrong. noon is 2026-07-01T12:00:00Z.
func TestOneMemberOfASubmissionIsHeldAgainstAnother(t *testing.T) {
	const (
		verification = KindCustomerVerification
		account      = KindAccountStatus
		suspicion    = KindSuspiciousActivity
		training     = KindAITraining
		remediation  = KindRemediation
		confirmation = KindOrderConfirmation
	)
	const digest = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
	usPerson := func(basis string) string {
		return `{"found":true,"reasonable_belief":true,"method":"both","basis":"` + basis + `"}`
	}
	for name, test := range map[string]struct {
		kind    Kind
		event   string
		pointer string // after the event's; empty: accepted
	}{
		"checked tomorrow, where tomorrow has begun": {verification, example(t, verification, 1, "checked_on", `"2026-07-02"`), ""},
		"checked the day after tomorrow":             {verification, example(t, verification, 1, "checked_on", `"2026-07-03"`), "/checked_on"},
		"verified without belief":                    {verification, example(t, verification, 1, "reasonable_belief", `false`), "/reasonable_belief"},
		"not verified, and yet believed":             {verification, example(t, verification, 0, "reasonable_belief", `true`), "/reasonable_belief"},
		"due again on the same day":                  {verification, example(t, verification, 1, "next_due", `"2026-02-10"`), "/next_due"},
		"due again a day later":                      {verification, example(t, verification, 1, "next_due", `"2026-02-11"`), ""},
		"an individual who is a citizen":             {verification, example(t, verification, 1, "us_person", usPerson("citizen")), ""},
		"an individual organised in the U.S.":        {verification, example(t, verification, 1, "us_person", usPerson("organised-in-us")), "/us_person/basis"},
		"an entity organised in the U.S.":            {verification, example(t, verification, 1, "form", `"entity"`, "us_person", usPerson("organised-in-us")), ""},
		"an entity that is a citizen":                {verification, example(t, verification, 1, "form", `"entity"`, "us_person", usPerson("citizen")), "/us_person/basis"},
		"an entity with permanent residence":         {verification, example(t, verification, 1, "form", `"entity"`, "us_person", usPerson("permanent-resident")), "/us_person/basis"},
		"an entity in the U.S.":                      {verification, example(t, verification, 1, "form", `"entity"`, "us_person", usPerson("in-us")), ""},
		"a U.S. person without belief": {
			verification, example(t, verification, 1, "us_person", `{"found":true,"reasonable_belief":false,"method":"both","basis":"citizen"}`), "/us_person/reasonable_belief",
		},
		"no U.S. person, and no belief": {verification, example(t, verification, 1, "us_person", `{"found":false,"reasonable_belief":false}`), ""},
		"an action twice":               {verification, example(t, verification, 0, "actions", `["watched","closed","watched"]`), "/actions/2"},
		"a datum twice":                 {verification, example(t, verification, 1, "collected", `["name","name"]`), "/collected/1"},
		"a country twice":               {verification, example(t, verification, 1, "countries", `{"home":"BR","ownership":["BR","PT","BR"]}`), "/countries/ownership/2"},
		"the home country owns it":      {verification, example(t, verification, 1, "countries", `{"home":"BR","ownership":["BR"]}`), ""},
		"a document twice":              {verification, example(t, verification, 1, "documents", `[{"sha256":"`+digest+`"},{"sha256":"`+digest+`","bytes":7}]`), "/documents/1"},
		"a correction of itself":        {verification, example(t, verification, 1, "supersedes", `"`+ownJTI+`"`), "/supersedes"},

		"closed the day after tomorrow":        {account, example(t, account, 0, "on", `"2026-07-03"`), "/on"},
		"closed today":                         {account, example(t, account, 0, "on", `"2026-07-01"`), ""},
		"a product twice":                      {account, example(t, account, 1, "products", `["storage","storage"]`), "/products/1"},
		"a status that corrects itself":        {account, example(t, account, 2, "supersedes", `"`+ownJTI+`"`), "/supersedes"},
		"discovered as it is signed":           {suspicion, example(t, suspicion, 0, "discovered_at", `"2026-07-01T12:00:00Z"`), ""},
		"discovered after it is signed":        {suspicion, example(t, suspicion, 0, "discovered_at", `"2026-07-01T12:00:01Z"`), "/discovered_at"},
		"observed as it is discovered":         {suspicion, example(t, suspicion, 0, "observed_from", `"2026-02-10T08:30:00Z"`), ""},
		"observed after it is discovered":      {suspicion, example(t, suspicion, 0, "observed_from", `"2026-02-10T08:30:01Z"`), "/observed_from"},
		"over before it began":                 {suspicion, example(t, suspicion, 1, "observed_to", `"2026-02-09T21:59:59Z"`), "/observed_to"},
		"over, and nobody knows when it began": {suspicion, example(t, suspicion, 0, "observed_to", `"2026-02-09T21:59:59Z"`), ""},
		"over after it is signed":              {suspicion, example(t, suspicion, 1, "observed_to", `"2026-07-01T12:00:01Z"`), "/observed_to"},
		"a category twice":                     {suspicion, example(t, suspicion, 0, "categories", `["integrity","integrity"]`), "/categories/1"},
		"an account twice":                     {suspicion, example(t, suspicion, 0, "accounts", `["a","b","a"]`), "/accounts/2"},
		"an answer twice":                      {suspicion, example(t, suspicion, 0, "actions", `["monitored","monitored"]`), "/actions/1"},
		"evidence twice":                       {suspicion, example(t, suspicion, 0, "evidence", `[{"sha256":"`+digest+`"},{"sha256":"`+digest+`"}]`), "/evidence/1"},
		"reported to come":                     {suspicion, example(t, suspicion, 0, "disclosures", `[{"authority":"A","on":"2026-07-01"},{"authority":"B","on":"2026-07-03"}]`), "/disclosures/1/on"},
		"a report that corrects itself":        {suspicion, example(t, suspicion, 0, "supersedes", `"`+ownJTI+`"`), "/supersedes"},

		"known as it is signed":               {training, example(t, training, 0, "knowledge", `[{"actor":"reseller","knew_at":"2026-07-01T12:00:00Z"}]`), ""},
		"known after it is signed":            {training, example(t, training, 0, "knowledge", `[{"actor":"reseller","knew_at":"2026-07-01T12:00:01Z"}]`), "/knowledge/0/knew_at"},
		"known by the same one twice":         {training, example(t, training, 0, "knowledge", knewTwice("", "")), "/knowledge/1"},
		"known by two of a kind":              {training, example(t, training, 0, "knowledge", knewTwice("", "https://a.example")), ""},
		"known by one with a name twice":      {training, example(t, training, 0, "knowledge", knewTwice("https://a.example", "https://a.example")), "/knowledge/1"},
		"known by what is no entity":          {training, example(t, training, 0, "knowledge", knewTwice("", "https://a.example/")), "/knowledge/1/entity"},
		"planned for next year":               {training, example(t, training, 0, "started_on", `"2027-01-01"`, "completed_on", `"2027-01-01"`), ""},
		"occurred next year":                  {training, example(t, training, 1, "started_on", `"2027-01-01"`), "/started_on"},
		"occurred, and ends next year":        {training, example(t, training, 1, "completed_on", `"2027-01-01"`), ""},
		"completed before it started":         {training, example(t, training, 1, "completed_on", `"2026-01-31"`), "/completed_on"},
		"completed, and nobody knows started": {training, example(t, training, 0, "completed_on", `"2026-01-31"`), ""},
		"a capability twice":                  {training, example(t, training, 0, "concerns", `["other","other"]`), "/concerns/1"},
		"a modality twice":                    {training, example(t, training, 0, "parameters", `{"modalities":["text","text"]}`), "/parameters/modalities/1"},
		"a field twice":                       {training, example(t, training, 0, "fields", `[{"name":"a","value":"1"},{"name":"a","value":"2"}]`), "/fields/1"},
		"a training that corrects itself":     {training, example(t, training, 0, "supersedes", `"`+ownJTI+`"`), "/supersedes"},

		"time until yesterday, where it is still": {remediation, example(t, remediation, 2, "until", `"2026-07-01"`), ""},
		"time until a day that is over":           {remediation, example(t, remediation, 2, "until", `"2026-06-30"`), "/until"},
		"proof twice":                             {remediation, example(t, remediation, 0, "evidence", `[{"sha256":"`+digest+`"},{"sha256":"`+digest+`"}]`), "/evidence/1"},
		"a remediation that corrects itself":      {remediation, example(t, remediation, 0, "supersedes", `"`+ownJTI+`"`), "/supersedes"},
		"confirmed the day after tomorrow":        {confirmation, example(t, confirmation, 0, "on", `"2026-07-03"`), "/on"},
		"an account closed twice":                 {confirmation, example(t, confirmation, 0, "accounts", `["a","a"]`), "/accounts/1"},
		"a confirmation that corrects itself":     {confirmation, example(t, confirmation, 0, "supersedes", `"`+ownJTI+`"`), "/supersedes"},
		"received as it is signed":                {KindForwarded, example(t, KindForwarded, 1, "received_at", `"2026-07-01T12:00:00Z"`), ""},
		"received after it is signed":             {KindForwarded, example(t, KindForwarded, 1, "received_at", `"2026-07-01T12:00:01Z"`), "/received_at"},
		"through one entity twice":                {KindForwarded, example(t, KindForwarded, 1, "path", `["https://a.example","https://b.example","https://a.example"]`), "/path/2"},
		"through what is no entity":               {KindForwarded, example(t, KindForwarded, 1, "path", `["https://a.example","https://b.example/"]`), "/path/1"},
	} {
		_, err := Decode(sign(t, draft(test.kind, []byte(test.event))))
		want := ""
		if test.pointer != "" {
			want = "/claims/events/" + test.kind.URI() + test.pointer
		}
		if got := pointerOf(err); got != want || (want == "") != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const ownJTI = "0190f0a0-0000-7000-8000-0000000000aa"

// knewTwice returns two subordinates that knew, with their entity identifiers if they have one.
func knewTwice(entities ...string) string {
	var knew []string
	for _, e := range entities {
		member := ""
		if e != "" {
			member = `,"entity":"` + e + `"`
		}
		knew = append(knew, `{"actor":"subordinate","knew_at":"2026-02-10T08:30:00Z"`+member+`}`)
	}
	return "[" + strings.Join(knew, ",") + "]"
}

// What a schema cannot say is refused at the member that is wrong.
func TestOneMemberIsHeldAgainstAnother(t *testing.T) {
	changed := func(on string) string {
		return attestation(t, "occasion", `"change"`, "attested_on", `"2026-06-30"`, "material_changes", `[{"what":"a","on":"2026-06-30"},{"what":"b","on":"`+on+`"}]`)
	}
	finding := string(Example(KindFindingOpened))
	enrolled := string(Example(KindEntityEnrolled))
	for name, test := range map[string]struct {
		kind    Kind
		event   string
		at      time.Time
		pointer string // after the event's; empty: accepted
	}{
		"attested on the day of iat":                   {KindCIPAttestation, attestation(t, "attested_on", `"2026-07-01"`), noon, ""},
		"attested tomorrow, where tomorrow has begun":  {KindCIPAttestation, attestation(t, "attested_on", `"2026-07-02"`), noon, ""},
		"attested tomorrow, which has begun nowhere":   {KindCIPAttestation, attestation(t, "attested_on", `"2026-07-02"`), noon.Add(-2*time.Hour - time.Second), "/attested_on"},
		"attested the day after tomorrow":              {KindCIPAttestation, attestation(t, "attested_on", `"2026-07-03"`), noon, "/attested_on"},
		"attested next year":                           {KindCIPAttestation, attestation(t, "attested_on", `"2027-01-01"`), noon, "/attested_on"},
		"attested years ago is for the policy":         {KindCIPAttestation, attestation(t, "attested_on", `"2001-01-01"`), noon, ""},
		"changes up to the day of the attestation":     {KindCIPAttestation, changed("2025-01-01"), noon, ""},
		"a change after the attestation":               {KindCIPAttestation, changed("2026-07-01"), noon, "/material_changes/1/on"},
		"a finding true when it was found":             {KindFindingOpened, finding, noon, ""},
		"a finding true after it was found":            {KindFindingOpened, with(t, finding, "since", `"2026-03-01T12:00:01Z"`), noon, "/since"},
		"a standing that did not change":               {KindStandingChanged, with(t, string(Example(KindStandingChanged)), "before", `"warned"`), noon, "/after"},
		"enrolled as another entity than the subject":  {KindEntityEnrolled, with(t, enrolled, "entity", `"https://other.example"`), noon, "/entity"},
		"enrolled under what is no entity identifier":  {KindEntityEnrolled, with(t, enrolled, "superior", `"http://gateway.example"`), noon, "/superior"},
		"enrolled with a key that signs nothing":       {KindEntityEnrolled, with(t, enrolled, "keys", `{"keys":[{"kty":"OKP","kid":"1"}]}`), noon, "/keys"},
		"enrolled with a federation key without curve": {KindEntityEnrolled, with(t, enrolled, "federation_keys", `{"keys":[{"kty":"OKP","kid":"1"}]}`), noon, "/federation_keys"},
		"a new key that signs nothing":                 {KindKeysChanged, example(t, KindKeysChanged, 1, "keys", `{"keys":[{"kty":"OKP","kid":"1"}]}`), noon, "/keys"},
		"an old key twice":                             {KindKeysChanged, example(t, KindKeysChanged, 0, "old_kids", `["a","a"]`), noon, "/old_kids/1"},
		"an overlap that is over as it begins":         {KindKeysChanged, example(t, KindKeysChanged, 1, "overlap_until", `"2026-03-01T12:00:00Z"`), noon, "/overlap_until"},
		"compromised from then on":                     {KindKeysChanged, example(t, KindKeysChanged, 2, "compromised_since", `"2026-03-01T12:00:00Z"`), noon, ""},
		"compromised after it was changed":             {KindKeysChanged, example(t, KindKeysChanged, 2, "compromised_since", `"2026-03-01T12:00:01Z"`), noon, "/compromised_since"},
		"a measure at once, for a day":                 {KindSpecialMeasureImposed, example(t, KindSpecialMeasureImposed, 0, "effective_on", `"2025-09-01"`, "expires_on", `"2025-09-01"`), noon, ""},
		"a measure before it was determined":           {KindSpecialMeasureImposed, example(t, KindSpecialMeasureImposed, 0, "effective_on", `"2025-08-31"`), noon, "/effective_on"},
		"a measure that was over before":               {KindSpecialMeasureImposed, example(t, KindSpecialMeasureImposed, 0, "expires_on", `"2026-02-28"`), noon, "/expires_on"},
		"exempt for one more second":                   {KindExemptionGranted, example(t, KindExemptionGranted, 0, "until", `"2026-07-01T12:00:01Z"`), noon, ""},
		"exempt from nothing any more":                 {KindExemptionGranted, example(t, KindExemptionGranted, 0, "until", `"2026-07-01T12:00:00Z"`), noon, "/until"},
		"exempt before it was granted":                 {KindExemptionGranted, example(t, KindExemptionGranted, 0, "granted_on", `"2026-07-03"`), noon, "/granted_on"},
		"a detail twice":                               {KindOfficerAction, example(t, KindOfficerAction, 1, "details", `[{"name":"a","value":"1"},{"name":"a","value":"2"}]`), noon, "/details/1"},
		"erased twice":                                 {KindRecordErased, example(t, KindRecordErased, 0, "digests", `["47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU","47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"]`), noon, "/digests/1"},
		"proved before it was addressed":               {KindNoticeProved, example(t, KindNoticeProved, 0, "proved_at", `"2026-03-01T11:59:59Z"`), noon, "/proved_at"},
		"proved before it was sent":                    {KindNoticeProved, example(t, KindNoticeProved, 1, "proved_at", `"2026-03-01T12:00:00Z"`), noon, "/proved_at"},
		"sent before it was addressed":                 {KindNoticeProved, example(t, KindNoticeProved, 1, "sent_at", `"2026-03-01T11:59:59Z"`), noon, "/sent_at"},
		"by link, time asked for that is over": {KindStatedByLink, example(t, KindStatedByLink, 0, "remediation",
			`{"kind":"extension-request","text":"t","finding":"f","until":"2026-01-01"}`), noon, "/remediation/until"},
		"by link, a document twice": {KindStatedByLink, example(t, KindStatedByLink, 0, "remediation",
			`{"kind":"cure","text":"t","finding":"f","evidence":[{"sha256":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"},{"sha256":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"}]}`),
			noon, "/remediation/evidence/1"},
		"nobody prohibited, since a day":   {KindScreeningChanged, example(t, KindScreeningChanged, 0, "since", `"2026-03-01T12:00:00Z"`), noon, "/since"},
		"somebody prohibited, since never": {KindScreeningChanged, example(t, KindScreeningChanged, 1, "since", ""), noon, "/since"},
		"an outage of no time":             {KindOutageRecorded, example(t, KindOutageRecorded, 0, "to", `"2026-03-01T12:00:00Z"`), noon, "/to"},
	} {
		d := draft(test.kind, []byte(test.event))
		d.IssuedAt = test.at
		_, err := Decode(sign(t, d))
		want := ""
		if test.pointer != "" {
			want = "/claims/events/" + test.kind.URI() + test.pointer
		}
		if got := pointerOf(err); got != want || (want == "") != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "other.example") {
			t.Errorf("%s: the refusal repeats what was sent: %v", name, err)
		}
	}
}

func TestADayIsReadAsItIsWritten(t *testing.T) {
	for text, want := range map[string]Date{
		"2026-03-01": {2026, time.March, 1},
		"2024-02-29": {2024, time.February, 29},
		"0001-12-31": {1, time.December, 31},
	} {
		got, err := ParseDate(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %v, %v", text, got, err)
		}
		var read Date
		if written, err := json.Marshal(want); err != nil || string(written) != `"`+text+`"` || json.Unmarshal(written, &read) != nil || read != want {
			t.Errorf("%s: written as %s, %v, and read as %v", text, written, err, read)
		}
	}
	for _, text := range []string{"", "2026-3-1", "2026-02-29", "2026-13-01", "2026-03-01 ", "2026-03-01T00:00:00Z", "+2026-03-01", "26-03-01"} {
		if got, err := ParseDate(text); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
	days := []Date{{2025, 12, 31}, {2026, 1, 1}, {2026, 1, 2}, {2026, 2, 1}, {2027, 1, 1}}
	for i, a := range days {
		for j, b := range days {
			if a.After(b) != (i > j) {
				t.Errorf("%s after %s: %v", a, b, a.After(b))
			}
		}
	}
}
