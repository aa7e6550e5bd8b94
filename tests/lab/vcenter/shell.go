package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Shell is the ESXi shell of one host: a folder that a real BusyBox sees as its root, and a socket on which its programs
// ask what is to happen.
type Shell struct {
	Host     string `json:"host"`
	Root     string `json:"root"`
	listener net.Listener
	lab      func() *Lab
}

// Command is a program that somebody started on a host.
type Command struct {
	Program    string   `json:"program"`
	Arguments  []string `json:"arguments"`
	Folder     string   `json:"folder"`
	Connection string   `json:"connection"`
	host       *HostSpec
}

// Answer is what the program does then: "answer" it has, or "exec", "run" or "kill" itself.
type Answer struct {
	Then   string                `json:"then"`
	Stdout string                `json:"stdout"`
	Stderr string                `json:"stderr"`
	Code   int                   `json:"code"`
	later  func() (Answer, bool) // of a command that waits: its answer, and whether it has come
}

// listen opens the shell of a host.
func (shell *Shell) listen() error {
	path := filepath.Join(shell.Root, "lab", "socket")
	_ = os.Remove(path)
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	shell.listener = listener
	go func() {
		for {
			link, err := listener.Accept()
			if err != nil {
				return
			}
			go shell.serve(link)
		}
	}()
	return nil
}

func (shell *Shell) serve(link net.Conn) {
	defer link.Close()
	decoder, encoder := json.NewDecoder(link), json.NewEncoder(link)
	command := &Command{}
	if decoder.Decode(command) != nil {
		return
	}
	lab := shell.lab()
	lab.mu.Lock()
	defer lab.mu.Unlock()
	host := lab.hosts[shell.Host]
	if host == nil {
		_ = encoder.Encode(Answer{Then: "answer", Stderr: "the lab's world has no host " + shell.Host + "\n", Code: 126})
		return
	}
	command.host = host.spec
	lab.trees.readIn()
	entry := lab.enterCommand(command)
	fault := lab.faultOf(entry)
	answer := lab.before(command, entry, fault)
	if answer.Then == "" {
		if answer = lab.start(command); answer.Then != "exec" {
			lab.trees.writeOut()
		}
		if answer.later != nil {
			answer = lab.await(answer, link)
		}
	}
	if answer.Then == "exec" && after(fault) {
		// The work is seen to its end, so that something may come after it.
		answer.Then = "run"
		lab.mu.Unlock()
		done := Answer{}
		failed := encoder.Encode(answer) != nil || decoder.Decode(&done) != nil
		lab.mu.Lock()
		if failed {
			return
		}
		lab.trees.readIn()
		answer = Answer{Then: "answer", Code: done.Code}
	}
	if after(fault) {
		answer = fault.afterCommand(answer)
	}
	if fault != nil && fault.Kind == "reply_lost" {
		command.loseConnection()
	}
	entry.Outcome = orElse(entry.Outcome, answer.outcome())
	_ = encoder.Encode(answer)
}

// await lets others in until a command has its answer, or who asked is gone.
func (lab *Lab) await(answer Answer, link net.Conn) Answer {
	for {
		lab.mu.Unlock()
		_ = link.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		_, err := link.Read(make([]byte, 1))
		lab.mu.Lock()
		lab.trees.readIn()
		if done, over := answer.later(); over {
			return done
		}
		if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() || lab.retired.Load() {
			return failed(130, "")
		}
	}
}

func (answer Answer) outcome() string {
	if answer.Then != "answer" {
		return answer.Then
	}
	return "exit:" + strconv.Itoa(answer.Code)
}

// enterCommand logs a command, and holds it where a test asked for that.
func (lab *Lab) enterCommand(command *Command) *Entry {
	lab.number++
	lab.letTimePass()
	words := append([]string{command.Program}, command.Arguments...)
	method := command.Program
	if method == session {
		method, words = "ssh", command.Arguments
	}
	entry := &Entry{
		N: lab.number, Time: lab.now().Format(time.RFC3339Nano), Session: command.Connection, User: "root", Method: method, Writes: command.writes(),
		Object: map[string]string{"type": "shell", "value": command.Folder, "name": command.host.Name}, Summary: strings.Join(words, " "),
		Arguments: command.Arguments,
	}
	lab.log = append(lab.log, entry)
	return entry
}

// faultOf is the trouble of a command: what a hold ends with, or what was asked for.
func (lab *Lab) faultOf(entry *Entry) *Fault {
	if hold := lab.matchingHold(entry); hold != nil {
		entry.Outcome = "held"
		lab.mu.Unlock()
		then := hold.wait()
		lab.mu.Lock()
		lab.trees.readIn()
		if entry.Outcome = ""; then != nil {
			return then
		}
	}
	return lab.matchingFault(entry)
}

// before does what comes before a command; its answer is empty where the command is to be worked on.
func (lab *Lab) before(command *Command, entry *Entry, fault *Fault) Answer {
	if fault == nil {
		return Answer{}
	}
	switch fault.Kind {
	case "command_fails":
		return fault.afterCommand(Answer{})
	case "connection_dropped":
		entry.Outcome = "dropped"
		command.loseConnection()
		return Answer{Then: "kill"}
	case "goes_on_alone":
		command.loseConnection()
	case "delay":
		lab.mu.Unlock()
		time.Sleep(time.Duration(fault.DelayMs) * time.Millisecond)
		lab.mu.Lock()
	case "object_gone":
		_ = lab.takeAway(fault.Gone)
	case "lun_gone":
		lab.masked[fault.Lun] = true
		lab.refreshHosts()
	}
	return Answer{}
}

func after(fault *Fault) bool {
	return fault != nil && (fault.Kind == "done_but_failed" || fault.Kind == "reply_lost")
}

// afterCommand is what a command says that is to look as if it had failed.
func (fault *Fault) afterCommand(answer Answer) Answer {
	if fault.Kind == "reply_lost" {
		return answer
	}
	code := 1
	if fault.Code != nil {
		code = *fault.Code
	}
	return Answer{Then: "answer", Stdout: answer.Stdout, Stderr: orElse(fault.Message, "the lab was asked for trouble") + "\n", Code: code}
}

// loseConnection ends the sshd that the command came by; what it runs is not asked.
func (command *Command) loseConnection() {
	if group, err := strconv.Atoi(command.Connection); err == nil && group > 1 {
		_ = syscall.Kill(-group, syscall.SIGKILL)
	}
}

const session = "lab-session"

// programs are those that the lab itself answers for.
var programs = map[string]func(lab *Lab, command *Command) Answer{
	"vmkfstools": vmkfstools, "esxcli": esxcli, "esxcfg-scsidevs": scsidevs, "vim-cmd": vimCmd, "vmware": vmwareVersion, "hostname": hostName,
	"uname": uname, "df": diskFree, "date": hostClock, "partedUtil": partedUtil,
}

// start does the work of a command, or lets BusyBox do it.
func (lab *Lab) start(command *Command) Answer {
	if program := programs[command.Program]; program != nil {
		return program(lab, command)
	}
	return Answer{Then: "exec"}
}

func printed(format string, values ...any) Answer {
	return Answer{Then: "answer", Stdout: fmt.Sprintf(format, values...)}
}

func failed(code int, format string, values ...any) Answer {
	return Answer{Then: "answer", Stderr: fmt.Sprintf(format, values...), Code: code}
}

var writingApplets = []string{"rm", "rmdir", "mv", "cp", "mkdir", "touch", "ln", "tee", "dd", "chmod", "chown", "truncate", "mktemp"}

// writes tells whether a command changes anything, as far as its words tell.
func (command *Command) writes() bool {
	words := strings.Join(command.Arguments, " ")
	switch command.Program {
	case "vmkfstools":
		return !strings.HasPrefix(words, "-q") && !strings.HasPrefix(words, "--queryrdm")
	case "vim-cmd":
		if strings.HasPrefix(words, "solo/registervm") {
			return true
		}
		for _, verb := range []string{"device.disk", "power.on", "power.off", "power.shutdown", "power.suspend", "reload", "destroy", "unregister", "message"} {
			if strings.HasPrefix(words, "vmsvc/"+verb) {
				return verb != "message" || len(command.Arguments) > 2
			}
		}
	case "sed":
		return strings.HasPrefix(words, "-i")
	case "esxcli":
		return strings.Contains(words, " set")
	case "partedUtil":
		return !strings.HasPrefix(words, "get")
	}
	for _, applet := range writingApplets {
		if command.Program == applet {
			return true
		}
	}
	return false
}
