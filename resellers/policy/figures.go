package policy

import (
	"fmt"
	"reflect"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
)

// Figures are what a custom rule may ask about one reseller. They count what it stated, up to and with its newest statement, and
// nothing else: no time, no name, no other reseller. README.md has them as a table, which a test keeps.
type Figures struct {
	Country      string `cel:"country" says:"where the reseller is, ISO 3166-1 alpha-2"`
	Attestations int    `cel:"attestations" says:"attestations of its program that were accepted"`
	Statements   int    `cel:"statements" says:"statements of every kind that were accepted"`

	Customers            int `cel:"customers" says:"customers that any statement named"`
	CustomersVerified    int `cel:"customers_verified" says:"of them, those that are verified"`
	CustomersNotVerified int `cel:"customers_not_verified" says:"of them, those that could not be verified"`
	CustomersUnstated    int `cel:"customers_unstated" says:"of them, those of which no verification was stated"`
	CustomersUS          int `cel:"customers_us" says:"of them, those that with all their owners are U.S. persons"`
	CustomersUnverified  int `cel:"customers_unverified" says:"of them, those with an open account that should be verified and are not"`
	UnverifiedAccounts   int `cel:"unverified_accounts" says:"the open accounts of those"`
	CustomersIncomplete  int `cel:"customers_incomplete" says:"customers verified without an element that 15 CFR 7.302, proposed, asks for"`

	Owners         int `cel:"owners" says:"beneficial owners, each as often as it owns a customer"`
	OwnersVerified int `cel:"owners_verified" says:"of them, those that are verified"`
	OwnersUS       int `cel:"owners_us" says:"of them, those that are U.S. persons"`

	Accounts          int `cel:"accounts" says:"accounts that any statement named"`
	AccountsOpen      int `cel:"accounts_open" says:"of them, those that are not closed"`
	AccountsLimited   int `cel:"accounts_limited" says:"of the open ones, those with limited use"`
	AccountsNotOpened int `cel:"accounts_not_opened" says:"of all, those of which it was never stated that they opened"`

	TrainingsPlanned  int `cel:"trainings_planned" says:"AI trainings that were reported as planned"`
	TrainingsOccurred int `cel:"trainings_occurred" says:"AI trainings that were reported as having occurred"`
	SuspiciousReports int `cel:"suspicious_reports" says:"reports of suspicious activity, without corrections"`

	CustomersByCountry     map[string]int `cel:"customers_by_country" says:"customers by the country they belong to; a country of nobody is not in it"`
	ForeignOwnersByCountry map[string]int `cel:"foreign_owners_by_country" says:"owners that are no U.S. persons, by country, in the same way"`
}

// FigureTable is the figures as a table in Markdown.
func FigureTable() string {
	var b strings.Builder
	b.WriteString("| figure | type | what it is |\n|---|---|---|\n")
	figures := reflect.TypeFor[Figures]()
	for i := range figures.NumField() {
		field := figures.Field(i)
		kind := map[reflect.Kind]string{reflect.Int: "int", reflect.String: "string", reflect.Map: "map of string to int"}[field.Type.Kind()]
		fmt.Fprintf(&b, "| `figures.%s` | %s | %s |\n", field.Tag.Get("cel"), kind, field.Tag.Get("says"))
	}
	return b.String()
}

// CustomRule is a rule in a provider's own words: an expression of the Common Expression Language over the Figures.
type CustomRule struct {
	Rule
	When    string `json:"when"` // "figures.customers_unverified > 100"
	program cel.Program
}

const (
	costLimit     = 100_000 // of one evaluation, in CEL's units: about what going through all countries of the world costs, tenfold
	maxExpression = 2000    // characters
)

// Holds says whether the rule finds that a reseller with these figures falls short. An expression that fails, such as by a division
// by nought, finds nothing: nobody is warned for a mistake in a rule.
func (c CustomRule) Holds(f *Figures) bool {
	if c.program == nil {
		return false
	}
	out, _, err := c.program.Eval(map[string]any{"figures": f})
	return err == nil && out == types.True
}

func (r *reader) custom(v value) CustomRule {
	name := strings.TrimPrefix(v.field, "rules.")
	if len(name) > 100 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" {
		r.fault(v, "a name of small letters, digits, dots and hyphens behind "+CustomPrefix+", at most 100 characters", "another")
	}
	f := r.object(v, with(ruleFields, "when")...)
	rule := CustomRule{Rule: r.about(name, f), When: r.text(f[6])}
	if rule.When == "" {
		return rule
	}
	var wrong string
	if rule.program, wrong = compile(rule.When); wrong != "" {
		r.fault(f[6], "a CEL expression over figures that is true or false", wrong)
	}
	return rule
}

// compile checks an expression. It returns what is wrong with it, or "".
func compile(expression string) (program cel.Program, wrong string) {
	if len(expression) > maxExpression {
		return nil, fmt.Sprintf("%d characters, more than %d", len(expression), maxExpression)
	}
	env, err := cel.NewCustomEnv(cel.StdLib(), ext.NativeTypes(reflect.TypeFor[Figures](), types.ParseStructTags(true)),
		cel.Variable("figures", cel.ObjectType("policy.Figures")))
	if err != nil {
		return nil, "an environment of ours that is broken: " + err.Error()
	}
	ast, issues := env.Compile(expression)
	if issues.Err() != nil {
		first := issues.Errors()[0]
		return nil, fmt.Sprintf("%s (at character %d of line %d)", first.Message, first.Location.Column()+1, first.Location.Line())
	}
	if !ast.OutputType().IsExactType(cel.BoolType) {
		return nil, "one that is of type " + ast.OutputType().String()
	}
	program, err = env.Program(ast, cel.CostLimit(costLimit), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, firstLine(err.Error())
	}
	// Whoever has stated nothing must be judged too: it has nought of everything and divides by it.
	if _, _, err := program.Eval(map[string]any{"figures": &Figures{}}); err != nil {
		return nil, "for a reseller that has stated nothing: " + firstLine(err.Error())
	}
	return program, ""
}
