package problem

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

func TestEveryRowOfTheTokenEndpointIsToldAsOAuthWantsIt(t *testing.T) {
	codes := []string{"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope"} // RFC 6749, section 5.2
	var log strings.Builder
	for _, row := range OAuthTable {
		response, text := through(t, OAuth, slog.New(slog.DiscardHandler), fmt.Errorf("%w: these words", row.Is))
		var told struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		if err := json.Unmarshal([]byte(text), &told, json.RejectUnknownMembers(true)); err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != row.Status || told.Error != row.Code || !slices.Contains(codes, row.Code) || !strings.Contains(told.Description, "these words") ||
			response.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %+v", row.Title, response.StatusCode, told)
		}
	}
	response, text := through(t, OAuth, slog.New(slog.NewTextHandler(&log, nil)), errors.New("password=hunter2"))
	if response.StatusCode != http.StatusInternalServerError || strings.Contains(text, "hunter2") || !strings.Contains(log.String(), "hunter2") {
		t.Errorf("an error of ours: %d %s", response.StatusCode, text)
	}
}
