// Every program of the lab's ESXi shell is this one: it asks the lab, which knows the world, what is to happen. The lab
// answers what the program prints, or lets an applet of BusyBox do the work.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

const (
	socket  = "/lab/socket"
	busybox = "/lab/busybox"
	session = "lab-session"
)

// Command is what somebody typed.
type Command struct {
	Program    string   `json:"program"`
	Arguments  []string `json:"arguments"`
	Folder     string   `json:"folder"`
	Connection string   `json:"connection"`
}

// Answer is what the lab wants to happen.
type Answer struct {
	Then   string `json:"then"`
	Stdout string `json:"stdout"`
	Stderr string `json:"stderr"`
	Code   int    `json:"code"`
}

func main() { os.Exit(run()) }

func run() int {
	folder, _ := os.Getwd()
	command := Command{Program: filepath.Base(os.Args[0]), Arguments: os.Args[1:], Folder: folder, Connection: os.Getenv("LAB_CONNECTION")}
	line, hasLine := os.LookupEnv("SSH_ORIGINAL_COMMAND")
	if command.Program == session {
		command.Arguments = []string{line}
	}
	link, err := net.Dial("unix", socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, "the lab is gone:", err)
		return 126
	}
	defer link.Close()
	encoder, decoder := json.NewEncoder(link), json.NewDecoder(link)
	var answer Answer
	if encoder.Encode(command) != nil || decoder.Decode(&answer) != nil {
		return 126
	}
	program, words := busybox, append([]string{command.Program}, command.Arguments...)
	if command.Program == session {
		_ = os.Unsetenv("SSH_ORIGINAL_COMMAND")
		if words = []string{"sh"}; hasLine {
			words = []string{"sh", "-c", line}
		}
	}
	switch answer.Then {
	case "exec":
		err = syscall.Exec(program, words, os.Environ())
		fmt.Fprintln(os.Stderr, command.Program+":", err)
		return 126
	case "run":
		work := &exec.Cmd{Path: program, Args: words, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
		_ = work.Run()
		if encoder.Encode(Answer{Code: work.ProcessState.ExitCode()}) != nil || decoder.Decode(&answer) != nil {
			return 126
		}
	case "kill":
		_ = syscall.Kill(os.Getppid(), syscall.SIGKILL)
		return 137
	}
	_, _ = os.Stdout.WriteString(answer.Stdout)
	_, _ = os.Stderr.WriteString(answer.Stderr)
	return answer.Code
}
