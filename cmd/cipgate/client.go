package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/spf13/cobra"
)

// client speaks HTTP with a gateway. What the gateway asks to be sent again later (429, 503) is sent again.
type client struct {
	base   string // the gateway's address, without a slash at the end
	token  string // bearer, may be empty
	accept string // media type asked for
	http   *retryablehttp.Client
}

func newClient(base, token string) *client {
	retrying := retryablehttp.NewClient()
	retrying.Logger = nil
	retrying.RetryMax = 4
	retrying.RetryWaitMin = 250 * time.Millisecond
	retrying.RetryWaitMax = 10 * time.Second
	retrying.HTTPClient.Timeout = time.Minute
	// After the last try the answer itself is the error: it says what the gateway lacks.
	retrying.ErrorHandler = retryablehttp.PassthroughErrorHandler
	return &client{base: strings.TrimRight(base, "/"), token: token, accept: "application/json", http: retrying}
}

// answer is an HTTP answer with its body read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send makes one request. An answer that is no success comes back as an error which says what the gateway said.
func (c *client) send(ctx context.Context, method, path, contentType string, body []byte) (answer, error) {
	var reader any
	if body != nil {
		reader = bytes.NewReader(body)
	}
	request, err := retryablehttp.NewRequestWithContext(ctx, method, c.base+path, reader)
	if err != nil {
		return answer{}, wrong("%s%s: %v", c.base, path, err)
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	request.Header.Set("Accept", c.accept)
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, later("%s does not answer: %v. Is the gateway running, and is this its address?", c.base, err)
	}
	defer func() { _ = response.Body.Close() }() // it was read to its end; nothing more can be learned from it
	got, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil {
		return answer{}, later("reading the answer of %s: %v", c.base, err)
	}
	a := answer{response.StatusCode, response.Header, got}
	if response.StatusCode >= http.StatusMultipleChoices {
		return a, a.refusal(c.base)
	}
	return a, nil
}

// refusal words an answer that is no success, in whichever of the two shapes it came.
func (a answer) refusal(base string) error {
	var told struct {
		Err         string `json:"err"`
		Description string `json:"description"`
		Title       string `json:"title"`
		Detail      string `json:"detail"`
		OAuthError  string `json:"error"` // RFC 6749, section 5.2
		OAuthText   string `json:"error_description"`
	}
	text := strings.TrimSpace(string(a.body))
	if json.Unmarshal(a.body, &told) == nil {
		text = strings.TrimPrefix(told.Err+told.OAuthError+": "+told.Description+told.Detail+told.OAuthText, ": ")
	}
	if a.status == http.StatusTooManyRequests || a.status >= http.StatusInternalServerError {
		return later("%s answered %d: %s", base, a.status, text)
	}
	return wrong("%s answered %d: %s", base, a.status, text)
}

func (c *client) get(ctx context.Context, path string, into any) error {
	a, err := c.send(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return fmt.Errorf("reading what %s%s answered: %w", c.base, path, err)
	}
	return nil
}

func (c *client) post(ctx context.Context, path string, value, into any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("writing a request: %w", err)
	}
	a, err := c.send(ctx, http.MethodPost, path, "application/json", body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return fmt.Errorf("reading what %s%s answered: %w", c.base, path, err)
	}
	return nil
}

// registerClient adds the flags of commands that use the API of a running gateway.
func registerClient(cmd *cobra.Command) {
	cmd.Flags().String("url", "http://127.0.0.1:8460", "address of the running gateway")
	cmd.Flags().String("token", "", "API token; default: admin.token in the data folder")
	cmd.Flags().String("data", "cipgate-data", "data folder of the gateway")
}

// clientOf builds the client that a command's flags ask for.
func clientOf(cmd *cobra.Command) (*client, error) {
	base, _ := cmd.Flags().GetString("url")
	token, _ := cmd.Flags().GetString("token")
	data, _ := cmd.Flags().GetString("data")
	if token == "" {
		path := filepath.Join(data, "admin.token")
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, wrong("--token: wanted an API token or a data folder that holds one: %v. Give --data or --token", err)
		}
		token = strings.TrimSpace(string(text))
	}
	return newClient(base, token), nil
}
