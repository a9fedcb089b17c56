"""terminal.py COMMAND [ARGUMENT]...: runs COMMAND on a terminal of its own and plays the person in front of it.

Standard input says what the person does, one step a line:
    expect TEXT   wait until TEXT is shown, behind what was expected before
    type TEXT     type TEXT; \\n, \\x03 and so on as in Python
    kill SIGNAL   send SIGNAL to COMMAND itself
    end           wait until COMMAND has ended
Prints all that was shown, then how COMMAND ended ("exited 3", "killed by 2"). Fails, saying so, when a step takes longer than ten
seconds. Nothing echoes on the terminal. Whatever COMMAND has started is ended with it.
"""

import ctypes
import fcntl
import os
import pty
import select
import signal
import sys
import termios
import time

PATIENCE = 10
PR_SET_CHILD_SUBREAPER = 36


class Failed(Exception):
    pass


class Person:
    def __init__(self, command):
        self.shown = b""
        self.read_up_to = 0
        self.status = None
        master, slave = pty.openpty()
        mode = termios.tcgetattr(slave)
        mode[3] &= ~(termios.ECHO | termios.ECHOCTL)
        mode[1] &= ~termios.OPOST
        termios.tcsetattr(slave, termios.TCSANOW, mode)
        self.pid = os.fork()
        if self.pid == 0:
            os.close(master)
            self.take_terminal(slave)
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTSTP):
                signal.signal(number, signal.SIG_DFL)
            os.execvp(command[0], command)
        os.close(slave)
        self.master = master

    @staticmethod
    def take_terminal(slave):
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for fd in range(3):
            os.dup2(slave, fd)
        if slave > 2:
            os.close(slave)

    def look(self, seconds):
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return True
        try:
            text = os.read(self.master, 65536)
        except OSError:  # nobody has the terminal open any more
            return False
        self.shown += text
        return bool(text)

    def expect(self, text):
        wanted = text.encode()
        deadline = time.monotonic() + PATIENCE
        while True:
            at = self.shown.find(wanted, self.read_up_to)
            if at >= 0:
                self.read_up_to = at + len(wanted)
                return
            if time.monotonic() > deadline or not self.look(0.1):
                raise Failed(f"not shown: {text}")

    def type(self, text):
        os.write(self.master, text.encode().decode("unicode_escape").encode())

    def kill(self, name):
        os.kill(self.pid, getattr(signal, "SIG" + name))

    def end(self, _):
        deadline = time.monotonic() + PATIENCE
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = status
            elif time.monotonic() > deadline:
                raise Failed("does not end")
            else:
                self.look(0.01)
        while select.select([self.master], [], [], 0)[0] and self.look(0):
            pass

    def play(self, steps):
        for step in steps:
            verb, _, text = step.strip("\t\n").partition(" ")
            if verb not in ("expect", "type", "kill", "end"):
                raise Failed(f"no such step: {verb}")
            getattr(self, verb)(text)


def end_all():
    """What lost its parent has become a child of this process."""
    while True:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            children = file.read().split()
        if not children:
            return
        for child in children:
            os.kill(int(child), signal.SIGKILL)
            os.waitpid(int(child), 0)


def main():
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    person = Person(sys.argv[1:])
    failure = None
    try:
        person.play(sys.stdin)
    except Failed as error:
        failure = error
    finally:
        if person.status is None:
            os.kill(person.pid, signal.SIGKILL)
            os.waitpid(person.pid, 0)
        end_all()
    sys.stdout.write(person.shown.decode(errors="backslashreplace").replace("\r", ""))
    if person.shown and not person.shown.endswith(b"\n"):
        sys.stdout.write("\n")
    if failure:
        print(f"terminal.py: {failure}")
        return 1
    if person.status is not None:
        if os.WIFEXITED(person.status):
            print(f"exited {os.WEXITSTATUS(person.status)}")
        else:
            print(f"killed by {os.WTERMSIG(person.status)}")
    return 0


sys.exit(main())
