package faastest

import (
	"os/exec"
	"syscall"
)

// leash makes the kernel kill the child when the thread that starts it is gone, so that even a killed test run leaves
// nothing behind; and keeps a Ctrl-C in the terminal from the child, which has to finish its event.
func leash(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
