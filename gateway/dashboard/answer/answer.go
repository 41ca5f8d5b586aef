// Package answer is the page behind the one-time link of a mail: a reseller's contact, who needs no software and no account, asks for
// the code that is sent apart, reads what the mail told, acknowledges it, and disputes, explains or states what was done.
//
// It decides nothing: what link, code and session are worth is delivery's, the words of a notice are officer's. It works without
// script, on a telephone, and asking for it changes nothing: mail programs open links before people do.
package answer

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/sync/delivery"
)

// Answers is what the page does; delivery.Delivery does it.
type Answers interface {
	Link(ctx context.Context, token string) (delivery.Link, error)
	SendCode(ctx context.Context, token string) error
	Open(ctx context.Context, token, code string) (session string, err error)
	Answering(ctx context.Context, token, session string) (delivery.Answering, error)
	Acknowledge(ctx context.Context, token, session string) error
	State(ctx context.Context, token, session string, sequence int64, said statement.Remediation) (ledger.Receipt, error)
}

// Pages serves the pages of one gateway.
type Pages struct {
	Frame   frame.Frame
	Answers Answers
	Secure  bool // the gateway is reached over https: the cookie is then sent over https alone
}

var (
	//go:embed door.html
	doorHTML string
	//go:embed notices.html
	noticesHTML string

	doorPage    = frame.Parse(doorHTML)
	noticesPage = frame.Parse(noticesHTML)
)

// Mount registers the pages.
func (p Pages) Mount(router fiber.Router) {
	router.Get(delivery.AnswerPath+":token", p.door)
	router.Post(delivery.AnswerPath+":token/code", p.code)
	router.Post(delivery.AnswerPath+":token/open", p.open)
	router.Get(delivery.AnswerPath+":token/notices", p.notices)
	router.Post(delivery.AnswerPath+":token/acknowledge", p.acknowledge)
	router.Post(delivery.AnswerPath+":token/state", p.state)
}

// cookieName is that of the cookie that says that the code was shown. Its path is the link's own.
const cookieName = "cipgate-answer"

func here(token string) string { return delivery.AnswerPath + url.PathEscape(token) }

// door asks for the code.
func (p Pages) door(c *fiber.Ctx) error { return p.showDoor(c, nil) }

// showDoor shows the page that asks for the code, with what went wrong before, if anything did.
func (p Pages) showDoor(c *fiber.Ctx, wrong error) error {
	token := c.Params("token")
	link, err := p.Answers.Link(c.UserContext(), token)
	if err != nil {
		return err
	}
	shown := door{Here: here(token), Reseller: link.About, Until: frame.MomentOf(link.ExpiresAt, p.Frame.Now()), Sent: link.CodeSent}
	status := 0
	if wrong != nil {
		told := problem.Of(wrong)
		shown.Wrong, status = officer.Sentence(told.Description), told.Status
	}
	return p.Frame.Show(c, frame.Page{Title: "Read your notices", Template: doorPage, View: shown, Status: status, Public: true})
}

func (p Pages) code(c *fiber.Ctx) error {
	token := c.Params("token")
	err := p.Answers.SendCode(c.UserContext(), token)
	if atTheDoor(err) {
		return p.showDoor(c, err)
	}
	if err != nil {
		return err
	}
	return c.Redirect(here(token), fiber.StatusSeeOther)
}

func (p Pages) open(c *fiber.Ctx) error {
	token := c.Params("token")
	form, err := formOf(c)
	if err != nil {
		return err
	}
	code := strings.Join(strings.FieldsFunc(form.Get("code"), func(r rune) bool { return r == ' ' || r == '-' }), "")
	session, err := p.Answers.Open(c.UserContext(), token, code)
	if atTheDoor(err) {
		return p.showDoor(c, err)
	}
	if err != nil {
		return err
	}
	c.Cookie(&fiber.Cookie{Name: cookieName, Value: session, Path: here(token), HTTPOnly: true, Secure: p.Secure,
		SameSite: fiber.CookieSameSiteStrictMode, MaxAge: int(delivery.SessionLife / time.Second)})
	return c.Redirect(here(token)+"/notices", fiber.StatusSeeOther)
}

// atTheDoor is true for what the door's own page tells.
func atTheDoor(err error) bool {
	for _, one := range []error{delivery.ErrCode, delivery.ErrCodeSoon, delivery.ErrCodeUnsent, delivery.ErrLocked} {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}

// notices shows what the mail told, or leads to the door.
func (p Pages) notices(c *fiber.Ctx) error {
	return p.showNotices(c, nil, written{}, c.Query("recorded"))
}

func (p Pages) showNotices(c *fiber.Ctx, wrong error, before written, recorded string) error {
	token := c.Params("token")
	opened, err := p.Answers.Answering(c.UserContext(), token, c.Cookies(cookieName))
	if errors.Is(err, delivery.ErrNoSession) {
		return c.Redirect(here(token), fiber.StatusSeeOther)
	}
	if err != nil {
		return err
	}
	shown := fill(opened, p.Frame.Entity, p.Frame.Now())
	shown.Here, shown.Before = here(token), before
	if digest, err := envelope.ParseDigest(recorded); err == nil {
		shown.Receipt = "/receipts/" + digest.String()
	}
	status := 0
	if wrong != nil {
		told := problem.Of(wrong)
		shown.Wrong, status = officer.Sentence(told.Description), told.Status
	}
	return p.Frame.Show(c, frame.Page{Title: "Your notices", Template: noticesPage, View: shown, Status: status, Public: true})
}

func (p Pages) acknowledge(c *fiber.Ctx) error {
	token := c.Params("token")
	err := p.Answers.Acknowledge(c.UserContext(), token, c.Cookies(cookieName))
	if errors.Is(err, delivery.ErrNoSession) {
		return c.Redirect(here(token), fiber.StatusSeeOther)
	}
	if err != nil {
		return err
	}
	return c.Redirect(here(token)+"/notices", fiber.StatusSeeOther)
}

// written is a form as it was sent, shown again where it could not be taken.
type written struct {
	Notice int64
	What   string // finding:ID or inquiry:ID
	Kind   string
	Ground string
	Until  string
	Text   string
}

func (p Pages) state(c *fiber.Ctx) error {
	token := c.Params("token")
	form, err := formOf(c)
	if err != nil {
		return err
	}
	asked := written{What: form.Get("what"), Kind: form.Get("kind"), Ground: form.Get("ground"), Until: form.Get("until"),
		Text: strings.TrimSpace(strings.ReplaceAll(form.Get("text"), "\r\n", "\n"))}
	if asked.Notice, err = strconv.ParseInt(form.Get("notice"), 10, 64); err != nil {
		return fmt.Errorf("%w: notice: wanted the number of a notice", problem.ErrRequest)
	}
	said, err := asked.remediation()
	if err == nil {
		var receipt ledger.Receipt
		if receipt, err = p.Answers.State(c.UserContext(), token, c.Cookies(cookieName), asked.Notice, said); err == nil {
			return c.Redirect(here(token)+"/notices?recorded="+receipt.Digest.String(), fiber.StatusSeeOther)
		}
	}
	switch {
	case errors.Is(err, delivery.ErrNoSession):
		return c.Redirect(here(token), fiber.StatusSeeOther)
	case errors.Is(err, delivery.ErrNoLink):
		return err
	}
	// What was typed is not lost: the page comes back with it and says what to change.
	return p.showNotices(c, err, asked, "")
}

// remediation is what the form states. A ground belongs to a dispute alone and a day to an extension alone: what is left in a field
// that the choice does not use is left out.
func (w written) remediation() (statement.Remediation, error) {
	said := statement.Remediation{RemediationKind: w.Kind, Text: w.Text}
	what, id, _ := strings.Cut(w.What, ":")
	switch what {
	case "finding":
		said.Finding = id
	case "inquiry":
		said.Inquiry = id
	default:
		return said, fmt.Errorf("%w: choose what you answer", problem.ErrRequest)
	}
	if w.Text == "" {
		return said, fmt.Errorf("%w: write your answer in words", problem.ErrRequest)
	}
	switch w.Kind {
	case "dispute":
		if said.Ground = w.Ground; w.Ground == "" {
			return said, fmt.Errorf("%w: choose why you dispute it", problem.ErrRequest)
		}
	case "extension-request":
		day, err := time.Parse(time.DateOnly, w.Until)
		if err != nil {
			return said, fmt.Errorf("%w: say until which day you ask for time, as 2027-02-10", problem.ErrRequest)
		}
		said.Until = statement.DateOf(day)
	}
	return said, nil
}

func formOf(c *fiber.Ctx) (url.Values, error) {
	form, err := url.ParseQuery(string(c.BodyRaw()))
	if err != nil {
		return nil, fmt.Errorf("%w: the form must be application/x-www-form-urlencoded", problem.ErrRequest)
	}
	return form, nil
}
