package life

import (
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/cmd/simulate/audit"
)

// reseller is a reseller with its customers, its officers at the provider, and what it read of itself in the ledger.
type reseller struct {
	r      *rand.Rand
	entity envelope.Entity
	temper int // 0 silent, 1 sloppy, 2 careful, 3 whatever
	stated int

	known    map[string]string // the latest statement about a thing, for corrections
	copies   []string
	exempt   string
	standing string
	open     []string // findings
	orders   []string // jti
	words    []word   // that an order was carried out, the latest last
	notices  []string // jti of what it was told of a case, the latest last
	disputes []string // jti, and behind a space the finding
	disputed string   // the finding that it disputed last
	cures    []string // the same
	inquired []string // what the provider asked
	office   office
}

// word is that an order was carried out, as the reseller said, or an officer.
type word struct {
	jti, order string
	by         statement.Officer // nobody, if the reseller said it
}

// worried says that a case is open.
func (r *reseller) worried() bool {
	return r.standing == "warned" || r.standing == "restricted" || r.standing == "closing"
}

func newReseller(r *rand.Rand, entity envelope.Entity) *reseller {
	return &reseller{r: r, entity: entity, temper: r.IntN(4), known: map[string]string{}, standing: "pending", office: office{manner: r.IntN(3)}}
}

// keySet is of no key that anybody has; the gateway takes the reseller's statements as they come.
const keySet = `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"k","alg":"EdDSA","use":"sig"}]}`

func (r *reseller) enrol() Draft {
	return r.record(statement.EntityEnrolled{Entity: r.entity, Name: "Reseller", Country: "DE", Superior: Gateway, Contact: "compliance@example.com", Tier: 1,
		Invitation: uuid.Nil.String(), FederationKeys: []byte(keySet), Keys: []byte(keySet), Configuration: "a.b.c"})
}

// record is what the gateway puts on record about it.
func (r *reseller) record(s statement.Statement) Draft {
	r.stated++
	return Draft{By: Gateway, About: r.entity, JTI: fmt.Sprintf("record-%s-%d", path.Base(string(r.entity)), r.stated), Statement: s}
}

func (r *reseller) state(customer string, s statement.Statement) Draft {
	r.stated++
	return Draft{By: r.entity, About: r.entity, Customer: customer, JTI: fmt.Sprintf("statement-%d", r.stated), Statement: s}
}

// urgent says that the account is closed at once: an officer recorded evidence.
func (r *reseller) urgent() bool { return r.evidence() >= 0 }

// evidence is where the first finding about recorded evidence stands among those that are open; -1 if none does.
func (r *reseller) evidence() int {
	return slices.IndexFunc(r.open, func(f string) bool { return strings.HasPrefix(f, "evidence.recorded.") })
}

// cured says that a finding is mended.
func (r *reseller) cured(finding string) Draft {
	said := r.state("", statement.Remediation{RemediationKind: "cure", Text: "Done.", Finding: finding})
	r.cures = append(r.cures, said.JTI+" "+finding)
	return said
}

// read takes note of an entry.
func (r *reseller) read(e audit.Entry) {
	if e.About != string(r.entity) {
		return
	}
	text := string(e.JSON)
	member := func(name string) string {
		_, after, _ := strings.Cut(text, `"`+name+`":"`)
		value, _, _ := strings.Cut(after, `"`)
		return value
	}
	switch e.Kind {
	case "warning-issued":
		r.office.file = member("case")
	case "standing-changed":
		r.standing = member("after")
	case "finding-opened":
		r.open = append(r.open, member("finding"))
	case "finding-cured":
		r.open = slices.DeleteFunc(r.open, func(f string) bool { return f == member("finding") })
	case "restriction-ordered", "closure-ordered":
		r.orders = append(r.orders, e.JTI)
	}
	if r.heard(e) {
		r.notices = append(r.notices, e.JTI)
	}
}

// acts is what happens with it now: most often one statement.
func (r *reseller) acts(now time.Time) []Draft {
	today := statement.DateOf(now)
	for range r.r.IntN(3) / 2 {
		today = statement.DateOf(now.Add(-time.Duration(r.r.IntN(400)) * day)) // told late, or of long ago
	}
	worried := r.worried()
	if (worried || r.standing == "terminated" || len(r.disputes) > 0) && r.r.IntN(5) < 3 {
		return r.office.acts(r, now)
	}
	if i := r.evidence(); worried && i >= 0 && r.r.IntN(4) == 0 {
		return []Draft{r.cured(r.open[i])}
	}
	what := r.r.IntN(30)
	switch {
	case r.temper == 0 && what < 26 && (worried || r.r.IntN(2) == 0):
		return nil
	case worried && r.temper == 2 && what < 15:
		return []Draft{r.attests(today, true), r.verifies(today, r.customer(), true)}
	}
	switch {
	case what < 6:
		return []Draft{r.attests(today, r.temper == 2 || r.r.IntN(4) > 0)}
	case what < 11:
		return []Draft{r.account(today, r.customer())}
	case what < 17:
		return []Draft{r.verifies(today, r.customer(), r.r.IntN(4) > 0)}
	case what < 19:
		return []Draft{r.owner(today, r.customer())}
	case what == 19:
		customer := r.customer()
		return []Draft{r.account(today, customer), r.account(today, customer)}
	case what == 20:
		return []Draft{r.trains(now, today)}
	case what == 21:
		return []Draft{r.state("", statement.SuspiciousActivity{Certainty: "actual", DiscoveredAt: now.Add(-time.Duration(r.r.IntN(100)) * time.Hour).Truncate(time.Second),
			Categories: []string{"integrity"}, Description: "Scans.", Audience: "provider"})}
	case what >= 22 && what < 24 && len(r.open) > 0 && r.r.IntN(3) > 0:
		finding := r.open[r.r.IntN(len(r.open))]
		if slices.Contains(r.open, r.disputed) && r.r.IntN(2) == 0 {
			finding = r.disputed
		}
		if r.r.IntN(2) == 0 {
			return []Draft{r.cured(finding)}
		}
		ground := []string{"false-positive", "compensating-control", "wrong-severity"}[r.r.IntN(3)]
		said := r.state("", statement.Remediation{RemediationKind: "dispute", Text: "No.", Finding: finding, Ground: ground})
		r.disputes = append(r.disputes, said.JTI+" "+finding)
		r.disputed = finding
		return []Draft{said}
	case what == 23 && len(r.orders) > 0:
		return []Draft{r.state("", statement.OrderConfirmation{Order: r.orders[r.r.IntN(len(r.orders))], Outcome: "done", On: today})}
	case what == 24 && len(r.copies) > 0:
		return []Draft{r.record(statement.DocumentReceived{Document: statement.Copy{SHA256: r.copies[r.r.IntN(len(r.copies))]}, From: string(r.entity),
			ReceivedAt: now.Truncate(time.Second)})}
	case what == 25:
		return []Draft{r.forged(now)}
	case what == 26:
		return r.exempts(now)
	case what == 28 && r.r.IntN(3) == 0:
		inquiry := fmt.Sprintf("i-%d", r.stated)
		r.inquired = append(r.inquired, inquiry)
		return []Draft{r.record(statement.InformationRequested{Inquiry: inquiry, Question: "Who is c-1?", DueAt: now.Add(time.Duration(r.r.IntN(10)) * day).Truncate(time.Second)})}
	case what == 29 && len(r.inquired) > 0:
		return []Draft{r.state("", statement.Remediation{RemediationKind: "explanation", Text: "Nobody.", Inquiry: r.inquired[r.r.IntN(len(r.inquired))]})}
	case what == 27 && r.r.IntN(3) == 0:
		return []Draft{r.enrol()}
	}
	return nil
}

func (r *reseller) customer() string { return fmt.Sprintf("c-%d", 1+r.r.IntN(5)) }

func (r *reseller) attests(today statement.Date, complete bool) Draft {
	in := statement.Element{InPlace: true}
	e := statement.Elements{WrittenProgram: in, IdentificationData: in, AccessAddresses: in, IdentityVerification: in, BeneficialOwners: in,
		UnverifiedNoAccount: in, UnverifiedLimitedUse: in, UnverifiedClosure: in, UnverifiedRedress: in, Reverification: in,
		RecordRetention: in, CustomerDisclosure: in, ThirdPartyAccess: in, AIMisuse: in, RedFlags: in}
	if !complete {
		absent := []*statement.Element{&e.WrittenProgram, &e.RedFlags, &e.Reverification, &e.AIMisuse}
		*absent[r.r.IntN(len(absent))] = statement.Element{Note: "Next quarter."}
	}
	said := statement.CIPAttestation{Occasion: "initial", Basis: "own", AttestedOn: today, Elements: &e,
		ResponsibleContact: statement.Contact{Name: "Kai", Email: "cip@example.com"}}
	if r.r.IntN(3) > 0 {
		digest := envelope.DigestOf([]byte{byte(r.r.IntN(4))}).String()
		r.copies = append(r.copies, digest)
		said.Copy = &statement.Copy{SHA256: digest}
	}
	return r.state("", said)
}

// corrects returns the latest statement about a thing, now and then, and notes the next one as the latest.
func (r *reseller) corrects(thing string) (supersedes string) {
	if r.r.IntN(4) == 0 {
		supersedes = r.known[thing]
	}
	r.known[thing] = fmt.Sprintf("statement-%d", r.stated+1)
	return supersedes
}

func (r *reseller) account(today statement.Date, customer string) Draft {
	account := fmt.Sprintf("a-%d", 1+r.r.IntN(2))
	said := statement.AccountStatus{Account: account, On: today, Status: []string{"opened", "opened", "closed", "limited", "restored", "last-accessed"}[r.r.IntN(6)]}
	switch said.Status {
	case "opened":
		said.Products, said.Plan = []string{"storage"}, "trial"
	case "closed", "limited":
		said.Reason = "customer-request"
	}
	said.Supersedes = r.corrects(customer + " " + account)
	return r.state(customer, said)
}

func (r *reseller) verifies(today statement.Date, customer string, verified bool) Draft {
	return r.state(customer, r.verification(today, customer, verified))
}

func (r *reseller) verification(today statement.Date, thing string, verified bool) statement.CustomerVerification {
	said := statement.CustomerVerification{Party: "customer", Form: []string{"individual", "entity"}[r.r.IntN(2)], CheckedOn: today,
		RiskTier: []string{"low", "medium", "high"}[r.r.IntN(3)], Result: "not-verified", Actions: []string{"limited-use"}}
	if verified {
		said.Result, said.Actions, said.ReasonableBelief, said.Method = "verified", nil, true, "documentary"
		said.Countries = &statement.Countries{Home: []string{"BR", "PT", "DE"}[r.r.IntN(3)]}
		said.Collected = []string{"name", "address", "payment", "email", "telephone", "ip-addresses", "business-name", "jurisdiction", "principal-place"}
		if r.r.IntN(4) == 0 {
			said.Collected = said.Collected[:4+r.r.IntN(4)]
		}
	}
	if r.r.IntN(6) == 0 {
		said.USPerson = &statement.USPerson{Found: true, ReasonableBelief: true, Basis: "in-us", Method: "documentary"}
	}
	said.Supersedes = r.corrects(thing)
	return said
}

func (r *reseller) owner(today statement.Date, customer string) Draft {
	id := fmt.Sprintf("o-%d", 1+r.r.IntN(2))
	said := r.verification(today, customer+" owner "+id, r.r.IntN(3) > 0)
	said.Party, said.Owner = "owner", &statement.Owner{ID: id, Basis: "ownership", SharePercent: 30}
	return r.state(customer, said)
}

func (r *reseller) trains(now time.Time, today statement.Date) Draft {
	customer, transaction := r.customer(), fmt.Sprintf("t-%d", 1+r.r.IntN(3))
	said := statement.AITraining{Transaction: transaction, State: []string{"planned", "occurred"}[r.r.IntN(2)],
		Knowledge: []statement.Knowledge{{Actor: "reseller", KnewAt: now.Add(-time.Duration(r.r.IntN(30)) * day).Truncate(time.Second)}}}
	if said.State == "occurred" {
		said.StartedOn = today
	}
	said.Parameters = &statement.TrainingParameters{Operations: "1e20"} // of which no policy says that it is covered: see package quick
	said.Supersedes = r.corrects(transaction)
	return r.state(customer, said)
}

// forged is what a reseller states of itself as if it were the gateway. Intake refuses it; were it to get into the ledger it must do
// nothing.
func (r *reseller) forged(now time.Time) Draft {
	basis := statement.Basis{Policy: "us-iaas-2024.2", Now: now.Truncate(time.Second)}
	if len(r.open) > 0 {
		return r.state("", statement.FindingCured{Basis: basis, Finding: r.open[len(r.open)-1], Rule: "cip.missing"})
	}
	return r.state("", statement.ExemptionGranted{Exemption: "mine", GrantedBy: "me", GrantedOn: statement.DateOf(now), Until: now.Add(1000 * day).Truncate(time.Second),
		Reference: "none", RecordedBy: statement.Officer{ID: "o", Name: "O"}})
}

func (r *reseller) exempts(now time.Time) []Draft {
	officer := statement.Officer{ID: "o-1", Name: "Ada"}
	if r.exempt != "" && r.r.IntN(2) == 0 {
		return []Draft{r.record(statement.ExemptionWithdrawn{Exemption: r.exempt, Reason: "Its condition no longer holds.", RecordedBy: officer})}
	}
	if r.exempt == "" || r.r.IntN(2) == 0 {
		r.exempt = fmt.Sprintf("x-%d", r.stated)
	}
	return []Draft{r.record(statement.ExemptionGranted{Exemption: r.exempt, GrantedBy: "The Secretary", GrantedOn: statement.DateOf(now), Reference: "R-1",
		Until: now.Add(time.Duration(1+r.r.IntN(200)) * day).Truncate(time.Second), RecordedBy: officer})}
}
