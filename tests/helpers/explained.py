"""explained.py CHAIN...: what `--explain` says of CHAIN, and what CHAIN does, as strace(1) sees it: prints where they differ and fails.

Compared are, in their order, the calls that change something, with the names of their flags, their strings, and the files that are written. Left out
are what the link that waits does, and how helpers hide. A call
that fails is not compared: the real thing tries some that need not be possible."""

import json
import os
import re
import subprocess
import sys
import tempfile

# What changes something. Of prctl, fcntl and ioctl only what is said here.
CALLS = set("""unshare setns mount umount2 pivot_root chroot chdir fchdir open_tree fsopen fsconfig fsmount mount_setattr move_mount mkdirat mknodat
    symlinkat renameat fchmod fchownat sethostname setdomainname keyctl setresuid setresgid setgroups capset prctl clone3 execve execveat
    memfd_create sendfile fcntl ioctl close_range write setsid umask bpf""".split())
ONLY = {
    "unshare": r"CLONE_NEW",
    "prctl": r"PR_CAPBSET_DROP|PR_CAP_AMBIENT_(RAISE|LOWER)|PR_SET_(SECUREBITS|NO_NEW_PRIVS|SECCOMP|KEEPCAPS|PDEATHSIG)",
    "fcntl": r"F_ADD_SEALS",
    "bpf": r"BPF_PROG_(LOAD|ATTACH)",
    "ioctl": r"SIOCSIFFLAGS",
    "close_range": r"\(3, |\(3<",
    "write": r"^write\(\d*</(?!dev/)",
}
IGNORED = {"MFD_EXEC", "NULL", "SECCOMP_MODE_FILTER", "IFF_RUNNING", "KERNEL_VERSION"}


def normal(text):
    """A call as (name, strings, names of flags)."""
    name = text[: text.index("(")]
    # Into a process that nobody may look into, strace does not look.
    if re.match(r"\w+\((\d+(<[^>]*>[^,]*)?, )?(\"\", )?0x", text):
        return (name, None)
    text = re.sub(r"/\*.*?\*/", "", text)
    text = re.sub(r"cgrun-\d+-[0-9a-f]+", "cgrun-N", text)
    text = re.sub(r"\.nschain-[0-9a-f]{16}", ".nschain-RANDOM", text)
    text = re.sub(r"/proc/(self|PID|\d+)/", "/proc/self/", text)
    text = re.sub(r"/fd/\d+", "/fd/N", text)
    written = re.search(r"([^/>]*)>", text).group(1) if name == "write" else ""
    strings = [s for s in re.findall(r'"((?:[^"\\]|\\.)*)"', text)]
    rest = re.sub(r'"(?:[^"\\]|\\.)*"', "", re.sub(r"<[^>]*>", "", text.replace("1<<", "")))
    if name == "capset":
        rest = rest.upper()
        rest = re.sub(r"EFFECTIVE|PERMITTED|INHERITABLE|VERSION|PID|NONE", "", rest)
    if name in ("mount_setattr", "fsmount"):
        rest = re.sub(r"propagation=0|userns_fd=0", "", rest)
    names = sorted(set(re.findall(r"\b[A-Z][A-Z0-9_]{3,}\b", rest)) - IGNORED)
    names = [n for n in names if not re.match(r"_LINUX_CAPABILITY|SECCOMP_|BPF_", n)]
    if name == "clone3":
        names = [n for n in names if n in ("CLONE_INTO_CGROUP", "CLONE_FILES", "SIGCHLD")]
    if name in ("execve", "execveat"):
        strings = strings[1:]
    if name in ("sendfile", "bpf"):
        strings = []
    # What libmount(3) makes of source, type and options, it finds out when it mounts.
    if name == "mount" and "/proc/tty/" in text:
        strings, names = strings[1:2], []
    if written == ".nschain-RANDOM":
        strings = []
    return (name, written, tuple(strings), tuple(names))


def wanted(name, text):
    # The link that is missing from a toolbox has an empty file there.
    return name in CALLS and not re.search(r'memfd:none|memfd_create\("none"', text) and (name not in ONLY or re.search(ONLY[name], text))


def explained(chain):
    words = [chain[0], "--explain=json"] + chain[1:]
    result = subprocess.run(words, stdout=subprocess.PIPE, check=False)
    if result.returncode:
        sys.exit("explained.py: --explain ended with %d" % result.returncode)
    steps = [json.loads(line) for line in result.stdout.decode().splitlines()]
    return [step["text"] for step in steps if wanted(step["call"], step["text"])]


class Process:
    def __init__(self, parent):
        self.parent = parent
        self.events = []  # (number, text, child or None)


def traced(chain):
    """The processes of a real run, by PID, each with its calls."""
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run(["strace", "-f", "-y", "-qq", "-s", "10000", "--decode-pids=pidns", "-e", "signal=none", "-o", file.name, "-e",
                        "trace=" + ",".join(sorted(CALLS)), *chain], check=False)
        lines = open(file.name, errors="replace").read().splitlines()
    processes, begun, first = {}, {}, None
    for number, line in enumerate(lines):
        pid, text = line.split(None, 1)
        first = first or pid
        process = processes.setdefault(pid, Process(None))
        if text.endswith("<unfinished ...>"):
            begun[pid] = (number, text[: -len("<unfinished ...>")].rstrip())
            continue
        if text.startswith("<... "):
            # It is of when it began.
            number, start = begun.pop(pid, (number, ""))
            text = start + re.sub(r"^<\.\.\. \w+ resumed>", "", text)
        match = re.match(r"(\w+)\((.*)\)\s+= (\S+)(?: /\* (\d+) in strace)?", text)
        if not match or match.group(3).startswith("-"):
            continue
        name, child = match.group(1), None
        if name == "clone3":
            child = match.group(4) or match.group(3)
            processes.setdefault(child, Process(pid)).parent = pid
        process.events.append((number, name + "(" + match.group(2) + ")", child))
    return first, processes


def line_of(first, processes, command):
    """The calls of those who go on, from the first process to COMMAND, and those of helpers that write id maps or begin a /proc."""
    # Of a process that it may not look into, strace does not see the words.
    execs = [(e[0], pid) for pid, p in processes.items() for e in p.events if re.match(r'execve\((0x|.*\["%s")' % re.escape(command), e[1])]
    end, last = max(execs)
    lineage = [last]
    while lineage[0] != first:
        lineage.insert(0, processes[lineage[0]].parent)
    events = []
    for i, pid in enumerate(lineage):
        for event in processes[pid].events:
            events.append(event)
            if i + 1 < len(lineage) and event[2] == lineage[i + 1]:
                break
            if event[0] == end:
                break
    for pid, process in processes.items():
        if pid not in lineage:
            helps = any(re.search(r"^setns\(.*CLONE_NEWPID", e[1]) for e in process.events)
            pattern = r'_map>|newuidmap|newgidmap|^setns\(.*CLONE_NEWPID|^fsopen\("proc"' + (r"|^clone3" if helps else "")
            events += [e for e in process.events if re.search(pattern, e[1])]
    events.sort()
    # The exec that began it all is not the chain's.
    return [e[1] for e in events[1:] if wanted(e[1][: e[1].index("(")], e[1])]


def leave_out_attempts(calls):
    """Without the file systems that were begun and could not be made."""
    kept, begun = [], []
    for call in calls:
        if call[0] == "fsopen":
            begun = [call]
        elif call[0] == "fsconfig" and begun and "FSCONFIG_CMD_CREATE" not in (call[-1] or ()):
            begun.append(call)
        else:
            kept += begun + [call]
            begun = []
    return kept


def main():
    chain = sys.argv[1:]
    said = [normal(text) for text in explained(chain)]
    command = [s for s in said if s[0] == "execve"][-1][2][0]
    first, processes = traced(chain)
    # A umask is read back by setting it once more.
    done = leave_out_attempts([normal(text) for text in line_of(first, processes, command)])
    said, done = ([c for i, c in enumerate(calls) if c[0] != "umask" or i == 0 or calls[i - 1][0] != "umask"] for calls in (said, done))
    done = [said[i] if i < len(said) and d == (said[i][0], None) else d for i, d in enumerate(done)]
    for number, (one, other) in enumerate(zip(said + [None] * len(done), done + [None] * len(said))):
        if one != other:
            print("step %d of %d: said %s" % (number + 1, len(done), one))
            print("            done %s" % (other,))
            return 1
        if one is None:
            break
    print("%d calls as explained" % len(done))
    return 0 if done else 1


sys.exit(main())
