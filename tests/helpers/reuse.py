"""reuse.py COMMAND [ARGUMENT]...: whether COMMAND, which gets the PID of a process where an argument is TARGET and calls setns(2), ever takes
another process for that one. It is stopped behind each system call it makes from its first pidfd_open(2) up to setns(2); meanwhile the process
is killed and another one gets its PID. Each time COMMAND has to fail with 125. An argument OTHER becomes the path of a file with the uts namespace of that
other one, which is there only then. To be run as root of a PID namespace with its /proc.
"""

import collections
import os
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE = 10


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"not within {PATIENCE} seconds: {what}")
        time.sleep(0.005)


def start_process():
    """In an uts namespace of its own."""
    own = os.readlink("/proc/self/ns/uts")
    process = subprocess.Popen(["nsnew", "-u", "sleep", "60"])
    wait_until(lambda: os.readlink(f"/proc/{process.pid}/ns/uts") != own, "a namespace")
    return process


def end_process(process):
    process.kill()
    process.wait()


def replace(process):
    end_process(process)
    with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as file:
        file.write(str(process.pid - 1))
    other = start_process()
    if other.pid != process.pid:
        sys.exit(f"PID {process.pid} cannot be had again")
    return other


def trace(log, pid, *options):
    meant = {"TARGET": str(pid), "OTHER": log + ".other"}
    command = [meant.get(word, word) for word in sys.argv[1:]]
    return subprocess.Popen(["strace", "-o", log, *options, *command], stderr=subprocess.PIPE)


def list_calls(log):
    """(NAME, how many calls of that name there were up to this one) from pidfd_open to setns."""
    process = start_process()
    tracer = trace(log, process.pid)
    if tracer.wait() != 0:
        sys.exit("COMMAND fails: " + tracer.stderr.read().decode())
    end_process(process)
    found, counts = [], collections.Counter()
    with open(log, encoding="utf-8", errors="replace") as file:
        for line in file:
            name = line.partition("(")[0]
            if name == "setns":
                return found
            counts[name] += 1
            if found or name == "pidfd_open":
                found.append((name, counts[name]))
    sys.exit("COMMAND does not call setns")


def main():
    log = tempfile.mktemp()
    calls = list_calls(log)
    failures = 0
    for name, number in calls:
        process = start_process()
        os.unlink(log)
        tracer = trace(log, process.pid, "-e", f"inject={name}:signal=STOP:when={number}")

        def is_stopped():
            if not os.path.exists(log):
                return False
            with open(log, encoding="utf-8", errors="replace") as file:
                return "--- stopped by SIGSTOP ---" in file.read()

        wait_until(is_stopped, f"a stop behind {name}")
        other = replace(process)
        with open(log + ".other", "w", encoding="ascii") as file:
            file.write(os.readlink(f"/proc/{other.pid}/ns/uts"))
        with open(f"/proc/{tracer.pid}/task/{tracer.pid}/children", encoding="ascii") as file:
            for child in file.read().split():
                os.kill(int(child), signal.SIGCONT)
        message = tracer.stderr.read().decode()
        if tracer.wait() != 125:
            print(f"behind call {number} of {name}: status {tracer.returncode} {message}")
            failures += 1
        end_process(other)
        os.unlink(log + ".other")
    os.unlink(log)
    print(f"{len(calls)} calls, {failures} failures")
    return 1 if failures or not calls else 0


sys.exit(main())
