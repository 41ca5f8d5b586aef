package life

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Policies are those by which lives are judged: the shipped ones, and random variations of them that a gateway would start with.
type Policies struct {
	all     []policy.Policy
	shipped int             // of them, the first ones
	duties  []policy.Policy // for lives with duties
}

// NewPolicies draws some variations.
func NewPolicies(seed uint64, variations int) (*Policies, error) {
	p := &Policies{all: policy.Shipped()}
	p.shipped = len(p.all)
	r := rand.New(rand.NewPCG(seed, 0x706f6c696379))
	for tries := 0; len(p.all) < p.shipped+variations; tries++ {
		if tries > 1000*variations {
			return nil, fmt.Errorf("of %d random policies only %d hold together", tries, len(p.all)-p.shipped)
		}
		text, err := vary(r, p.all[r.IntN(p.shipped)].Document(), len(p.all))
		if err != nil {
			return nil, err
		}
		if read, err := policy.Parse(text); err == nil { // one whose numbers do not hold together is refused, as a gateway does
			p.all = append(p.all, read)
		}
	}
	var err error
	p.duties, err = drawDuties(seed, p.all, p.shipped, 6+variations/4)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Draw draws one: as often as not a shipped one.
func (p *Policies) Draw(r *rand.Rand) policy.Policy {
	if r.IntN(2) == 0 {
		return p.all[r.IntN(p.shipped)]
	}
	return p.all[r.IntN(len(p.all))]
}

type branch = map[string]any

// vary changes numbers of a policy file.
func vary(r *rand.Rand, document string, number int) ([]byte, error) {
	var file branch
	if err := yaml.Unmarshal([]byte(document), &file); err != nil {
		return nil, fmt.Errorf("read a policy to vary: %w", err)
	}
	file["policy"], file["version"] = fmt.Sprintf("random-%d", number), 1
	set := func(in any, name string, value any) {
		if b, is := in.(branch); is {
			if b, is := b[name].(branch); is {
				b["value"] = value
			}
		}
	}
	if c, is := file["case"].(branch); is {
		odds := func(name string, days ...int) {
			if r.IntN(2) == 0 {
				set(c, name, span(r, days[0], days[1]))
			}
		}
		set(c, "clock_start", []string{"evidence-received", "awareness"}[r.IntN(2)])
		odds("limit", 15, 80)
		odds("cure", 4, 30)
		odds("cure_margin", 2, 12)
		odds("cure_floor", 1, 8)
		odds("restriction", 1, 15)
		odds("closing_margin", 1, 8)
		odds("termination_margin", 0, 3)
		odds("step_floor", 0, 4)
		odds("hold_return", 1, 6)
		people(r, c)
		proof(r, c)
	}
	if h, is := file["hours"].(branch); is && r.IntN(3) == 0 {
		h["on"], h["zone"] = true, []string{"UTC", "UTC-5", "UTC+5:30"}[r.IntN(3)]
	}
	if g, is := file["guard"].(branch); is && r.IntN(2) == 0 {
		guard(r, g)
	}
	rules, _ := file["rules"].(branch)
	for _, name := range Rules {
		rule, is := rules[name].(branch)
		if !is {
			continue
		}
		if r.IntN(6) == 0 {
			rule["on"] = rule["on"] != true
		}
		if name == "cip.copy-missing" || name == "customer.stale" {
			rule["on"] = r.IntN(2) == 0
		}
		if r.IntN(4) == 0 && rule["severity"] != "as-recorded" {
			rule["severity"] = []string{"minor", "serious"}[r.IntN(2)]
		}
		if r.IntN(2) == 0 {
			set(rule, "after", span(r, 1, 60))
		}
		if name == "cip.stale" {
			set(rule, "after", span(r, 90, 400))
			set(rule, "reminders", []any{"30d", "7d"})
		}
		if r.IntN(2) == 0 {
			set(rule, "share", 1+r.IntN(60))
		}
		if refresh, is := rule["refresh"].(branch); is {
			for _, tier := range []string{"low", "medium", "high"} {
				set(refresh, tier, span(r, 20, 400))
			}
		}
	}
	text, err := yaml.Marshal(file)
	if err != nil {
		return nil, fmt.Errorf("write a varied policy: %w", err)
	}
	return text, nil
}

// people varies whom the steps ask, and what happens to who repeats.
func people(r *rand.Rand, c branch) {
	approvals, _ := c["approvals"].(branch)
	for _, step := range []string{"warn", "restrict", "close", "terminate"} {
		rule, is := approvals[step].(branch)
		if !is || r.IntN(2) == 0 {
			continue
		}
		rule["people"], rule["critical"] = r.IntN(3), r.IntN(3)
		rule["silence"] = []string{"acts", "holds"}[r.IntN(2)]
	}
	repeat, is := c["repeat"].(branch)
	if !is || r.IntN(2) == 0 {
		return
	}
	for name, value := range map[string]any{"count": 2 + r.IntN(3), "within": span(r, 100, 700), "cure_share": 10 + r.IntN(90)} {
		if b, is := repeat[name].(branch); is {
			b["value"] = value
		}
	}
}

// guard varies the brakes so that a few resellers reach them.
func guard(r *rand.Rand, g branch) {
	for _, name := range []string{"closures", "terminations", "findings"} {
		if b, is := g[name].(branch); is {
			b["count"], b["share"] = 1+r.IntN(3), 1+r.IntN(100)
		}
	}
	if b, is := g["findings"].(branch); is {
		b["count"], b["share"], b["within"] = []int{2, 3, 20}[r.IntN(3)], 1+r.IntN(20), []string{"1h", "1d", "3d"}[r.IntN(3)]
	}
	if b, is := g["accounts"].(branch); is && r.IntN(2) == 0 {
		b["value"] = 1 + r.IntN(5)
	}
}

// span draws a length of time between these days, now and then with hours and seconds.
func span(r *rand.Rand, from, to int) string {
	days := from + r.IntN(to-from+1)
	switch {
	case days == 0:
		return fmt.Sprintf("%dh", 1+r.IntN(23))
	case r.IntN(3) == 0:
		return fmt.Sprintf("%dd%dh%ds", days, 1+r.IntN(23), 1+r.IntN(59))
	}
	return fmt.Sprintf("%dd", days)
}

// Rules are those that lives are about.
var Rules = []string{"cip.missing", "cip.stale", "cip.incomplete", "cip.copy-missing", "customer.unverified", "customer.stale", "customer.incomplete"}

// Activation states that a policy is in force.
func Activation(p policy.Policy, replaces string, now time.Time) Draft {
	return Draft{By: Gateway, About: Gateway, JTI: "activated-" + p.ID() + "-after-" + replaces + "-at-" + now.UTC().Format(time.RFC3339Nano),
		Statement: statement.PolicyActivated{Policy: p.ID(), Digest: p.Digest(), Replaces: replaces, EffectiveAt: now, Document: p.Document()}}
}
