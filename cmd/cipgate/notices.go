package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/sync/delivery"
)

// subscriber is a reseller that polls its stream (OpenID Shared Signals Framework 1.0, RFC 8936).
type subscriber struct {
	*reseller
	api    *client
	keys   envelope.Keys // the gateway's
	id     string        // of the stream
	stream string        // where to poll
	scope  string        // what is asked for; empty for all that there is
}

// received is one notice whose signature was checked.
type received struct {
	JTI      string `json:"jti"`
	Sequence int64  `json:"sequence"`
	Token    string `json:"token"`
	claims   envelope.Claims
}

// subscribe finds the reseller's stream, or makes one.
func (r *reseller) subscribe(ctx context.Context) (*subscriber, error) {
	s := &subscriber{reseller: r, api: newClient(r.about.Gateway, "")}
	if err := s.readKeys(ctx); err != nil {
		return nil, err
	}
	type stream struct {
		ID       string `json:"stream_id"`
		Delivery struct {
			Method   string `json:"method"`
			Endpoint string `json:"endpoint_url"`
		} `json:"delivery"`
	}
	var streams []stream
	if err := s.ask(ctx, http.MethodGet, "/ssf/streams", nil, &streams); err != nil {
		return nil, err
	}
	if len(streams) == 0 {
		var made stream
		wanted := map[string]any{"delivery": map[string]string{"method": delivery.MethodPoll}, "description": "cipgate " + programVersion()}
		if err := s.ask(ctx, http.MethodPost, "/ssf/streams", wanted, &made); err != nil {
			return nil, err
		}
		streams = append(streams, made)
	}
	if streams[0].Delivery.Method != delivery.MethodPoll {
		return nil, wrong("the notices of %s are pushed to %s. To poll them here, change the delivery of stream %s to %s (PATCH %s/ssf/streams)",
			r.about.Entity, streams[0].Delivery.Endpoint, streams[0].ID, delivery.MethodPoll, r.about.Gateway)
	}
	s.id, s.stream = streams[0].ID, "/ssf/poll/"+streams[0].ID
	return s, nil
}

// readKeys fetches the keys that the gateway publishes.
func (s *subscriber) readKeys(ctx context.Context) error {
	a, err := s.api.send(ctx, http.MethodGet, "/jwks.json", "", nil)
	if err != nil {
		return err
	}
	if s.keys, err = envelope.ParseKeys(a.body); err != nil {
		return fmt.Errorf("reading the keys of %s: %w", s.about.Gateway, err)
	}
	return nil
}

// signIn gets an access token for the statement key's signature (RFC 7523). The gateway signs people and programs in by the real
// clock, also where a sandbox's was moved.
func (s *subscriber) signIn(ctx context.Context) error {
	id, err := uuid.NewRandom()
	if err != nil {
		return fmt.Errorf("making a jti: %w", err)
	}
	now := time.Now()
	assertion, err := s.statements.SignToken("JWT", map[string]any{"iss": s.about.Entity, "sub": s.about.Entity, "aud": s.about.Audience,
		"iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(), "jti": id.String()})
	if err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion": {string(assertion)}}
	if s.scope != "" {
		form.Set("scope", s.scope)
	}
	a, err := newClient(s.about.Gateway, "").send(ctx, http.MethodPost, "/oauth/token", "application/x-www-form-urlencoded", []byte(form.Encode()))
	if err != nil {
		return err
	}
	var told struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(a.body, &told); err != nil {
		return fmt.Errorf("reading what %s/oauth/token answered: %w", s.about.Gateway, err)
	}
	s.api.token = told.AccessToken
	return nil
}

// ask makes a request with an access token, a fresh one if the last has expired.
func (s *subscriber) ask(ctx context.Context, method, path string, value, into any) error {
	var body []byte
	contentType := ""
	if value != nil {
		var err error
		if body, err = json.Marshal(value); err != nil {
			return fmt.Errorf("writing a request: %w", err)
		}
		contentType = "application/json"
	}
	for again := false; ; again = true {
		if s.api.token == "" {
			if err := s.signIn(ctx); err != nil {
				return err
			}
		}
		a, err := s.api.send(ctx, method, path, contentType, body)
		if a.status == http.StatusUnauthorized && !again {
			s.api.token = ""
			continue
		}
		if err != nil {
			return err
		}
		if err := json.Unmarshal(a.body, into); err != nil {
			return fmt.Errorf("reading what %s%s answered: %w", s.about.Gateway, path, err)
		}
		return nil
	}
}

// said is what a poll says of what came before.
type said struct {
	MaxEvents *int                      `json:"maxEvents,omitzero"`
	AtOnce    bool                      `json:"returnImmediately"`
	Ack       []string                  `json:"ack,omitzero"`
	SetErrs   map[string]delivery.Fault `json:"setErrs,omitzero"`
}

// poll polls once and returns what came in the order of its numbers. What is not signed by the gateway for this reseller is in
// faults instead.
func (s *subscriber) poll(ctx context.Context, asked said) (got []received, more bool, faults map[string]delivery.Fault, err error) {
	var polled struct {
		Sets     map[string]string `json:"sets"`
		Sequence map[string]int64  `json:"sequence"`
		More     bool              `json:"moreAvailable"`
	}
	if err := s.ask(ctx, http.MethodPost, s.stream, asked, &polled); err != nil {
		return nil, false, nil, err
	}
	faults = map[string]delivery.Fault{}
	for jti, token := range polled.Sets {
		one := received{JTI: jti, Sequence: polled.Sequence[jti], Token: token}
		if one.claims, err = s.check(ctx, token); err != nil {
			faults[jti] = faultOf(err)
			continue
		}
		got = append(got, one)
	}
	slices.SortFunc(got, func(a, b received) int { return int(a.Sequence - b.Sequence) })
	return got, polled.More, faults, nil
}

// check says what a token says if the gateway signed it for this reseller; keys that are not known are looked for once.
func (s *subscriber) check(ctx context.Context, token string) (envelope.Claims, error) {
	parsed, err := envelope.Parse([]byte(token))
	if err != nil {
		return envelope.Claims{}, err
	}
	now, err := s.now(ctx)
	if err != nil {
		return envelope.Claims{}, err
	}
	// A notice waits until it is fetched, however long.
	terms := envelope.Terms{Audience: s.about.Entity, Now: now, MaxAge: 100 * 365 * 24 * time.Hour, MaxAhead: time.Minute}
	set, err := parsed.Verify(s.keys, terms)
	if errors.Is(err, envelope.ErrKey) {
		if err := s.readKeys(ctx); err != nil {
			return envelope.Claims{}, err
		}
		set, err = parsed.Verify(s.keys, terms)
	}
	if err != nil {
		return envelope.Claims{}, err
	}
	if set.Claims().Issuer != s.about.Audience {
		return envelope.Claims{}, fmt.Errorf("signed for %s, wanted %s", set.Claims().Issuer, s.about.Audience)
	}
	return set.Claims(), nil
}

func faultOf(err error) delivery.Fault {
	code := "invalid_request"
	switch {
	case errors.Is(err, envelope.ErrKey):
		code = "invalid_key"
	case errors.Is(err, envelope.ErrSignature):
		code = "authentication_failed"
	case errors.Is(err, envelope.ErrAudience):
		code = "invalid_audience"
	}
	return delivery.Fault{Err: code, Description: err.Error()}
}

// kind is what a notice is, in one word.
func (n received) kind() string {
	if kind, known := statement.KindOf(n.claims.EventURI); known {
		return string(kind)
	}
	return n.claims.EventURI[strings.LastIndexAny(n.claims.EventURI, "/:")+1:]
}

func noticesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notices",
		Short: "Show what the provider's gateway has to tell this reseller",
		Long: `notices polls once and prints what waits: findings, warnings, orders, requests. Each is checked against the keys that the
gateway publishes. It waits on until it is acknowledged (--ack), which the provider takes as proof that the reseller has it.`,
		Example: `  cipgate notices
  cipgate notices --ack --json
  cipgate notices --since 2026-03-01T00:00:00Z    once more, also what was acknowledged since then`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			home, _ := cmd.Flags().GetString("home")
			r, err := openReseller(home)
			if err != nil {
				return err
			}
			s, err := r.subscribe(cmd.Context())
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("since") {
				if err := s.replay(cmd); err != nil {
					return err
				}
			}
			got, more, faults, err := s.poll(cmd.Context(), said{AtOnce: true})
			if err != nil {
				return err
			}
			if ack, _ := cmd.Flags().GetBool("ack"); ack && len(got)+len(faults) > 0 {
				none := 0
				answer := said{MaxEvents: &none, AtOnce: true, SetErrs: faults}
				for _, one := range got {
					answer.Ack = append(answer.Ack, one.JTI)
				}
				if _, _, _, err := s.poll(cmd.Context(), answer); err != nil {
					return err
				}
			}
			return tellNotices(cmd, got, more, faults)
		},
	}
	cmd.Flags().String("since", "", "bring once more what was addressed to this reseller since this time, RFC 3339")
	cmd.Flags().Bool("ack", false, "say that this reseller has them: they are not shown again")
	registerHome(cmd)
	return cmd
}

// replay asks for what came before once more.
func (s *subscriber) replay(cmd *cobra.Command) error {
	text, _ := cmd.Flags().GetString("since")
	since, err := moment("since", text)
	if err != nil {
		return err
	}
	return s.ask(cmd.Context(), http.MethodPost, "/ssf/replay", map[string]any{"stream_id": s.id, "since": since}, new(any))
}

func tellNotices(cmd *cobra.Command, got []received, more bool, faults map[string]delivery.Fault) error {
	out := cmd.OutOrStdout()
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		items := got
		if items == nil {
			items = []received{}
		}
		return printJSON(out, struct {
			Items  []received                `json:"items"`
			More   bool                      `json:"more"`
			Faults map[string]delivery.Fault `json:"faults"`
		}{items, more, faults})
	}
	for _, one := range got {
		fmt.Fprintf(out, "%4d  %s  %-24s %s\n", one.Sequence, one.claims.IssuedAt.Format(time.RFC3339), one.kind(), one.claims.Event)
	}
	for jti, fault := range faults {
		fmt.Fprintf(out, "      NOT TAKEN %s: %s: %s\n", jti, fault.Err, fault.Description)
	}
	acknowledged, _ := cmd.Flags().GetBool("ack")
	switch {
	case len(got)+len(faults) == 0:
		fmt.Fprintln(out, "Nothing waits.")
	case more:
		fmt.Fprintln(out, "There is more. Next: cipgate notices --ack, then cipgate notices again")
	case !acknowledged:
		fmt.Fprintln(out, "Next: say that you have them: cipgate notices --ack")
	}
	return nil
}
