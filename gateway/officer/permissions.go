package officer

import (
	"context"
	"strings"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/auth"
)

// operation is what one operation takes, and what it does where its summary does not say enough.
type operation struct {
	takes auth.Role
	about string
}

// operations says for each operation, by its id, which role it takes. The pages' forms go through the same rows: whoever acts, by
// whichever way, acts by one of these.
var operations = map[string]operation{
	"list-resellers":          {takes: auth.Viewer},
	"get-reseller":            {takes: auth.Viewer},
	"get-history":             {takes: auth.Viewer},
	"list-entries":            {takes: auth.Viewer},
	"get-figures":             {takes: auth.Viewer},
	"list-customers":          {takes: auth.Viewer},
	"get-customer":            {takes: auth.Viewer},
	"list-training-runs":      {takes: auth.Viewer},
	"list-customer-countries": {takes: auth.Viewer},
	"list-enrolments":         {takes: auth.Viewer},
	"list-keys":               {takes: auth.Viewer},
	"list-marked":             {takes: auth.Viewer},
	"list-exemptions":         {takes: auth.Viewer},
	"list-special-measures":   {takes: auth.Viewer},
	"list-screening-hits":     {takes: auth.Viewer},
	"list-notices":            {takes: auth.Viewer},
	"list-documents":          {takes: auth.Viewer},
	"get-document":            {takes: auth.Viewer},
	"list-holds":              {takes: auth.Viewer},

	"list-officers":     {takes: auth.Viewer},
	"list-approvals":    {takes: auth.Viewer, about: "Shown to everybody, with whether you may approve. What is asked already comes first, then what falls due first."},
	"list-cases":        {takes: auth.Viewer},
	"get-case":          {takes: auth.Viewer},
	"list-findings":     {takes: auth.Viewer},
	"list-reviews":      {takes: auth.Viewer},
	"list-proposals":    {takes: auth.Viewer},
	"list-orders":       {takes: auth.Viewer, about: "With how far each came: ordered, delivered, acknowledged, confirmed and by whom, withdrawn; and since when it is overdue. What was said of one, in words, stands with it alone."},
	"get-order":         {takes: auth.Viewer},
	"list-subordinates": {takes: auth.Viewer},
	"get-automation":    {takes: auth.Viewer},
	"list-outages":      {takes: auth.Viewer, about: "Measured by the gateway itself, and stated by whichever process was able first. None is taken back: what it gave, resellers were promised."},

	"approve-step": {takes: auth.Approver, about: "Who recorded the evidence behind the case, or refused the step, may not; where two are asked for they are two people, and the first account, admin, is one. " +
		"The step is taken once its time has come. The identity is that of the token or the session."},
	"refuse-step":        {takes: auth.Approver, about: "The step is not taken until another officer approves it, or the case moves on."},
	"place-case-hold":    {takes: auth.Member, about: "A hold of kind officer or customer-harm ends inside the limit; a stay, which a court or an authority asked for, may pass it. When it ends the unused time comes back, and at least what the policy says."},
	"propose-lift":       {takes: auth.Member, about: "A stay is lifted by two people: one proposes it, another lifts it."},
	"lift-hold":          {takes: auth.Member, about: "Of a stay: only after another officer proposed it."},
	"grant-extension":    {takes: auth.Member, about: "Of the officer's own accord, or as the reseller asked. It never passes the limit less what the later steps need."},
	"propose-limit":      {takes: auth.Approver, about: "The only way past the limit of a case; another officer confirms it."},
	"move-policy":        {takes: auth.Approver, about: "A case keeps the version of the policy that opened it until this."},
	"accept-remediation": {takes: auth.Member},
	"reject-remediation": {takes: auth.Member},
	"uphold-appeal":      {takes: auth.Approver, about: "Decided by another officer than those who decided in this case before: who recorded the evidence, approved a step, or decided the dispute that is appealed."},
	"reject-appeal":      {takes: auth.Approver, about: "As uphold-appeal."},
	"record-evidence":    {takes: auth.Member, about: "Failure to implement a CIP, no good-faith effort, or increased risk. Whoever records it approves no step of the case."},
	"inquire":            {takes: auth.Member, about: "Suspicion alone is an inquiry, and no finding until the time to answer is over."},
	"record-notice":      {takes: auth.Member, about: "Proof of notice: a step that hurts needs its notice proved."},
	"confirm-order":      {takes: auth.Member, about: "For the provider's own people and systems: accounts, billing, IAM, each with a token of its own. A reseller confirms by an order-confirmation, and so does the successor of a hand-over. Whoever confirmed an order corrects it by the same operation."},
	"name-successor":     {takes: auth.Member, about: "Only the accounts of customers that are verified and fall under no special measure go over. It replaces who was named before."},
	"withdraw-successor": {takes: auth.Member},
	"invite-under":       {takes: auth.Member, about: "The reseller keeps its identifier, its keys and all that it stated; it answers with its entity configuration that names the new superior, signed by a key that it has."},
	"reinstate":          {takes: auth.Approver, about: "The ledger says whose error it was."},
	"withdraw-proposal":  {takes: auth.Member, about: "By whoever proposed it."},
	"confirm-proposal":   {takes: auth.Approver, about: "Nobody confirms what they proposed."},
	"propose-release":    {takes: auth.Approver, about: "Another officer confirms it."},
	"list-obligations":   {takes: auth.Viewer, about: "The date of each counts by the policy that was in force when it was opened."},
	"get-obligation":     {takes: auth.Viewer},
	"list-calls":         {takes: auth.Viewer, about: "Record the call, or that nobody answered, with record-notice."},
	"record-obligation":  {takes: auth.Member, about: "A document that was asked for, or a question about a report. What follows from the ledger opens by itself."},
	"fulfil-obligation":  {takes: auth.Member, about: "With the reference of what was handed in."},
	"propose-waiver":     {takes: auth.Member, about: "Another officer confirms it."},
	"pause-automation":   {takes: auth.Approver, about: "Facts and deadlines go on; what falls due meanwhile waits."},
	"resume-automation":  {takes: auth.Approver},

	"list-policies":       {takes: auth.Viewer},
	"get-policy":          {takes: auth.Viewer, about: "The file itself, as it stood in force."},
	"show-consequences":   {takes: auth.Member, about: "Nothing is stated; every reseller is judged twice. Activating asks for what is shown here."},
	"list-backtests":      {takes: auth.Viewer},
	"get-backtest":        {takes: auth.Viewer},
	"get-shadow":          {takes: auth.Viewer},
	"list-shadow-reports": {takes: auth.Viewer},
	"get-shadow-report":   {takes: auth.Viewer},
	"ask-backtest":        {takes: auth.Member, about: "The gateway replays its ledger, which takes it about a minute for a million entries; what came of it stands in the ledger."},
	"start-shadow":        {takes: auth.Approver, about: "It decides nothing and reaches no reseller."},
	"stop-shadow":         {takes: auth.Approver},
	"get-policy-proposal": {takes: auth.Viewer},
	"propose-policy": {takes: auth.Approver, about: "Nothing comes into force by it: another person, of the role administrator, activates the same file while the proposal is fresh, 14 days unless the policy in force says less. " +
		"The file, the reason, what would move and the backtest stand in the ledger. Refused unless `shown` is what would move now."},
	"activate-policy": {takes: auth.Administrator, about: "It takes two people: another one has proposed this very file, by its digest, and no other policy came into force since. Refused unless `shown` is what would move now. A policy that asks fewer people, acts on silence, raises the guard, finds more or shortens a deadline " +
		"needs a backtest of the same file on record. Cases that are open keep the policy that opened them."},

	"add-officer":     {takes: auth.Administrator, about: "Recorded in the ledger with who made it; the mail address is not."},
	"change-officer":  {takes: auth.Administrator, about: "From the officer's next request on."},
	"disable-officer": {takes: auth.Administrator, about: "Its sessions and links end, and its tokens are refused. The last administrator cannot be disabled."},
	"enable-officer":  {takes: auth.Administrator},
	"link-officer":    {takes: auth.Administrator, about: "Whoever opens it acts under the officer's name, so that it was made stands in the ledger."},
	"list-tokens":     {takes: auth.Administrator},
	"create-token":    {takes: auth.Administrator, about: "Whoever shows it acts under the officer's name and with the officer's role."},
	"extend-token":    {takes: auth.Administrator, about: "Whoever holds it goes on with it. A system of the provider whose token had expired gets what was kept for it."},
	"revoke-token":    {takes: auth.Administrator},

	"invite":        {takes: auth.Member},
	"ask-contact":   {takes: auth.Member},
	"list-contacts": {takes: auth.Viewer},
	"name-second-contact": {takes: auth.Member, about: "It is mailed nothing until it confirms over the link that you give it. The ledger holds that there is one, by an id; " +
		"the address goes when it is taken off."},
	"take-second-contact-off": {takes: auth.Member},
	"retry-notice":            {takes: auth.Member},
	"list-streams":            {takes: auth.Viewer, about: "Receivers' addresses are shown by their host alone: the rest may hold a secret."},
	"list-outbox":             {takes: auth.Viewer},
	"retry-outgoing":          {takes: auth.Member},
	"change-stream":           {takes: auth.Member, about: "The receiver is told over the stream itself, and cannot undo it. A reseller's is never disabled, for what it is told is mandatory; disabling a system of the provider takes the role approver."},
	"replay-stream":           {takes: auth.Member, about: "When each was acknowledged first, and what proves it, stands."},
	"rotate-notice-key":       {takes: auth.Administrator, about: "The key before is published for 90 days more. It signs nothing in the ledger."},
	"list-calendars":          {takes: auth.Viewer},
	"make-calendar":           {takes: auth.Member, about: "Whoever has the address sees the dates, without signing in: give it to nobody else, and revoke it when it went astray."},
	"revoke-calendar":         {takes: auth.Member},
	"clear-screening-hit":     {takes: auth.Member},
	"confirm-screening-hit":   {takes: auth.Member},
	"place-hold":              {takes: auth.Member},
	"propose-recovery":        {takes: auth.Member},
	"release-hold":            {takes: auth.Approver},
	"approve-enrolment":       {takes: auth.Approver},
	"refuse-enrolment":        {takes: auth.Approver},
	"approve-recovery":        {takes: auth.Approver},
	"revoke-keys":             {takes: auth.Approver},
	"erase-records":           {takes: auth.Approver},
	"grant-exemption":         {takes: auth.Approver},
	"withdraw-exemption":      {takes: auth.Approver},
	"impose-special-measure":  {takes: auth.Approver},
	"lift-special-measure":    {takes: auth.Approver},
}

// takes is the role that an operation takes. One that stands in no row takes the most if it changes anything, so that a row that was
// forgotten lets nobody do too much; the test of the table finds it.
func takes(id string) auth.Role {
	if row, ok := operations[id]; ok {
		return row.takes
	}
	if strings.HasPrefix(id, "list-") || strings.HasPrefix(id, "get-") {
		return auth.Viewer
	}
	return auth.Administrator
}

// Takes is the role that an operation takes, by its id.
func Takes(id string) auth.Role { return takes(id) }

// describe says what an operation does and who may do it.
func describe(id string) string {
	return strings.TrimSpace(operations[id].about + " Takes the role " + string(takes(id)) + " or one above it.")
}

// Permit says who is asking if its role is the one that an operation takes. Whoever states something in an officer's name, on the
// API or on a page, has the name from here. Errors wrap problem.ErrForbidden and say who may.
func Permit(ctx context.Context, operation string) (statement.Officer, error) {
	return auth.Need(ctx, takes(operation))
}

// permitted is handle for whoever may.
func permitted[In, Out any](ctx context.Context, id string, in *In, handle func(context.Context, *In) (*Out, error)) (*Out, error) {
	if _, err := Permit(ctx, id); err != nil {
		return nil, err
	}
	return handle(ctx, in)
}
