package statement

// CIPAttestation is what an entity states about its Customer Identification Program: that it has one and what is in it,
// element by element (15 CFR 7.302, proposed), on what footing (7.303), and once a year the five attestations (7.304).
type CIPAttestation struct {
	Occasion           string              `json:"occasion"`              // initial, annual, change
	Basis              string              `json:"basis"`                 // own, adopted, referenced
	AgreementID        string              `json:"agreement_id,omitzero"` // by which the superior's program was adopted or referenced
	AttestedOn         Date                `json:"attested_on"`           // the day the responsible contact attested
	ResponsibleContact Contact             `json:"responsible_contact"`
	Elements           *Elements           `json:"elements,omitzero"` // nil only when adopted: then they are the superior's
	Copy               *Copy               `json:"copy,omitzero"`     // the written program; the document itself goes another way
	MaterialChanges    []MaterialChange    `json:"material_changes,omitzero"`
	YearlyAttestations *YearlyAttestations `json:"yearly_attestations,omitzero"`
}

// Element says whether one element of the program is in place.
type Element struct {
	InPlace bool   `json:"in_place"`
	Note    string `json:"note,omitzero"`
}

// Elements are what 15 CFR 7.302, proposed, asks a program for; the last one is 7.303's.
type Elements struct {
	WrittenProgram       Element  `json:"written_program"`
	IdentificationData   Element  `json:"identification_data"`
	AccessAddresses      Element  `json:"access_addresses"`
	IdentityVerification Element  `json:"identity_verification"`
	BeneficialOwners     Element  `json:"beneficial_owners"`
	UnverifiedNoAccount  Element  `json:"unverified_no_account"`
	UnverifiedLimitedUse Element  `json:"unverified_limited_use"`
	UnverifiedClosure    Element  `json:"unverified_closure"`
	UnverifiedRedress    Element  `json:"unverified_redress"`
	Reverification       Element  `json:"reverification"`
	RecordRetention      Element  `json:"record_retention"`
	CustomerDisclosure   Element  `json:"customer_disclosure"`
	ThirdPartyAccess     Element  `json:"third_party_access"`
	AIMisuse             Element  `json:"ai_misuse"`
	RedFlags             Element  `json:"red_flags"`
	ResellerOversight    *Element `json:"reseller_oversight,omitzero"` // nil for who has no resellers
}

// Copy names the written program by its digest.
type Copy struct {
	SHA256    string `json:"sha256"` // base64url, 43 characters
	MediaType string `json:"media_type,omitzero"`
	Bytes     int64  `json:"bytes,omitzero"`
}

// Contact is the person responsible for the program (15 CFR 7.304, proposed).
type Contact struct {
	Name  string `json:"name"`
	Title string `json:"title,omitzero"`
	Email string `json:"email"`
	Phone string `json:"phone,omitzero"`
}

// MaterialChange is a change of business, structure or program since the last attestation.
type MaterialChange struct {
	What string `json:"what"`
	On   Date   `json:"on"`
}

// YearlyAttestations are the five that a certification rests on (15 CFR 7.304, proposed). False is an honest answer.
type YearlyAttestations struct {
	Reviewed            bool `json:"reviewed"`
	UpdatedForOfferings bool `json:"updated_for_offerings"`
	UpdatedForThreats   bool `json:"updated_for_threats"`
	Complies            bool `json:"complies"`
	ResolutionsRecorded bool `json:"resolutions_recorded"`
}
