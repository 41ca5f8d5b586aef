package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// approvalShown is a step that waits for people, as /v1/approvals tells it.
type approvalShown struct {
	ID      string     `json:"id"`
	JTI     string     `json:"jti"`
	Name    string     `json:"name"`
	Entity  string     `json:"reseller"`
	Step    string     `json:"step"`
	Does    string     `json:"does"`
	Needed  int        `json:"needed"`
	Given   []byPerson `json:"given"`
	Refused *byPerson  `json:"refused"`
	Whose   string     `json:"whose"`
	StepAt  time.Time  `json:"step_at"`
	LimitAt *time.Time `json:"limit_at"`
	Silence string     `json:"silence"`

	Unproved string `json:"unproved,omitzero"`

	May    bool   `json:"you_may_approve"`
	WhyNot string `json:"why_not"`
}

type byPerson struct {
	By struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitzero"`
}

// recorded is what an act of an officer answers.
type recorded struct {
	JTI       string    `json:"jti"`
	LeafIndex int64     `json:"leaf_index"`
	Digest    string    `json:"digest"`
	At        time.Time `json:"at"`
	Next      string    `json:"next_step"`
}

func (r recorded) tell(out io.Writer) {
	fmt.Fprintf(out, "Recorded as entry %d (jti %s, receipt /receipts/%s).\n%s\n", r.LeafIndex, r.JTI, r.Digest, r.Next)
}

func approvalsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "approvals", Short: "List the steps that people are asked about now, the most urgent first; approve or refuse one", Args: cobra.NoArgs,
		Example: `  cipgate approvals
  cipgate approvals approve ID --reason "They had their time, and the notice was proved."`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return tellEvery(cmd, "/v1/approvals", url.Values{"limit": {"1000"}},
				"Nobody is asked about a step now. What will be asked stands with each case: cipgate case show", tellApproval)
		},
	}
	registerClient(cmd)
	cmd.AddCommand(decideCommand("approve", "Approve a step"), decideCommand("refuse", "Refuse a step; it waits for another officer"))
	return cmd
}

func tellApproval(out io.Writer, a approvalShown) {
	fmt.Fprintf(out, "%s  %s (%s)\n  %s\n  %s\n", a.StepAt.Format(time.RFC3339), a.Name, a.Entity, a.Does, approvalState(a))
	fmt.Fprintf(out, "  next: cipgate approvals approve %s --reason ..., or refuse\n", a.ID)
}

func approvalState(a approvalShown) string {
	names := make([]string, len(a.Given))
	for i, one := range a.Given {
		names[i] = one.By.Name
	}
	state := fmt.Sprintf("approved by %d of %d people", len(a.Given), a.Needed)
	if len(names) > 0 {
		state += " (" + strings.Join(names, ", ") + ")"
	}
	if a.Refused != nil {
		state += fmt.Sprintf("; refused by %s: %s", a.Refused.By.Name, a.Refused.Reason)
	}
	switch a.Whose {
	case "":
		state += "; not asked yet"
	default:
		state += "; asked of the " + a.Whose
	}
	if a.Silence == "acts" {
		state += "; without an answer it is taken all the same"
	} else {
		state += "; without an answer it waits"
	}
	if a.Unproved != "" {
		state += "; beside, " + a.Unproved
	}
	if !a.May {
		state += ". " + a.WhyNot
	}
	return state
}

// reasonCommand is an act that takes nothing but what it is done to and a reason.
func reasonCommand(use, short, example string, count int, path func(args []string) (string, error)) *cobra.Command {
	var wanted struct {
		Reason string `json:"reason"`
	}
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(count), Example: "  cipgate " + example,
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := path(args)
			if err != nil {
				return err
			}
			return postAct(cmd, to, wanted)
		},
	}
	registerReason(cmd, &wanted.Reason)
	registerClient(cmd)
	return cmd
}

// postAct posts an act and tells what was recorded.
func postAct(cmd *cobra.Command, path string, value any) error {
	var done recorded
	return ask(cmd, http.MethodPost, path, value, &done, func() { done.tell(cmd.OutOrStdout()) })
}

func decideCommand(action, short string) *cobra.Command {
	return reasonCommand(action+" ID", short, "approvals "+action+` ID --reason "..."`, 1, func(args []string) (string, error) {
		return "/v1/approvals/" + url.PathEscape(args[0]) + "/" + action, nil
	})
}

// resellerID reads a reseller's id, or its entity identifier.
func resellerID(text string) (string, error) {
	if id, err := envelope.ParseID(text); err == nil {
		return id.String(), nil
	}
	entity, err := envelope.ParseEntity(text)
	if err != nil {
		return "", wrong("reseller: wanted its entity identifier, such as https://reseller.example, or its id of 43 characters as GET /v1/resellers lists it: %v", err)
	}
	return entity.ID().String(), nil
}

// ofReseller is the path of something of the reseller that the first argument names; further arguments fill the verbs of the format.
func ofReseller(format string) func(args []string) (string, error) {
	return func(args []string) (string, error) {
		id, err := resellerID(args[0])
		if err != nil {
			return "", err
		}
		values := []any{id}
		for _, arg := range args[1:] {
			values = append(values, url.PathEscape(arg))
		}
		return fmt.Sprintf("/v1/resellers/%s"+format, values...), nil
	}
}

// moment reads a time of a flag.
func moment(flag, text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, wrong("--%s: wanted a time such as 2026-03-01T12:00:00Z, got %q", flag, text)
	}
	return at, nil
}

func caseCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "case", Short: "Open cases, and what officers do about them", Args: cobra.NoArgs,
		Long: `A case is the escalation of one reseller. RESELLER is its entity identifier or its id. Every act takes a reason, stands in the ledger under
the name of whoever's token is shown, and is checked by the same rules as on the pages.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(caseListCommand(), caseShowCommand(), caseHoldCommand(), caseExtendCommand(), caseLimitCommand(), casePolicyCommand(), caseInquireCommand(),
		caseToldCommand(), caseCallsCommand(), caseAnswersCommand(), caseReinstateCommand(), caseSuccessorCommand(),
		reasonCommand("lift RESELLER HOLD", "End a hold now; of a stay, after another officer proposed it", `case lift https://reseller.example HOLD --reason "..."`, 2, ofReseller("/case/holds/%s/lift")),
		reasonCommand("propose-lift RESELLER HOLD", "Propose that a stay be lifted", `case propose-lift https://reseller.example HOLD --reason "..."`, 2, ofReseller("/case/holds/%s/propose-lift")),
		reasonCommand("accept RESELLER REMEDIATION", "Take what a reseller said as a cure", `case accept https://reseller.example JTI --reason "..."`, 2, ofReseller("/remediations/%s/accept")),
		reasonCommand("reject RESELLER REMEDIATION", "Say that it cures nothing, or that no more time is given", `case reject https://reseller.example JTI --reason "..."`, 2, ofReseller("/remediations/%s/reject")),
		reasonCommand("uphold RESELLER DISPUTE", "Decide a dispute for the reseller", `case uphold https://reseller.example JTI --reason "..."`, 2, ofReseller("/appeals/%s/uphold")),
		reasonCommand("dismiss RESELLER DISPUTE", "Decide a dispute against the reseller", `case dismiss https://reseller.example JTI --reason "..."`, 2, ofReseller("/appeals/%s/reject")),
		proposalsCommand(),
		reasonCommand("confirm PROPOSAL", "Confirm, as another person, what was proposed", `case confirm ID --reason "..."`, 1, func(args []string) (string, error) {
			return "/v1/proposals/" + url.PathEscape(args[0]) + "/confirm", nil
		}),
		reasonCommand("withdraw PROPOSAL", "Take back what you proposed, a policy too", `case withdraw ID --reason "..."`, 1, func(args []string) (string, error) {
			return "/v1/proposals/" + url.PathEscape(args[0]) + "/withdraw", nil
		}))
	return cmd
}

// caseShown is an open case as /v1 tells it; the lists keep the words of the API.
type caseShown struct {
	ResellerID string           `json:"reseller_id"`
	Reseller   string           `json:"reseller"`
	Name       string           `json:"name"`
	Standing   string           `json:"standing"`
	ID         string           `json:"id"`
	Policy     string           `json:"policy"`
	OpenedAt   time.Time        `json:"opened_at"`
	LimitAt    *time.Time       `json:"limit_at"`
	Findings   []map[string]any `json:"findings"`
	Holds      []map[string]any `json:"holds"`
	Reviews    []map[string]any `json:"pending_review"`
	Decisions  []map[string]any `json:"decisions"`
	Limits     []map[string]any `json:"limit_extensions"`
	Approvals  []approvalShown  `json:"approvals"`

	Notice      *noticeShown      `json:"notice"`
	Obligations []obligationShown `json:"obligations"`
	Successor   *struct {
		Entity string    `json:"entity"`
		Until  time.Time `json:"until"`
	} `json:"successor"`
}

func caseListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List the open cases", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return tellEvery(cmd, "/v1/cases", url.Values{"limit": {"1000"}}, "No case is open.", func(out io.Writer, c caseShown) {
				limit := "no limit yet"
				if c.LimitAt != nil {
					limit = "limit " + c.LimitAt.Format(time.RFC3339)
				}
				fmt.Fprintf(out, "%-10s  %s  %-32s %s\n", c.Standing, limit, c.Name, c.Reseller)
			})
		},
	}
	registerClient(cmd)
	return cmd
}

func caseShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show RESELLER", Short: "Show the open case of a reseller", Args: cobra.ExactArgs(1),
		Example: "  cipgate case show https://reseller.example",
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := ofReseller("/case")(args)
			if err != nil {
				return err
			}
			var c caseShown
			return ask(cmd, http.MethodGet, path, nil, &c, func() { tellCase(cmd.OutOrStdout(), c) })
		},
	}
	registerClient(cmd)
	return cmd
}

func tellCase(out io.Writer, c caseShown) {
	fmt.Fprintf(out, "%s (%s): %s\n", c.Name, c.Reseller, c.Standing)
	if c.ID == "" {
		fmt.Fprintln(out, "  no case is open")
		return
	}
	fmt.Fprintf(out, "  case %s, opened %s, judged by %s\n", c.ID, c.OpenedAt.Format(time.RFC3339), c.Policy)
	if c.LimitAt != nil {
		fmt.Fprintf(out, "  limit %s, which nothing passes silently\n", c.LimitAt.Format(time.RFC3339))
	}
	for _, f := range c.Findings {
		fmt.Fprintf(out, "  finding  %v, %v, since %v; cure: %v\n", f["rule"], f["severity"], f["since"], f["cure"])
	}
	for _, h := range c.Holds {
		if h["in_force"] == true {
			fmt.Fprintf(out, "  hold     %v until %v (%v)\n           id %v\n", h["kind"], h["ends_at"], h["reason"], h["id"])
		}
	}
	for _, r := range c.Reviews {
		fmt.Fprintf(out, "  answer   %v of %v waits for a decision\n           jti %v\n", r["kind"], r["finding"], r["id"])
	}
	if c.Notice != nil {
		fmt.Fprintf(out, "  notice   %s\n           jti %s\n", c.Notice.Words, c.Notice.Notice)
	}
	if n := c.Successor; n != nil {
		fmt.Fprintf(out, "  successor %s takes verified customers until %s, if the relationship ends\n", n.Entity, n.Until.Format(time.RFC3339))
	}
	for _, o := range c.Obligations {
		fmt.Fprintf(out, "  owed     %s, %s, due %s\n           id %s\n", o.What, o.State, o.DueAt.Format(time.RFC3339), o.ID)
	}
	for _, a := range c.Approvals {
		fmt.Fprintf(out, "  approval %s at %s: %s\n           id %s\n", a.Step, a.StepAt.Format(time.RFC3339), approvalState(a), a.ID)
	}
}

func proposalsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "proposals", Short: "List what one officer proposed and another must confirm", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var found struct {
				Items []map[string]any `json:"items"`
			}
			return ask(cmd, http.MethodGet, "/v1/proposals?limit=1000", nil, &found, func() {
				for _, p := range found.Items {
					tellProposal(cmd.OutOrStdout(), p)
				}
				if len(found.Items) == 0 {
					fmt.Fprintln(cmd.OutOrStdout(), "Nothing waits to be confirmed.")
				}
			})
		},
	}
	registerClient(cmd)
	return cmd
}
