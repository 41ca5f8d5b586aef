// Package problem is the one table of statuses and codes. Every error that reaches the edge is looked up
// here and nowhere else: which HTTP status, which RFC 8935 code, which problem type, and whether the caller
// should try again. It decides no error and words none: the text is the error's own, written by the package
// that detected it; an error that stands in no row is ours, is logged, and is told as such without its cause.
package problem

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/resellers/archive"
	"github.com/cipgate/cipgate/resellers/desk"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/registry"
	"github.com/cipgate/cipgate/resellers/rehearsal"
	"github.com/cipgate/cipgate/sync/delivery"
)

// Errors that belong to the edge itself.
var (
	// ErrMediaType says that the Content-Type is not the one wanted, or that a Content-Encoding was used.
	ErrMediaType = errors.New("unsupported media type")
	// ErrUnauthenticated says that the request names nobody who may use /v1 or the dashboard. auth detects it.
	ErrUnauthenticated = errors.New("sign in first")
	// ErrForbidden says that the person is known but may not do this. auth detects it.
	ErrForbidden = errors.New("not allowed")
	// ErrOfficer says that this cannot become of an officer or a token; the text says why. auth detects it.
	ErrOfficer = errors.New("refused")
	// ErrNoSuchOfficer says that there is no officer or token of this name. auth detects it.
	ErrNoSuchOfficer = errors.New("no such officer")
	// ErrNoCalendar says that there is no such feed of dates, or that it was revoked. calendar detects it.
	ErrNoCalendar = errors.New("no such calendar")
	// ErrKeyUsed says that an Idempotency-Key was used for another request. auth detects it.
	ErrKeyUsed = errors.New("this Idempotency-Key was used for another request")
	// ErrUnderWay says that a request with this Idempotency-Key has begun and is not answered. auth detects it.
	ErrUnderWay = errors.New("a request with this Idempotency-Key is under way")
	// ErrNoSuchPage says that nothing is served under this address.
	ErrNoSuchPage = errors.New("no such page")
	// ErrRequest says that a request of /v1 or a page is not well formed.
	ErrRequest = errors.New("bad request")
)

// Row says how one error is told.
type Row struct {
	Is     error  // matched with errors.Is, first row wins
	Status int    // HTTP
	Code   string // RFC 8935, section 2.4, or ours where that list has none
	Title  string // RFC 9457
	// RetryAfter is how long the caller should wait; zero means that trying again changes nothing.
	RetryAfter time.Duration
	// Ours says that what the error wraps is the gateway's own trouble, such as the words of a database: it is logged, and of
	// the error only Is is told.
	Ours bool
}

// Table holds a row for every error that a caller can provoke. Its order matters: registry.ErrRefused
// wraps envelope's errors.
var Table = []Row{
	{Is: ErrUnauthenticated, Status: http.StatusUnauthorized, Code: "authentication_failed", Title: "Sign in first"},
	{Is: ErrForbidden, Status: http.StatusForbidden, Code: "access_denied", Title: "Not allowed"},
	{Is: ErrOfficer, Status: http.StatusUnprocessableEntity, Code: "invalid_request", Title: "Refused"},
	{Is: ErrNoSuchOfficer, Status: http.StatusNotFound, Code: "invalid_request", Title: "No such officer or token"},
	{Is: ErrKeyUsed, Status: http.StatusUnprocessableEntity, Code: "invalid_request", Title: "Key used for another request"},
	{Is: ErrUnderWay, Status: http.StatusConflict, Code: "invalid_request", Title: "Not answered yet"},
	{Is: registry.ErrInvitation, Status: http.StatusUnauthorized, Code: "authentication_failed", Title: "No such invitation or link"},
	{Is: registry.ErrSamePerson, Status: http.StatusForbidden, Code: "access_denied", Title: "Another person must approve"},
	{Is: registry.ErrTaken, Status: http.StatusConflict, Code: "invalid_request", Title: "Already taken"},
	{Is: registry.ErrRefused, Status: http.StatusUnprocessableEntity, Code: "invalid_request", Title: "Refused"},
	{Is: registry.ErrNotFound, Status: http.StatusNotFound, Code: "invalid_request", Title: "No such entity"},
	{Is: archive.ErrRefused, Status: http.StatusUnprocessableEntity, Code: "invalid_request", Title: "Refused"},
	{Is: archive.ErrNotFound, Status: http.StatusNotFound, Code: "invalid_request", Title: "Not in the archive"},
	{Is: archive.ErrGone, Status: http.StatusGone, Code: "invalid_request", Title: "Erased"},
	{Is: desk.ErrMayNot, Status: http.StatusForbidden, Code: "access_denied", Title: "Another person must do this"},
	{Is: desk.ErrRefused, Status: http.StatusUnprocessableEntity, Code: "invalid_request", Title: "Refused"},
	{Is: desk.ErrNotFound, Status: http.StatusNotFound, Code: "invalid_request", Title: "Not on record"},
	{Is: desk.ErrMoved, Status: http.StatusConflict, Code: "invalid_request", Title: "Others acted at the same time"},
	{Is: rehearsal.ErrRefused, Status: http.StatusUnprocessableEntity, Code: "invalid_request", Title: "Refused"},
	{Is: rehearsal.ErrNotShown, Status: http.StatusConflict, Code: "invalid_request", Title: "Not what was shown"},
	{Is: rehearsal.ErrNotProposed, Status: http.StatusConflict, Code: "invalid_request", Title: "It takes two people"},
	{Is: rehearsal.ErrMayNot, Status: http.StatusForbidden, Code: "access_denied", Title: "Another person must do this"},
	{Is: rehearsal.ErrNotFound, Status: http.StatusNotFound, Code: "invalid_request", Title: "No such policy, backtest or report"},
	{Is: docket.ErrNoHit, Status: http.StatusNotFound, Code: "invalid_request", Title: "No such hit"},
	{Is: docket.ErrNotFound, Status: http.StatusNotFound, Code: "invalid_request", Title: "No such reseller"},
	{Is: ledger.ErrErased, Status: http.StatusGone, Code: "invalid_request", Title: "Erased"},
	{Is: docket.ErrNoObligation, Status: http.StatusNotFound, Code: "invalid_request", Title: "No such obligation"},
	{Is: docket.ErrNoOrder, Status: http.StatusNotFound, Code: "invalid_request", Title: "No such order"},
	{Is: docket.ErrNoCustomer, Status: http.StatusNotFound, Code: "invalid_request", Title: "No such customer"},
	{Is: ledger.ErrNotFound, Status: http.StatusNotFound, Code: "invalid_request", Title: "Not in the ledger"},
	{Is: delivery.ErrNoStream, Status: http.StatusNotFound, Code: "invalid_request", Title: "No such stream"},
	{Is: delivery.ErrNoNotice, Status: http.StatusNotFound, Code: "invalid_request", Title: "No such notice"},
	{Is: delivery.ErrTaken, Status: http.StatusConflict, Code: "invalid_request", Title: "There is a stream already"},
	{Is: delivery.ErrConfiguration, Status: http.StatusBadRequest, Code: "invalid_request", Title: "Stream not possible"},
	{Is: delivery.ErrHeld, Status: http.StatusForbidden, Code: "access_denied", Title: "The provider stopped this stream"},
	{Is: delivery.ErrMandatory, Status: http.StatusForbidden, Code: "access_denied", Title: "These notices cannot be declined"},
	{Is: delivery.ErrTooSoon, Status: http.StatusTooManyRequests, Code: "rate_limited", Title: "Too many verifications", RetryAfter: delivery.MinVerificationInterval},
	{Is: delivery.ErrNoLink, Status: http.StatusNotFound, Code: "invalid_request", Title: "This link does not hold"},
	{Is: delivery.ErrNoSession, Status: http.StatusUnauthorized, Code: "authentication_failed", Title: "The code first"},
	{Is: delivery.ErrCode, Status: http.StatusForbidden, Code: "access_denied", Title: "Not the code"},
	{Is: delivery.ErrLocked, Status: http.StatusForbidden, Code: "access_denied", Title: "This link is locked"},
	{Is: delivery.ErrCodeSoon, Status: http.StatusTooManyRequests, Code: "rate_limited", Title: "A code was sent a moment ago", RetryAfter: delivery.CodeInterval},
	{Is: delivery.ErrCodeUnsent, Status: http.StatusServiceUnavailable, Code: "temporarily_unavailable", Title: "The code could not be sent", RetryAfter: delivery.CodeInterval},
	{Is: delivery.ErrNotAsked, Status: http.StatusUnprocessableEntity, Code: "invalid_request", Title: "Not asked for"},
	{Is: delivery.ErrAnswered, Status: http.StatusConflict, Code: "invalid_request", Title: "Answered already"},
	{Is: ErrMediaType, Status: http.StatusUnsupportedMediaType, Code: "invalid_request", Title: "Unsupported media type"},
	{Is: ErrNoCalendar, Status: http.StatusNotFound, Code: "invalid_request", Title: "No such calendar"},
	{Is: ErrNoSuchPage, Status: http.StatusNotFound, Code: "invalid_request", Title: "No such page"},
	{Is: ErrRequest, Status: http.StatusBadRequest, Code: "invalid_request", Title: "Bad request"},
	{Is: intake.ErrIssuer, Status: http.StatusBadRequest, Code: "invalid_issuer", Title: "Issuer unknown or terminated"},
	{Is: intake.ErrMayNot, Status: http.StatusBadRequest, Code: "access_denied", Title: "This entity may not state this type"},
	{Is: intake.ErrRate, Status: http.StatusTooManyRequests, Code: "rate_limited", Title: "Too many submissions", RetryAfter: time.Second},
	{Is: intake.ErrBusy, Status: http.StatusServiceUnavailable, Code: "temporarily_unavailable", Title: "Busy", RetryAfter: time.Second},
	{Is: ledger.ErrTwin, Status: http.StatusBadRequest, Code: "invalid_request", Title: "jti used for another statement"},
	{Is: ledger.ErrFull, Status: http.StatusServiceUnavailable, Code: "temporarily_unavailable", Title: "The queue is full", RetryAfter: time.Second},
	{Is: ledger.ErrUnknownOutcome, Status: http.StatusServiceUnavailable, Code: "temporarily_unavailable", Title: "Outcome unknown", RetryAfter: 2 * time.Second, Ours: true},
	{Is: ledger.ErrClosed, Status: http.StatusServiceUnavailable, Code: "temporarily_unavailable", Title: "Shutting down", RetryAfter: 5 * time.Second},
	{Is: envelope.ErrTooLarge, Status: http.StatusRequestEntityTooLarge, Code: "invalid_request", Title: "Too large"},
	{Is: envelope.ErrMalformed, Status: http.StatusBadRequest, Code: "invalid_request", Title: "Not a statement that can be taken"},
	{Is: envelope.ErrKey, Status: http.StatusBadRequest, Code: "invalid_key", Title: "Key unknown or not usable"},
	{Is: envelope.ErrSignature, Status: http.StatusBadRequest, Code: "authentication_failed", Title: "The signature does not verify"},
	{Is: envelope.ErrAudience, Status: http.StatusBadRequest, Code: "invalid_audience", Title: "Meant for somebody else"},
}

// Problem is an error as a caller sees it.
type Problem struct {
	Status      int
	Code        string
	Title       string
	Description string
	RetryAfter  time.Duration
	// Ours says that the fault is the gateway's and its cause was not told: the error stands in no row, or in one that says so.
	Ours bool
}

// Of looks err up. It always returns something fit to show.
func Of(err error) Problem {
	for _, row := range Table {
		if !errors.Is(err, row.Is) {
			continue
		}
		p := Problem{Status: row.Status, Code: row.Code, Title: row.Title, Description: err.Error(), RetryAfter: row.RetryAfter, Ours: row.Ours}
		if row.Ours {
			p.Description = row.Is.Error()
		}
		if limited := (*intake.RateError)(nil); errors.As(err, &limited) {
			p.RetryAfter = max(p.RetryAfter, limited.RetryAfter) // and its words say so
		} else if p.RetryAfter > 0 {
			p.Description = fmt.Sprintf("%s. Send the same again in %s; nothing is stored twice", p.Description, p.RetryAfter)
		}
		return p
	}
	if unmatched := (*fiber.Error)(nil); errors.As(err, &unmatched) && unmatched.Code < http.StatusInternalServerError {
		return Problem{Status: unmatched.Code, Code: "invalid_request", Title: http.StatusText(unmatched.Code), Description: unmatched.Message}
	}
	return Problem{Status: http.StatusInternalServerError, Code: "temporarily_unavailable", Title: "The gateway failed", Ours: true,
		Description: "The gateway failed, by no fault of yours. It was logged. Send the same again in a minute; nothing is stored twice.",
		RetryAfter:  time.Minute}
}
