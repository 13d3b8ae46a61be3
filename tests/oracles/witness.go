// A witness (C2SP tlog-witness) and a verifier of cosignatures (C2SP tlog-cosignature, Ed25519), on the signed notes and
// trees of Go's checksum database. Nothing of ours is used.
//
//	witness serve NAME LOG_KEY            prints its verifier key and its URL, then witnesses in memory
//	witness verify NOTE LOG_KEY WITNESS_KEY...   every one of the keys must have signed
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const cosignatureV1 = 4

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

func keyHash(name string, key ed25519.PublicKey) uint32 {
	hash := sha256.Sum256(append([]byte(name+"\n\x04"), key...))
	return binary.BigEndian.Uint32(hash[:4])
}

func message(second uint64, text []byte) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", second)), text...)
}

// A key of type 0x04 as a note.Verifier.
type cosigner struct {
	name string
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return keyHash(c.name, c.key) }
func (c cosigner) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	return ed25519.Verify(c.key, message(binary.BigEndian.Uint64(signature), text), signature[8:])
}

func (c cosigner) String() string {
	key := base64.StdEncoding.EncodeToString(append([]byte{cosignatureV1}, c.key...))
	return fmt.Sprintf("%s+%08x+%s", c.name, c.KeyHash(), key)
}

func parseCosigner(vkey string) cosigner {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		fail("not a key: %s", vkey)
	}
	bytes := must(base64.StdEncoding.DecodeString(parts[2]))
	if len(bytes) != 33 || bytes[0] != cosignatureV1 {
		fail("not a key of a witness: %s", vkey)
	}
	found := cosigner{parts[0], ed25519.PublicKey(bytes[1:])}
	if found.String() != vkey {
		fail("the id is of another key: %s", vkey)
	}
	return found
}

func parseTree(text, origin string) (tree tlog.Tree, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] != origin {
		return tree, fmt.Errorf("not a checkpoint of %s", origin)
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || copy(tree.Hash[:], root) != tlog.HashSize {
		return tree, fmt.Errorf("not a root: %q", lines[2])
	}
	return tree, nil
}

func verify(file, logKey string, witnesses []string) {
	log := must(note.NewVerifier(logKey))
	verifiers := []note.Verifier{log}
	for _, witness := range witnesses {
		verifiers = append(verifiers, parseCosigner(witness))
	}
	opened := must(note.Open(must(os.ReadFile(file)), note.VerifierList(verifiers...)))
	if len(opened.Sigs) != len(verifiers) || len(opened.UnverifiedSigs) != 0 {
		fail("%d signatures of %d keys, %d unknown", len(opened.Sigs), len(verifiers), len(opened.UnverifiedSigs))
	}
	tree := must(parseTree(opened.Text, log.Name()))
	fmt.Printf("ok: %d leaves, %d signatures\n", tree.N, len(opened.Sigs))
}

// What is answered, when it is not a cosignature.
type refusal struct {
	status int
	kind   string
	body   string
}

type witness struct {
	mutex  sync.Mutex
	log    note.Verifier
	self   cosigner
	secret ed25519.PrivateKey
	last   tlog.Tree
}

func (w *witness) add(body []byte) (string, *refusal) {
	bad := func(status int) (string, *refusal) { return "", &refusal{status, "text/plain", ""} }
	head, signed, found := bytes.Cut(body, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || !strings.HasPrefix(lines[0], "old ") {
		return bad(400)
	}
	old, err := strconv.ParseInt(lines[0][4:], 10, 64)
	if err != nil {
		return bad(400)
	}
	var proof tlog.TreeProof
	for _, line := range lines[1:] {
		var hash tlog.Hash
		bytes, err := base64.StdEncoding.DecodeString(line)
		if err != nil || copy(hash[:], bytes) != tlog.HashSize {
			return bad(400)
		}
		proof = append(proof, hash)
	}
	opened, err := note.Open(signed, note.VerifierList(w.log))
	if err != nil {
		return bad(403)
	}
	tree, err := parseTree(opened.Text, w.log.Name())
	if err != nil {
		return bad(404)
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	conflict := &refusal{409, "text/x.tlog.size", fmt.Sprintf("%d\n", w.last.N)}
	switch {
	case old > tree.N:
		return bad(400)
	case old != w.last.N:
		return "", conflict
	case old == tree.N && old > 0 && tree.Hash != w.last.Hash:
		return "", conflict
	case old == 0 || old == tree.N:
		if len(proof) != 0 {
			return bad(422)
		}
	default:
		if tlog.CheckTree(proof, tree.N, tree.Hash, old, w.last.Hash) != nil {
			return bad(422)
		}
	}
	w.last = tree
	second := uint64(time.Now().Unix())
	line := binary.BigEndian.AppendUint32(nil, w.self.KeyHash())
	line = binary.BigEndian.AppendUint64(line, second)
	line = append(line, ed25519.Sign(w.secret, message(second, []byte(opened.Text)))...)
	return fmt.Sprintf("\u2014 %s %s\n", w.self.name, base64.StdEncoding.EncodeToString(line)), nil
}

func serve(name, logKey string) {
	public, secret, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		fail("%v", err)
	}
	w := &witness{log: must(note.NewVerifier(logKey)), self: cosigner{name, public}, secret: secret}
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	http.HandleFunc("/add-checkpoint", func(out http.ResponseWriter, in *http.Request) {
		body, err := io.ReadAll(io.LimitReader(in.Body, 1<<16))
		if err != nil || in.Method != "POST" {
			out.WriteHeader(400)
			return
		}
		line, refused := w.add(body)
		if refused != nil {
			out.Header().Set("Content-Type", refused.kind)
			out.WriteHeader(refused.status)
			io.WriteString(out, refused.body)
			return
		}
		io.WriteString(out, line)
	})
	fmt.Printf("%s\nhttp://%s\n", w.self, listener.Addr())
	fail("%v", http.Serve(listener, nil))
}

func main() {
	switch {
	case len(os.Args) == 4 && os.Args[1] == "serve":
		serve(os.Args[2], os.Args[3])
	case len(os.Args) > 4 && os.Args[1] == "verify":
		verify(os.Args[2], os.Args[3], os.Args[4:])
	default:
		fail("serve NAME LOG_KEY, or verify NOTE LOG_KEY WITNESS_KEY...")
	}
}
