package ledger

import (
	"crypto/sha256"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	// tileHeight is the height of a tile, and tileWidth the number of its hashes (C2SP tlog-tiles, "Merkle tree").
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	hashSize   = tlog.HashSize
)

// edge is the right edge of a tree: all that appending needs. An edge is never changed once others may see it.
type edge struct {
	size int64
	// peaks are the roots of the perfect subtrees that the tree falls into, the largest first: one for each bit of size.
	peaks []tlog.Hash
	// open are the tiles that are not full yet: open[level] has the hashes of the last tile of that level.
	open [][]tlog.Hash
}

// tile is a full tile. hash, its root, is an element of the level above.
type tile struct {
	level int
	n     int64
	hash  tlog.Hash
	data  []byte
}

// clone may be grown without the original seeing it.
func (e edge) clone() edge {
	grown := edge{size: e.size, peaks: slices.Clone(e.peaks), open: make([][]tlog.Hash, len(e.open), len(e.open)+1)}
	for level, hashes := range e.open {
		grown.open[level] = append(make([]tlog.Hash, 0, tileWidth), hashes...)
	}
	return grown
}

// add appends a leaf and returns full with the tiles that it filled.
func (e *edge) add(leaf tlog.Hash, full []tile) []tile {
	e.push(0, leaf)
	hash := leaf
	// Each set bit from the right is a perfect subtree of that height, which the new one of equal height completes.
	for height := 1; e.size>>(height-1)&1 == 1; height++ {
		last := len(e.peaks) - 1
		hash = tlog.NodeHash(e.peaks[last], hash)
		e.peaks = e.peaks[:last]
		if height%tileHeight != 0 {
			continue
		}
		level := height / tileHeight
		full = append(full, tile{
			level: level - 1,
			n:     (e.size+1)>>height - 1,
			hash:  hash,
			data:  join(e.open[level-1]),
		})
		e.open[level-1] = e.open[level-1][:0]
		e.push(level, hash)
	}
	e.peaks = append(e.peaks, hash)
	e.size++
	return full
}

func (e *edge) push(level int, hash tlog.Hash) {
	if level == len(e.open) {
		e.open = append(e.open, make([]tlog.Hash, 0, tileWidth))
	}
	e.open[level] = append(e.open[level], hash)
}

// root is the Merkle tree hash (RFC 6962, section 2.1): the peaks, joined from the smallest.
func (e edge) root() tlog.Hash {
	if e.size == 0 {
		return sha256.Sum256(nil)
	}
	last := len(e.peaks) - 1
	root := e.peaks[last]
	for _, peak := range slices.Backward(e.peaks[:last]) {
		root = tlog.NodeHash(peak, root)
	}
	return root
}

// edgeOf makes an edge of its open tiles. Of each level, from the top, the hashes fall into perfect subtrees by the bits of
// their number.
func edgeOf(size int64, open [][]tlog.Hash) edge {
	e := edge{size: size, open: open}
	for _, hashes := range slices.Backward(open) {
		for width := tileWidth / 2; width > 0; width /= 2 {
			if len(hashes)&width != 0 {
				e.peaks = append(e.peaks, perfect(hashes[:width]))
				hashes = hashes[width:]
			}
		}
	}
	return e
}

// levels is the number of tile levels in a tree of this size.
func levels(size int64) int {
	n := 0
	for ; size > 0; size >>= tileHeight {
		n++
	}
	return n
}

// openWidth is how many hashes the last, open tile of a level has.
func openWidth(size int64, level int) int { return int(size>>(tileHeight*level)) & (tileWidth - 1) }

// perfect is the root over a power of two of hashes.
func perfect(hashes []tlog.Hash) tlog.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	half := len(hashes) / 2
	return tlog.NodeHash(perfect(hashes[:half]), perfect(hashes[half:]))
}

func join(hashes []tlog.Hash) []byte {
	data := make([]byte, 0, len(hashes)*hashSize)
	for _, hash := range hashes {
		data = append(data, hash[:]...)
	}
	return data
}

func split(data []byte) []tlog.Hash {
	hashes := make([]tlog.Hash, 0, len(data)/hashSize)
	for chunk := range slices.Chunk(data, hashSize) {
		hashes = append(hashes, tlog.Hash(chunk))
	}
	return hashes
}
