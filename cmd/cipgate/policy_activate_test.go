package main

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/policy"
)

// nextPolicy writes the shipped policy's next version with pieces replaced.
func nextPolicy(t *testing.T, version int, pieces ...string) string {
	t.Helper()
	text := strings.Replace(policy.Default().Document(), fmt.Sprintf("\nversion: %d\n", policy.Default().Version), fmt.Sprintf("\nversion: %d\n", version), 1)
	for i := 0; i < len(pieces); i += 2 {
		if !strings.Contains(text, pieces[i]) {
			t.Fatalf("the shipped policy has no %q", pieces[i])
		}
		text = strings.Replace(text, pieces[i], pieces[i+1], 1)
	}
	name := filepath.Join(t.TempDir(), fmt.Sprintf("v%d.yaml", version))
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// The first attestation, and the definition of covered trainings, as the shipped policy has them and as they are changed.
const (
	withinThirty = "cip.missing:\n    on: true\n    after:\n      value: 30d"
	withinTen    = "cip.missing:\n    on: true\n    after:\n      value: 10d"
	anyLarge     = `"any 1e26"`
	anySmall     = `"any 1e24"`
)

// activate puts a policy in force as officers do: one looks at what moves and proposes it, another says what it was shown.
func (d deskOf) activate(file string) activated {
	d.t.Helper()
	var moves backtest.Moves
	d.reads(&moves, "policy", "activate", file)
	d.as("Jon Reyes", "approver").says(exitDone, "It is not in force.", "policy", "propose", file, "--yes", moves.Shown, "--reason", "It is time.")
	var done activated
	d.reads(&done, "policy", "activate", file, "--yes", moves.Shown, "--reason", "The board decided.")
	return done
}

func TestAPolicyIsTriedShownAndPutInForceOnARunningGateway(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, func(c *Config) { c.Sandbox = true })
		pass := func(much time.Duration) {
			t.Helper()
			if err := g.Advance(t.Context(), much); err != nil {
				t.Fatal(err)
			}
		}
		const day = 24 * time.Hour
		silent, trainer := g.enrol("Silent Ltd"), g.enrol("Trainer GmbH")
		if _, err := trainer.push(t.Context(), statement.KindCIPAttestation, attestation()); err != nil {
			t.Fatal(err)
		}
		training := statement.AITraining{Transaction: "training-1", State: "occurred", StartedOn: statement.DateOf(g.Now()),
			Knowledge:  []statement.Knowledge{{Actor: "reseller", KnewAt: g.Now().Truncate(time.Second)}},
			Parameters: &statement.TrainingParameters{Operations: "2e25", Modalities: []string{"text"}}}
		token, err := trainer.sign(t.Context(), statement.KindAITraining, training, "customer-1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := trainer.send(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		pass(15 * day)
		root, ida, mara := deskOf{g, g.token}, g.as("Ida Berg", "viewer"), g.as("Mara Lind", "approver")
		strict := nextPolicy(t, 90, withinThirty, withinTen, anyLarge, anySmall)

		// A shadow, from the fifteenth day on.
		mara.says(exitRefused, "--reason: wanted why", "policy", "shadow", strict)
		ida.says(exitRefused, "approver or administrator", "policy", "shadow", strict, "--reason", "To see.")
		mara.says(exitDone, "It decides nothing.", "policy", "shadow", strict, "--reason", "To see whom it would hit.")
		mara.says(exitRefused, "runs already", "policy", "shadow", strict, "--reason", "Again.")
		size := g.size()
		pass(2 * day)
		mara.says(exitDone, "1 resellers differ; only in the shadow 1 warned", "policy", "shadow", "show")
		var latest dayTold
		mara.reads(&latest, "policy", "shadow", "show", "--day", "latest")
		if latest.Policy != "us-iaas-2024.90" || latest.Resellers != 2 || latest.Apart != 1 {
			t.Errorf("%+v", latest)
		}
		var days struct {
			Items []dayTold `json:"items"`
		}
		g.get("/v1/policies/shadow/reports", &days)
		if len(days.Items) != 2 || days.Items[1].OnlyShadow.Warned != 1 || len(days.Items[1].Names) != 0 {
			t.Fatalf("%+v", days.Items)
		}
		if told := mara.says(exitDone, "in the shadow at warned", "policy", "shadow", "show", "--day", days.Items[1].Day.Day); !strings.Contains(told, string(silent.about.Entity)) {
			t.Errorf("no name in %s", told)
		}
		mara.says(exitRefused, "wanted a day", "policy", "shadow", "show", "--day", "2019-01-01")
		mara.says(exitDone, "runs no more", "policy", "shadow", "stop", "--reason", "Seen enough.")
		mara.says(exitDone, "No policy runs beside", "policy", "shadow", "show")
		if after := g.size(); after != size+1 {
			t.Errorf("a shadow and its end are %d entries, of which one is the end", after-size)
		}

		// Shown first, and refused without a backtest.
		var moves backtest.Moves
		mara.reads(&moves, "policy", "activate", strict)
		if moves.Moving != 2 || moves.Totals.Warned != 1 || moves.Totals.Covered != 1 || moves.Totals.Opens["cip.missing"] != 1 {
			t.Errorf("%+v", moves)
		}
		mara.says(exitRefused, "nobody confirmed", "policy", "propose", strict, "--reason", "Because.")
		root.says(exitRefused, "--reason: wanted why", "policy", "activate", strict)
		root.says(exitRefused, "wanted either FILE or --proposal ID, got neither", "policy", "activate", "--reason", "Because.")
		root.says(exitRefused, "cipgate policy propose "+strict, "policy", "activate", strict, "--reason", "Because.")
		root.says(exitRefused, "nobody proposed us-iaas-2024.90", "policy", "activate", strict, "--yes", moves.Shown, "--reason", "Because.")
		mara.says(exitRefused, "cipgate policy backtest FILE --record", "policy", "propose", strict, "--yes", moves.Shown, "--reason", "Because.")
		ida.says(exitRefused, "officer or approver or administrator", "policy", "backtest", strict, "--record", "--reason", "To try.")
		mara.says(exitRefused, "--reason: wanted why", "policy", "backtest", strict, "--record")
		mara.says(exitDone, "On record: entry", "policy", "backtest", strict, "--record", "--reason", "Before the board decides.")
		var tried struct {
			Items []backtestTold `json:"items"`
		}
		g.get("/v1/policies/backtests", &tried)
		if len(tried.Items) != 1 || tried.Items[0].By != "Mara Lind" || tried.Items[0].State != "done" || tried.Items[0].LeafIndex == nil {
			t.Errorf("%+v", tried.Items)
		}
		done := twoPutInForce(t, g, strict, mara, ida)
		if done.Policy != "us-iaas-2024.90" || done.Replaces != policy.Default().ID() || done.Backtest != tried.Items[0].ID || done.By != "Mara Lind" {
			t.Errorf("%+v", done)
		}
		root.says(exitRefused, "in force already", "policy", "activate", strict, "--yes", moves.Shown, "--reason", "Again.")
		ida.says(exitDone, "us-iaas-2024.90            since", "policy", "history")
		var inForce struct {
			Policy   string `json:"policy"`
			Document string `json:"document"`
			InForce  bool   `json:"in_force"`
		}
		g.get("/v1/policies/in-force", &inForce)
		if text, err := os.ReadFile(strict); err != nil || inForce.Document != string(text) || !inForce.InForce {
			t.Errorf("%+v, %v", inForce, err)
		}
		if response, _ := g.do(http.MethodGet, "/v1/policies/unheard-of.1", http.Header{"Authorization": {"Bearer " + g.token}}, nil); response.StatusCode != http.StatusNotFound {
			t.Errorf("a policy nobody put in force: %d", response.StatusCode)
		}

		// It decides from here on: who is silent is warned, and the training is owed a report within a clock of its own.
		pass(time.Minute)
		mara.says(exitDone, "judged by us-iaas-2024.90", "case", "show", string(silent.about.Entity))
		told := func() string {
			_, text := g.do(http.MethodGet, "/v1/resellers/"+trainer.about.Entity.ID().String(), http.Header{"Authorization": {"Bearer " + g.token}}, nil)
			return text
		}
		if text := told(); strings.Contains(text, `"rule":"report.late","severity"`) || !strings.Contains(text, "report.late") {
			t.Errorf("the report is not owed, or a finding at once: %s", text)
		}
		pass(15 * day)
		var open struct {
			Findings []struct {
				Rule string `json:"rule"`
			} `json:"findings"`
		}
		if g.get("/v1/resellers/"+trainer.about.Entity.ID().String(), &open); len(open.Findings) != 1 || open.Findings[0].Rule != "report.late" {
			t.Errorf("15 days later: %+v", open)
		}
		g.stop()
		restarts(t, g, strict)
	})
}

// twoPutInForce has mara propose a policy and the first account activate it, and each of them tries what it may not.
func twoPutInForce(t *testing.T, g *gateway, strict string, mara, ida deskOf) activated {
	t.Helper()
	root, shown := deskOf{g, g.token}, policyShown{}
	mara.reads(&shown, "policy", "propose", strict)
	ida.says(exitRefused, "approver or administrator", "policy", "propose", strict, "--yes", shown.Shown, "--reason", "Because.")
	mara.says(exitRefused, "answered 409", "policy", "propose", strict, "--yes", "guessed", "--reason", "Because.")
	var proposed proposedPolicy
	mara.withdrawsThrice(root, func() string {
		mara.reads(&proposed, "policy", "propose", strict, "--yes", shown.Shown, "--reason", "Too soon.")
		return proposed.ID
	})
	mara.reads(&proposed, "policy", "propose", strict, "--yes", shown.Shown, "--reason", "The board decided.")
	text, err := os.ReadFile(strict)
	if err != nil {
		t.Fatal(err)
	}
	var found proposedPolicy
	if g.get("/v1/policies/proposals/"+proposed.ID, &found); found.Document != string(text) || found.By.Name != "Mara Lind" || found.Counted["warned"] != "1" || found.Counted["opens"] == "" || found.Backtest == "" {
		t.Errorf("%+v", found)
	}
	ida.says(exitDone, "a second person: cipgate policy activate --proposal "+proposed.ID, "case", "proposals")
	mara.says(exitRefused, "proposed by Mara Lind; a second person runs: cipgate policy activate --proposal "+proposed.ID, "policy", "activate", strict, "--reason", "Because.")
	mara.says(exitRefused, "proposed by Mara Lind already", "policy", "propose", strict, "--reason", "Because.")
	mara.says(exitRefused, "administrator", "policy", "activate", strict, "--yes", shown.Shown, "--reason", "Because.")
	root.says(exitRefused, "after what it moves now was shown", "case", "confirm", proposed.ID, "--reason", "Because.")
	root.says(exitRefused, "byte for byte", "policy", "activate", nextPolicy(t, 90, withinThirty, withinTen), "--yes", shown.Shown, "--reason", "Because.")
	root.says(exitRefused, "answered 409", "policy", "activate", strict, "--yes", "guessed", "--reason", "Because.")
	// More moves than was proposed: who activates is told so.
	g.enrol("Late Ltd")
	g.settled()
	root.says(exitRefused, "nobody confirmed", "policy", "activate", "--proposal", proposed.ID, "--reason", "Because.")
	if told := root.tells("policy", "activate", "--proposal", proposed.ID, "--reason", "Because."); !strings.Contains(told, "Proposed by Mara Lind on") || !strings.Contains(told, "otherwise than proposed: moving: 2 then, 3 now") {
		t.Errorf("told %s", told)
	}
	if root.reads(&shown, "policy", "activate", "--proposal", proposed.ID); shown.Proposal == nil || !shown.Proposal.MayActivate || len(shown.Proposal.Differs) == 0 {
		t.Errorf("%+v", shown.Proposal)
	}
	var done activated
	root.reads(&done, "policy", "activate", "--proposal", proposed.ID, "--yes", shown.Shown, "--reason", "So it was decided.")
	root.says(exitDone, "Nothing waits to be confirmed.", "case", "proposals")
	return done
}

// withdrawsThrice withdraws a policy that it proposes, by command, over /v1 and by the page's button: each time nobody can put it in force
// from then on, and it may be proposed anew. Nobody else can withdraw it.
func (d deskOf) withdrawsThrice(another deskOf, proposes func() string) {
	d.t.Helper()
	press := func(by deskOf, id string) (int, string) {
		form := url.Values{"act": {"withdraw-proposal"}, "item": {id}, "back": {"/approvals"}, "reason": {"It was the wrong file."}}
		header := http.Header{"Authorization": {"Bearer " + by.token}, "Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"text/html"}}
		response, text := d.do(http.MethodPost, "/acts", header, []byte(form.Encode()))
		return response.StatusCode, text
	}
	over := func(by deskOf, id string) error {
		return newClient(d.base, by.token).post(d.t.Context(), "/v1/proposals/"+id+"/withdraw", map[string]string{"reason": "It was the wrong file."}, new(any))
	}
	seen := func(by deskOf, path string) string {
		_, text := d.do(http.MethodGet, path, http.Header{"Authorization": {"Bearer " + by.token}, "Accept": {"text/html"}}, nil)
		return text
	}
	const button, wrongOne = `value="withdraw-proposal"`, "whoever proposed it withdraws it"
	for name, withdraws := range map[string]func(id string){
		"by command": func(id string) {
			another.says(exitRefused, wrongOne, "case", "withdraw", id, "--reason", "It was the wrong file.")
			another.says(exitDone, "takes it back: cipgate case withdraw "+id, "case", "proposals")
			d.says(exitDone, "nobody can confirm it any more", "case", "withdraw", id, "--reason", "It was the wrong file.")
			d.says(exitRefused, "withdrawn", "case", "withdraw", id, "--reason", "Again.")
		},
		"over /v1": func(id string) {
			if err := over(another, id); err == nil || !strings.Contains(err.Error(), wrongOne) {
				d.t.Errorf("another withdraws it: %v", err)
			}
			if err := over(d, id); err != nil {
				d.t.Error(err)
			}
		},
		"by the button": func(id string) {
			for _, path := range []string{"/approvals", "/policies/proposals/" + id} {
				if mine, others := seen(d, path), seen(another, path); !strings.Contains(mine, button) || strings.Contains(others, button) {
					d.t.Errorf("%s has a button for others, or none for who proposed it:\n%s\n%s", path, mine, others)
				}
			}
			if status, text := press(another, id); status != http.StatusForbidden || !strings.Contains(text, wrongOne) {
				d.t.Errorf("another presses it: %d %s", status, text)
			}
			if status, text := press(d, id); status != http.StatusSeeOther {
				d.t.Errorf("the button: %d %s", status, text)
			}
		},
	} {
		id := proposes()
		withdraws(id)
		another.says(exitRefused, "withdrew", "policy", "activate", "--proposal", id, "--yes", "x", "--reason", "It is needed.")
		another.says(exitRefused, "withdrawn", "case", "confirm", id, "--reason", "It is needed.")
		another.says(exitDone, "Nothing waits to be confirmed.", "case", "proposals")
		for _, by := range []deskOf{d, another} {
			if text := seen(by, "/policies/proposals/"+id); !strings.Contains(text, "took it back") || strings.Contains(text, "<form method=\"post\" action=\"/policies") || strings.Contains(text, button) {
				d.t.Errorf("%s: its page says %s", name, text)
			}
		}
	}
}

// tells runs a command, however it ends, and returns what it printed.
func (d deskOf) tells(args ...string) string {
	d.t.Helper()
	_, out, problems := say(d.t, append(args, "--url", d.base, "--token", d.token)...)
	return out + problems
}

// restarts starts a gateway again on its store, by the policy that the ledger says is in force, whatever the flag says.
func restarts(t *testing.T, g *gateway, strict string) {
	t.Helper()
	again := func(file string) *gateway {
		t.Helper()
		config := g.config
		config.Policy = file
		listener, err := net.Listen("tcp", config.Listen)
		if err != nil {
			t.Fatal(err)
		}
		return serveGateway(t, config, listener)
	}
	first := nextPolicy(t, policy.Default().Version) // the file that it began with, which another one replaced since
	for _, file := range []string{"", strict, first} {
		started := again(file)
		var told struct {
			Policy string `json:"policy"`
		}
		started.get("/v1/policies/in-force", &told)
		if now := started.policyNow(); now.ID() != "us-iaas-2024.90" || started.docket.InForce().ID() != now.ID() || told.Policy != now.ID() {
			t.Errorf("started with %q it goes by %s and says %s", file, now.ID(), told.Policy)
		}
		started.stop()
	}
	config := g.config
	config.Policy = nextPolicy(t, 91, withinThirty, withinTen)
	if program, err := core(t.Context(), config, nil); err == nil || !strings.Contains(err.Error(), "cipgate policy activate") {
		t.Errorf("a policy that was never put in force: %v", err)
		if program != nil {
			_ = program.Close(t.Context())
		}
	}
}

func TestAGatewayAdoptsWhatAnotherOnePutInForceInEveryRoom(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "", func(c *Config) { c.Sandbox = true })
	r := g.enrol("Example Cloud GmbH")
	g.settled()
	file := nextPolicy(t, 90, "max_age:\n    value: 30d", "max_age:\n    value: 40d", "notice:\n    value: 180d", "notice:\n    value: 1d", "likeness:\n    value: 90", "likeness:\n    value: 95",
		"floor:\n    value: 730d", "floor:\n    value: 731d")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	keys, _, err := openKeyring(filepath.Join(g.config.Data, "keys"), false)
	if err != nil {
		t.Fatal(err)
	}
	// Another gateway on the same ledger puts it in force.
	signer, err := envelope.NewSigner(keys.statement)
	if err != nil {
		t.Fatal(err)
	}
	other, err := docket.New(t.Context(), g.db, g.ledger, signer, g.config.entity(), policy.Default(), g.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ActivateAs(t.Context(), p, func([]docket.Activation) ([]envelope.Verified, error) { return nil, nil }); err != nil {
		t.Fatal(err)
	}
	g.settled()
	if now := g.policyNow(); now.ID() != p.ID() || g.docket.InForce().ID() != p.ID() {
		t.Fatalf("it goes by %s", now.ID())
	}
	if road := g.inForce.roads.now.Load(); road.MaxAge != 40*24*time.Hour {
		t.Errorf("what is taken in is %s old at most", road.MaxAge)
	}
	pushed, err := r.push(t.Context(), statement.KindCIPAttestation, attestation())
	if err != nil {
		t.Fatal(err)
	}
	if _, receipt := g.do(http.MethodGet, "/receipts/"+pushed.Digest.String(), http.Header{"Accept": {"application/json"}}, nil); !strings.Contains(receipt, p.ID()) {
		t.Errorf("the receipt names another policy: %s", receipt)
	}
	root := deskOf{g, g.token}
	today := g.Now()
	root.says(exitDone, "", "measures", "impose", "--id", "m-1", "--country", "KP", "--effect", "prohibit", "--determined-on", today.Format(time.DateOnly),
		"--effective-on", today.AddDate(0, 0, 2).Format(time.DateOnly), "--expires-on", today.AddDate(0, 0, 100).Format(time.DateOnly), "--list", "l-1", "--source", "s")
	var likeness int64
	g.settled()
	if err := g.db.Raw("SELECT likeness FROM docket_screening WHERE id = 1").Scan(&likeness).Error; err != nil || likeness != 95 {
		t.Errorf("names are held alike from %d on, %v", likeness, err)
	}
	var moves struct {
		Shown string `json:"shown"`
	}
	if err := json.Unmarshal([]byte(root.says(exitDone, "", "policy", "activate", "us-iaas-2024", "--json")), &moves); err != nil || moves.Shown == "" {
		t.Errorf("back to the shipped one: %+v, %v", moves, err)
	}
}
