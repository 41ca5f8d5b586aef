package life

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// duties are what happens, in every eighth life, about orders and contacts beside the rest: orders are confirmed by the reseller, by the
// provider's own system, in part or never; notices are proved, or tried in vain; streams are paused; contacts are confirmed. Policies of
// these lives have the rules about that on. They draw from a stream of their own, so that the other lives are what they are without them.
type duties struct {
	r *rand.Rand
	// habits of its resellers, each from 0, hardly ever, to 3
	confirms, proves, contacts int
}

// WithDuties is what the number of a life with duties leaves, divided by 8.
const WithDuties = 5

// dutyRules are the rules that only these lives turn on.
var dutyRules = []string{"order.overdue", "contact.unreachable", "contact.unconfirmed"}

// newDuties returns nil for a life that is none of these.
func newDuties(seed, number uint64) *duties {
	if number%8 != WithDuties {
		return nil
	}
	r := rand.New(rand.NewPCG(seed^0x647574696573, number))
	return &duties{r: r, confirms: r.IntN(4), proves: r.IntN(4), contacts: r.IntN(4)}
}

// drawDuties varies policies in which the rules about orders and contacts are on, most of them, and more closes by itself.
func drawDuties(seed uint64, from []policy.Policy, shipped, count int) ([]policy.Policy, error) {
	r := rand.New(rand.NewPCG(seed, 0x647574696573))
	var all []policy.Policy
	for tries := 0; len(all) < count; tries++ {
		if tries > 1000*count {
			return nil, fmt.Errorf("of %d random policies with duties only %d hold together", tries, len(all))
		}
		text, err := vary(r, from[r.IntN(shipped)].Document(), len(all))
		if err != nil {
			return nil, err
		}
		var file branch
		if err := yaml.Unmarshal(text, &file); err != nil {
			return nil, fmt.Errorf("read a policy to turn duties on: %w", err)
		}
		file["policy"] = fmt.Sprintf("random-duties-%d", len(all))
		rules, _ := file["rules"].(branch)
		for _, name := range dutyRules {
			rule, is := rules[name].(branch)
			if !is {
				continue
			}
			rule["on"] = r.IntN(6) > 0
			if after, is := rule["after"].(branch); is && r.IntN(3) > 0 {
				after["value"] = span(r, 0, map[string]int{"order.overdue": 6, "contact.unreachable": 15, "contact.unconfirmed": 120}[name])
			}
			delete(rule, "reminders") // they must fit into the time
		}
		if c, is := file["case"].(branch); is && r.IntN(2) == 0 {
			approvals, _ := c["approvals"].(branch)
			for _, step := range []string{"close", "terminate"} {
				if rule, is := approvals[step].(branch); is {
					rule["people"], rule["critical"] = 0, r.IntN(2)
				}
			}
		}
		if text, err = yaml.Marshal(file); err != nil {
			return nil, fmt.Errorf("write a policy with duties: %w", err)
		}
		if read, err := policy.Parse(text); err == nil {
			all = append(all, read)
		}
	}
	return all, nil
}

// DrawDuties draws a policy for a life with duties: of four one that any life may have.
func (p *Policies) DrawDuties(r *rand.Rand) policy.Policy {
	if r.IntN(4) == 0 {
		return p.Draw(r)
	}
	return p.duties[r.IntN(len(p.duties))]
}

// duty is one thing that happens about orders and contacts.
func (p *player) duty() error {
	r := p.resellers[p.duties.r.IntN(len(p.resellers))]
	said := p.duties.acts
	if p.duties.r.IntN(6) == 0 {
		said = func(r *reseller, now time.Time) []Draft { return p.duties.succession(r, p.resellers, now) }
	}
	for _, d := range said(r, p.clock()) {
		if err := p.say(d); err != nil {
			return err
		}
	}
	return nil
}

func (u *duties) acts(r *reseller, now time.Time) []Draft {
	by := officers[u.r.IntN(len(officers))]
	often := func(habit int) bool { return u.r.IntN(4) <= habit }
	did := statement.OfficerAction{Officer: by, Reason: "As the provider's system has it.", On: statement.Target{Type: "reseller", ID: string(r.entity)}}
	switch what := u.r.IntN(20); {
	case what < 7 && len(r.orders) > 0:
		if !often(u.confirms) {
			return nil
		}
		return []Draft{u.confirmsOrder(r, did, now)}
	case what < 12:
		if !often(u.proves) {
			return nil
		}
		return []Draft{u.proof(r, did, now)}
	case what < 14:
		inquiry := fmt.Sprintf("q-%d", r.stated)
		r.inquired = append(r.inquired, inquiry)
		return []Draft{r.record(statement.InformationRequested{Inquiry: inquiry, Question: "Who is c-2?", DueAt: now.Add(time.Duration(u.r.IntN(10)) * day).Truncate(time.Second)})}
	case what < 15 && len(r.inquired) > 0:
		return []Draft{r.state("", statement.Remediation{RemediationKind: "explanation", Text: "It is us.", Inquiry: r.inquired[u.r.IntN(len(r.inquired))]})}
	case what < 17:
		if !often(u.contacts) {
			return nil
		}
		did.Action, did.Details = "contact.confirmed", []statement.Field{{Name: "link", Value: fmt.Sprintf("l-%d", r.stated)}}
		return []Draft{r.record(did)}
	case what < 19 && u.r.IntN(3) == 0:
		did.Action = []string{"stream.paused", "stream.enabled"}[u.r.IntN(2)]
		return []Draft{r.record(did)}
	case len(r.open) > 0: // what is overdue is disputed too
		i := slices.IndexFunc(r.open, func(f string) bool { return slices.Contains(dutyRules, ruleOf(f)) })
		if i < 0 {
			return nil
		}
		said := r.state("", statement.Remediation{RemediationKind: "dispute", Text: "It was done.", Finding: r.open[i],
			Ground: []string{"false-positive", "wrong-severity"}[u.r.IntN(2)]})
		r.disputes, r.disputed = append(r.disputes, said.JTI+" "+r.open[i]), r.open[i]
		return []Draft{said}
	}
	return nil
}

// ruleOf is the rule under which a finding was opened, by its id.
func ruleOf(finding string) string {
	for _, name := range dutyRules {
		if len(finding) > len(name) && finding[:len(name)+1] == name+"." {
			return name
		}
	}
	return ""
}

// confirmsOrder is that an order was carried out, in part, or cannot be: as the reseller says, or the provider's own system. Most often it is the
// latest one; or one that nobody gave; or one of which it was said already that it was carried out, and that is corrected.
func (u *duties) confirmsOrder(r *reseller, did statement.OfficerAction, now time.Time) Draft {
	order := r.orders[len(r.orders)-1]
	switch u.r.IntN(8) {
	case 0:
		order = r.orders[u.r.IntN(len(r.orders))]
	case 1:
		order = "nothing"
	}
	outcome, on := []string{"done", "done", "partly", "cannot"}[u.r.IntN(4)], statement.DateOf(now)
	own, supersedes := u.r.IntN(2) == 0, ""
	if n := len(r.words); n > 0 && u.r.IntN(3) == 0 { // a word is corrected, now and then by who did not say it
		said := r.words[n-1-u.r.IntN(min(n, 3))]
		if order, supersedes = said.order, said.jti; u.r.IntN(4) > 0 {
			if own = said.by.ID == ""; !own {
				did.Officer = said.by
			}
		}
	}
	remember := func(d Draft, by statement.Officer) Draft {
		if outcome == "done" {
			r.words = append(r.words, word{d.JTI, order, by})
		}
		return d
	}
	if own {
		said := statement.OrderConfirmation{Order: order, Outcome: outcome, On: on, Supersedes: supersedes}
		if outcome != "done" {
			said.Reason = "One account is left."
		}
		return remember(r.state("", said), statement.Officer{})
	}
	did.Action, did.On = "order.confirmed", statement.Target{Type: "order", ID: order}
	did.Details = []statement.Field{{Name: "outcome", Value: outcome}, {Name: "on", Value: on.String()}}
	if supersedes != "" {
		did.Details = append(did.Details, statement.Field{Name: "supersedes", Value: supersedes})
	}
	return remember(r.record(did), did.Officer)
}

// proof is that a notice was proved by a channel, or that an officer called, and somebody answered or nobody.
func (u *duties) proof(r *reseller, did statement.OfficerAction, now time.Time) Draft {
	notice := "none"
	if n := len(r.notices); n > 0 {
		notice = r.notices[n-1-u.r.IntN(min(n, 3))]
	}
	at := now.Add(-time.Duration(u.r.IntN(60)) * time.Hour).UTC().Truncate(time.Second)
	if u.r.IntN(3) == 0 {
		return r.record(statement.NoticeProved{Notice: notice, Channel: []string{statement.ChannelSETAcknowledged, statement.ChannelLinkOpened}[u.r.IntN(2)], AddressedAt: at, ProvedAt: at})
	}
	did.Action, did.On, did.Reason = "notice.recorded", statement.Target{Type: "notice", ID: notice}, "It rang."
	did.Details = []statement.Field{{Name: "channel", Value: []string{"call", "courier"}[u.r.IntN(2)]}, {Name: "whom", Value: "compliance"}, {Name: "at", Value: at.Format(time.RFC3339)}}
	if u.r.IntN(2) == 0 {
		did.Details = append(did.Details, statement.Field{Name: "answered", Value: "no"})
	}
	return r.record(did)
}
