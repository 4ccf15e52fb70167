// Readme checks that what README.md and README.zh-CN.md tell a reader to type exists: every `make` target, every path
// of a `go` command, and that both files show the same commands.
//
//	readme [ROOT]
//
// It prints one line per finding and ends with 1 if there is any. Start reading at check.
package main

import (
	"fmt"
	"os"
)

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	found := check(os.DirFS(root))
	for _, f := range found {
		fmt.Fprintln(os.Stderr, f)
	}
	if len(found) > 0 {
		os.Exit(1)
	}
}
