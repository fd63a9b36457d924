// Checks cases with golang.org/x/mod: a line of JSON each on standard input, a line of answer each.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// What is claimed. JSON has bytes and hashes in Base 64.
type claim struct {
	Key         string           // of the log, a vkey
	Old, New    []byte           // notes
	Index       int64            // of the leaf in the newer tree
	Leaf        tlog.Hash        // its hash
	Inclusion   tlog.RecordProof // of the leaf
	Consistency tlog.TreeProof   // of the newer tree with the older
}

func open(message []byte, key string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(message, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	// tlog.ParseTree takes checkpoints of Go's own log only.
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func check(c claim) error {
	old, err := open(c.Old, c.Key)
	if err != nil {
		return err
	}
	tree, err := open(c.New, c.Key)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(c.Inclusion, tree.N, tree.Hash, c.Index, c.Leaf); err != nil {
		return err
	}
	return tlog.CheckTree(c.Consistency, tree.N, tree.Hash, old.N, old.Hash)
}

func main() {
	claims := json.NewDecoder(os.Stdin)
	for {
		var c claim
		if err := claims.Decode(&c); err == io.EOF {
			return
		} else if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		if err := check(c); err != nil {
			fmt.Println("refused:", err)
		} else {
			fmt.Println("accepted")
		}
	}
}
