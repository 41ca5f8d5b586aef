package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cipgate/cipgate/resellers/policy"
)

func policyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Policies: check, compare, try on the past, run beside, put in force",
		Long: `A policy file holds the numbers by which resellers are judged, each with its unit, its source and its status, and the rules that are on.
check, show and diff need no gateway. Before one is put in force it is tried: backtest on the past, shadow beside the one in force,
simulate on one reseller's future. It takes two people to put one in force: propose shows what it would move and puts that on record, and
another person's activate shows it again and does it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(policyCheckCommand(), policyShowCommand(), policyDiffCommand(), policyBacktestCommand(), policySimulateCommand(), policyShadowCommand(),
		policyProposeCommand(), policyActivateCommand(), policyListCommand())
	return cmd
}

// policyChecked is what policy check says.
type policyChecked struct {
	Policy  string         `json:"policy,omitzero"`
	Digest  string         `json:"digest,omitzero"`
	On      []string       `json:"on,omitzero"`
	Off     []string       `json:"off,omitzero"`
	Faults  []policy.Fault `json:"faults,omitzero"`
	Refused bool           `json:"refused"`
}

func policyCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Say everything that is wrong with a policy file, by line and field",
		Long: `check reads a policy file as serve does, and names every fault at once. Exit code 2: it would be refused.
FILE - is standard input.`,
		Example: `  cipgate policy show us-iaas-2024 --file > ours.yaml
  cipgate policy check ours.yaml`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readPolicy(cmd, args[0])
			if err != nil {
				return err
			}
			p, refused := policy.Parse(text)
			said := policyChecked{Refused: refused != nil}
			if refused != nil {
				said.Faults = faultsOf(refused)
			} else {
				said.Policy, said.Digest = p.ID(), p.Digest()
				for _, rule := range p.Rules.All() {
					if rule.On {
						said.On = append(said.On, rule.Name)
					} else {
						said.Off = append(said.Off, rule.Name)
					}
				}
			}
			out := cmd.OutOrStdout()
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				if err := printJSON(out, said); err != nil {
					return err
				}
			} else {
				said.print(out, args[0])
			}
			if refused != nil {
				return wrong("%s: %d faults; nothing is judged by it until they are mended", args[0], len(said.Faults))
			}
			return nil
		},
	}
}

func (c policyChecked) print(out io.Writer, file string) {
	for _, fault := range c.Faults {
		fmt.Fprintln(out, fault.Error())
	}
	if c.Refused {
		return
	}
	fmt.Fprintf(out, "%s is the policy %s. SHA-256 of the file: %s\n  on   %s\n  off  %s\nCompare it with what is in force, then put it in force:\n  cipgate policy diff us-iaas-2024 %s\n  cipgate policy propose %s --reason ...     (a second person then: cipgate policy activate; a new gateway: cipgate serve --policy %s)\n",
		file, c.Policy, c.Digest, orNone(c.On), orNone(c.Off), file, file, file)
}

func orNone(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

// faultsOf finds the faults in what Parse returned.
func faultsOf(err error) []policy.Fault {
	if many, ok := errors.Unwrap(err).(interface{ Unwrap() []error }); ok {
		var faults []policy.Fault
		for _, one := range many.Unwrap() {
			if fault := (*policy.Fault)(nil); errors.As(one, &fault) {
				faults = append(faults, *fault)
			}
		}
		return faults
	}
	return nil
}

func policyShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show [NAME|FILE]",
		Short: "Print a policy, or list those that this program carries",
		Example: `  cipgate policy show
  cipgate policy show in-cert-2022
  cipgate policy show us-iaas-2024 --file > ours.yaml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			out := cmd.OutOrStdout()
			asJSON, _ := cmd.Flags().GetBool("json")
			if len(args) == 0 {
				return listPolicies(out, asJSON)
			}
			p, err := namedPolicy(cmd, args[0])
			if err != nil {
				return err
			}
			if asFile, _ := cmd.Flags().GetBool("file"); asFile {
				_, err := io.WriteString(out, p.Document())
				return err
			}
			if asJSON {
				return printJSON(out, p)
			}
			fmt.Fprintf(out, "%s  %s\nSHA-256 of the file: %s\n\n", p.ID(), p.Title, p.Digest())
			for _, field := range p.Fields() {
				fmt.Fprintf(out, "%-46s %s\n", field.Name, field.Value)
			}
			return nil
		},
	}
	cmd.Flags().Bool("file", false, "print the file itself, remarks and all: where to begin one's own")
	return cmd
}

func listPolicies(out io.Writer, asJSON bool) error {
	type shipped struct {
		Policy string `json:"policy"`
		Title  string `json:"title"`
		Status string `json:"status"`
	}
	var list []shipped
	for _, p := range policy.Shipped() {
		list = append(list, shipped{p.ID(), p.Title, p.Status})
	}
	if asJSON {
		return printJSON(out, map[string]any{"items": list})
	}
	for _, p := range list {
		fmt.Fprintf(out, "%-22s %s (%s)\n", p.Policy, p.Title, p.Status)
	}
	fmt.Fprintln(out, "Print one:  cipgate policy show NAME")
	return nil
}

func policyDiffCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "diff A B",
		Short: "Say in which fields two policies differ",
		Long: `diff compares what two policies say, not how their files are written. A and B are files, or names of policies that
this program carries. That they differ is no failure: exit code 0.`,
		Example: `  cipgate policy diff us-iaas-2024 ours.yaml`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := namedPolicy(cmd, args[0])
			if err != nil {
				return err
			}
			b, err := namedPolicy(cmd, args[1])
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			changes := policy.Diff(a, b)
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				return printJSON(out, map[string]any{"before": a.ID(), "after": b.ID(), "changes": changes})
			}
			for _, change := range changes {
				fmt.Fprintln(out, change.Field)
				if change.Before != "" {
					fmt.Fprintln(out, "  - "+change.Before)
				}
				if change.After != "" {
					fmt.Fprintln(out, "  + "+change.After)
				}
			}
			if len(changes) == 0 {
				fmt.Fprintf(out, "%s and %s say the same.\n", args[0], args[1])
			}
			return nil
		},
	}
}

// namedPolicy reads a policy by the name of a file, or else by its own.
func namedPolicy(cmd *cobra.Command, name string) (policy.Policy, error) {
	text, err := readPolicy(cmd, name)
	if err != nil {
		p, unknown := policy.Named(name)
		if unknown != nil {
			return policy.Policy{}, wrong("%v, or a file; and there is no such file: %v", unknown, err)
		}
		return p, nil
	}
	p, err := policy.ParseEarlier(text)
	if err != nil {
		return policy.Policy{}, wrong("%s: %v", name, err)
	}
	return p, nil
}

// maxPolicy is far more than any policy needs, and keeps a wrong file from filling the memory.
const maxPolicy = 1 << 20

func readPolicy(cmd *cobra.Command, name string) ([]byte, error) {
	from := cmd.InOrStdin()
	if name != "-" {
		file, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, wrong("%s: no such file", name)
		}
		if err != nil {
			return nil, wrong("FILE: %v", err)
		}
		defer func() { _ = file.Close() }() // it was only read
		from = file
	}
	text, err := io.ReadAll(io.LimitReader(from, maxPolicy+1))
	if err != nil {
		return nil, wrong("%s: %v", name, err)
	}
	if len(text) > maxPolicy {
		return nil, wrong("%s: wanted a policy file of at most %d bytes", name, maxPolicy)
	}
	return text, nil
}
