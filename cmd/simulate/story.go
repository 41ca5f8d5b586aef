package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/cmd/simulate/audit"
)

// storyBefore and storyAfter are how many entries about the entity are told before and after the one at which it shows.
const storyBefore, storyAfter = 40, 3

// tellStory prints a violation so that a person can follow it.
func tellStory(out io.Writer, seed uint64, b broken) {
	fmt.Fprintf(out, "  %s.\n  Again with: go run ./cmd/simulate --seed %d --life %d\n", b.what, seed, b.number)
	var told []audit.Entry
	after := 0
	for _, e := range b.entries {
		if e.About != b.what.Entity && e.Kind != "policy-activated" && e.Kind != "outage-recorded" {
			continue
		}
		if e.Leaf > b.what.Leaf {
			if after++; after > storyAfter {
				break
			}
		}
		told = append(told, e)
	}
	if left := len(told) - storyBefore; left > 0 {
		fmt.Fprintf(out, "    (%d entries before)\n", left)
		told = told[left:]
	}
	for _, e := range told {
		mark := " "
		if e.Leaf == b.what.Leaf {
			mark = ">"
		}
		fmt.Fprintf(out, "  %s %4d  %s  %-23s %s\n", mark, e.Leaf, e.AcceptedAt.Format("2006-01-02 15:04:05.000000"), e.Kind, summary(e))
	}
}

// telling are the members of a statement that a story needs, in its order.
var telling = []string{"policy", "finding", "rule", "severity", "since", "evidence", "cured_by", "case", "findings", "cure_by", "next_at", "terminates_at", "limit_at",
	"order", "scope", "before", "after", "action", "kind", "ground", "remediation", "inquiry", "decision", "due_at", "ends_at", "account", "status", "on", "party", "form", "result",
	"checked_on", "risk_tier", "exemption", "until", "discovered_at", "whose_error"}

func summary(e audit.Entry) string {
	var said map[string]any
	if err := json.Unmarshal(e.JSON, &said); err != nil {
		return string(e.JSON)
	}
	var words []string
	if e.Customer != "" {
		words = append(words, "of "+e.Customer)
	}
	basis, decided := said["basis"].(map[string]any)
	for _, name := range telling {
		value, has := said[name]
		switch of := value.(type) {
		case nil:
			continue
		case map[string]any:
			value = of["id"]
		case string:
			value = short(of)
		}
		if has {
			words = append(words, fmt.Sprintf("%s=%v", name, value))
		}
	}
	if officer, is := said["officer"].(map[string]any); is {
		words = append(words, fmt.Sprintf("by=%v", officer["id"]))
	}
	if proposed, is := said["proposed_by"].(map[string]any); is {
		words = append(words, fmt.Sprintf("proposed_by=%v", proposed["id"]))
	}
	if by, is := said["by"].(map[string]any); is {
		words = append(words, fmt.Sprintf("by=%v", by["id"]))
	}
	if details, is := said["details"].([]any); is {
		for _, d := range details {
			if field, is := d.(map[string]any); is {
				words = append(words, fmt.Sprintf("%v=%v", field["name"], field["value"]))
			}
		}
	}
	if elements, is := said["elements"].(map[string]any); is {
		for name, element := range elements {
			if of, is := element.(map[string]any); is && of["in_place"] == false {
				words = append(words, "without="+name)
			}
		}
	}
	if decided {
		words = append(words, fmt.Sprintf("(by %v, at %v, upon entry %v)", basis["policy"], basis["now"], basis["seen"]))
	}
	return strings.Join(words, " ")
}

// short leaves of an id as much as tells it apart.
func short(text string) string {
	if len(text) == 36 && strings.Count(text, "-") == 4 {
		return text[:8]
	}
	return text
}
