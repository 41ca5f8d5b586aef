package officer

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/screening"
)

// Telling is one entry of the ledger in plain English, for who does not know our words. The dashboard, the
// history of /v1 and the trial's story all tell an entry with these sentences.
type Telling struct {
	At       time.Time // when the ledger took it, which is when it counts from
	By       string    // who stated it
	Headline string    // one sentence
	Detail   string    // one or more sentences, may be empty
}

// Tell puts an entry into words. self is the gateway that keeps the ledger.
func Tell(e statement.Entry, self envelope.Entity) Telling {
	t := Telling{At: e.AcceptedAt.UTC(), By: by(e, self)}
	t.Headline, t.Detail = words(e.Statement)
	if _, is := envelope.SystemLabel(self, e.By); is {
		t.Headline = strings.Replace(t.Headline, "The reseller ", "One of the provider's systems ", 1)
	}
	return t
}

// When writes a time for people: to the minute, always in UTC, since that is what deadlines are in.
func When(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04 UTC") }

func by(e statement.Entry, self envelope.Entity) string {
	switch e.By {
	case self:
		return "the gateway"
	case e.About:
		return "the reseller"
	}
	if label, is := envelope.SystemLabel(self, e.By); is {
		return "the provider's system " + label
	}
	return string(e.By)
}

func words(s statement.Statement) (headline, detail string) {
	switch said := s.(type) {
	case statement.EntityEnrolled:
		return enrolled(said)
	case statement.CIPAttestation:
		return attested(said)
	case statement.FindingOpened:
		return "A shortfall was found: " + shortfall(said.Rule) + ".",
			fmt.Sprintf("It is %s and holds since %s (rule %s). What cures it: %s.", said.Severity, When(said.Since), said.Rule, bare(said.Cure))
	case statement.FindingCured:
		return "A shortfall was cured: " + shortfall(said.Rule) + ".",
			fmt.Sprintf("Entry %d of the ledger cured it (rule %s).", said.CuredBy, said.Rule)
	case statement.StandingChanged:
		return fmt.Sprintf("The reseller's standing went from %s to %s.", standing(said.Before), standing(said.After)), became(said)
	case statement.WarningIssued:
		return "The reseller was warned.",
			join(fmt.Sprintf("It has until %s to cure what falls short, by: %s. If it does not, it may open no new accounts. %s",
				When(said.CureBy), bare(strings.Join(said.ToCure, "; ")), limit(said.LimitAt)), restsOn(said.Evidence))
	case statement.RestrictionOrdered:
		return "The reseller was ordered to open no new accounts.",
			fmt.Sprintf("Accounts that exist go on, and a cure lifts the order. If nothing is cured, this follows at %s: %s. %s",
				When(said.NextAt), consequence(said.Next), limit(said.LimitAt))
	case statement.ClosureOrdered:
		return closure(said)
	case statement.HandOverOrdered:
		return fmt.Sprintf("The accounts of verified customers were ordered handed over to %s.", said.Successor),
			fmt.Sprintf("It takes them until %s; they had %d open accounts. Every other account was ordered closed.", When(said.Until), said.Accounts)
	case statement.OrderWithdrawn:
		return fmt.Sprintf("The order %s was taken back.", order(said.Order)), Sentence(said.Why)
	case statement.RelationshipTerminated:
		return "The relationship with the reseller was ended.",
			join(Sentence(said.Why), "From here on its statements are refused.")
	case statement.PolicyActivated:
		return policyActivated(said)
	}
	if headline, detail = submitted(s); headline != unknown {
		return headline, detail
	}
	return recorded(s)
}

// unknown is said of no kind that this version reads; a test goes through all of them.
const unknown = "An entry of a kind this version has no words for was recorded."

func enrolled(said statement.EntityEnrolled) (headline, detail string) {
	headline = fmt.Sprintf("%s (%s) was enrolled.", said.Name, screening.Country(said.Country))
	detail = fmt.Sprintf("It is a reseller of tier %d under %s, and proved that it holds its keys. Contact: %s.", said.Tier, said.Superior, said.Contact)
	if said.LEI != "" {
		detail = join(detail, "Legal Entity Identifier: "+said.LEI+".")
	}
	return headline, detail
}

// attested tells an attestation. What is not in place comes first: it is what an officer looks for.
func attested(said statement.CIPAttestation) (headline, detail string) {
	headline = fmt.Sprintf("The reseller attested its customer identification program%s.", occasion(said.Occasion))
	detail = fmt.Sprintf("Attested on %s by %s; it %s.", date(said.AttestedOn), said.ResponsibleContact.Name, footing(said))
	if said.Elements != nil {
		detail = join(elements(*said.Elements), detail)
	}
	if y := said.YearlyAttestations; y != nil {
		if missing := notAttested(*y); len(missing) > 0 {
			detail = join("Not attested: "+strings.Join(missing, "; ")+".", detail)
		}
	}
	for _, change := range said.MaterialChanges {
		detail = join(detail, fmt.Sprintf("Changed on %s: %s.", date(change.On), bare(change.What)))
	}
	return headline, detail
}

func occasion(name string) string {
	switch name {
	case "initial":
		return " for the first time"
	case "annual":
		return " for the year"
	case "change":
		return " after a change"
	}
	return ""
}

func footing(said statement.CIPAttestation) string {
	switch said.Basis {
	case "adopted":
		return "adopted its superior's program under agreement " + said.AgreementID
	case "referenced":
		return "refers to its superior's program under agreement " + said.AgreementID
	}
	return "keeps a program of its own"
}

func elements(e statement.Elements) string {
	named := []struct {
		element statement.Element
		words   string
	}{
		{e.WrittenProgram, "a written program"},
		{e.IdentificationData, "collecting identification data"},
		{e.AccessAddresses, "recording access addresses"},
		{e.IdentityVerification, "verifying identities"},
		{e.BeneficialOwners, "identifying beneficial owners"},
		{e.UnverifiedNoAccount, "opening no account for the unverified"},
		{e.UnverifiedLimitedUse, "limiting use while unverified"},
		{e.UnverifiedClosure, "closing accounts that stay unverified"},
		{e.UnverifiedRedress, "redress for the unverified"},
		{e.Reverification, "verifying again from time to time"},
		{e.RecordRetention, "keeping records"},
		{e.CustomerDisclosure, "telling customers of disclosure"},
		{e.ThirdPartyAccess, "limiting third parties' access"},
		{e.AIMisuse, "watching for misuse in AI training"},
		{e.RedFlags, "acting on red flags"},
	}
	if e.ResellerOversight != nil {
		named = append(named, struct {
			element statement.Element
			words   string
		}{*e.ResellerOversight, "overseeing its own resellers"})
	}
	var missing []string
	for _, n := range named {
		if !n.element.InPlace {
			missing = append(missing, n.words)
		}
	}
	if len(missing) == 0 {
		return fmt.Sprintf("All %d elements are in place.", len(named))
	}
	return fmt.Sprintf("Not in place, %d of %d elements: %s.", len(missing), len(named), strings.Join(missing, "; "))
}

func notAttested(y statement.YearlyAttestations) []string {
	var missing []string
	for _, n := range []struct {
		attested bool
		words    string
	}{
		{y.Reviewed, "reviewed since last year"},
		{y.UpdatedForOfferings, "updated for changed offerings"},
		{y.UpdatedForThreats, "updated for changed threats"},
		{y.Complies, "complies with the rule"},
		{y.ResolutionsRecorded, "recorded how each unverified customer was resolved"},
	} {
		if !n.attested {
			missing = append(missing, n.words)
		}
	}
	return missing
}

func policyActivated(said statement.PolicyActivated) (headline, detail string) {
	headline = fmt.Sprintf("The policy %s was put in force.", said.Policy)
	detail = fmt.Sprintf("Resellers are judged by it from %s on. SHA-256 of its text: %s.", When(said.EffectiveAt), said.Digest)
	if said.Replaces != "" {
		detail = join("It replaces "+said.Replaces+".", detail)
	}
	return headline, detail
}

// shortfall says what a rule finds missing.
func shortfall(rule string) string {
	switch rule {
	case "cip.missing":
		return "no attestation of a customer identification program since it was enrolled"
	case "cip.stale":
		return "the last attestation of its customer identification program is out of date"
	}
	return "what the rule " + rule + " asks for is missing"
}

func closure(said statement.ClosureOrdered) (headline, detail string) {
	detail = fmt.Sprintf("If nothing is cured, the relationship ends at %s. %s", When(said.TerminatesAt), limit(said.LimitAt))
	switch said.Scope {
	case "customer-accounts":
		headline = "The accounts of the customers concerned were ordered closed."
		if said.Total > 0 {
			detail = fmt.Sprintf("This order names %d of %d accounts (%d of %d orders). %s", len(said.Accounts), said.Total, said.Part, said.Parts, detail)
		}
		return headline, detail
	case "remaining-accounts":
		return "Every account that is left was ordered closed.", "It goes with the end of the relationship. An account that a successor takes is not meant."
	}
	return "The reseller's own account was ordered closed.", detail
}

func order(name string) string {
	switch name {
	case "no-new-accounts":
		return "to open no new accounts"
	case "reseller-account":
		return "to close the reseller's own account"
	case "customer-accounts":
		return "to close customers' accounts"
	case "remaining-accounts":
		return "to close every account that is left"
	case "hand-over":
		return "to hand customers over to the successor"
	}
	return "“" + name + "”"
}

func standing(name string) string {
	if name == "" {
		return "none"
	}
	return "“" + name + "”"
}

// consequence drops the standing before what a step does: "closing: the account is ordered closed".
func consequence(step string) string {
	if _, does, ok := strings.Cut(step, ": "); ok {
		return bare(does)
	}
	return bare(step)
}

// limit names the end of the clock that nothing passes silently.
func limit(at time.Time) string { return "The limit of the case is " + When(at) + "." }

func date(d statement.Date) string {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Format("2 Jan 2006")
}

// became says what a new standing means. The steps of a case have entries of their own, which say why.
func became(said statement.StandingChanged) string {
	switch said.After {
	case "warned":
		return "Something serious falls short, and the time to cure it runs."
	case "restricted":
		return "It may open no new accounts until what falls short is cured."
	case "closing":
		return "Its account is to be closed, and the relationship ends unless what falls short is cured."
	case "terminated":
		return "The relationship has ended."
	}
	return Sentence(said.Why)
}

// stated finds the times in the words of a statement, which carry seconds.
var stated = regexp.MustCompile(`\b\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} UTC\b`)

// redate writes the times in words that were stated as all times are told.
func redate(words string) string {
	return stated.ReplaceAllStringFunc(words, func(text string) string {
		at, err := time.Parse("2006-01-02 15:04:05 UTC", text)
		if err != nil {
			return text
		}
		return When(at)
	})
}

// bare takes the full stop off words that go inside a sentence.
func bare(words string) string { return strings.TrimRight(strings.TrimSpace(words), ".") }

// Sentence makes a sentence of words that may be one already, or a question, with the times in it as all times are told.
func Sentence(words string) string {
	words = redate(bare(words))
	if words == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(words)
	return ended(string(unicode.ToUpper(first)) + words[size:])
}

// ended puts a full stop behind words that do not end by themselves.
func ended(words string) string {
	if strings.HasSuffix(words, "?") || strings.HasSuffix(words, "!") {
		return words
	}
	return words + "."
}

// join puts sentences in a row.
func join(sentences ...string) string {
	var said []string
	for _, s := range sentences {
		if s != "" {
			said = append(said, s)
		}
	}
	return strings.Join(said, " ")
}
