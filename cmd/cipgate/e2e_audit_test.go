package main

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"testing"

	"filippo.io/torchwood"
	merkle "github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Here is what an auditor does who trusts none of our code: the log is read by torchwood's client, receipts are checked by
// transparency-dev's Merkle library.

// openHead checks the signature of a checkpoint and reads it.
func openHead(t *testing.T, checkpoint []byte, vkey string) torchwood.Checkpoint {
	t.Helper()
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := note.Open(checkpoint, note.VerifierList(verifier))
	if err != nil {
		t.Fatal(err)
	}
	head, err := torchwood.ParseCheckpoint(opened.Text)
	if err != nil {
		t.Fatal(err)
	}
	if head.Origin != verifier.Name() {
		t.Fatalf("the checkpoint is of %q, the key of %q", head.Origin, verifier.Name())
	}
	return head
}

// checkpoint fetches the newest one.
func (p *process) checkpoint() []byte {
	p.t.Helper()
	status, text := p.fetch("/log/checkpoint", "")
	if status != 200 {
		p.t.Fatalf("/log/checkpoint: %d %s", status, text)
	}
	return []byte(text)
}

// audit reads the whole log under /log, recomputes its tree against the signed checkpoint, checks that the tree continues that of
// every older checkpoint, and returns the entries: digests, in leaf order.
func (p *process) audit(older ...[]byte) []string {
	t := p.t
	t.Helper()
	fetcher, err := torchwood.NewTileFetcher(p.base + "/log")
	if err != nil {
		t.Fatal(err)
	}
	head := openHead(t, p.checkpoint(), p.vkey)
	client, err := torchwood.NewClient(fetcher)
	if err != nil {
		t.Fatal(err)
	}
	var digests []string
	for int64(len(digests)) < head.N {
		before := len(digests)
		for index, entry := range client.Entries(t.Context(), head.Tree, int64(before)) {
			if index != int64(len(digests)) {
				t.Fatalf("after entry %d comes entry %d", len(digests)-1, index)
			}
			digests = append(digests, base64.RawURLEncoding.EncodeToString(entry))
		}
		if err := client.Err(); err != nil {
			t.Fatalf("torchwood, after entry %d: %v", len(digests)-1, err)
		}
		if len(digests) == before {
			t.Fatalf("torchwood reads no further than %d of %d entries", before, head.N)
		}
	}
	hashes := torchwood.TileHashReaderWithContext(t.Context(), head.Tree, fetcher)
	for _, one := range older {
		past := openHead(t, one, p.vkey)
		path, err := tlog.ProveTree(head.N, past.N, hashes)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckTree(path, head.N, head.Hash, past.N, past.Hash); err != nil {
			t.Errorf("the tree of %d entries does not continue that of %d: %v", head.N, past.N, err)
		}
	}
	return digests
}

// receipt fetches the receipt of a token as text.
func (p *process) receipt(digest string) string {
	p.t.Helper()
	status, text := p.fetch("/receipts/"+digest, "text/plain")
	if status != 200 {
		p.t.Fatalf("/receipts/%s: %d %s", digest, status, text)
	}
	return text
}

// checkReceipt checks by the format's own words (C2SP tlog-proof) that a receipt proves a token, and returns the leaf index.
func checkReceipt(t *testing.T, text, token, vkey string) int64 {
	t.Helper()
	proof, checkpoint, found := strings.Cut(text, "\n\n")
	lines := strings.Split(proof, "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "index ") {
		t.Fatalf("this is no tlog-proof: %q", text)
	}
	index, err := strconv.ParseUint(strings.TrimPrefix(lines[1], "index "), 10, 63)
	if err != nil {
		t.Fatal(err)
	}
	var path [][]byte
	for _, line := range lines[2:] {
		hash, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			t.Fatal(err)
		}
		path = append(path, hash)
	}
	head := openHead(t, []byte(checkpoint), vkey)
	digest := sha256.Sum256([]byte(token))
	leaf := rfc6962.DefaultHasher.HashLeaf(digest[:])
	if err := merkle.VerifyInclusion(rfc6962.DefaultHasher, index, uint64(head.N), leaf, path, head.Hash[:]); err != nil {
		t.Errorf("the receipt does not prove its token: %v", err)
	}
	return int64(index)
}
