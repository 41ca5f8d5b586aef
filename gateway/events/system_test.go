package events

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/ledger"
)

// taking is a road that accepts everything.
type taking struct{}

func (taking) Accept(context.Context, []byte) (ledger.Receipt, error) { return ledger.Receipt{}, nil }

func TestAResellerIsPointedToItsStandingAndASystemOfTheProviderIsNot(t *testing.T) {
	app := fiber.New()
	Doors{Road: taking{}, Gateway: "https://gateway.example"}.Mount(app)
	const standing = `</v1/me/standing>; rel="status"`
	for claims, want := range map[string]string{
		`{"iss":"https://reseller.example","jti":"1"}`:                                                         standing,
		`{"jti":"2","iss":"https://gateway.example/systems/billing"}`:                                          "",
		`{"jti":"3","iss":"https:\/\/gateway.example\/systems\/iam~20eu"}`:                                     "",
		`{"iss":"https://reseller.example/systems/billing"}`:                                                   standing,
		`{"iss":"https://reseller.example","x":{"iss":"https://gateway.example/systems/billing"}}`:             standing,
		`{"x":{"iss":"https://reseller.example"},"iss":"https://gateway.example/systems/billing"}`:             "",
		`{"iss":"https://gateway.example/systems/","note":"no label"}`:                                         standing,
		`{"iss":"https://reseller.example","note":"` + strings.Repeat("the systems of the provider", 9) + `"}`: standing,
	} {
		encoded := base64.RawURLEncoding.EncodeToString([]byte(claims))
		request := httptest.NewRequest(http.MethodPost, "/events", strings.NewReader("e30."+encoded+".c2ln"))
		request.Header.Set("Content-Type", MediaType)
		response, err := app.Test(request)
		if err != nil || response.StatusCode != http.StatusAccepted {
			t.Fatalf("%s: %v, %v", claims, response, err)
		}
		if got := response.Header.Get("Link"); got != want {
			t.Errorf("%s: Link %q, want %q", claims, got, want)
		}
	}
}
