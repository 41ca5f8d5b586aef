package statement

import (
	"github.com/go-json-experiment/json/jsontext"
)

// Remediation answers a finding, or an inquiry: it says what was done about it, disputes it, asks for time, or explains.
// An appeal is a dispute that is sent after the decision.
type Remediation struct {
	RemediationKind string `json:"kind"` // cure, dispute, extension-request, explanation
	Text            string `json:"text"`
	Finding         string `json:"finding,omitzero"` // empty only where an inquiry is explained
	Inquiry         string `json:"inquiry,omitzero"` // of the information-requested that this answers
	Ground          string `json:"ground,omitzero"`  // exactly for a dispute: false-positive, compensating-control, wrong-severity
	Until           Date   `json:"until,omitzero"`   // exactly for an extension-request
	Evidence        []Copy `json:"evidence,omitzero"`
	Supersedes      string `json:"supersedes,omitzero"`
}

// Kind returns KindRemediation.
func (Remediation) Kind() Kind { return KindRemediation }

var remediationMembers = members{required: 2, names: []string{"kind", "text", "finding", "inquiry", "ground", "until", "evidence", "supersedes"}}

// UnmarshalJSONFrom reads a remediation and refuses what its schema refuses.
func (r *Remediation) UnmarshalJSONFrom(from *jsontext.Decoder) error { return next(from, r) }

func (r *Remediation) read(from *scan) error {
	err := remediationMembers.object(from, func(i int) error {
		switch i {
		case 0:
			return text(from, &r.RemediationKind, 20, isRemediationKind)
		case 1:
			return text(from, &r.Text, 8000, isText)
		case 2:
			return text(from, &r.Finding, 255, isID)
		case 3:
			return text(from, &r.Inquiry, 255, isID)
		case 4:
			return text(from, &r.Ground, 30, isGround)
		case 5:
			return day(from, &r.Until)
		case 6:
			return copies(from, &r.Evidence)
		default:
			return text(from, &r.Supersedes, 255, isID)
		}
	})
	if err != nil {
		return err
	}
	if (r.RemediationKind == "dispute") != (r.Ground != "") ||
		(r.RemediationKind == "extension-request") != (r.Until != Date{}) ||
		r.Finding == "" && (r.RemediationKind != "explanation" || r.Inquiry == "") {
		return errForm
	}
	return nil
}

var (
	isRemediationKind = oneOf("cure", "dispute", "extension-request", "explanation")
	isGround          = oneOf("false-positive", "compensating-control", "wrong-severity")
)
