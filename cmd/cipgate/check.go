package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/events"
	"github.com/cipgate/cipgate/resellers/policy"
)

func checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Say everything that is wrong with a statement, and what it would change",
		Long: `check is push --dry-run where the gateway can be reached. Without a network, or without an enrolment in
--home, it checks here what can be checked: the form of the statement, by the schemas that this program carries.
FILE is as for push.`,
		Example: `  cipgate check attestation.json`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			home, _ := cmd.Flags().GetString("home")
			customer, _ := cmd.Flags().GetString("customer")
			var unreachable *exitError
			r, err := openReseller(home)
			if err == nil {
				var token []byte
				if token, err = r.tokenIn(cmd.Context(), args[0], customer); err == nil {
					var verdict events.Verdict
					if verdict, err = r.dryRun(cmd.Context(), token); err == nil {
						return tellVerdict(cmd, verdict)
					}
				}
				if !errors.As(err, &unreachable) || unreachable.code != exitRetry {
					return err
				}
			} else if !errors.As(err, &unreachable) {
				return err
			}
			verdict, here := checkHere(args[0], customer)
			if here != nil {
				return here
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "cipgate: only the form was checked, on this machine: %v\n", err)
			return tellVerdict(cmd, verdict)
		},
	}
	registerCustomer(cmd)
	registerHome(cmd)
	return cmd
}

// dryRun asks the gateway what it would say.
func (r *reseller) dryRun(ctx context.Context, token []byte) (events.Verdict, error) {
	var verdict events.Verdict
	a, err := newClient(r.about.Gateway, "").send(ctx, http.MethodPost, "/events/validate", events.MediaType, token)
	if err != nil {
		return verdict, err
	}
	if err := json.Unmarshal(a.body, &verdict); err != nil {
		return verdict, fmt.Errorf("reading the gateway's verdict: %w", err)
	}
	return verdict, nil
}

// checkHere looks at the form of a statement with nothing but what this program carries. Whom a token is meant for is
// not asked: that is the gateway's to know.
func checkHere(name, customer string) (events.Verdict, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return events.Verdict{}, wrong("FILE: %v", err)
	}
	rules := policy.Default().Intake
	terms := envelope.Terms{Audience: "urn:cipgate:here", Now: time.Now(), MaxAge: time.Duration(rules.MaxAge.Value), MaxAhead: time.Duration(rules.MaxAhead.Value)}
	var seen envelope.Inspected
	if token := strings.TrimSpace(string(text)); isToken(token) {
		seen = envelope.Inspect([]byte(token), terms)
	} else {
		kind, event, err := readEvents(name, text)
		if err != nil {
			return events.Verdict{}, err
		}
		members := map[string]any{"iss": "urn:cipgate:here", "aud": string(terms.Audience), "iat": terms.Now.Unix(),
			"jti": uuid.NewString(), "events": map[string]any{kind.URI(): event}}
		if customer != "" {
			members["sub_id"] = map[string]any{"format": "opaque", "id": customer}
		}
		claims, err := json.Marshal(members)
		if err != nil {
			return events.Verdict{}, fmt.Errorf("writing claims: %w", err)
		}
		seen = envelope.InspectClaims(claims, terms)
	}
	var problems []envelope.Problem
	for _, p := range seen.Problems {
		if !errors.Is(p.Reason, envelope.ErrAudience) {
			problems = append(problems, p)
		}
	}
	if seen.Readable {
		_, more := statement.Inspect(seen.Claims)
		problems = append(problems, more...)
	}
	verdict := events.VerdictOf(problems)
	verdict.Effect.Unknown = "Only the gateway knows what it would change."
	return verdict, nil
}

// tellVerdict prints a verdict. What would be refused is exit code 2, as when it is pushed.
func tellVerdict(cmd *cobra.Command, verdict events.Verdict) error {
	out := cmd.OutOrStdout()
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		if err := printJSON(out, verdict); err != nil {
			return err
		}
	} else {
		for _, p := range verdict.Problems {
			fmt.Fprintf(out, "%s\n  code    %s\n  wanted  %s\n  got     %s\n  do      %s\n  source  %s\n\n", orToken(p.Pointer), p.Code, p.Wanted, p.Got, p.Fix, p.Source)
		}
	}
	if !verdict.Accepted {
		return wrong("it would be refused: %d to mend", len(verdict.Problems))
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return nil
	}
	fmt.Fprintln(out, "Nothing is wrong with it. Nothing was stated.")
	if standing := verdict.Effect.Standing; standing != nil {
		fmt.Fprintf(out, "Pushed now, the standing would go from %s to %s.\n", standing.Before, standing.After)
	} else {
		fmt.Fprintln(out, verdict.Effect.Unknown)
	}
	for _, cured := range verdict.Effect.Cures {
		fmt.Fprintf(out, "  cures  %s\n", cured.Rule)
	}
	for _, opened := range verdict.Effect.Opens {
		fmt.Fprintf(out, "  opens  %s\n", opened.Rule)
	}
	return nil
}

// orToken names the whole token where a pointer is empty.
func orToken(pointer string) string {
	if pointer == "" {
		return "the token"
	}
	return pointer
}
