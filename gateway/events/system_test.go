package events

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
)

// taking is a road that accepts everything, as stated by one issuer.
type taking struct{ issuer envelope.Entity }

func (t taking) Accept(context.Context, []byte) (intake.Accepted, error) {
	return intake.Accepted{Issuer: t.issuer}, nil
}

func TestAResellerIsPointedToItsStandingAndASystemOfTheProviderIsNot(t *testing.T) {
	const standing = `</v1/me/standing>; rel="status"`
	for issuer, want := range map[envelope.Entity]string{
		"https://reseller.example":                 standing,
		"https://reseller.example/systems/billing": standing,
		"https://gateway.example/systems/":         standing, // no label
		"https://gateway.example/systems/billing":  "",
		"https://gateway.example/systems/iam~20eu": "",
	} {
		app := fiber.New()
		Doors{Road: taking{issuer}, Gateway: "https://gateway.example"}.Mount(app)
		request := httptest.NewRequest(http.MethodPost, "/events", strings.NewReader("a token"))
		request.Header.Set("Content-Type", MediaType)
		response, err := app.Test(request)
		if err != nil || response.StatusCode != http.StatusAccepted {
			t.Fatalf("%s: %v, %v", issuer, response, err)
		}
		if got := response.Header.Get("Link"); got != want {
			t.Errorf("%s: Link %q, want %q", issuer, got, want)
		}
	}
}
