package audit

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/goccy/go-yaml"
)

func unmarshal(text []byte, into any) error { return json.Unmarshal(text, into) }

// numbers are those of a policy file by which an entity is judged, read here by a YAML library and nothing else.
type numbers struct {
	id    string
	rules map[string]rule

	clock                                                                     string
	limit, cure, cureMargin, cureFloor, restriction, closingMargin, stepFloor time.Duration
	terminationMargin, holdReturn                                             time.Duration
	approvals                                                                 map[string]approval // by step
	repeatCount, repeatShare                                                  int
	repeatWithin                                                              time.Duration
	hours                                                                     hours
	proof                                                                     proving
	guard                                                                     brakes
	leaves                                                                    bool // a termination orders closed what is left
}

// approval is whom a step asks.
type approval struct {
	people, critical int
	acts             bool // silence acts
}

type rule struct {
	on         bool
	severity   string
	after      time.Duration
	share      int
	suspicious time.Duration            // until when a report of suspicious activity is not late
	byOfficer  bool                     // only an officer cures it
	refresh    map[string]time.Duration // by risk tier
}

// Shelf holds policies that were read. It may be used by several goroutines.
type Shelf struct {
	mu    sync.Mutex
	known map[string]*numbers
}

// NewShelf returns an empty shelf.
func NewShelf() *Shelf { return &Shelf{known: map[string]*numbers{}} }

// read returns a policy by its id and its text.
func (s *Shelf) read(id, document string) (*numbers, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.known[document]; n != nil {
		return n, nil
	}
	n, err := readPolicy(document)
	if err != nil {
		return nil, err
	}
	if n.id != id {
		return nil, fmt.Errorf("the file of policy %s says that it is %s", id, n.id)
	}
	s.known[document] = n
	return n, nil
}

// branch is a part of a YAML file.
type branch map[string]any

func (b branch) down(names ...string) branch {
	for _, name := range names {
		switch next := b[name].(type) {
		case map[string]any:
			b = next
		default:
			return nil
		}
	}
	return b
}

func readPolicy(document string) (*numbers, error) {
	var file map[string]any
	if err := yaml.Unmarshal([]byte(document), &file); err != nil {
		return nil, fmt.Errorf("read a policy file: %w", err)
	}
	root := branch(file)
	n := &numbers{id: fmt.Sprintf("%v.%v", root["policy"], root["version"]), rules: map[string]rule{}}
	var failed error
	length := func(b branch, names ...string) time.Duration {
		text, has := b.down(names...)["value"].(string)
		if !has {
			return 0
		}
		d, err := readLength(text)
		if err != nil && failed == nil {
			failed = fmt.Errorf("policy %s, %s: %w", n.id, strings.Join(names, "."), err)
		}
		return d
	}
	for name := range root.down("rules") {
		b := root.down("rules", name)
		r := rule{on: b["on"] == true, after: length(b, "after"), refresh: map[string]time.Duration{}}
		r.severity, _ = b["severity"].(string)
		r.share = whole(b.down("share")["value"])
		r.suspicious, r.byOfficer = length(b, "suspicious_activity"), b["cured_by"] == "officer"
		for tier := range b.down("refresh") {
			r.refresh[tier] = length(b, "refresh", tier)
		}
		n.rules[name] = r
	}
	c := root.down("case")
	n.clock, _ = c.down("clock_start")["value"].(string)
	for name, into := range map[string]*time.Duration{
		"limit": &n.limit, "cure": &n.cure, "cure_margin": &n.cureMargin, "cure_floor": &n.cureFloor, "restriction": &n.restriction,
		"closing_margin": &n.closingMargin, "termination_margin": &n.terminationMargin, "step_floor": &n.stepFloor,
	} {
		*into = length(c, name)
		if *into == 0 && failed == nil {
			failed = fmt.Errorf("policy %s has no case.%s", n.id, name)
		}
	}
	if n.holdReturn = length(c, "hold_return"); n.holdReturn == 0 {
		n.holdReturn = n.cureFloor
	}
	n.approvals = map[string]approval{}
	for step := range c.down("approvals") {
		b := c.down("approvals", step)
		n.approvals[step] = approval{people: whole(b["people"]), critical: whole(b["critical"]), acts: b["silence"] == "acts"}
	}
	n.repeatCount, n.repeatShare = whole(c.down("repeat", "count")["value"]), whole(c.down("repeat", "cure_share")["value"])
	n.repeatWithin = length(c, "repeat", "within")
	n.leaves = c.down("close", "scope")["value"] != nil
	n.proof = readProving(c.down("proof"), length)
	if failed == nil {
		n.hours, failed = readHours(root.down("hours"))
	}
	if failed == nil {
		n.guard, failed = readBrakes(root.down("guard"))
	}
	return n, failed
}

func whole(value any) int {
	n, err := strconv.Atoi(fmt.Sprint(value))
	if err != nil {
		return 0
	}
	return n
}

// readLength reads 30d, 72h, 1d12h.
func readLength(text string) (time.Duration, error) {
	var total time.Duration
	rest := text
	for rest != "" {
		digits := strings.IndexAny(rest, "dhms")
		if digits <= 0 {
			return 0, fmt.Errorf("%q is no length of time", text)
		}
		count, err := strconv.ParseInt(rest[:digits], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%q is no length of time", text)
		}
		total += time.Duration(count) * map[byte]time.Duration{'d': 24 * time.Hour, 'h': time.Hour, 'm': time.Minute, 's': time.Second}[rest[digits]]
		rest = rest[digits+1:]
	}
	return total, nil
}
