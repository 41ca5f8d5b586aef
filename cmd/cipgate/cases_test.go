package main

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// deskOf runs officers' commands against a running gateway, each under the token of its officer.
type deskOf struct {
	*gateway
	token string
}

// as makes an officer's account and token with the program itself, as the first account.
func (g *gateway) as(name, role string) deskOf {
	g.t.Helper()
	root := deskOf{g, g.token}
	root.says(exitDone, "Made the account of "+name, "officer", "add", "--name", name, "--role", role, "--mail", strings.ToLower(strings.Fields(name)[0])+"@provider.example")
	var made tokenShown
	root.reads(&made, "token", "create", "--officer", name, "--label", name+"'s", "--days", "30")
	return deskOf{g, made.Secret}
}

// says runs a command and checks how it ends and that it says this.
func (d deskOf) says(code int, words string, args ...string) string {
	d.t.Helper()
	got, out, problems := say(d.t, append(args, "--url", d.base, "--token", d.token)...)
	if got != code || !strings.Contains(out+problems, words) {
		d.t.Fatalf("cipgate %s: %d, wanted %d with %q\n%s%s", strings.Join(args, " "), got, code, words, out, problems)
	}
	return out
}

// reads runs a command with --json and reads what it printed.
func (d deskOf) reads(into any, args ...string) {
	d.t.Helper()
	if err := json.Unmarshal([]byte(d.says(exitDone, "", append(args, "--json")...)), into); err != nil {
		d.t.Fatalf("cipgate %s: %v", strings.Join(args, " "), err)
	}
}

// approval is the one of a case that waits, asked already or not.
func (d deskOf) approval(reseller string) approvalShown {
	d.t.Helper()
	var found caseShown
	if d.reads(&found, "case", "show", reseller); len(found.Approvals) != 1 {
		d.t.Fatalf("approvals: %+v", found.Approvals)
	}
	return found.Approvals[0]
}

func TestOfficersTakeACaseToItsEndByTheProgramAlone(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "", func(c *Config) { c.Sandbox = true })
	silent := string(g.enrol("Silent Ltd").about.Entity)
	mara, jon, ida := g.as("Mara Lind", "approver"), g.as("Jon Reyes", "approver"), g.as("Ida Berg", "viewer")
	root := deskOf{g, g.token}
	pass := func(much time.Duration) {
		t.Helper()
		if err := g.Advance(t.Context(), much); err != nil {
			t.Fatal(err)
		}
	}
	const day = 24 * time.Hour
	because := []string{"--reason", "So it is."}
	with := func(args ...string) []string { return append(args, because...) }

	mara.says(exitDone, "No case is open.", "case", "list")
	mara.says(exitDone, "No answer waits to be decided.", "case", "answers")
	mara.says(exitDone, "Nobody is asked about a step now.", "approvals")
	pass(46 * day)
	mara.says(exitDone, "Silent Ltd", "case", "list")
	mara.says(exitDone, "judged by us-iaas-2024", "case", "show", silent)
	until := g.Now().Add(2 * day).UTC().Truncate(time.Second)

	// A stay, lifted by two.
	var placed recorded
	mara.reads(&placed, with("case", "hold", silent, "--kind", "stay", "--authority", "District Court", "--until", until.Format(time.RFC3339))...)
	mara.says(exitRefused, "propose it", with("case", "lift", silent, placed.JTI)...)
	mara.says(exitDone, "Another officer lifts it.", with("case", "propose-lift", silent, placed.JTI)...)
	mara.says(exitRefused, "another officer must lift it", with("case", "lift", silent, placed.JTI)...)
	jon.says(exitDone, "comes back", with("case", "lift", silent, placed.JTI)...)

	// Time, a question, the limit.
	mara.says(exitRefused, "--until: wanted a time", with("case", "extend", silent, "--until", "tomorrow")...)
	mara.says(exitDone, "Asked as inquiry", "case", "inquire", silent, "--question", "Who is c-1?")
	var open caseShown
	mara.reads(&open, "case", "show", silent)
	var proposed recorded
	mara.reads(&proposed, with("case", "limit", silent, "--until", open.LimitAt.Add(5*day).Format(time.RFC3339))...)
	jon.says(exitDone, "proposed by Mara Lind", "case", "proposals")
	mara.says(exitRefused, "nobody confirms what they proposed", with("case", "confirm", proposed.JTI)...)
	jon.says(exitDone, "It is in force.", with("case", "confirm", proposed.JTI)...)

	// The steps.
	closure := mara.approval(silent)
	ida.says(exitRefused, "approver or administrator", with("approvals", "approve", closure.ID)...)
	mara.says(exitDone, "Recorded as entry", with("approvals", "refuse", closure.ID)...)
	mara.says(exitRefused, "another officer must approve it", with("approvals", "approve", closure.ID)...)
	jon.says(exitDone, "Recorded as entry", with("approvals", "approve", closure.ID)...)
	mara.says(exitDone, "Nobody need be called.", "case", "calls")
	mara.says(exitDone, "It is not proved that the reseller was told of its restriction", "case", "show", silent)
	if mara.reads(&open, "case", "show", silent); open.Notice == nil || open.Notice.For != "close" {
		t.Fatalf("waits for %+v", open.Notice)
	}
	told := with("case", "told", silent, "--notice", open.Notice.Notice, "--whom", "head of compliance", "--at", g.Now().UTC().Format(time.RFC3339))
	mara.says(exitDone, "It is a try that nobody answered.", append(told, "--unanswered")...)
	mara.says(exitDone, "It is proof of notice.", told...)
	pass(15 * day)

	// What is owed to an authority by then.
	var owed struct {
		Items []obligationShown `json:"items"`
	}
	mara.reads(&owed, "obligations", "--state", "all")
	ids := map[string]string{}
	for _, o := range owed.Items {
		ids[o.Kind] = o.ID
	}
	mara.says(exitDone, "overdue", "obligations")
	mara.says(exitRefused, "--state: wanted open", "obligations", "--state", "late")
	mara.says(exitRefused, "--reference: wanted", with("obligations", "fulfil", ids["closure-report"])...)
	mara.says(exitDone, "The obligation is fulfilled.", with("obligations", "fulfil", ids["closure-report"], "--reference", "IC3 I-17")...)
	mara.says(exitRefused, "it was fulfilled at", with("obligations", "fulfil", ids["closure-report"], "--reference", "IC3 I-17")...)
	mara.reads(&proposed, with("obligations", "waive", ids["limit-crossed"])...)
	jon.says(exitDone, "obligation.waived", "case", "proposals")
	jon.says(exitDone, "It is in force.", with("case", "confirm", proposed.JTI)...)
	mara.says(exitDone, "waived", "obligations", "--state", "ended")
	mara.says(exitDone, "It is due", with("obligations", "record", "--request", "BIS-17", "--reseller", silent, "--received", g.Now().UTC().Format(time.RFC3339))...)
	mara.says(exitDone, "certification", "obligations")
	end := mara.approval(silent)
	if end.Step != "terminate" || end.Needed != 2 {
		t.Fatalf("%+v", end)
	}
	mara.says(exitRefused, "--reason: wanted why", "approvals", "approve", end.ID)
	root.says(exitDone, "Recorded", with("approvals", "approve", end.ID)...)
	root.says(exitRefused, "two people", with("approvals", "approve", end.ID)...)
	mara.says(exitDone, "approved by 1 of 2 people (admin)", "case", "show", silent)
	jon.says(exitDone, "Recorded", with("approvals", "approve", end.ID)...)
	pass(30 * day)
	var line struct {
		Standing string `json:"standing"`
	}
	id, err := resellerID(silent)
	if err != nil {
		t.Fatal(err)
	}
	if g.get("/v1/resellers/"+id, &line); line.Standing != "terminated" {
		t.Fatalf("it is %s, wanted terminated", line.Standing)
	}
	mara.says(exitDone, "begins anew", with("case", "reinstate", silent, "--whose-error", "gateway")...)

	// Automation, evidence, officers and tokens.
	root.says(exitDone, "wait until somebody resumes", with("automation", "pause")...)
	mara.says(exitDone, "Paused since", "automation", "status")
	root.says(exitDone, "Recorded", with("automation", "resume")...)
	mara.says(exitDone, "somebody else than you", "evidence", "record", string(g.enrol("Loud Ltd").about.Entity), "--ground", "cip-failure", "--severity", "critical",
		"--received", g.Now().UTC().Format(time.RFC3339), "--description", "No program exists.")
	mara.says(exitRefused, "wanted its entity identifier", with("case", "lift", "Silent Ltd", "h")...)
	mara.says(exitRefused, "administrator", "token", "list")
	root.says(exitDone, "approver", "officer", "list")
	root.says(exitDone, "/sign-in#", "officer", "link", "Mara Lind")
	root.says(exitDone, "has the role viewer", with("officer", "change", "Mara Lind", "--role", "viewer")...)
	mara.says(exitRefused, "you are Mara Lind with the role viewer", with("automation", "pause")...)
	root.says(exitDone, "refused from now on", with("token", "revoke", "Mara Lind's")...)
	mara.says(exitRefused, "401", "officer", "list")
	root.says(exitDone, "is shut out", with("officer", "disable", "Jon Reyes")...)
	jon.says(exitRefused, "401", "officer", "list")
	root.says(exitDone, "may come in again", with("officer", "enable", "Jon Reyes")...)
	jon.says(exitDone, "Jon Reyes", "officer", "list")
}
