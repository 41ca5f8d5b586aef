package events

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/docket"
)

// Verdict is the answer of the dry run, POST /events/validate.
type Verdict struct {
	Accepted bool      `json:"accepted"` // by POST /events, now; of unsigned claims: once a key of the issuer has signed them
	Problems []Problem `json:"problems"`
	Effect   Effect    `json:"effect"`
}

// Problem is one thing that POST /events would refuse, were it the only one.
type Problem struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`   // what POST /events would answer as err
	Source  string `json:"source"` // where the rule stands
	Wanted  string `json:"wanted"`
	Got     string `json:"got"` // never a personal value
	Fix     string `json:"fix"`
}

// Effect is what the statement would change. Standing is null, and Unknown says why, where that is not told.
type Effect struct {
	Standing *Change            `json:"standing"`
	Cures    []docket.Shortfall `json:"cures"`
	Opens    []docket.Shortfall `json:"opens"`
	Unknown  string             `json:"unknown,omitzero"`
}

// Change is a standing before and after.
type Change struct {
	Before string `json:"before"`
	After  string `json:"after"`
}

// validate answers POST /events/validate. It stores nothing.
func (d Doors) validate(c *fiber.Ctx) error {
	media, _, _ := mime.ParseMediaType(c.Get(fiber.HeaderContentType)) // what is none is refused below
	look := d.Stream.Inspect
	if strings.EqualFold(media, fiber.MIMEApplicationJSON) {
		look = d.Stream.InspectClaims
		media = fiber.MIMEApplicationJSON
	} else {
		media = MediaType
	}
	if err := RequireMediaType(c, media); err != nil {
		return err
	}
	found, err := look(c.UserContext(), c.BodyRaw())
	if err != nil {
		return err
	}
	verdict := VerdictOf(found.Problems)
	scheme, token, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	mayKnow := found.Signed || strings.EqualFold(scheme, "Bearer") && d.Knows(c.UserContext(), strings.TrimSpace(token))
	if verdict.Effect, err = d.effect(c.UserContext(), found, mayKnow); err != nil {
		return err
	}
	text, err := json.Marshal(verdict)
	if err != nil {
		return fmt.Errorf("writing a verdict: %w", err)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	c.Set(fiber.HeaderContentLanguage, "en")
	return c.Send(text)
}

// VerdictOf tells what was found wrong; its effect is not told yet.
func VerdictOf(found []envelope.Problem) Verdict {
	verdict := Verdict{Accepted: len(found) == 0, Problems: make([]Problem, len(found)),
		Effect: Effect{Cures: []docket.Shortfall{}, Opens: []docket.Shortfall{}}}
	for i, p := range found {
		verdict.Problems[i] = Problem{Pointer: p.Pointer, Code: problem.Of(p.Fault).Code, Source: p.Source, Wanted: p.Wanted, Got: p.Got, Fix: p.Fix}
	}
	return verdict
}

// effect says what an accepted statement would change, to whoever may know how the reseller stands: the reseller, which
// proved itself by its signature, and the provider's people, by an API token. Everybody can write claims in anybody's
// name; if those were answered, a stranger could ask how any reseller stands, and what it is found to fall short of.
func (d Doors) effect(ctx context.Context, found intake.Inspection, mayKnow bool) (Effect, error) {
	told := Effect{Cures: []docket.Shortfall{}, Opens: []docket.Shortfall{}}
	switch {
	case len(found.Problems) > 0:
		told.Unknown = "It would be refused, and what is refused changes nothing."
		return told, nil
	case !mayKnow:
		told.Unknown = "How a reseller stands is told to itself alone. Sign the claims with a key that the issuer has enrolled, or show an API token of /v1."
		return told, nil
	}
	foreseen, err := d.Preview(ctx, found.Entry)
	if errors.Is(err, docket.ErrNotFound) {
		told.Unknown = "No entity of this name is enrolled."
		return told, nil
	}
	if err != nil {
		return told, fmt.Errorf("foreseeing what a statement changes: %w", err)
	}
	told.Standing = &Change{Before: foreseen.Before.String(), After: foreseen.After.String()}
	if found.Duplicate {
		told.Standing.After = told.Standing.Before
	} else {
		told.Cures, told.Opens = foreseen.Cures, foreseen.Opens
	}
	return told, nil
}

// Previewer foresees what a statement would change; docket.Docket has one.
type Previewer func(ctx context.Context, said statement.Entry) (docket.Effect, error)
