package mail

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"strings"
	texttemplate "text/template"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

var (
	//go:embed notices.txt
	noticesText string
	//go:embed notices.html
	noticesHTML string
	//go:embed code.txt
	codeText string
	//go:embed code.html
	codeHTML string

	functions  = map[string]any{"when": when}
	textOf     = texttemplate.Must(texttemplate.New("notices").Funcs(functions).Parse(noticesText))
	htmlOf     = template.Must(template.New("notices").Funcs(functions).Parse(noticesHTML))
	codeTextOf = texttemplate.Must(texttemplate.New("code").Funcs(functions).Parse(codeText))
	codeHTMLOf = template.Must(template.New("code").Funcs(functions).Parse(codeHTML))
)

func when(at time.Time) string { return at.UTC().Format("2 January 2006, 15:04 UTC") }

// The matters of the gateway's own that officers are called for at once.
const (
	MatterApproval = "approval-asked"
	MatterGuard    = "guard-tripped"
	MatterLate     = "step-late"
	MatterPhone    = "call-asked"
	MatterOwed     = "obligation-due"
	MatterToken    = "token-expires"
)

// Role is what a person is mailed as.
type Role int

// The roles. Who is Nobody is mailed nothing.
const (
	Nobody        Role = iota
	Officer            // of the provider
	Contact            // the first contact of a reseller
	SecondContact      // whom the first one did not answer for
)

// lines say of each kind that something of it happened, without saying what.
var lines = map[string]string{
	string(statement.KindFindingOpened):          "A shortfall was found.",
	string(statement.KindFindingCured):           "A shortfall is cured.",
	string(statement.KindStandingChanged):        "The standing changed.",
	string(statement.KindWarningIssued):          "A warning was issued. It says what cures it, and by when.",
	string(statement.KindRestrictionOrdered):     "New accounts are to be stopped: an order.",
	string(statement.KindClosureOrdered):         "Accounts are to be closed: an order.",
	string(statement.KindHandOverOrdered):        "Customers are to be handed over: an order.",
	string(statement.KindSuperiorChanged):        "The standing of the superior changed. It says what to do, and by when.",
	string(statement.KindOrderWithdrawn):         "An order was withdrawn.",
	string(statement.KindRelationshipTerminated): "The relationship was ended.",
	string(statement.KindRelationshipReinstated): "The relationship was taken up again.",
	string(statement.KindLimitPassed):            "The limit of a case passed, and a step of it waits.",
	string(statement.KindAppealDecided):          "An appeal was decided.",
	string(statement.KindInformationRequested):   "A question is to be answered.",
	string(statement.KindCIPRequested):           "The written program is asked for.",
	string(statement.KindDocumentReceived):       "A document was received.",
	string(statement.KindExemptionGranted):       "An exemption was granted.",
	string(statement.KindExemptionWithdrawn):     "An exemption was withdrawn.",
	string(statement.KindTransactionCovered):     "A reported training is a covered one.",
	string(statement.KindRemediation):            "A reseller answered a finding or a question.",
	string(statement.KindStatedByLink):           "A reseller's contact answered over a link.",
	string(statement.KindOrderConfirmation):      "A reseller answered an order.",
	string(statement.KindSuspiciousActivity):     "A reseller reported suspicious activity.",
	MatterApproval:                               "A step waits for approval.",
	MatterGuard:                                  "The guard stopped a mass action. Two people must look.",
	MatterLate:                                   "A step is later than it may be, or a case has none. Somebody must look.",
	MatterOwed:                                   "Something is owed to an authority and is due soon, or overdue.",
	MatterToken:                                  "The API token of one of your own systems expires soon, or has expired: then it is told nothing more. Extend it.",
	MatterPhone:                                  "Nothing proves that a reseller knows of a step. Somebody must call, and record it.",
	string(statement.KindSuperiorTold):           "A reseller of yours has not answered its provider, and a step is due. Ask it to.",
}

// doors are the pages of the dashboard on which an officer does what is asked, the most urgent first; what merely happened is read in the
// list of resellers.
var doors = []struct {
	page  string
	kinds []string
}{
	{"/approvals", []string{MatterApproval, MatterGuard, MatterLate, MatterPhone, MatterOwed, string(statement.KindRemediation), string(statement.KindStatedByLink)}},
	{"/outbox", []string{MatterToken}},
	{"/resellers", nil},
}

// Door is the page that the one link of an officer's letter leads to, by what it tells.
func Door(told []Told) string {
	for _, door := range doors {
		if len(door.kinds) == 0 || slices.ContainsFunc(told, func(one Told) bool { return slices.Contains(door.kinds, one.Kind) }) {
			return door.page
		}
	}
	return ""
}

// Line says of one notice what happened, and when. False if nobody is mailed about such a kind.
func Line(kind string) (string, bool) {
	line, ok := lines[kind]
	return line, ok
}

// Told is one notice in a letter.
type Told struct {
	Kind string
	At   time.Time
}

// Digest is what a letter of notices is written from.
type Digest struct {
	Gateway   string // the gateway's identifier
	Sandbox   bool
	Reseller  string // identifier of the reseller that the person is a contact of; empty for an officer
	As        Role
	Told      []Told // the oldest first
	More      int    // notices beside those in Told
	Link      string
	LinkUntil time.Time // zero if the link does not expire
}

// line is one line of a letter.
type line struct {
	What string
	At   time.Time
}

type filled struct {
	Digest
	Lines []line
}

// Second says that the person is told because nobody else answered.
func (d Digest) Second() bool { return d.As == SecondContact }

// Write writes the letter.
func (d Digest) Write() (subject, text, html string, err error) {
	shown := filled{Digest: d}
	for _, told := range d.Told {
		what, ok := Line(told.Kind)
		if !ok {
			return "", "", "", fmt.Errorf("writing a letter: nobody is mailed about a %s", told.Kind)
		}
		shown.Lines = append(shown.Lines, line{what, told.At})
	}
	count := len(d.Told) + d.More
	switch {
	case count == 1:
		subject = strings.TrimSuffix(shown.Lines[0].What, ".")
	default:
		subject = fmt.Sprintf("%d notices", count)
	}
	return write(subject, d.Sandbox, shown, textOf, htmlOf)
}

// Code is what the letter with a code is written from.
type Code struct {
	Gateway string
	Sandbox bool
	Code    string
	Until   time.Time
}

// Write writes the letter.
func (c Code) Write() (subject, text, html string, err error) {
	return write("Your code", c.Sandbox, c, codeTextOf, codeHTMLOf)
}

func write(subject string, sandbox bool, value any, plain *texttemplate.Template, rich *template.Template) (_, text, html string, err error) {
	if sandbox {
		subject = "SANDBOX: " + subject
	}
	var asText, asHTML bytes.Buffer
	if err := plain.Execute(&asText, value); err != nil {
		return "", "", "", fmt.Errorf("writing a letter: %w", err)
	}
	if err := rich.Execute(&asHTML, value); err != nil {
		return "", "", "", fmt.Errorf("writing a letter: %w", err)
	}
	return subject, asText.String(), asHTML.String(), nil
}
