// Zip packs a function's program as AWS Lambda and Tencent SCF want it: a zip file whose only entry is the executable
// `bootstrap`. The same program makes the same bytes, whenever and wherever it is packed.
//
//	zip PROGRAM ZIP
//
// Start reading at pack.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: zip PROGRAM ZIP")
		os.Exit(2)
	}
	if err := packFile(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
