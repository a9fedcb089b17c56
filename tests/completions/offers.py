#!/usr/bin/env python3
"""tests/completions/offers.py SHELL SHARE CASE...: types command lines into bash, zsh or fish, and compares what they offer with CASEs.

SHARE is PREFIX/share of an installation. bash and zsh are interactive, on a terminal; fish is asked by its `complete -C`. The directory and
environment are those of the caller. A CASE is

    LINE| WORD...   or   LINE| WORD... | AFTER

with LINE as it is typed, to the very '|'. WORD must be offered; !WORD must not; ~WORD must be on the screen, as a word or its meaning; 'only' is for
cases where nothing else may be offered. What an offered word has in front up to its last '=' or ':' does not count, nor does a last '=', ',', ':' or
'/', since each shell has its own way to show these. AFTER is what bash and zsh make of the line at one Tab, but for a space, or a ',' that zsh takes
back. Cases that begin with "bash:", "zsh:" or "fish:" are for that shell. The variable SETTINGS has commands that bash and zsh are to run before.

Writes what went wrong, and at the end "N passed, N failed" with the time that a Tab took.
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
# The shell has this file open, and says by it what its line is.
SAYS = 9
SEE = "\x18\x10"
TAKE_ALL = "\x18\x01"

BASH = r"""
PS1='' PS2=''
for setting in 'enable-bracketed-paste off' 'bell-style none' 'page-completions off' 'completion-query-items 0'; do
	bind "set $setting"
done
. /usr/share/bash-completion/bash_completion
offers_say() { printf '%s\0' "$READLINE_LINE" >&9; READLINE_LINE= READLINE_POINT=0; }
bind -x '"\C-x\C-p": offers_say'
bind '"\C-x\C-a": insert-completions'
printf 'ready\0' >&9
"""

ZSH = r"""
PS1='' PS2='' RPS1='' LISTMAX=9999
unsetopt prompt_cr prompt_sp
fpath=("$SHARE/zsh/site-functions" $fpath)
autoload -Uz compinit
compinit -D -u
bindkey -e
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

# \036 is in front of the times.
FISH = r"""
while read -l line
    set -l begun (date +%s%N)
    complete -C $line
    printf '\036%s %s\n' $begun (date +%s%N)
end
"""


class Terminal:
    """A shell on a terminal."""

    def __init__(self, arguments, environment):
        self.reader, writer = os.pipe()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.dup2(writer, SAYS)
            os.closerange(SAYS + 1, 256)
            os.execvpe(arguments[0], arguments, environment)
        os.close(writer)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 500, 200, 0, 0))
        self.said = b""
        self.shown = b""
        if self.listen() != "ready":
            raise SystemExit("offers: the shell does not begin")

    def listen(self):
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

    def press(self, keys):
        os.write(self.terminal, keys.encode())
        return self.listen()

    def show(self, line):
        """What is on the screen after two Tabs: the second one is for bash, which lists nothing before."""
        self.shown = b""
        self.press(line + "\t\t" + SEE)
        # The line editor has written it all before it said so, but the terminal may be behind.
        while select.select([self.terminal], [], [], 0)[0]:
            self.shown += os.read(self.terminal, 65536)
        return self.shown.decode(errors="replace")

    def ask(self, line, looking):
        if self.press(line + SEE) != line:
            raise SystemExit(f"offers: the terminal loses what is typed: {line!r}")
        begun = time.monotonic()
        everything = self.press(line + TAKE_ALL + SEE)
        took = (time.monotonic() - begun) * 1000
        words = split(line)
        # What stood before the word at the cursor is there still.
        kept = len(words) - (1 if line and not line[-1].isspace() else 0)
        offered = [] if everything == line else split(everything)[kept:]
        return {"took": took, "offered": offered, "after": self.press(line + "\t" + SEE), "shown": self.show(line) if looking else ""}

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def split(text):
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def on_terminal(name, lines, looks, share):
    environment = dict(os.environ, SHARE=share, TERM="dumb", XDG_DATA_DIRS=f"{share}:/usr/share", HISTFILE="")
    script = os.path.join(os.environ["HOME"], ".zshrc" if name == "zsh" else "bashrc")
    with open(script, "w", encoding="utf-8") as file:
        file.write((ZSH if name == "zsh" else BASH).replace("printf 'ready", os.environ.get("SETTINGS", "") + "\nprintf 'ready"))
    shell = Terminal(["zsh", "-d", "-i"] if name == "zsh" else ["bash", "--noprofile", "--rcfile", script, "-i"], environment)
    try:
        return [shell.ask(line, looking) for line, looking in zip(lines, looks)]
    finally:
        shell.close()


def in_fish(lines, share):
    environment = dict(os.environ, XDG_DATA_DIRS=f"{share}:/usr/share")
    reader, writer = os.pipe()
    os.dup2(writer, SAYS)
    done = subprocess.run(["fish", "-c", FISH], input="\n".join(lines) + "\n", env=environment, pass_fds=[SAYS], capture_output=True, text=True,
        timeout=3 * PATIENCE, check=True)
    os.close(reader)
    if done.stderr:
        raise SystemExit(f"offers: fish complains: {done.stderr}")
    answers, rows = [], []
    for row in done.stdout.split("\n")[:-1]:
        if not row.startswith("\036"):
            rows.append(row)
            continue
        begun, ended = map(int, row[1:].split())
        # Where nothing begins like that, it offers what has these letters anywhere.
        line = lines[len(answers)]
        typed = "" if line[-1:].isspace() else split(line)[-1]
        rows = [row for row in rows if row.startswith(typed)]
        answers.append({"took": (ended - begun) / 1e6, "offered": [row.split("\t")[0] for row in rows], "shown": "\n".join(rows)})
        rows = []
    return answers


def bare(word):
    word = word.rstrip("=,:/") or word
    return word[max(word.rfind("="), word.rfind(":")) + 1 :]


def complaints(wanted, after, answer):
    offered = {bare(word) for word in answer["offered"]}
    for word in wanted:
        if word.startswith("!"):
            if word[1:] in offered:
                yield f"offers {word[1:]}"
        elif word.startswith("~"):
            if word[1:] not in answer["shown"]:
                yield f"does not show {word[1:]}: {answer['shown'][-1000:]!r}"
        elif word != "only" and word not in offered:
            yield f"does not offer {word}"
    others = offered - set(wanted)
    if "only" in wanted and others:
        yield f"also offers {' '.join(sorted(others))}"
    if after is not None and answer.get("after", after).rstrip(" ,") != after.rstrip(" "):
        yield f"makes of it {answer['after']!r}"


def main():
    name, share, *cases = sys.argv[1:]
    table = []
    for case in cases:
        line, _, rest = case.partition("|")
        wanted, bar, after = rest.partition("|")
        where, colon, own = line.partition(":")
        if colon and where in ("bash", "zsh", "fish"):
            if where != name:
                continue
            line = own
        table.append((line, shlex.split(wanted), after[1:] if bar else None))
    lines = [row[0] for row in table]
    looks = [any(word.startswith("~") for word in wanted) for _, wanted, _ in table]
    answers = in_fish(lines, share) if name == "fish" else on_terminal(name, lines, looks, share)
    if len(answers) != len(lines):
        raise SystemExit(f"offers: {len(answers)} answers to {len(lines)} lines")
    failed = 0
    for (line, wanted, after), answer in zip(table, answers):
        found = list(complaints(wanted, after, answer))
        failed += bool(found)
        for text in found:
            print(f"{name}: {line!r}: {text} (offered: {' '.join(answer['offered'])[:300]})")
    times = sorted(answer["took"] for answer in answers)
    print(f"{len(table) - failed} passed, {failed} failed; a Tab took {times[len(times) // 2]:.0f} ms, {times[-1]:.0f} ms at most")
    sys.exit(1 if failed or not table else 0)


main()
