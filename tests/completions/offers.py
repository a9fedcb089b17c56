#!/usr/bin/env python3
"""tests/completions/offers.py SHELL SHARE: types command lines into an interactive bash, zsh or fish and asks it to complete them.

SHARE is the directory PREFIX/share of an installation. Each line of the standard input is typed as it is, with the cursor at its end.
For each of them a line is written: the milliseconds that it took, then the words that are offered, then, behind an empty one, the line as one Tab
leaves it; with \\037 between. The directory and environment are those of the caller.
"""
import fcntl
import os
import pty
import select
import shlex
import signal
import struct
import subprocess
import sys
import termios
import time

PATIENCE = 20

# All matches are put into the line, which is then written where this program reads it.
BASH = r"""
PS1='' PS2=''
bind 'set enable-bracketed-paste off'
bind 'set bell-style none'
. /usr/share/bash-completion/bash_completion
_offers_say() { printf '%s\0' "$READLINE_LINE" >&9; READLINE_LINE= READLINE_POINT=0; }
bind -x '"\C-x\C-p": _offers_say'
bind '"\C-x\C-a": insert-completions'
printf 'ready\0' >&9
"""

ZSH = r"""
PS1='' PS2='' RPS1=''
unsetopt prompt_cr prompt_sp
fpath=("$SHARE/zsh/site-functions" $fpath)
autoload -Uz compinit
compinit -D -u
bindkey -e
zstyle ':completion:*' verbose yes
offers-all() { comppostfuncs=(offers-insert); zle complete-word; }
offers-insert() { compstate[insert]=all; compstate[list]=; }
offers-say() { printf '%s\0' "$BUFFER" >&9; BUFFER=; }
zle -N offers-all
zle -N offers-say
bindkey '^X^A' offers-all
bindkey '^X^P' offers-say
bindkey '^I' complete-word
printf 'ready\0' >&9
"""


class Typed:
    """A shell on a terminal, that says what its line is by descriptor 9."""

    def __init__(self, arguments, environment):
        self.reader, writer = os.pipe()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.dup2(writer, 9)
            os.closerange(10, 64)
            os.execvpe(arguments[0], arguments, environment)
        os.close(writer)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 400, 0, 0))
        self.said = b""
        self.shown = b""

    def say(self):
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self.said:
            ready = select.select([self.reader, self.terminal], [], [], max(0, deadline - time.monotonic()))[0]
            if not ready:
                raise SystemExit(f"offers: nothing comes: {self.shown[-500:]!r}")
            if self.terminal in ready:
                self.shown += os.read(self.terminal, 65536)
            if self.reader in ready:
                self.said += os.read(self.reader, 65536)
        line, self.said = self.said.split(b"\0", 1)
        return line.decode(errors="replace")

    def press(self, text):
        # Nothing of it may be lost in the change of terminal modes, so that the line is empty whenever something is typed.
        os.write(self.terminal, text.encode())

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def split(text):
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def ask(shell, line):
    shell.press(line + "\x18\x10")
    assert shell.say() == line, f"typed: {line!r}"
    begun = time.monotonic()
    shell.press(line + "\x18\x01\x18\x10")
    everything = shell.say()
    took = (time.monotonic() - begun) * 1000
    shell.press(line + "\t\x18\x10")
    after = shell.say()
    # What stood before the word at the cursor is there still.
    kept = len(split(line)) - (not line[-1:].isspace() and bool(line))
    offered = [] if everything == line else split(everything)[kept:]
    return took, offered, after


def by_typing(name, lines, share):
    environment = dict(os.environ, SHARE=share, TERM="dumb", XDG_DATA_DIRS=f"{share}:/usr/share", HISTFILE="")
    script = os.path.join(os.environ["HOME"], ".zshrc" if name == "zsh" else "bashrc")
    with open(script, "w") as file:
        file.write(ZSH if name == "zsh" else BASH)
    shell = Typed(["zsh", "-d", "-i"] if name == "zsh" else ["bash", "--noprofile", "--rcfile", script, "-i"], environment)
    try:
        if shell.say() != "ready":
            raise SystemExit("offers: the shell does not begin")
        # The first one finds out whether the line editor is there.
        return [ask(shell, line) for line in lines]
    finally:
        shell.close()


FISH = r"""
while read -l line
    set -l begun (date +%s%N)
    complete -C $line
    printf '\036%s %s\n' $begun (date +%s%N)
end
"""


def by_fish(lines, share):
    environment = dict(os.environ, XDG_DATA_DIRS=f"{share}:/usr/share")
    done = subprocess.run(["fish", "-c", FISH], input="\n".join(lines) + "\n", env=environment, stdout=subprocess.PIPE, text=True, check=True)
    answers, offered = [], []
    for row in done.stdout.split("\n")[:-1]:
        if row[:1] == "\036":
            begun, ended = map(int, row[1:].split())
            answers.append(((ended - begun) / 1e6, offered, offered[0] if len(offered) == 1 else ""))
            offered = []
        else:
            offered.append(row.split("\t")[0])
    return answers


def main():
    name, share = sys.argv[1:]
    lines = sys.stdin.read().splitlines()
    answers = by_fish(lines, share) if name == "fish" else by_typing(name, lines, share)
    assert len(answers) == len(lines), (len(answers), len(lines))
    for took, offered, after in answers:
        print("\037".join([f"{took:.0f}", *offered, "", after]))


main()
