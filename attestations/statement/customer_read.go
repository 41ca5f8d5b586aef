package statement

import (
	"github.com/go-json-experiment/json/jsontext"
)

var verificationMembers = members{required: 6, names: []string{
	"party", "form", "result", "checked_on", "reasonable_belief", "risk_tier",
	"owner", "method", "next_due", "attempts", "actions", "us_person", "countries", "collected", "documents", "identity", "supersedes",
}}

// UnmarshalJSONFrom reads a verification and refuses what its schema refuses.
func (v *CustomerVerification) UnmarshalJSONFrom(from *jsontext.Decoder) error { return next(from, v) }

func (v *CustomerVerification) read(from *scan) error {
	if err := verificationMembers.object(from, func(i int) error { return v.member(from, i) }); err != nil {
		return err
	}
	failed := v.Result == "not-verified"
	if (v.Party == "owner") != (v.Owner != nil) ||
		failed != (v.Actions != nil) ||
		!failed && (v.Method == "" || v.Countries == nil) {
		return errForm
	}
	return nil
}

func (v *CustomerVerification) member(from *scan, i int) error {
	switch i {
	case 0:
		return text(from, &v.Party, 20, isParty)
	case 1:
		return text(from, &v.Form, 20, isPartyForm)
	case 2:
		return text(from, &v.Result, 20, isResult)
	case 3:
		return day(from, &v.CheckedOn)
	case 4:
		return flag(from, &v.ReasonableBelief)
	case 5:
		return text(from, &v.RiskTier, 20, isRiskTier)
	case 6:
		v.Owner = new(Owner)
		return v.Owner.read(from)
	case 7:
		return text(from, &v.Method, 20, isMethod)
	case 8:
		return day(from, &v.NextDue)
	case 9:
		return countTo(from, &v.Attempts, 1000)
	case 10:
		return texts(from, &v.Actions, 4, 20, isUnverifiedAction)
	case 11:
		v.USPerson = new(USPerson)
		return v.USPerson.read(from)
	case 12:
		v.Countries = new(Countries)
		return v.Countries.read(from)
	case 13:
		return texts(from, &v.Collected, 9, 20, isCollected)
	case 14:
		return copies(from, &v.Documents)
	case 15:
		v.Identity = new(Identity)
		return v.Identity.read(from)
	default:
		return text(from, &v.Supersedes, 255, isID)
	}
}

var (
	isParty            = oneOf("customer", "owner")
	isPartyForm        = oneOf("individual", "entity")
	isResult           = oneOf("verified", "reverified", "not-verified")
	isRiskTier         = oneOf("low", "medium", "high")
	isMethod           = oneOf("documentary", "non-documentary", "both")
	isUnverifiedAction = oneOf("no-account", "limited-use", "closed", "watched")
	isCollected        = oneOf("name", "address", "payment", "email", "telephone", "ip-addresses", "business-name", "jurisdiction", "principal-place")
	isOwnerBasis       = oneOf("control", "ownership", "both")
	isUSPersonBasis    = oneOf("citizen", "permanent-resident", "organised-in-us", "in-us")
)

var ownerMembers = members{required: 2, names: []string{"id", "basis", "share_percent"}}

func (o *Owner) read(from *scan) error {
	err := ownerMembers.object(from, func(i int) error {
		switch i {
		case 0:
			return text(from, &o.ID, 255, isID)
		case 1:
			return text(from, &o.Basis, 20, isOwnerBasis)
		default:
			return countTo(from, &o.SharePercent, 100)
		}
	})
	if err != nil {
		return err
	}
	if (o.Basis == "control") != (o.SharePercent == 0) {
		return errForm
	}
	return nil
}

var usPersonMembers = members{required: 2, names: []string{"found", "reasonable_belief", "basis", "method"}}

func (u *USPerson) read(from *scan) error {
	err := usPersonMembers.object(from, func(i int) error {
		switch i {
		case 0:
			return flag(from, &u.Found)
		case 1:
			return flag(from, &u.ReasonableBelief)
		case 2:
			return text(from, &u.Basis, 20, isUSPersonBasis)
		default:
			return text(from, &u.Method, 20, isMethod)
		}
	})
	if err != nil {
		return err
	}
	if u.Found && (u.Basis == "" || u.Method == "") || !u.Found && u.Basis != "" {
		return errForm
	}
	return nil
}

var countriesMembers = members{required: 1, names: []string{"home", "principal_place", "ownership"}}

func (c *Countries) read(from *scan) error {
	return countriesMembers.object(from, func(i int) error {
		switch i {
		case 0:
			return text(from, &c.Home, 2, isCountry)
		case 1:
			return text(from, &c.PrincipalPlace, 2, isCountry)
		default:
			return texts(from, &c.Ownership, 250, 2, isCountry)
		}
	})
}

var identityMembers = members{required: 1, names: []string{"name", "aliases", "address", "country"}}

func (d *Identity) read(from *scan) error {
	return identityMembers.object(from, func(i int) error {
		switch i {
		case 0:
			return text(from, &d.Name, 200, isLine)
		case 1:
			return texts(from, &d.Aliases, 20, 200, isLine)
		case 2:
			return text(from, &d.Address, 1000, isText)
		default:
			return text(from, &d.Country, 2, isCountry)
		}
	})
}
