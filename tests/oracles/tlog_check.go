// Checks a mirror of the log, receipts and proofs with the code of Go's checksum database: signed note, tiles,
// record hashes, tree hash, record proofs, tree proofs. Nothing of ours is used.
//
//	tlog_check DIRECTORY|URL VERIFIER_KEY RECEIPT|PROOFS.jsonl...
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
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
type mirror struct{ place string }

func (m mirror) read(path string) ([]byte, error) {
	if !strings.HasPrefix(m.place, "http://") {
		return os.ReadFile(filepath.Join(m.place, path))
	}
	answer, err := http.Get(m.place + "/" + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != 200 {
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	return io.ReadAll(answer.Body)
}

func (m mirror) Height() int { return 8 }

func path(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
}

func (m mirror) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		bytes, err := m.read(path(tile))
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
		bytes := must(m.read(strings.Replace(path, "tile/8/data/", "tile/entries/", 1)))
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

func hashes(texts []string) []tlog.Hash {
	var all []tlog.Hash
	for _, text := range texts {
		var hash tlog.Hash
		if copy(hash[:], must(base64.StdEncoding.DecodeString(text))) != tlog.HashSize {
			fail("not a hash: %q", text)
		}
		all = append(all, hash)
	}
	return all
}

// A proof without the index of a leaf is one of consistency.
type proved struct {
	Index *int64   `json:"index"`
	From  int64    `json:"from"`
	Size  int64    `json:"size"`
	Proof []string `json:"proof"`
}

// Every line is a proof; the roots and leaf hashes are those of the mirror.
func checkProofs(path string, reader tlog.HashReader, leaves []tlog.Hash) int {
	roots := map[int64]tlog.Hash{}
	root := func(size int64) tlog.Hash {
		if _, known := roots[size]; !known {
			roots[size] = must(tlog.TreeHash(size, reader))
		}
		return roots[size]
	}
	file := must(os.Open(path))
	defer file.Close()
	lines := bufio.NewScanner(file)
	count := 0
	for ; lines.Scan(); count++ {
		var p proved
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			fail("%s: %v", path, err)
		}
		var err error
		if p.Index != nil {
			err = tlog.CheckRecord(hashes(p.Proof), p.Size, root(p.Size), *p.Index, leaves[*p.Index])
		} else {
			err = tlog.CheckTree(hashes(p.Proof), p.Size, root(p.Size), p.From, root(p.From))
		}
		if err != nil {
			fail("%s: %s: %v", path, lines.Text(), err)
		}
	}
	if err := lines.Err(); err != nil {
		fail("%s: %v", path, err)
	}
	return count
}

func check(path, vkey string) int {
	var r receipt
	if err := json.Unmarshal(must(os.ReadFile(path)), &r); err != nil {
		fail("%s: %v", path, err)
	}
	tree := open([]byte(r.Checkpoint), vkey)
	for _, item := range append(r.Items, r.Keys...) {
		hash := tlog.RecordHash([]byte(item.Leaf))
		if err := tlog.CheckRecord(hashes(item.Proof), tree.N, tree.Hash, item.Index, hash); err != nil {
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
	tree := open(must(m.read("checkpoint")), vkey)
	// The reader authenticates every tile that it gives out against the signed root.
	reader := tlog.TileHashReader(tree, m)
	var indexes []int64
	for n := int64(0); n < tree.N; n++ {
		indexes = append(indexes, tlog.StoredHashIndex(0, n))
	}
	logged := must(reader.ReadHashes(indexes))
	for n, leaf := range entries(m, tree) {
		if tlog.RecordHash(leaf) != logged[n] {
			fail("entry %d is not what its tile says", n)
		}
	}
	if must(tlog.TreeHash(tree.N, reader)) != tree.Hash {
		fail("the tiles do not give the root")
	}
	proofs := 0
	for _, path := range os.Args[3:] {
		if strings.HasSuffix(path, ".jsonl") {
			proofs += checkProofs(path, reader, logged)
		} else {
			proofs += check(path, vkey)
		}
	}
	fmt.Printf("ok: %d leaves, %d proofs\n", tree.N, proofs)
}
