package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// measureTold is a version of a special measure as the gateway tells it.
type measureTold struct {
	ID          string   `json:"id"`
	Version     int      `json:"version"`
	LeafIndex   int64    `json:"leaf_index"`
	Country     string   `json:"country,omitzero"`
	Names       []string `json:"names,omitzero"`
	Countries   []string `json:"countries,omitzero"`
	Effect      string   `json:"effect"`
	Conditions  string   `json:"conditions,omitzero"`
	Determined  string   `json:"determined_on"`
	EffectiveAt string   `json:"effective_at"`
	EndsAt      string   `json:"ends_at"`
	Status      string   `json:"status"`
	Lifted      bool     `json:"lifted"`
	Screened    string   `json:"screened,omitzero"`
	List        string   `json:"list"`
	Source      string   `json:"source"`
	Warnings    []string `json:"warnings,omitzero"`
}

// measureSaid is one as an officer records it.
type measureSaid struct {
	ID           string   `json:"id"`
	Country      string   `json:"country,omitzero"`
	Names        []string `json:"names,omitempty"`
	Aliases      []string `json:"aliases,omitempty"`
	Countries    []string `json:"countries,omitempty"`
	Effect       string   `json:"effect"`
	Conditions   string   `json:"conditions,omitzero"`
	DeterminedOn string   `json:"determined_on"`
	EffectiveOn  string   `json:"effective_on"`
	ExpiresOn    string   `json:"expires_on"`
	List         string   `json:"list"`
	Source       string   `json:"source"`
}

func measuresCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "measures", Short: "Special measures: whom the provider and its resellers may not serve, or only under conditions", Args: cobra.NoArgs,
		Long: `A special measure (15 CFR 7.307, proposed) is against a country or a person. Record it as it was published. Every reseller, customer
and owner on file is held against it at once, again when it comes into force, and whoever is stated later as they come: cipgate hits list.
A day is a whole one, UTC.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(measuresListCommand(), measuresImposeCommand(), measuresExtendCommand(), measuresLiftCommand())
	return cmd
}

// everyMeasure reads all versions of all measures, in the order in which they were imposed.
func everyMeasure(ctx context.Context, api *client) ([]measureTold, error) {
	return everyPage[measureTold](ctx, api, "/v1/special-measures", url.Values{})
}

func measuresListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "Every version of every special measure, oldest first", Args: cobra.NoArgs, Example: "  cipgate measures list --current",
		RunE: func(cmd *cobra.Command, _ []string) error {
			api, err := clientOf(cmd)
			if err != nil {
				return err
			}
			all, err := everyMeasure(cmd.Context(), api)
			if err != nil {
				return err
			}
			if current, _ := cmd.Flags().GetBool("current"); current {
				all = slices.DeleteFunc(all, func(m measureTold) bool { return m.Status == "over" })
			}
			return tellList(cmd, all, "There is no special measure. Record one as it was published: cipgate measures impose", tellMeasure)
		},
	}
	cmd.Flags().Bool("current", false, "only those in force or ahead")
	registerClient(cmd)
	return cmd
}

func tellMeasure(out io.Writer, m measureTold) {
	against := "the country " + m.Country
	if m.Country == "" {
		against = strings.Join(m.Names, ", ")
	}
	effect := "prohibits accounts"
	if m.Effect == "condition" {
		effect = "sets conditions on accounts: " + m.Conditions
	}
	fmt.Fprintf(out, "%s, version %d: %s\n  against   %s\n  effect    %s\n  in force  from %s until %s\n  list      %s; %s\n", m.ID, m.Version, statusWords(m), against, effect,
		dayOf(m.EffectiveAt), dayOf(m.EndsAt), m.List, m.Source)
	if screened := map[string]string{"pending": "not everybody yet", "since-imposed": "everybody on file, since it was imposed", "since-in-force": "everybody on file, since it came into force"}[m.Screened]; screened != "" {
		fmt.Fprintf(out, "  screened  %s\n", screened)
	}
}

func statusWords(m measureTold) string {
	switch {
	case m.Lifted && m.Status == "over":
		return "lifted"
	case m.Lifted:
		return m.Status + ", to end by lifting"
	}
	return m.Status
}

// dayOf shortens a midnight to its day.
func dayOf(text string) string {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || !at.Equal(at.Truncate(24*time.Hour)) {
		return text
	}
	return at.UTC().Format(time.DateOnly)
}

func tellImposed(cmd *cobra.Command, m *measureTold) func() {
	return func() {
		out := cmd.OutOrStdout()
		for _, warning := range m.Warnings {
			fmt.Fprintf(out, "Outside the rule's numbers, and recorded as the policy allows: %s\n", warning)
		}
		tellMeasure(out, *m)
		fmt.Fprintf(out, "Recorded as entry %d. Next, whom it hits: cipgate hits list --measure %s\n", m.LeafIndex, quoted(m.ID))
	}
}

// quoted is a word as a shell takes it.
func quoted(word string) string {
	if strings.ContainsFunc(word, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-_./:", c)
	}) || word == "" {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}

func measuresImposeCommand() *cobra.Command {
	var said measureSaid
	cmd := &cobra.Command{
		Use: "impose", Short: "Record a special measure as it was published", Args: cobra.NoArgs,
		Example: `  cipgate measures impose --id sm-2027-1 --country KP --effect prohibit --determined-on 2026-06-01 --effective-on 2027-01-01 \
    --expires-on 2027-12-31 --list us-special-measures-2026.2 --source "91 FR 12345"
  cipgate measures impose --id sm-2027-2 --name "Ghost Hosting LLC" --alias "Ghost Host" --effect condition --conditions "No accelerators." ...`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var made measureTold
			return ask(cmd, http.MethodPost, "/v1/special-measures", said, &made, tellImposed(cmd, &made))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&said.ID, "id", "", "yours; an extension carries the same")
	flags.StringVar(&said.Country, "country", "", "the jurisdiction, ISO 3166-1 alpha-2; or give --name")
	flags.StringArrayVar(&said.Names, "name", nil, "a name of the person; may be given again")
	flags.StringArrayVar(&said.Aliases, "alias", nil, "another name of the person; may be given again")
	flags.StringSliceVar(&said.Countries, "person-country", nil, "countries that the measure names with the person")
	flags.StringVar(&said.Effect, "effect", "prohibit", "prohibit, or condition with --conditions")
	flags.StringVar(&said.Conditions, "conditions", "", "the conditions, in the words of the measure")
	flags.StringVar(&said.DeterminedOn, "determined-on", "", "when the Department determined it, YYYY-MM-DD")
	flags.StringVar(&said.EffectiveOn, "effective-on", "", "its first day, YYYY-MM-DD")
	flags.StringVar(&said.ExpiresOn, "expires-on", "", "its last day, YYYY-MM-DD")
	flags.StringVar(&said.List, "list", "", "the list it was read from, with its version, such as us-special-measures-2026.2")
	flags.StringVar(&said.Source, "source", "", "where it was published")
	registerClient(cmd)
	return cmd
}

func measuresExtendCommand() *cobra.Command {
	var said measureSaid
	cmd := &cobra.Command{
		Use: "extend ID", Short: "Record that a special measure goes on, as its next version", Args: cobra.ExactArgs(1),
		Long: `extend says again what the measure says, from the day on which it would end to a later one. If the extension changes more than the days
(names, effect, conditions), record it with impose under the same --id.`,
		Example: `  cipgate measures extend sm-2027-1 --determined-on 2027-11-02 --expires-on 2028-12-30 --list us-special-measures-2027.4 --source "92 FR 54321"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			api, err := clientOf(cmd)
			if err != nil {
				return err
			}
			last, err := lastVersion(cmd.Context(), api, args[0])
			if err != nil {
				return err
			}
			named := min(len(last.Names), maxNames) // the rest came as aliases, which are told among the names
			said.ID, said.Country, said.Names, said.Aliases, said.Countries = last.ID, last.Country, last.Names[:named], last.Names[named:], last.Countries
			said.Effect, said.Conditions = last.Effect, last.Conditions
			if said.EffectiveOn == "" {
				said.EffectiveOn = dayOf(last.EndsAt)
			}
			var made measureTold
			return ask(cmd, http.MethodPost, "/v1/special-measures", said, &made, tellImposed(cmd, &made))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&said.DeterminedOn, "determined-on", "", "when the Department determined the extension, YYYY-MM-DD")
	flags.StringVar(&said.EffectiveOn, "effective-on", "", "its first day, YYYY-MM-DD (default: the day after the version before ends)")
	flags.StringVar(&said.ExpiresOn, "expires-on", "", "its new last day, YYYY-MM-DD")
	flags.StringVar(&said.List, "list", "", "the list it was read from, with its version, such as us-special-measures-2026.2")
	flags.StringVar(&said.Source, "source", "", "where it was published")
	registerClient(cmd)
	return cmd
}

// maxNames is how many names a measure may have beside aliases.
const maxNames = 20

// lastVersion is the version of a measure that an extension builds on.
func lastVersion(ctx context.Context, api *client, id string) (measureTold, error) {
	all, err := everyMeasure(ctx, api)
	if err != nil {
		return measureTold{}, err
	}
	for _, m := range slices.Backward(all) {
		if m.ID != id {
			continue
		}
		if m.Lifted {
			return measureTold{}, wrong("the special measure %q was lifted, to end at %s. What was lifted is imposed anew: cipgate measures impose", id, dayOf(m.EndsAt))
		}
		return m, nil
	}
	return measureTold{}, wrong("there is no special measure %q. Those on record: cipgate measures list", id)
}

func measuresLiftCommand() *cobra.Command {
	var said struct {
		LiftedOn string `json:"lifted_on"`
		Reason   string `json:"reason"`
		List     string `json:"list"`
		Source   string `json:"source"`
	}
	cmd := &cobra.Command{
		Use: "lift ID", Short: "Record that a special measure no longer holds from a day on", Args: cobra.ExactArgs(1),
		Example: `  cipgate measures lift sm-2027-1 --on 2027-06-01 --reason "Revoked." --list us-special-measures-2027.3 --source "92 FR 22222"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var made measureTold
			return ask(cmd, http.MethodPost, "/v1/special-measures/"+url.PathEscape(args[0])+"/lift", said, &made, func() {
				tellMeasure(cmd.OutOrStdout(), made)
				fmt.Fprintln(cmd.OutOrStdout(), "Recorded. From that day on nobody falls under it, and whom it hit is dropped from the list.")
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&said.LiftedOn, "on", "", "from which day it no longer holds, YYYY-MM-DD")
	flags.StringVar(&said.Reason, "reason", "", "why")
	flags.StringVar(&said.List, "list", "", "the list that says so, with its version")
	flags.StringVar(&said.Source, "source", "", "where it was published")
	registerClient(cmd)
	return cmd
}
