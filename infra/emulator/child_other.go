//go:build !linux

package main

import "os/exec"

func follow(*exec.Cmd) {}

func detach(*exec.Cmd) {}
