package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// beside makes a second gateway on the same store: the same entity with the same keys, in a folder and on a port of its own, as on
// another machine.
func (p *process) beside(database string) *process {
	p.t.Helper()
	other := newProcess(p.t, database, "--public-url", p.base)
	if err := os.CopyFS(other.data, os.DirFS(p.data)); err != nil {
		p.t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(other.data, "keys")); err != nil {
		p.t.Fatal(err)
	}
	return other
}

func TestOfTwoGatewaysOnOneDatabaseOneTakesWhatTheOtherLeftUnanswered(t *testing.T) {
	t.Parallel()
	const count = 40 * pushers
	database := migrationstest.URL(t, "postgres")
	first := newProcess(t, database)
	first.start()
	second := first.beside(database)
	second.start()
	if first.vkey != second.vkey {
		t.Fatalf("one log, two keys: %s and %s", first.vkey, second.vkey)
	}
	// Two resellers' worth of statements, to each gateway one half and the middle to both at once. Both were enrolled at the first.
	tokens := slices.Concat(first.signMany(t, "Example Cloud GmbH", count/2), first.signMany(t, "Beispiel Wolke AG", count/2))
	kept := acknowledged{}
	toFirst, toSecond := first.push(t, tokens[:count*5/8]), second.push(t, tokens[count*3/8:])
	kept.takeUntil(count/2, toFirst, toSecond)
	seen := first.checkpoint()
	first.kill()
	kept.takeAll(toFirst, toSecond)

	rest := kept.others(tokens)
	t.Logf("the first was killed; %d of %d were acknowledged by either", len(kept), count)
	if len(rest) == 0 {
		t.Fatal("nothing was under way when the first gateway was killed")
	}
	kept.takeAll(second.push(t, rest))
	if missing := kept.others(tokens); len(missing) > 0 {
		t.Fatalf("%d were not acknowledged by the gateway that stayed", len(missing))
	}

	first.start()
	at, audited := first.stand(tokens), first.audit(seen)
	if !slices.Equal(audited, second.audit(seen)) {
		t.Error("the two gateways show different logs")
	}
	for i, digest := range digestsOf(tokens) { // from each gateway the receipts of one half, whoever took the statements
		from := []*process{first, second}[i%2]
		if index := checkReceipt(t, from.receipt(digest), tokens[i], first.vkey); index != at[digest] || audited[index] != digest {
			t.Errorf("%s: entry %d by its receipt, %d by /v1/entries; there the log has %s", digest, index, at[digest], audited[index])
		}
	}
	first.stop()
	cipgate(t, second.store("ledger", "check")...).must(t)
	second.stop()
}
