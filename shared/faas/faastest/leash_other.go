//go:build !linux

package faastest

import "os/exec"

// leash does nothing here: whoever is killed without a chance to call Kill leaves the processes running.
func leash(*exec.Cmd) {}
