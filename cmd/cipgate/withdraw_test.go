package main

import (
	"strings"
	"testing"
	"time"
)

func TestWhoeverProposedSomethingWithdrawsItAndNobodyConfirmsItAfterwards(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "", func(c *Config) { c.Sandbox = true })
	mara, jon := g.as("Mara Lind", "approver"), g.as("Jon Reyes", "approver")
	because := []string{"--reason", "So it is."}
	with := func(args ...string) []string { return append(args, because...) }
	var proposed recorded
	mara.reads(&proposed, with("automation", "release", "closures", "--until", g.Now().Add(24*time.Hour).Format(time.RFC3339))...)
	jon.says(exitDone, proposed.JTI, "case", "proposals")
	jon.says(exitRefused, "whoever proposed it withdraws it", with("case", "withdraw", proposed.JTI)...)
	mara.says(exitDone, "nobody can confirm it any more", with("case", "withdraw", proposed.JTI)...)
	jon.says(exitRefused, "confirmed or withdrawn", with("case", "confirm", proposed.JTI)...)
	mara.says(exitRefused, "confirmed or withdrawn", with("case", "withdraw", proposed.JTI)...)
	if listed := jon.says(exitDone, "", "case", "proposals"); strings.Contains(listed, proposed.JTI) {
		t.Errorf("it is listed still:\n%s", listed)
	}
	if err := g.desk.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	jon.says(exitRefused, "confirmed or withdrawn", with("case", "confirm", proposed.JTI)...)
}
