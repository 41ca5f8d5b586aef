package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// pushers is how many clients push at the same time.
const pushers = 64

// signMany lets a client that is not ours enrol, and sign count statements.
func (p *process) signMany(t *testing.T, name string, count int) []string {
	t.Helper()
	program, args := node(t, "flood.mjs", "sign", p.invite(name), strconv.Itoa(count))
	return strings.Fields(runToEnd(t, nil, program, args...).must(t))
}

// flood is many clients at once, in a process of their own.
type flood struct {
	t       *testing.T
	command *exec.Cmd
	answers *bufio.Scanner
	stderr  *bytes.Buffer
	stop    context.CancelFunc
	ended   bool
}

// push starts pushing tokens. Its answers are read by next, one by one as they come: what next has not read soon fills a pipe, and
// then the clients wait too. So a test that acts after so many answers acts while the rest is under way, on any machine.
func (p *process) push(t *testing.T, tokens []string) *flood {
	t.Helper()
	program, args := node(t, "flood.mjs", "push", p.base, strconv.Itoa(pushers))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	f := &flood{t: t, command: exec.CommandContext(ctx, program, args...), stderr: &bytes.Buffer{}, stop: cancel}
	f.command.Stdin, f.command.Stderr, f.command.Env = strings.NewReader(strings.Join(tokens, "\n")), f.stderr, environment()
	answers, err := f.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.command.Start(); err != nil {
		t.Fatal(err)
	}
	f.answers = bufio.NewScanner(answers)
	return f
}

// next is one answer that a client got; false at the end of all.
func (f *flood) next() (answer pushedByOthers, more bool) {
	f.t.Helper()
	if f.ended {
		return pushedByOthers{}, false
	}
	if f.answers.Scan() {
		return readAnswer(f.t, f.answers.Text()), true
	}
	f.ended = true
	defer f.stop()
	if err := errors.Join(f.answers.Err(), f.command.Wait()); err != nil {
		f.t.Fatalf("the clients: %v\n%s", err, f.stderr)
	}
	return pushedByOthers{}, false
}

// acknowledged are the tokens that were answered with 202.
type acknowledged map[string]struct{}

// takeOne reads one answer, and says whether there was one. Any but 202 is a failure: nothing here is to be refused, and a gateway
// that dies answers nothing.
func (a acknowledged) takeOne(f *flood) bool {
	f.t.Helper()
	answer, more := f.next()
	switch {
	case !more:
	case answer.Status != 202 || answer.Location != "/receipts/"+answer.Digest:
		f.t.Errorf("answered %d, Location %q: %s", answer.Status, answer.Location, answer.Refusal)
	default:
		a[answer.Token] = struct{}{}
	}
	return more
}

// takeAll reads the answers of several floods, from each in turn, until the clients have ended.
func (a acknowledged) takeAll(floods ...*flood) {
	for more := true; more; {
		more = false
		for _, f := range floods {
			f.t.Helper()
			more = a.takeOne(f) || more
		}
	}
}

// takeUntil reads the answers of several floods, from each in turn, until as many tokens as wanted are acknowledged.
func (a acknowledged) takeUntil(wanted int, floods ...*flood) {
	for len(a) < wanted {
		for _, f := range floods {
			f.t.Helper()
			if !a.takeOne(f) {
				f.t.Fatalf("the clients ended with %d acknowledgements, before %d\n%s", len(a), wanted, f.stderr)
			}
		}
	}
}

func (a acknowledged) list() []string { return slices.Collect(maps.Keys(a)) }

// others are the tokens that were not acknowledged.
func (a acknowledged) others(tokens []string) []string {
	var rest []string
	for _, token := range tokens {
		if _, is := a[token]; !is {
			rest = append(rest, token)
		}
	}
	return rest
}

func digestsOf(tokens []string) []string {
	digests := make([]string, len(tokens))
	for i, token := range tokens {
		digests[i] = envelope.DigestOf([]byte(token)).String()
	}
	return digests
}

// entry is one of /v1/entries.
type entryOfAPI struct {
	LeafIndex int64  `json:"leaf_index"`
	Kind      string `json:"kind"`
	About     string `json:"about"`
	JTI       string `json:"jti"`
	Digest    string `json:"digest"`
}

// entries reads all of /v1/entries.
func (p *process) entries() []entryOfAPI {
	p.t.Helper()
	return entriesOf(p.t, p.admin())
}

// entriesOf reads all of /v1/entries, page by page.
func entriesOf(t *testing.T, admin *client) []entryOfAPI {
	t.Helper()
	var all []entryOfAPI
	for after := ""; ; {
		var page struct {
			Items []entryOfAPI `json:"items"`
			Next  string       `json:"next"`
		}
		if err := admin.get(t.Context(), "/v1/entries?limit=1000&after="+after, &page); err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Items...)
		if after = page.Next; after == "" {
			return all
		}
	}
}

// stand checks that the ledger's entries are numbered without a gap, that no two have one jti, and that each of these tokens is
// exactly one of them. It returns where.
func (p *process) stand(tokens []string) map[string]int64 {
	t := p.t
	t.Helper()
	at := map[string]int64{}
	jtis := map[string]int64{}
	for i, entry := range p.entries() {
		if entry.LeafIndex != int64(i) {
			t.Fatalf("entry %d stands where entry %d should", entry.LeafIndex, i)
		}
		if first, twice := at[entry.Digest]; twice {
			t.Errorf("entry %d is entry %d again", i, first)
		}
		if first, twice := jtis[entry.JTI]; twice {
			t.Errorf("entries %d and %d have one jti", first, i)
		}
		at[entry.Digest], jtis[entry.JTI] = entry.LeafIndex, entry.LeafIndex
	}
	for _, digest := range digestsOf(tokens) {
		if _, stands := at[digest]; !stands {
			t.Errorf("%s was acknowledged and is not in the ledger", digest)
		}
	}
	return at
}

// provable checks that each token has a receipt that proves it, at the place where the ledger and the audited log have it.
func (p *process) provable(tokens []string, at map[string]int64, audited []string) {
	p.t.Helper()
	for i, digest := range digestsOf(tokens) {
		index := checkReceipt(p.t, p.receipt(digest), tokens[i], p.vkey)
		if index != at[digest] || audited[index] != digest {
			p.t.Errorf("%s: entry %d by its receipt, %d by /v1/entries; there the log has %s", digest, index, at[digest], audited[index])
		}
	}
}
