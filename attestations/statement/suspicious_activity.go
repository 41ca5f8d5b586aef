package statement

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// SuspiciousActivity reports suspected or actual malicious cyber-enabled activity (15 CFR 7.303, proposed). The token's
// sub_id names the customer if one is known. Times are whole seconds, since a deadline may be some hours.
type SuspiciousActivity struct {
	Certainty    string       `json:"certainty"`     // suspected, actual
	DiscoveredAt time.Time    `json:"discovered_at"` // when the entity learned of it
	Categories   []string     `json:"categories"`    // confidentiality, integrity, availability
	Description  string       `json:"description"`
	Audience     string       `json:"audience"`               // reseller, chain, provider, need-to-know: who may be shown it
	ObservedFrom time.Time    `json:"observed_from,omitzero"` // zero if not known
	ObservedTo   time.Time    `json:"observed_to,omitzero"`   // zero if not known, or not over
	Accounts     []string     `json:"accounts,omitzero"`      // opaque ids
	Actions      []string     `json:"actions,omitzero"`       // what was done
	Disclosures  []Disclosure `json:"disclosures,omitzero"`   // to authorities
	Evidence     []Copy       `json:"evidence,omitzero"`
	Supersedes   string       `json:"supersedes,omitzero"`
}

// Disclosure is a report that the entity made to an authority.
type Disclosure struct {
	Authority string `json:"authority"`
	On        Date   `json:"on"`
	Reference string `json:"reference,omitzero"` // the authority's
}

// Kind returns KindSuspiciousActivity.
func (SuspiciousActivity) Kind() Kind { return KindSuspiciousActivity }

type suspiciousActivity SuspiciousActivity

// MarshalJSONTo writes its times as the schema asks for them.
func (s SuspiciousActivity) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, suspiciousActivity(s), wholeSeconds)
}

var suspicionMembers = members{required: 5, names: []string{
	"certainty", "discovered_at", "categories", "description", "audience",
	"observed_from", "observed_to", "accounts", "actions", "disclosures", "evidence", "supersedes",
}}

// UnmarshalJSONFrom reads a report and refuses what its schema refuses.
func (s *SuspiciousActivity) UnmarshalJSONFrom(from *jsontext.Decoder) error { return next(from, s) }

func (s *SuspiciousActivity) read(from *scan) error {
	return suspicionMembers.object(from, func(i int) error {
		switch i {
		case 0:
			return text(from, &s.Certainty, 20, isCertainty)
		case 1:
			return moment(from, &s.DiscoveredAt)
		case 2:
			return texts(from, &s.Categories, 3, 20, isAbuseCategory)
		case 3:
			return text(from, &s.Description, 8000, isText)
		case 4:
			return text(from, &s.Audience, 20, isAudience)
		case 5:
			return moment(from, &s.ObservedFrom)
		case 6:
			return moment(from, &s.ObservedTo)
		case 7:
			return texts(from, &s.Accounts, 500, 255, isID)
		case 8:
			return texts(from, &s.Actions, 8, 30, isAbuseAction)
		case 9:
			return list(from, 20, func() error {
				var d Disclosure
				err := d.read(from)
				s.Disclosures = append(s.Disclosures, d)
				return err
			})
		case 10:
			return copies(from, &s.Evidence)
		default:
			return text(from, &s.Supersedes, 255, isID)
		}
	})
}

var (
	isCertainty     = oneOf("suspected", "actual")
	isAbuseCategory = oneOf("confidentiality", "integrity", "availability")
	isAudience      = oneOf("reseller", "chain", "provider", "need-to-know")
	isAbuseAction   = oneOf("account-limited", "account-closed", "traffic-blocked", "credentials-reset", "customer-contacted", "monitored", "evidence-kept", "other")
)

var disclosureMembers = members{required: 2, names: []string{"authority", "on", "reference"}}

func (d *Disclosure) read(from *scan) error {
	return disclosureMembers.object(from, func(i int) error {
		switch i {
		case 0:
			return text(from, &d.Authority, 200, isLine)
		case 1:
			return day(from, &d.On)
		default:
			return text(from, &d.Reference, 200, isLine)
		}
	})
}
