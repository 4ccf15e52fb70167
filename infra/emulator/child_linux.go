package main

import (
	"os/exec"
	"syscall"
)

// follow asks the command to end when this process is killed: its engines are gone then.
func follow(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}

// detach lets the command live on when the terminal closes.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
}
