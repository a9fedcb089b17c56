"""rounds.py COUNT MILLISECONDS COMMAND [ARGUMENT]...: starts COMMAND COUNT times and kills it with SIGKILL after a random time of at most
MILLISECONDS. Fails if something that it started is still there ten seconds later: everything it starts holds the write end of a
pipe as its standard output. Fails as well if a cgroup is left that a cgrun which was COMMAND has made. Ends what survived.
"""

import ctypes
import os
import random
import select
import signal
import subprocess
import sys
import time

PATIENCE = 10
PR_SET_CHILD_SUBREAPER = 36


def children():
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
        return [int(pid) for pid in file.read().split()]


def describe(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read().replace(b"\0", b" ").decode(errors="replace")


def end_survivors():
    """They have become children of this process; ending one may bring others."""
    while pids := children():
        for pid in pids:
            print("survivor:", describe(pid))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def all_gone(reader):
    """Whether the pipe ends: what was written to it does not matter."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if select.select([reader], [], [], 0.1)[0] and not os.read(reader, 65536):
            return True
    return False


def groups_of(pids):
    """The cgroups that these processes have made, by their names."""
    with open("/proc/self/mounts", encoding="ascii") as file:
        mounts = [line.split()[1] for line in file if line.split()[2].startswith("cgroup")]
    found = []
    for mount in mounts:
        for directory, names, _ in os.walk(mount):
            for name in names:
                if name.startswith("cgrun-") and int(name.split("-")[1]) in pids:
                    found.append(f"{directory}/{name}")
    return found


def left_groups(pids):
    deadline = time.monotonic() + PATIENCE
    while groups := groups_of(pids):
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return groups


def play(command, seconds):
    reader, writer = os.pipe()
    link = subprocess.Popen(command, stdout=writer, stdin=subprocess.DEVNULL)
    os.close(writer)
    time.sleep(random.uniform(0, seconds))
    link.kill()
    link.wait()
    gone = all_gone(reader)
    os.close(reader)
    if gone:
        reap()
    return link.pid, gone


def main():
    count, seconds, command = int(sys.argv[1]), int(sys.argv[2]) / 1000, sys.argv[3:]
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    pids = set()
    for number in range(count):
        pid, gone = play(command, seconds)
        pids.add(pid)
        if not gone:
            print(f"round {number}: not all of it is gone")
            end_survivors()
            return 1
    groups = left_groups(pids)
    for group in groups:
        print("left:", group)
    return 1 if groups else 0


sys.exit(main())
