// Package standing is where a reseller reads how it stands: one object, which pages and mails tell it too (standing.md, "Standing").
// Every acknowledgement of a submission points here.
//
// It shows what concerns the reseller and nothing else: neither who at the provider is asked to approve a step, nor holds, which an
// authority may have asked to keep quiet, nor evidence.
package standing

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// MediaType is that of the signed form: a JWT of this gateway's statement key, of the type standing+jwt.
const MediaType = "application/standing+jwt"

// life is how long the signed form may be shown around.
const life = 24 * time.Hour

// Docket is what is read of the resellers' files.
type Docket interface {
	Open(ctx context.Context, id envelope.ID) (docket.File, error)
	Outlook(file docket.File) (escalation.Prospect, error)
}

// Door answers GET /v1/me/standing. Its fields are set once.
type Door struct {
	Docket  Docket
	Gateway envelope.Entity
	Signer  envelope.Signer
	// Receiver lets enrolled entities in; auth.Clients makes it.
	Receiver fiber.Handler
	Now      func() time.Time // the gateway's clock
}

// Mount registers the door. It stands before /v1, which is for the provider's people.
func (d Door) Mount(router fiber.Router) {
	router.Get("/v1/me/standing", d.Receiver, auth.Needs(auth.ScopeManage, auth.ScopeRead), d.read)
}

// Standing is how a reseller stands, as it may read it.
type Standing struct {
	Standing      string                   `json:"standing"`
	CurrentlyDue  []escalation.Due         `json:"currently_due"`
	PastDue       []escalation.Due         `json:"past_due"`
	EventuallyDue []escalation.Due         `json:"eventually_due"`
	PendingReview []escalation.Reviewed    `json:"pending_review"`
	Errors        []escalation.Rejected    `json:"errors"`
	Restrictions  []escalation.Restriction `json:"restrictions"`
	NextStep      Next                     `json:"next_step"`
	GivenBack     []escalation.Span        `json:"given_back,omitzero"` // the provider's outages by which the next step was moved
	LimitAt       time.Time                `json:"limit_at,omitzero"`
	ExemptUntil   time.Time                `json:"exempt_until,omitzero"`
	Superior      Superior                 `json:"superior,omitzero"` // only where another one must be found
}

// Superior is who stands right above the reseller and leaves, and by when to find another one.
type Superior struct {
	Entity envelope.Entity `json:"entity"`
	Status string          `json:"status"` // closing, terminated
	FindBy time.Time       `json:"find_another_by"`
	ToDo   string          `json:"to_do"`
}

// Next is what comes if nothing is done. What the provider's people still have to say about it is theirs.
type Next struct {
	What   string    `json:"what"`
	At     time.Time `json:"at,omitzero"`
	Unless string    `json:"unless,omitzero"`
}

// claims are the signed form.
type claims struct {
	Issuer   envelope.Entity `json:"iss"`
	Subject  envelope.Entity `json:"sub"`
	IssuedAt int64           `json:"iat"`
	Expires  int64           `json:"exp"`
	Standing Standing        `json:"standing"`
}

func (d Door) read(c *fiber.Ctx) error {
	asking := auth.ReceiverOf(c)
	if asking.Entity == "" {
		return fmt.Errorf("%w: wanted a reseller's own access token, got an API token. The provider reads GET /v1/resellers/{id}", problem.ErrForbidden)
	}
	file, err := d.Docket.Open(c.UserContext(), asking.Entity.ID())
	if err != nil {
		return err
	}
	prospect, err := d.Docket.Outlook(file)
	if err != nil {
		return err
	}
	told := of(prospect)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderVary, fiber.HeaderAccept)
	if c.Accepts(fiber.MIMEApplicationJSON, MediaType) != MediaType {
		text, err := json.Marshal(told)
		if err != nil {
			return fmt.Errorf("writing a standing: %w", err)
		}
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Send(text)
	}
	now := d.Now()
	token, err := d.Signer.SignToken("standing+jwt", claims{Issuer: d.Gateway, Subject: asking.Entity, IssuedAt: now.Unix(), Expires: now.Add(life).Unix(), Standing: told})
	if err != nil {
		return fmt.Errorf("signing a standing: %w", err)
	}
	c.Set(fiber.HeaderContentType, MediaType)
	return c.Send(token)
}

func of(p escalation.Prospect) Standing {
	told := Standing{Standing: p.Standing.String(), CurrentlyDue: listed(p.CurrentlyDue), PastDue: listed(p.PastDue), EventuallyDue: listed(p.EventuallyDue),
		PendingReview: listed(p.PendingReview), Errors: listed(p.Errors), Restrictions: listed(p.Restrictions), GivenBack: p.GivenBack, LimitAt: p.LimitAt, ExemptUntil: p.Exempt.Until,
		NextStep: Next{What: p.NextStep.What, At: p.NextStep.At, Unless: p.NextStep.Unless}}
	if above := p.Superior; above.Leaves() {
		told.Superior = Superior{Entity: above.Entity, Status: above.Status, FindBy: above.FindBy,
			ToDo: "Find another superior: ask one, or the provider, to have you invited under it, and enrol with the identifier and the keys that you have. What you stated stays yours."}
	}
	return told
}

// listed is never null.
func listed[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}
