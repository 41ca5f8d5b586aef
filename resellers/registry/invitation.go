package registry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/gosimple/slug"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/policy"
	"github.com/cipgate/cipgate/resellers/screening"
)

// InvitationLife is how long an invitation may be used (protocol.md, "Enrolment" 1).
const InvitationLife = 14 * 24 * time.Hour

// Invitation is what an officer says of a reseller before it enrols.
type Invitation struct {
	Name     string          // legal name
	Country  string          // ISO 3166-1 alpha-2
	Contact  string          // e-mail address of a person at the reseller
	Superior envelope.Entity // an enrolled reseller, or the gateway itself (also if empty): a reseller of tier 1
	LEI      string          // ISO 17442, may be empty
	Approval bool            // an officer must approve the enrolment before it counts
}

// Invited is a recorded invitation. Token is told once and kept only as its hash.
type Invited struct {
	Token     string
	Entity    envelope.Entity // the identifier that this gateway will host, for whoever has none of their own
	ExpiresAt time.Time
}

type invitationRow struct {
	TokenHash []byte
	ID        string
	Entity    string
	Name      string
	Country   string
	Contact   string
	Superior  string
	LEI       string `gorm:"column:lei"`
	CreatedAt int64  `gorm:"autoCreateTime:false"`
	ExpiresAt int64
	Recovery  string // the recovery that it belongs to, empty for a first enrolment
	Approval  bool
}

func (invitationRow) TableName() string { return "registry_invitations" }

// waits says whether the enrolment by an invitation waits for an officer: if the invitation asks for it, or the policy for each. New
// keys for an entity that lost its own were approved by two officers already.
func (r *Registry) waits(invited invitationRow) bool {
	return invited.Approval || r.rules.Load().Enrolment.Value == policy.EachApproved && invited.Recovery == ""
}

// Invite records an invitation and makes its one-time token of 128 bits. An error wraps ErrRefused and an
// *envelope.Fault that names the member if something in it is not acceptable.
func (r *Registry) Invite(ctx context.Context, in Invitation) (Invited, error) {
	if in.Superior == "" {
		in.Superior = r.self
	}
	if err := in.check(); err != nil {
		return Invited{}, err
	}
	if err := r.mayHaveBelow(ctx, in.Superior, "/superior"); err != nil {
		return Invited{}, err
	}
	token, err := newToken()
	if err != nil {
		return Invited{}, err
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return Invited{}, fmt.Errorf("making an invitation's id: %w", err)
	}
	now := r.now()
	row := invitationRow{
		TokenHash: hashOf(token), ID: id.String(), Name: in.Name, Country: in.Country, Contact: in.Contact,
		Superior: string(in.Superior), LEI: in.LEI, Approval: in.Approval,
		CreatedAt: now.UnixMicro(), ExpiresAt: now.Add(InvitationLife).UnixMicro(),
	}
	name := slug.Make(in.Name)
	if name == "" {
		name = "reseller"
	}
	// Two resellers may have one name: the second is hosted under name-2, and so on.
	for n := 1; ; n++ {
		row.Entity = fmt.Sprintf("%s/e/%s", r.self, name)
		if n > 1 {
			row.Entity = fmt.Sprintf("%s-%d", row.Entity, n)
		}
		err = r.db.WithContext(ctx).Create(&row).Error
		if err == nil {
			return Invited{Token: token, Entity: envelope.Entity(row.Entity), ExpiresAt: now.Add(InvitationLife)}, nil
		}
		if !errors.Is(err, gorm.ErrDuplicatedKey) || n == 1000 {
			return Invited{}, fmt.Errorf("recording the invitation: %w", err)
		}
	}
}

// Recorded returns the invitation that a token stands for, so that its holder sees what was said of it.
// Errors wrap ErrInvitation.
func (r *Registry) Recorded(ctx context.Context, token string) (Invitation, Invited, error) {
	row, err := r.invitation(ctx, token)
	if err != nil {
		return Invitation{}, Invited{}, err
	}
	return Invitation{Name: row.Name, Country: row.Country, Contact: row.Contact, Superior: envelope.Entity(row.Superior), LEI: row.LEI, Approval: r.waits(row)},
		Invited{Entity: envelope.Entity(row.Entity), ExpiresAt: time.UnixMicro(row.ExpiresAt).UTC()}, nil
}

// plainAddress is the form of address that the ledger keeps (the schema of entity-enrolled): no quotes, no letters beyond
// ASCII, a host by name.
var plainAddress = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$")

func (in Invitation) check() error {
	refuse := func(member, wanted, got, fix string) error {
		return fmt.Errorf("%w: %w", ErrRefused, &envelope.Fault{Reason: envelope.ErrMalformed,
			Pointer: "/" + member, Wanted: wanted, Got: got, Fix: fix})
	}
	control := strings.ContainsFunc(in.Name, func(c rune) bool { return c < ' ' || c == 0x7f })
	if in.Name == "" || strings.TrimSpace(in.Name) != in.Name || len(in.Name) > 200 || control {
		return refuse("name", "the reseller's legal name, one line of 1 to 200 bytes without spaces at its ends", fmt.Sprintf("%d bytes", len(in.Name)), "Give the name as it stands in its register of companies.")
	}
	if !screening.IsCountry(in.Country) {
		return refuse("country", "an ISO 3166-1 alpha-2 code in capitals, such as DE or IN", fmt.Sprintf("%q", in.Country), "Look the code up in ISO 3166-1.")
	}
	if in.Country == "US" {
		return refuse("country", "a country other than US", "US", "A U.S. reseller is itself a U.S. IaaS provider with the full duty, not a foreign reseller (15 CFR 7.301, proposed): it runs its own gateway.")
	}
	if !isPlainAddress(in.Contact) {
		return refuse("contact", "one e-mail address, such as compliance@reseller.example", fmt.Sprintf("%d bytes that are none", len(in.Contact)), "Give the plain address without a name.")
	}
	if wrong := wrongLEI(in.LEI); in.LEI != "" && wrong != "" {
		return refuse("lei", "a Legal Entity Identifier (ISO 17442): 18 capitals or digits and 2 check digits", wrong, "Look it up at the issuer or at gleif.org. Leave it out if the reseller has none.")
	}
	return nil
}

func isPlainAddress(text string) bool {
	address, err := mail.ParseAddress(text)
	return err == nil && address.Address == text && plainAddress.MatchString(text) && len(text) <= 254
}

// newToken makes a secret of 128 bits that is told once and kept as its hash alone.
func newToken() (string, error) {
	secret := make([]byte, 16)
	if _, err := rand.Read(secret); err != nil {
		return "", fmt.Errorf("making a token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(secret), nil
}

func hashOf(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

func (r *Registry) invitation(ctx context.Context, token string) (invitationRow, error) {
	var row invitationRow
	err := r.db.WithContext(ctx).Where("token_hash = ?", hashOf(token)).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, fmt.Errorf("%w with this token: it is the part after # of the enrolment address; ask your provider for a new invitation if it is lost", ErrInvitation)
	}
	if err != nil {
		return row, fmt.Errorf("looking up the invitation: %w", err)
	}
	if expires := time.UnixMicro(row.ExpiresAt).UTC(); !r.now().Before(expires) {
		return row, fmt.Errorf("%w: this one expired at %s; ask your provider for a new one", ErrInvitation, expires.Format(time.RFC3339))
	}
	return row, nil
}
