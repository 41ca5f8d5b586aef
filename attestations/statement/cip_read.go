package statement

import (
	"github.com/go-json-experiment/json/jsontext"
)

// Submissions are read by hand, member by member: see form.exact. Schema and reader change together;
// FuzzDecodeAgreesWithSchema notices when they do not.

var attestationMembers = members{required: 4, names: []string{
	"occasion", "basis", "attested_on", "responsible_contact",
	"agreement_id", "elements", "copy", "material_changes", "yearly_attestations",
}}

// UnmarshalJSONFrom reads an attestation and refuses what its schema refuses.
func (a *CIPAttestation) UnmarshalJSONFrom(from *jsontext.Decoder) error { return next(from, a) }

func (a *CIPAttestation) read(from *scan) error {
	err := attestationMembers.object(from, func(i int) error {
		switch i {
		case 0:
			return text(from, &a.Occasion, 20, isOccasion)
		case 1:
			return text(from, &a.Basis, 20, isProgramBasis)
		case 2:
			return day(from, &a.AttestedOn)
		case 3:
			return a.ResponsibleContact.read(from)
		case 4:
			return text(from, &a.AgreementID, 200, isLine)
		case 5:
			a.Elements = new(Elements)
			return a.Elements.read(from)
		case 6:
			a.Copy = new(Copy)
			return a.Copy.read(from)
		case 7:
			return list(from, 100, func() error {
				var change MaterialChange
				err := change.read(from)
				a.MaterialChanges = append(a.MaterialChanges, change)
				return err
			})
		default:
			a.YearlyAttestations = new(YearlyAttestations)
			return a.YearlyAttestations.read(from)
		}
	})
	if err != nil {
		return err
	}
	if a.Basis != "own" && a.AgreementID == "" ||
		a.Basis != "adopted" && a.Elements == nil ||
		a.Occasion == "change" && a.MaterialChanges == nil ||
		a.Occasion == "annual" && a.YearlyAttestations == nil {
		return errForm
	}
	return nil
}

func isOccasion(s string) bool { return s == "initial" || s == "annual" || s == "change" }

func isProgramBasis(s string) bool { return s == "own" || s == "adopted" || s == "referenced" }

var contactMembers = members{required: 2, names: []string{"name", "email", "title", "phone"}}

func (c *Contact) read(from *scan) error {
	return contactMembers.object(from, func(i int) error {
		switch i {
		case 0:
			return text(from, &c.Name, 200, isLine)
		case 1:
			return text(from, &c.Email, 254, isEmail)
		case 2:
			return text(from, &c.Title, 200, isLine)
		default:
			return text(from, &c.Phone, 32, isPhone)
		}
	})
}

var elementsMembers = members{required: 15, names: []string{
	"written_program", "identification_data", "access_addresses", "identity_verification", "beneficial_owners",
	"unverified_no_account", "unverified_limited_use", "unverified_closure", "unverified_redress", "reverification",
	"record_retention", "customer_disclosure", "third_party_access", "ai_misuse", "red_flags",
	"reseller_oversight",
}}

func (e *Elements) read(from *scan) error {
	return elementsMembers.object(from, func(i int) error {
		if i == 15 {
			e.ResellerOversight = new(Element)
		}
		return e.at(i).read(from)
	})
}

// at returns the element of elementsMembers.names[i].
func (e *Elements) at(i int) *Element {
	return [...]*Element{
		&e.WrittenProgram, &e.IdentificationData, &e.AccessAddresses, &e.IdentityVerification, &e.BeneficialOwners,
		&e.UnverifiedNoAccount, &e.UnverifiedLimitedUse, &e.UnverifiedClosure, &e.UnverifiedRedress, &e.Reverification,
		&e.RecordRetention, &e.CustomerDisclosure, &e.ThirdPartyAccess, &e.AIMisuse, &e.RedFlags,
		e.ResellerOversight,
	}[i]
}

var elementMembers = members{required: 1, names: []string{"in_place", "note"}}

func (e *Element) read(from *scan) error {
	return elementMembers.object(from, func(i int) error {
		if i == 0 {
			return flag(from, &e.InPlace)
		}
		return text(from, &e.Note, 2000, isText)
	})
}

var copyMembers = members{required: 1, names: []string{"sha256", "media_type", "bytes"}}

func (c *Copy) read(from *scan) error {
	return copyMembers.object(from, func(i int) error {
		switch i {
		case 0:
			return text(from, &c.SHA256, 43, isDigest)
		case 1:
			return text(from, &c.MediaType, 127, isMediaType)
		default:
			return count(from, &c.Bytes)
		}
	})
}

var changeMembers = members{required: 2, names: []string{"what", "on"}}

func (m *MaterialChange) read(from *scan) error {
	return changeMembers.object(from, func(i int) error {
		if i == 0 {
			return text(from, &m.What, 2000, isText)
		}
		return day(from, &m.On)
	})
}

var yearlyMembers = members{required: 5, names: []string{
	"reviewed", "updated_for_offerings", "updated_for_threats", "complies", "resolutions_recorded",
}}

func (y *YearlyAttestations) read(from *scan) error {
	return yearlyMembers.object(from, func(i int) error {
		into := [...]*bool{&y.Reviewed, &y.UpdatedForOfferings, &y.UpdatedForThreats, &y.Complies, &y.ResolutionsRecorded}[i]
		return flag(from, into)
	})
}
