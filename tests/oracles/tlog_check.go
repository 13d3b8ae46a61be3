// Checks a mirror of the log and receipts with the code of Go's checksum database: signed note, tiles,
// record hashes, tree hash, record proofs. Nothing of ours is used.
//
//	tlog_check DIRECTORY VERIFIER_KEY RECEIPT...
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(format string, args ...any) {
	fmt.Printf("FAILED: "+format+"\n", args...)
	os.Exit(1)
}

func must[T any](value T, err error) T {
	if err != nil {
		fail("%v", err)
	}
	return value
}

// C2SP paths are those of Go without the height, and with entries for data.
type mirror struct{ dir string }

func (m mirror) Height() int { return 8 }

func (m mirror) path(tile tlog.Tile) string {
	return filepath.Join(m.dir, strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
}

func (m mirror) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		bytes, err := os.ReadFile(m.path(tile))
		if err != nil {
			return nil, err
		}
		data = append(data, bytes)
	}
	return data, nil
}

func (m mirror) SaveTiles([]tlog.Tile, [][]byte) {}

// The text of a checkpoint: origin, size, root.
func open(signed []byte, vkey string) tlog.Tree {
	verifier := must(note.NewVerifier(vkey))
	opened := must(note.Open(signed, note.VerifierList(verifier)))
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		fail("not a checkpoint of %s: %q", verifier.Name(), opened.Text)
	}
	root := must(base64.StdEncoding.DecodeString(lines[2]))
	tree := tlog.Tree{N: must(strconv.ParseInt(lines[1], 10, 64))}
	if copy(tree.Hash[:], root) != tlog.HashSize {
		fail("not a root: %q", lines[2])
	}
	return tree
}

func entries(m mirror, tree tlog.Tree) [][]byte {
	var leaves [][]byte
	for first := int64(0); first < tree.N; first += 256 {
		width := min(int(tree.N-first), 256)
		path := tlog.Tile{H: 8, L: -1, N: first / 256, W: width}.Path()
		path = strings.Replace(path, "tile/8/data/", "tile/entries/", 1)
		bytes := must(os.ReadFile(filepath.Join(m.dir, path)))
		for len(bytes) > 0 {
			length := int(bytes[0])<<8 | int(bytes[1])
			leaves = append(leaves, bytes[2:2+length])
			bytes = bytes[2+length:]
		}
	}
	if int64(len(leaves)) != tree.N {
		fail("%d entries, the checkpoint says %d", len(leaves), tree.N)
	}
	return leaves
}

type logged struct {
	Index int64    `json:"index"`
	Leaf  string   `json:"leaf"`
	Proof []string `json:"proof"`
}

type receipt struct {
	Checkpoint string   `json:"checkpoint"`
	Items      []logged `json:"items"`
	Keys       []logged `json:"keys"`
}

func check(path, vkey string) int {
	var r receipt
	if err := json.Unmarshal(must(os.ReadFile(path)), &r); err != nil {
		fail("%s: %v", path, err)
	}
	tree := open([]byte(r.Checkpoint), vkey)
	for _, item := range append(r.Items, r.Keys...) {
		var proof tlog.RecordProof
		for _, text := range item.Proof {
			var hash tlog.Hash
			copy(hash[:], must(base64.StdEncoding.DecodeString(text)))
			proof = append(proof, hash)
		}
		hash := tlog.RecordHash([]byte(item.Leaf))
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, item.Index, hash); err != nil {
			fail("%s: leaf %d: %v", path, item.Index, err)
		}
	}
	return len(r.Items) + len(r.Keys)
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

func main() {
	m, vkey := mirror{os.Args[1]}, os.Args[2]
	tree := open(must(os.ReadFile(filepath.Join(m.dir, "checkpoint"))), vkey)
	// The reader authenticates every tile that it gives out against the signed root.
	reader := tlog.TileHashReader(tree, m)
	var indexes []int64
	for n := int64(0); n < tree.N; n++ {
		indexes = append(indexes, tlog.StoredHashIndex(0, n))
	}
	hashes := must(reader.ReadHashes(indexes))
	for n, leaf := range entries(m, tree) {
		if tlog.RecordHash(leaf) != hashes[n] {
			fail("entry %d is not what its tile says", n)
		}
	}
	if must(tlog.TreeHash(tree.N, reader)) != tree.Hash {
		fail("the tiles do not give the root")
	}
	proofs := 0
	for _, path := range os.Args[3:] {
		proofs += check(path, vkey)
	}
	fmt.Printf("ok: %d leaves, %d proofs\n", tree.N, proofs)
}
