// The command line. A module of its own: it talks to the HTTP interface alone, and its libraries are none of the product's.
module kefu/infra/cli

go 1.26.0

require (
	github.com/mattn/go-runewidth v0.0.24
	github.com/spf13/cobra v1.10.2
)

require (
	github.com/clipperhouse/uax29/v2 v2.2.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
)
