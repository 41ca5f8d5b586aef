package problem

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/resellers/registry"
)

// rfc8935 are the codes of RFC 8935, section 2.4; the others are ours, for what that list has no word for.
var rfc8935 = []string{"invalid_request", "invalid_key", "invalid_issuer", "invalid_audience", "authentication_failed", "access_denied",
	"rate_limited", "temporarily_unavailable"}

// through sends one error through a handler and returns what a caller sees.
func through(t *testing.T, handler func(*slog.Logger) fiber.ErrorHandler, log *slog.Logger, err error) (*http.Response, string) {
	t.Helper()
	app := fiber.New(fiber.Config{ErrorHandler: handler(log)})
	app.Get("/", func(*fiber.Ctx) error { return err })
	response, testErr := app.Test(httptest.NewRequest(http.MethodGet, "/", nil))
	if testErr != nil {
		t.Fatal(testErr)
	}
	text, readErr := io.ReadAll(response.Body)
	if readErr != nil {
		t.Fatal(readErr)
	}
	return response, string(text)
}

func TestEveryRowIsToldInBothShapesWithItsOwnWords(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	for _, row := range Table {
		t.Run(row.Title, func(t *testing.T) {
			err := fmt.Errorf("doing something: %w", fmt.Errorf("%w: these words", row.Is))
			if got := Of(err); got.Status != row.Status || got.Code != row.Code || got.Title != row.Title || got.Ours != row.Ours {
				t.Errorf("looked up as %+v: an earlier row hides this one", got)
			}
			known := false
			for _, code := range rfc8935 {
				known = known || code == row.Code
			}
			if !known {
				t.Errorf("%q is no code of RFC 8935, nor one of ours", row.Code)
			}
			told := func(text string) bool { // its own words, or none where they are of a database
				return strings.Contains(text, "these words") != row.Ours && strings.Contains(text, row.Is.Error())
			}
			again := row.Status == http.StatusTooManyRequests || row.Status == http.StatusServiceUnavailable
			if (row.RetryAfter > 0) != again {
				t.Errorf("status %d with RetryAfter %s", row.Status, row.RetryAfter)
			}
			response, text := through(t, SET, quiet, err)
			var set struct {
				Err         string `json:"err"`
				Description string `json:"description"`
			}
			if jsonErr := json.Unmarshal([]byte(text), &set, json.RejectUnknownMembers(true)); jsonErr != nil {
				t.Fatal(jsonErr)
			}
			if response.StatusCode != row.Status || set.Err != row.Code || !told(set.Description) || again != strings.Contains(set.Description, "again in ") {
				t.Errorf("as RFC 8935: %d %+v", response.StatusCode, set)
			}
			if again != (response.Header.Get("Retry-After") != "") {
				t.Errorf("Retry-After %q", response.Header.Get("Retry-After"))
			}
			response, text = through(t, Details, quiet, err)
			var details struct {
				Type   string `json:"type"`
				Title  string `json:"title"`
				Status int    `json:"status"`
				Detail string `json:"detail"`
			}
			if jsonErr := json.Unmarshal([]byte(text), &details, json.RejectUnknownMembers(true)); jsonErr != nil {
				t.Fatal(jsonErr)
			}
			if response.StatusCode != row.Status || details.Status != row.Status || details.Title != row.Title || !told(details.Detail) {
				t.Errorf("as RFC 9457: %d %+v", response.StatusCode, details)
			}
			if got := response.Header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("Content-Type %q", got)
			}
		})
	}
}

func TestAnErrorOfOursIsLoggedAndItsCauseIsNotTold(t *testing.T) {
	var log strings.Builder
	cause := errors.New("password=hunter2 refused by 10.0.0.7")
	for name, handler := range map[string]func(*slog.Logger) fiber.ErrorHandler{"SET": SET, "Details": Details} {
		log.Reset()
		response, text := through(t, handler, slog.New(slog.NewTextHandler(&log, nil)), cause)
		if response.StatusCode != http.StatusInternalServerError || response.Header.Get("Retry-After") != "60" {
			t.Errorf("%s: %d, Retry-After %q", name, response.StatusCode, response.Header.Get("Retry-After"))
		}
		if strings.Contains(text, "hunter2") || !strings.Contains(text, "by no fault of yours") {
			t.Errorf("%s told %s", name, text)
		}
		if !strings.Contains(log.String(), "hunter2") {
			t.Errorf("%s logged %q", name, log.String())
		}
	}
}

func TestAMisspelledAddressIsTheCallersAndAPanicIsOurs(t *testing.T) {
	if got := Of(fiber.NewError(http.StatusNotFound, "Cannot GET /event")); got.Status != 404 || got.Ours {
		t.Errorf("%+v", got)
	}
	if got := Of(fiber.NewError(http.StatusInternalServerError, "boom")); got.Status != 500 || !got.Ours || strings.Contains(got.Description, "boom") {
		t.Errorf("%+v", got)
	}
}

func TestTheLongerWaitIsTold(t *testing.T) {
	err := fmt.Errorf("x: %w", &intake.RateError{PerSecond: 0.01, Burst: 1, RetryAfter: 90 * time.Second})
	if got := Of(err); got.Status != http.StatusTooManyRequests || got.RetryAfter != 90*time.Second {
		t.Errorf("%+v", got)
	}
	if got := RetrySeconds(1500 * time.Millisecond); got != "2" {
		t.Errorf("1.5 s are told as %s", got)
	}
}

func TestARefusedEnrolmentIsTheEnrolmentsWhateverTheTokenLacked(t *testing.T) {
	err := fmt.Errorf("%w: %w", registry.ErrRefused, &envelope.Fault{Reason: envelope.ErrKey, Wanted: "a", Got: "b"})
	if got := Of(err); got.Status != http.StatusUnprocessableEntity {
		t.Errorf("%+v", got)
	}
}
