package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/enrolment"
	"github.com/cipgate/cipgate/resellers/registry"
	"github.com/cipgate/cipgate/sync/trust"
)

// enrolledKeys is what GET /enrolments/{id}, and every change of keys, is answered with.
type enrolledKeys struct {
	Entity string `json:"entity"`
	Status string `json:"status"`
	Keys   []struct {
		KeyID            string     `json:"kid"`
		Purpose          string     `json:"purpose"`
		InForce          bool       `json:"in_force"`
		ValidFrom        time.Time  `json:"valid_from"`
		ValidUntil       *time.Time `json:"valid_until,omitempty"`
		Reason           string     `json:"reason,omitempty"`
		CompromisedSince *time.Time `json:"compromised_since,omitempty"`
	} `json:"keys"`
}

func (k enrolledKeys) tell(cmd *cobra.Command, before, after string) error {
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return printJSON(cmd.OutOrStdout(), k)
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s\n", before)
	for _, key := range k.Keys {
		state := "in force"
		switch {
		case key.ValidUntil == nil:
		case key.InForce:
			state = "in force until " + key.ValidUntil.Format(time.RFC3339)
		default:
			state = "ended " + key.ValidUntil.Format(time.RFC3339)
		}
		if key.Reason != "" {
			state += " (" + key.Reason + ")"
		}
		if key.CompromisedSince != nil {
			state += ", compromised since " + key.CompromisedSince.Format(time.RFC3339)
		}
		fmt.Fprintf(out, "  %-10s  %-43s  %s\n", key.Purpose, key.KeyID, state)
	}
	fmt.Fprint(out, after)
	return nil
}

func keysCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: "A reseller's own keys: list, rotate, revoke", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(keysListCommand(), keysRotateCommand(), keysRevokeCommand())
	return cmd
}

func keysListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "Show which keys the provider has, and when each is or was in force", Args: cobra.NoArgs,
		Example: `  cipgate keys list`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			home, _ := cmd.Flags().GetString("home")
			r, err := openReseller(home)
			if err != nil {
				return err
			}
			var got enrolledKeys
			if err := newClient(r.about.Gateway, "").get(cmd.Context(), r.enrolmentPath(""), &got); err != nil {
				return err
			}
			return got.tell(cmd, fmt.Sprintf("Keys of %s (%s):\n", got.Entity, got.Status), "")
		},
	}
	registerHome(cmd)
	return cmd
}

func keysRotateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Replace a key by a new one; both verify for a day",
		Long: `rotate makes a new key, tells the provider, and uses it from then on. The old key verifies until the overlap
ends, so that nothing under way is refused; it is kept in the folder "replaced". Cut short, type it again.
A key that somebody else may have is not rotated but revoked: cipgate keys revoke.`,
		Example: `  cipgate keys rotate
  cipgate keys rotate --federation --overlap 168h`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			home, _ := cmd.Flags().GetString("home")
			r, err := openReseller(home)
			if err != nil {
				return err
			}
			overlap, _ := cmd.Flags().GetDuration("overlap")
			if overlap < time.Second || overlap > registry.MaxOverlap {
				return wrong("--overlap: wanted 1s to %s, got %s", registry.MaxOverlap, overlap)
			}
			got, err := r.rotate(cmd.Context(), purposeOf(cmd), overlap)
			if err != nil {
				return err
			}
			served, err := r.republish(cmd.Context())
			if err != nil {
				return err
			}
			return got.tell(cmd, "Rotated; the new key signs from now on.\n", served)
		},
	}
	cmd.Flags().Bool("federation", false, "the key that signs entity statements, instead of the one that signs statements")
	cmd.Flags().Duration("overlap", registry.DefaultOverlap, "how long the old key verifies beside the new one")
	registerHome(cmd)
	return cmd
}

func keysRevokeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "revoke [flags] -- KID",
		Short: "Have a key refused at once; replaces it if it is in use here",
		Long: `revoke tells the provider, signed by the federation key, that a key must not verify any more. With
--compromised-since, what was accepted after that time is marked: somebody else may have signed it. Nothing is deleted.
If the key is the one in use here, a new one takes its place in the same breath.
A KID may begin with a hyphen: behind -- it is never read as a flag.
If the federation key is lost too, ask your provider for a new invitation.`,
		Example: `  cipgate keys revoke --compromised-since 2026-03-01T12:00:00Z -- kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			home, _ := cmd.Flags().GetString("home")
			r, err := openReseller(home)
			if err != nil {
				return err
			}
			since := time.Time{}
			if text, _ := cmd.Flags().GetString("compromised-since"); text != "" {
				if since, err = time.Parse(time.RFC3339, text); err != nil {
					return wrong("--compromised-since: wanted a time such as 2026-03-01T12:00:00Z, got %q", text)
				}
			}
			got, err := r.revoke(cmd.Context(), purposeOf(cmd), args[0], since)
			if err != nil {
				return err
			}
			served, err := r.republish(cmd.Context())
			if err != nil {
				return err
			}
			return got.tell(cmd, "Revoked: nothing that this key signs is accepted any more.\n", served)
		},
	}
	cmd.Flags().Bool("federation", false, "KID is of the key that signs entity statements")
	cmd.Flags().String("compromised-since", "", "since when somebody else may have used the key, RFC 3339")
	registerHome(cmd)
	return cmd
}

func purposeOf(cmd *cobra.Command) string {
	if federation, _ := cmd.Flags().GetBool("federation"); federation {
		return registry.PurposeFederation
	}
	return registry.PurposeStatement
}

func (r *reseller) enrolmentPath(below string) string {
	return "/enrolments/" + r.about.Entity.ID().String() + below
}

// signer is the key of one purpose that is in use.
func (r *reseller) signer(purpose string) *envelope.Signer {
	if purpose == registry.PurposeFederation {
		return &r.federation
	}
	return &r.statements
}

// rotate replaces the key of one purpose.
func (r *reseller) rotate(ctx context.Context, purpose string, overlap time.Duration) (enrolledKeys, error) {
	next, err := r.nextKey(purpose)
	if err != nil {
		return enrolledKeys{}, err
	}
	keys, err := trust.PublicKeys(next)
	if err != nil {
		return enrolledKeys{}, err
	}
	now, err := r.now(ctx)
	if err != nil {
		return enrolledKeys{}, err
	}
	request, err := trust.KeyRequest{Entity: r.about.Entity, Audience: r.about.Audience, Purpose: purpose, Keys: keys,
		OverlapUntil: now.Add(overlap)}.Rotation(*r.signer(purpose), now)
	if err != nil {
		return enrolledKeys{}, err
	}
	got, err := r.ask(ctx, "/jwks", enrolment.MediaTypeKeySet, request)
	if err != nil {
		return got, err
	}
	return got, r.takeUp(purpose, next)
}

// revoke has a key refused; the one in use is replaced in the same request.
func (r *reseller) revoke(ctx context.Context, purpose, kid string, since time.Time) (got enrolledKeys, err error) {
	request := trust.KeyRequest{Entity: r.about.Entity, Audience: r.about.Audience, Purpose: purpose, KeyIDs: []string{kid}, CompromisedSince: since}
	inUse := r.signer(purpose).KeyID() == kid
	var next envelope.Signer
	if inUse {
		if next, err = r.nextKey(purpose); err != nil {
			return got, err
		}
		if request.Keys, err = trust.PublicKeys(next); err != nil {
			return got, err
		}
	}
	now, err := r.now(ctx)
	if err != nil {
		return got, err
	}
	signed, err := request.Revocation(r.federation, now)
	if err != nil {
		return got, err
	}
	if got, err = r.ask(ctx, "/revocations", enrolment.MediaTypeRevocation, signed); err != nil || !inUse {
		return got, err
	}
	return got, r.takeUp(purpose, next)
}

func (r *reseller) ask(ctx context.Context, below, mediaType string, request []byte) (got enrolledKeys, err error) {
	a, err := newClient(r.about.Gateway, "").send(ctx, http.MethodPost, r.enrolmentPath(below), mediaType, request)
	if err != nil {
		return got, err
	}
	if err := json.Unmarshal(a.body, &got); err != nil {
		return got, fmt.Errorf("reading what %s answered: %w", r.about.Gateway, err)
	}
	return got, nil
}

// nextKey makes the key that follows, or takes the one that a try which was cut short has made.
func (r *reseller) nextKey(purpose string) (envelope.Signer, error) {
	path := filepath.Join(r.home, purpose+".next.pem")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(path); err != nil {
			return envelope.Signer{}, err
		}
	}
	key, err := readKey(path)
	if err != nil {
		return envelope.Signer{}, err
	}
	return envelope.NewSigner(key)
}

// takeUp puts the next key in the place of the one in use, which is kept under its kid. At no moment is there none.
func (r *reseller) takeUp(purpose string, next envelope.Signer) error {
	inUse := filepath.Join(r.home, purpose+".pem")
	folder := filepath.Join(r.home, "replaced")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("keeping the old key: %w", err)
	}
	kept := filepath.Join(folder, purpose+"-"+r.signer(purpose).KeyID()+".pem")
	if err := os.Link(inUse, kept); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("keeping the old key: %w", err)
	}
	if err := os.Rename(filepath.Join(r.home, purpose+".next.pem"), inUse); err != nil {
		return fmt.Errorf("taking up the new key: %w", err)
	}
	*r.signer(purpose) = next
	return nil
}

// configurationFile is where a reseller with a host of its own finds what it serves there.
const configurationFile = "openid-federation.jwt"

// republish brings the entity configuration up to date with the keys: at the gateway if it hosts the identifier, else in
// a file. It returns what is left for the reseller to do, in words.
func (r *reseller) republish(ctx context.Context) (string, error) {
	now, err := r.now(ctx)
	if err != nil {
		return "", err
	}
	configuration, err := r.configuration(now)
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(string(r.about.Entity), string(r.about.Audience)+"/e/") {
		_, err := r.ask(ctx, "/configuration", enrolment.MediaType, configuration)
		return "", err
	}
	path := filepath.Join(r.home, configurationFile)
	if err := os.WriteFile(path, configuration, 0o600); err != nil {
		return "", fmt.Errorf("writing the entity configuration: %w", err)
	}
	return "\nNext: " + serveThis(path, r.about.Entity), nil
}

// serveThis says how an entity configuration is served.
func serveThis(path string, entity envelope.Entity) string {
	return fmt.Sprintf("serve %s\n  at    %s/.well-known/openid-federation\n  as    Content-Type: %s\n", path, entity, enrolment.MediaType)
}

func confirmCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "confirm URL/TOKEN",
		Short:   "Confirm that the provider reaches you as a reseller's contact",
		Long:    "confirm does what the button of the page behind the link does.",
		Example: `  cipgate confirm https://cip.provider.example/confirm/TOKEN`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			gateway, token, ok := strings.Cut(args[0], "/confirm/")
			if !ok || token == "" {
				return wrong("wanted the address from your provider, such as https://cip.provider.example/confirm/TOKEN, got %q. Or open it in a browser", args[0])
			}
			var got struct {
				Entity      string    `json:"entity"`
				ConfirmedAt time.Time `json:"confirmed_at"`
			}
			a, err := newClient(gateway, token).send(cmd.Context(), http.MethodPost, "/confirmations", "", nil)
			if err != nil {
				return err
			}
			if err := json.Unmarshal(a.body, &got); err != nil {
				return fmt.Errorf("reading what %s answered: %w", gateway, err)
			}
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				return printJSON(cmd.OutOrStdout(), got)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Confirmed at %s: %s is reached through you.\n", got.ConfirmedAt.Format(time.RFC3339), got.Entity)
			return err
		},
	}
}
