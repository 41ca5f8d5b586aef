package audit

import (
	"slices"
	"strings"
	"time"
)

// facts are what an entity did and what others put on record about it, as far as a rule asks.
type facts struct {
	enrolledAt   time.Time
	enrolledLeaf int64
	terminated   bool

	attested   []attestation
	incomplete spell
	copyOwed   spell
	named      map[string]bool // written programs in hand, among those that were named before the document came
	exempt     exemption

	customers      map[string]*customer
	counts         []count // after each entry about a customer
	incompleteLast spell   // a customer was verified without an element

	recorded     []shortfall // evidence that an officer recorded and nobody settled
	late         []lateness  // reports of suspicious activity, by how much
	inquiries    []inquiry
	answeredLeaf int64
	answeredAt   time.Time

	statedAt   time.Time // when its newest submission was accepted
	statedLeaf int64

	duties duties // orders and contacts
}

type attestation struct {
	leaf int64
	at   time.Time
	copy string
}

// spell is a time in which something holds without a break.
type spell struct {
	lasts     bool
	leaf      int64 // of the entry that it began with
	at        time.Time
	endedLeaf int64
	endedAt   time.Time
	before    *spell // the one before it
}

func (s *spell) is(holds bool, leaf int64, at time.Time) {
	switch {
	case holds && !s.lasts:
		before := *s
		*s = spell{lasts: true, leaf: leaf, at: at, before: &before}
	case !holds && s.lasts:
		s.lasts, s.endedLeaf, s.endedAt = false, leaf, at
	}
}

type lateness struct {
	by   time.Duration
	leaf int64
	at   time.Time
}

type inquiry struct {
	id       string
	leaf     int64
	at       time.Time
	dueAt    time.Time
	answered bool
}

type exemption struct {
	id           string
	since, until time.Time
	leaf, ended  int64 // of the entries that granted it and that say when it ends
}

// party is what was stated of who somebody is.
type party struct {
	jti       string
	checkedOn string // dates are compared as they are written
	verified  bool
	us        bool
	entity    bool
	tier      string
	collected []string
	leaf      int64
	at        time.Time
	// verifiedOn is the latest day of which it is stated that it was verified.
	verifiedOn string
}

func (p party) lacks() bool {
	if !p.verified {
		return false
	}
	wanted := []string{"name", "address", "payment", "email", "telephone", "ip-addresses"}
	if p.entity {
		wanted = append(wanted, "business-name", "jurisdiction", "principal-place")
	}
	for _, element := range wanted {
		if !slices.Contains(p.collected, element) {
			return true
		}
	}
	return false
}

type account struct {
	jti    string
	on     string
	closed bool
}

type customer struct {
	party    party
	owners   map[string]party
	accounts map[string]account

	waits   bool // it has an open account and is not verified though it should be
	since   time.Time
	sinceAt int64
	// waited is how long it waited before its accounts were closed: opening one goes on with that, and from then on it may fall short.
	waited time.Duration
	from   time.Time
}

func (c *customer) us() bool {
	if !c.party.us {
		return false
	}
	for _, o := range c.owners {
		if !o.us {
			return false
		}
	}
	return true
}

func (c *customer) hasAccount() bool {
	for _, a := range c.accounts {
		if !a.closed {
			return true
		}
	}
	return false
}

func (c *customer) unverified() bool { return c.hasAccount() && !c.party.verified && !c.us() }

// count is how many of the customers were unverified after an entry.
type count struct {
	leaf            int64
	at              time.Time
	unverified, all int
}

// exceeds says whether more than a share of the customers was unverified: in whole customers, rounded up.
func (c count) exceeds(percent int) bool {
	allowed := (c.all*percent + 99) / 100
	return c.unverified > allowed
}

// submission is what any submission may say, as far as it matters here.
type submission struct {
	Basis    string `json:"basis"`
	Elements map[string]struct {
		InPlace bool `json:"in_place"`
	} `json:"elements"`
	Copy *struct {
		SHA256 string `json:"sha256"`
	} `json:"copy"`
	Document struct {
		SHA256 string `json:"sha256"`
	} `json:"document"`

	Party     string   `json:"party"`
	Form      string   `json:"form"`
	Result    string   `json:"result"`
	CheckedOn string   `json:"checked_on"`
	RiskTier  string   `json:"risk_tier"`
	Collected []string `json:"collected"`
	USPerson  struct {
		Found bool `json:"found"`
	} `json:"us_person"`
	Owner struct {
		ID string `json:"id"`
	} `json:"owner"`
	Supersedes string `json:"supersedes"`

	Account string `json:"account"`
	Status  string `json:"status"`
	On      string `json:"on"`

	DiscoveredAt time.Time `json:"discovered_at"`
	Inquiry      string    `json:"inquiry"`
	DueAt        time.Time `json:"due_at"`

	Exemption string    `json:"exemption"`
	Until     time.Time `json:"until"`
}

// submissions are the kinds that a reseller states.
var submissions = []string{"cip-attestation", "customer-verification", "account-status", "suspicious-activity", "ai-training", "remediation", "order-confirmation", "forwarded"}

// take takes an entry that is no decision.
func (f *facts) take(e Entry, a *Auditor) error {
	said := submission{}
	submitted := slices.Contains(submissions, e.Kind)
	switch {
	case submitted && f.terminated:
		return nil // evidence, which changes nothing
	case submitted:
		f.statedAt, f.statedLeaf = e.AcceptedAt, e.Leaf
	case e.By != a.gateway:
		return nil // what an entity says about itself is no word of the gateway
	}
	switch e.Kind {
	case "entity-enrolled":
		if f.enrolledAt.IsZero() {
			f.enrolledAt, f.enrolledLeaf = e.AcceptedAt, e.Leaf
		}
		return nil
	case "cip-attestation", "document-received", "exemption-granted", "exemption-withdrawn", "customer-verification", "account-status",
		"ai-training", "suspicious-activity", "information-requested", "remediation":
		if err := unmarshal(e.JSON, &said); err != nil {
			return err
		}
	default:
		return nil
	}
	switch e.Kind {
	case "cip-attestation":
		f.attests(e, said)
	case "document-received":
		f.hands(e, said.Document.SHA256)
	case "exemption-granted":
		f.exempts(e, said)
	case "exemption-withdrawn":
		if x := &f.exempt; x.id == said.Exemption && !e.AcceptedAt.Before(x.since) && e.AcceptedAt.Before(x.until) {
			x.until, x.ended = e.AcceptedAt, e.Leaf
		}
	case "information-requested":
		f.inquiries = append(f.inquiries, inquiry{id: said.Inquiry, leaf: e.Leaf, at: e.AcceptedAt, dueAt: said.DueAt})
	case "remediation":
		for i := range f.inquiries {
			if q := &f.inquiries[i]; q.id == said.Inquiry && !q.answered {
				q.answered, f.answeredLeaf, f.answeredAt = true, e.Leaf, e.AcceptedAt
			}
		}
	case "suspicious-activity":
		f.late = append(f.late, lateness{e.AcceptedAt.Sub(said.DiscoveredAt), e.Leaf, e.AcceptedAt})
	}
	if e.Customer != "" {
		f.names(e, said)
	}
	return nil
}

func (f *facts) attests(e Entry, said submission) {
	incomplete := false
	for _, element := range said.Elements {
		incomplete = incomplete || !element.InPlace
	}
	digest := ""
	owed := said.Basis != "adopted"
	if said.Copy != nil {
		digest = said.Copy.SHA256
		if f.named == nil {
			f.named = map[string]bool{}
		}
		inHand, known := f.named[digest]
		if !known {
			f.named[digest] = false
		}
		owed = owed && !inHand
	}
	f.incomplete.is(incomplete, e.Leaf, e.AcceptedAt)
	f.copyOwed.is(owed, e.Leaf, e.AcceptedAt)
	f.attested = append(f.attested, attestation{e.Leaf, e.AcceptedAt, digest})
}

// hands notes that a document is in hand.
func (f *facts) hands(e Entry, digest string) {
	if n := len(f.attested); n > 0 && f.attested[n-1].copy == digest {
		f.copyOwed.is(false, e.Leaf, e.AcceptedAt)
	}
	if _, known := f.named[digest]; known {
		f.named[digest] = true
	}
}

func (f *facts) exempts(e Entry, said submission) {
	if !said.Until.After(e.AcceptedAt) {
		return
	}
	next := exemption{id: said.Exemption, since: e.AcceptedAt, until: said.Until, leaf: e.Leaf, ended: e.Leaf}
	if x := f.exempt; x.id != "" && !e.AcceptedAt.Before(x.since) && e.AcceptedAt.Before(x.until) {
		next.since = x.since
	}
	f.exempt = next
}

// names takes an entry about a customer.
func (f *facts) names(e Entry, said submission) {
	c := f.customers[e.Customer]
	if c == nil {
		c = &customer{owners: map[string]party{}, accounts: map[string]account{}}
		f.customers[e.Customer] = c
	}
	switch {
	case e.Kind == "customer-verification" && said.Owner.ID != "":
		c.owners[said.Owner.ID] = c.owners[said.Owner.ID].with(e, said)
	case e.Kind == "customer-verification":
		c.party = c.party.with(e, said)
	case e.Kind == "account-status":
		before, known := c.accounts[said.Account]
		c.accounts[said.Account] = before.with(e, said, known)
	}
	c.clock(e)
	n := count{leaf: e.Leaf, at: e.AcceptedAt, all: len(f.customers)}
	lacking := false
	for _, c := range f.customers {
		if c.waits {
			n.unverified++
		}
		lacking = lacking || c.party.lacks() && !c.us() && c.hasAccount()
	}
	f.counts = append(f.counts, n)
	f.incompleteLast.is(lacking, e.Leaf, e.AcceptedAt)
}

// clock keeps how long the customer has an account and is not verified though it should be. Only verifying gives new time, closing an
// account and opening it again does not.
func (c *customer) clock(e Entry) {
	now := c.unverified()
	switch {
	case now && !c.waits:
		c.since, c.sinceAt, c.from = e.AcceptedAt.Add(-c.waited), e.Leaf, e.AcceptedAt
	case !now && c.waits:
		c.waited = e.AcceptedAt.Sub(c.since)
	}
	if c.waits = now; c.party.verified || c.us() {
		c.waited = 0
	}
}

// with takes a verification. One that tells of an earlier day than what is known, and corrects nothing, came late.
func (p party) with(e Entry, said submission) party {
	corrects := p.jti != "" && said.Supersedes == p.jti
	if p.jti != "" && !corrects && strings.Compare(p.checkedOn, said.CheckedOn) > 0 {
		return p
	}
	next := party{jti: e.JTI, checkedOn: said.CheckedOn, verified: said.Result != "not-verified", us: said.USPerson.Found,
		entity: said.Form == "entity", tier: said.RiskTier, collected: said.Collected, leaf: e.Leaf, at: e.AcceptedAt}
	switch {
	case next.verified:
		next.verifiedOn = said.CheckedOn
	case !corrects:
		next.verifiedOn = p.verifiedOn
	}
	return next
}

func (a account) with(e Entry, said submission, known bool) account {
	corrects := a.jti != "" && said.Supersedes == a.jti
	if said.Status == "last-accessed" || known && a.jti != "" && !corrects && strings.Compare(a.on, said.On) > 0 {
		return a
	}
	return account{jti: e.JTI, on: said.On, closed: said.Status == "closed"}
}
