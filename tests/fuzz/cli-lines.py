#!/usr/bin/env python3
"""
tests/fuzz/cli-lines.py: random command lines over the options of all links, as their --help has them: right and broken options, values by the
kind of argument and of random bytes, chains of up to three links. Each has to end with 0, 125, 126 or 127, with a message if it is not 0; never
by a signal, with a report of a sanitizer, or not at all; and to leave no process, mount, cgroup or file. Prints each line that does not, as short
as it gets, and the total as the last line.

All of them run in a world that is thrown away: new namespaces of every kind, with ids that own nothing outside, a root in memory without the old
one below it, and cgroups of its own. Half of the lines run as root of it, half as a user.
  FUZZ_LINES  how many; default 100000
  CLI_SEED    where the random numbers begin; default another one each time. The same seed makes the same lines
  CLI_LINE    only the line with this number
  FUZZ_ASAN   how many in a hundred run with the sanitizers; default 4
  JOBS        how many worlds; default 2
"""
import ctypes
import errno
import json
import os
import random
import re
import select
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import traceback

LINES = int(os.environ.get("FUZZ_LINES") or 100000)
SEED = os.environ.get("CLI_SEED") or str(int.from_bytes(os.urandom(4), "big"))
ONLY = os.environ.get("CLI_LINE")
ASAN = float(os.environ.get("FUZZ_ASAN") or 4) / 100
JOBS = 1 if ONLY else int(os.environ.get("JOBS") or 2)

FIRST_ID, IDS = 1600000000, 65536
LIMIT_SECONDS, FINDINGS_MAX, SKIPPED = 20, 10, 77
LINKS = ["nsnew", "nsjoin", "cgrun", "capjail", "rootjail", "nsmount"]
BUILD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build")

libc = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 32, 4096, 16384, 1 << 18
MNT_DETACH, PR_SET_PDEATHSIG, PR_SET_DUMPABLE, SYS_pivot_root = 2, 1, 4, {"x86_64": 155, "aarch64": 41}.get(os.uname().machine)


def check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source, target, kind=None, flags=0, options=None):
    def text(value):
        return value.encode() if value else None
    check(libc.mount(text(source), text(target), text(kind), flags, text(options)), f"mount on {target}")


def unshare(flags):
    check(libc.unshare(flags), "unshare")


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def read(path):
    with open(path, errors="surrogateescape") as file:
        return file.read()


# --- what there is to say ---

def read_options(link):
    """The options of a link, as (letter, name, argument), from its --help."""
    options = []
    text = subprocess.run([f"{BUILD}/release/bin/{link}", "--help"], capture_output=True, check=True, text=True).stdout
    tries = False
    for line in text.splitlines():
        found = re.match(r"  (?:-([A-Za-z]), |    )--([a-z-]+)(\[?=\S+)?", line)
        if found:
            argument = found[3] or ""
            argument = argument if argument.startswith("[") else argument.lstrip("=")
            options.append((found[1], found[2], argument))
            if tries:
                options.append((None, "try-" + found[2], argument))
        elif line and not line.startswith(" "):
            tries = "--try-" in line
    return options


NUMBERS = ["0", "1", "2", "3", "7", "10", "60", "100", "1000", "65534", "65536", "10000", "4194304", "4294967294",
           "4294967295", "4294967296", "18446744073709551615", "18446744073709551616", "1.5", "0.01", "-1", "00", "0x1"]
SIZES = ["max", "0", "1", "4096", "1M", "8M", "64M", "100M", "1.5G", "50%", "0.5%", "100%", "101%", "16P", "1.0001K", "4K"]
PATHS = ["/w", "/w/dir", "/w/file", "/w/link", "/w/fifo", "/w/rootfs", "/w/new", "/w/new/below", "/dev/null", "/proc", "/dev",
         "/proc/self/ns/net", "/proc/1/ns/mnt", "dir", "file", ".", "..", "/", "//", "/tmp", "/etc/passwd", "/w/dir/../file", "/nonexistent",
         "/w/image", "/pins", "/pins/net", "/pins/uts", "/sys", "/w/rootfs/bin"]
CAPABILITIES = ["chown", "CAP_NET_RAW", "sys_admin", "setuid", "kill", "0", "40", "63", "all", "-chown", "none", "cap_chwon", ""]
TARGETS = ["@1", "@2", "1", "@1", "@2", "@1:1", "999999", "/pins", "0", "/w/dir"]
INSIDE = ["/new", "/bin/new", "/dev/null", "/etc", "/proc", "/tmp", "/link/x", "/", "/a/b/c", "relative", "/../x", "/bin/true", "/dev/x"]


# Those of each list that are right more often than not.
GOOD = {
    "NUMBERS": ["1", "2", "3", "60", "100", "1.5"], "SIZES": ["max", "8M", "64M", "100M", "50%"],
    "PATHS": ["/w/dir", "/w/file", "/w/new", "/w/rootfs", "/dev/null"], "CAPABILITIES": ["chown", "net_raw", "sys_admin", "setuid", "kill", "0", "40"],
    "TARGETS": ["@1", "@2", "1"], "INSIDE": ["/new", "/dir/new", "/etc", "/tmp", "/tmp/x", "/bin/new"],
}
ANY = {name: globals()[name] for name in GOOD}


class Grammar:
    """Makes command lines. RANDOM decides all of it."""

    def __init__(self, options, chance):
        self.options, self.chance, self.pools = options, chance, ANY

    def __getattr__(self, name):
        return self.pools[name]

    def maybe(self, percent):
        return self.chance.random() * 100 < percent

    def pick(self, items):
        return self.chance.choice(items)

    def some(self, items, separator, most=3):
        return separator.join(self.pick(items) for _ in range(self.chance.randint(1, most)))

    def map(self):
        if self.maybe(25):
            return self.pick(["auto", "subids", "all"])
        return ":".join(self.pick(["0", "0", "1", "1000", "1", "65535", self.pick(self.NUMBERS)]) for _ in range(3))

    def bind_options(self):
        return self.some(["ro", "rw", "dev", "suid", "noexec", "nosymfollow", "norec", "rec", "idmap=0-1000-1", "idmap=0-0-1+1-5-9"], ",")

    def rule(self):
        access = self.pick(["", ":r", ":rw", ":rwm", ":x"])
        return self.pick(["all", "/dev/null" + access, f"c:1:3{access}", f"b:*:*{access}", f"c:{self.pick(self.NUMBERS)}:*{access}"])

    def id(self):
        return self.pick(["0", "1000", "user"] if self.pools is GOOD else ["0", "1", "1000", "65534", "65535", "follow", "root", self.pick(self.NUMBERS)])

    def value(self, link, name, argument):
        """A value that could be right."""
        kind = argument.strip("[]=").removesuffix("...")
        name = name.removeprefix("try-")
        # With less, slow is what it makes of COMMAND, and no fault.
        if name == "memory-high":
            return self.pick(["64M", "max", "50%"])
        if "|" in kind:
            return self.pick(kind.split("|"))
        special = {
            ("capjail", "LIST"): lambda: self.pick(["none", "noroot", "noroot,noroot_locked", "no_setuid_fixup", "keep_caps"])
            if name == "securebits" else self.some(self.CAPABILITIES, ","),
            ("capjail", "MODE"): lambda: self.pick(["0", "022", "0777", "1777", "8"]),
            ("cgrun", "LIST"): lambda: self.pick(["0", "0-1", "1,0", "0-8191", "3-1", ""]),
            ("nsmount", "LIST"): lambda: self.some(["bind", "rbind", "ro", "nosuid", "nodev", "noexec", "size=1M", "mode=700", "nofail", "remount", "loop",
                                                    "X-mount.mkdir", "X-mount.mkdir=0700", "X-mount.subdir=a", "defaults", "x-y", "lowerdir=/w/dir"], ","),
            ("rootjail", "SRC:PATH[:mode=MODE]"): lambda: self.pick(self.PATHS) + ":" + self.pick(self.INSIDE) + self.pick(["", ":mode=600", ":mode=8"]),
        }.get((link, kind))
        if special:
            return special()
        return {
            "FILE": lambda: self.pick(self.PATHS), "DIR": lambda: self.pick(self.PATHS), "PATH": lambda: self.pick(self.PATHS + self.INSIDE),
            "SIZE": lambda: self.pick(self.SIZES), "NUMBER": lambda: self.pick(self.NUMBERS), "USEC": lambda: self.pick(self.NUMBERS),
            "SECONDS": lambda: self.pick(self.NUMBERS + ["-0.5", "0.000000001", "100"]),
            "DISK:KEY=RATE": lambda: self.pick(["8:0", "/dev/null", "1:5", "254:0"]) + ":" + self.some(["rbps=1M", "wiops=max", "riops=5", "x=1"], ","),
            "PAGE:SIZE": lambda: self.pick(["2M", "1G", "3M", "1K"]) + ":" + self.pick(self.SIZES),
            "FILE=VALUE": lambda: self.pick(["pids.max=max", "memory.high=max", "cgroup.max.depth=3", "cpu.shares=5", "a.b=c", "pids.max=10", "x=1",
                                             "memory.swappiness=10", "cpu.cfs_quota_us=-1"]),
            "RULE": self.rule, "NAME": lambda: self.pick(["web", "a.b", "cgrun-1", ".", "a/b", "name", "x" * 300]),
            "GROUP": lambda: self.pick(["web", "/", "/web", "../x", "a/b", "/a//b"]), "UID": self.id, "GID": self.id,
            "UID:GID": lambda: self.id() + ":" + self.id(), "UID[:GID]": lambda: self.id() + self.pick(["", ":" + self.id()]),
            "USER[:GROUP]": lambda: self.id() + self.pick(["", ":" + self.id()]), "GROUPS": lambda: self.some(["0", "5", "users", "user", "1000"], ","),
            "FD": lambda: self.pick(["0", "1", "2"] if self.pools is GOOD else ["0", "2", "3", "9", "1000000", "-1"]), "MAP": self.map,
            "MODE": lambda: self.pick(["private", "slave", "shared", "unchanged"]),
            "SIGNAL": lambda: self.pick(["TERM", "SIGKILL", "9", "64", "0", "USR1", "term"]), "TARGET": lambda: self.pick(self.TARGETS),
            "SRC[:DST[:OPTIONS]]": lambda: self.pick(self.PATHS) + self.pick(["", ":" + self.pick(self.INSIDE), ":" + self.pick(self.INSIDE) + ":" + self.bind_options()]),
            "DST[:OPTIONS]": lambda: self.pick(self.INSIDE) + self.pick(["", ":" + self.some(["size=1M", "mode=1777", "ro", "noexec", "dev", "size=0"], ",")]),
            "PATH[:mode=MODE]": lambda: self.pick(self.INSIDE) + self.pick(["", ":mode=700", ":mode=9"]),
            "TARGET:PATH": lambda: self.pick(self.PATHS) + ":" + self.pick(self.INSIDE),
            "TYPE": lambda: self.pick(["tmpfs", "proc", "ext4", "squashfs,ext4", "noext4", "overlay", "none", "ramfs", "mqueue", "devpts"]),
            "TEXT": lambda: self.some(["!chown", "^kill", "%net_raw", "none", "!^%setuid", "chown"], ","),
        }.get(kind, lambda: self.pick(self.PATHS + self.NUMBERS))()

    def bytes(self, most=40):
        return bytes(self.chance.randint(1, 255) for _ in range(self.chance.randint(0, most)))

    def broken(self, text):
        """VALUE with a few bytes that do not belong there."""
        text = bytearray(text)
        for _ in range(self.chance.randint(1, 3)):
            at = self.chance.randint(0, len(text))
            change = self.chance.randint(0, 5)
            if change == 0:
                del text[at:at + 1]
            elif change == 1:
                text[at:at] = bytes([self.pick(b",:=+-/\\.%0 \n\x1b\xff'\"")])
            elif change == 2:
                text[at:at] = text[:at]
            elif change == 3:
                text[at:] = b""
            elif change == 4:
                text[at:at] = self.pick(self.NUMBERS).encode()
            else:
                text[at:at] = self.bytes(4)
        if self.maybe(2):
            text = text * 3000 + b"x" * self.chance.randint(0, 9000)
        return bytes(text)[:100000]

    def option(self, link, mild):
        letter, name, argument = self.pick(self.options[link])
        if name in ("freeze", "help", "version") and not self.maybe(4):
            letter, name, argument = self.pick(self.options[link])
        text = self.value(link, name, argument).encode() if argument else b""
        if argument and not mild:
            text = self.broken(text) if self.maybe(20) else self.bytes() if self.maybe(3) else text
        optional = argument.startswith("[")
        if not mild and self.maybe(4):
            return [self.broken(b"--" + name.encode())]
        if not mild and self.maybe(3):
            argument = "" if argument else "X"
        long = b"--" + name.encode()
        if not argument or (optional and self.maybe(60)):
            return [b"-" + letter.encode()] if letter and self.maybe(60) else [long]
        if optional or self.maybe(50) or not letter:
            return [long + b"=" + text] if optional or self.maybe(70) else [long, text]
        return [b"-" + letter.encode() + text] if self.maybe(30) else [b"-" + letter.encode(), text]

    def cluster(self, link):
        letters = [letter for letter, name, argument in self.options[link] if letter and (not argument or argument.startswith("["))
                   and (name not in ("help", "version") or self.maybe(2))]
        return [b"-" + "".join(self.pick(letters) for _ in range(self.chance.randint(2, 5))).encode()] if letters else []

    def link(self, link, mild):
        words = [link.encode()]
        for _ in range(self.chance.randint(0, 2 if mild else 5)):
            words += self.cluster(link) if self.maybe(20) else self.option(link, mild)
        if link == "nsnew" and self.maybe(30):
            words.insert(1, self.pick([b"-r", b"-rm", b"-rpm", b"-c", b"-rn"]))
        if link == "nsjoin" and self.maybe(80):
            words += [b"-t", self.pick(self.TARGETS).encode()]
        if not mild and self.maybe(5):
            words.insert(self.chance.randint(1, len(words)), self.pick([b"--", b"-", b"", self.bytes(), b"---", b"--="]))
        if not mild and self.maybe(3) and len(words) > 1:
            words.append(self.pick(words[1:]))
        if self.maybe(10):
            words.append(b"--")
        if link == "rootjail" and not self.maybe(3):
            words.append(self.pick([b"/w/rootfs", b"/w/rootfs", b"/w/rootfs", b"rootfs", b"/", self.pick(self.PATHS).encode()]))
        if link == "nsmount" and not self.maybe(20):
            words += [self.pick(["none", "/w/dir", "/w/image", "LABEL=x"] + self.PATHS).encode(), self.pick(["/w/dir", "/w/rootfs/bin"] + self.PATHS).encode()]
        return words

    def line(self):
        mild = self.maybe(55)
        self.pools = GOOD if mild else ANY
        # What lets most of the others do something, for a user too.
        words = [b"nsnew", self.pick([b"-r", b"-rm", b"-rpm", b"-rmuin", b"-rpmCT"])] if self.maybe(30) else []
        for _ in range(self.chance.choices([1, 2, 3], [50, 35, 15])[0]):
            words += self.link(self.pick(LINKS), mild)
        payloads = [[b"nothing"]] * 12 + [[b"/payload/nothing", b"-x"], [b"missing"], [b"/missing"], [b""], [b"/w/dir"], [b"/w/file"], [], [self.bytes()]]
        return words + self.pick(payloads)


# --- the world ---

def find_hierarchies():
    """(options of mount, directory of the own group) of each that can be written to."""
    mounts = [line.split(" - ") for line in read("/proc/self/mountinfo").splitlines()]
    found = []
    for line in read("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        for left, right in mounts:
            kind, _, options = right.split(" ", 2)
            own = left.split(" ")[4] + path.rstrip("/")
            if kind == ("cgroup" if controllers else "cgroup2") and (not controllers or controllers.split(",")[0] in options.split(",")) \
                    and os.access(own, os.W_OK) and os.path.isdir(own):
                found.append((controllers, own))
                break
    return found


def make_groups(name):
    groups = []
    for controllers, own in find_hierarchies():
        group = f"{own}/{name}"
        try:
            os.mkdir(group)
            for file in ("cpuset.cpus", "cpuset.mems"):
                if controllers == "cpuset":
                    write(f"{group}/{file}", read(f"{own}/{file}"))
            if controllers == "pids":
                write(f"{group}/pids.max", "400")
            for file in ("", "/cgroup.procs", "/tasks", "/cgroup.subtree_control", "/cgroup.threads"):
                if os.path.exists(group + file):
                    os.chown(group + file, FIRST_ID, FIRST_ID)
            groups.append((controllers, group))
        except OSError:
            remove_group(group)
    return groups


def remove_group(group):
    """Nothing runs in it any more, or will not for long."""
    for _ in range(200):
        for path, _, _ in os.walk(group, topdown=False):
            for file, value in (("freezer.state", "THAWED"), ("cgroup.freeze", "0"), ("cgroup.kill", "1")):
                try:
                    if os.path.exists(f"{path}/{file}"):
                        write(f"{path}/{file}", value)
                except OSError:
                    pass
            try:
                os.rmdir(path)
            except OSError:
                pass
        if not os.path.exists(group):
            return
        time.sleep(0.05)
    print(f"cli-lines: cannot remove {group}", file=sys.stderr)


class World:
    """Is PID 1 of it. Runs lines and looks at what they leave."""

    def __init__(self, base, groups):
        self.base, self.root, self.groups = base, base + "/root", groups
        self.sleepers, self.reader = [], -1

    def make_root(self):
        root = self.root
        mount(None, "/", None, MS_REC | MS_PRIVATE)
        mount("tmpfs", root, "tmpfs", 0, "mode=755,size=512m")
        for name in ("w", "proc", "sys", "dev", "etc", "pins", "tmp", "links", "payload"):
            os.mkdir(f"{root}/{name}")
        for name in ("usr", "lib", "lib64", "bin", "sbin"):
            if os.path.islink("/" + name):
                os.symlink(os.readlink("/" + name), f"{root}/{name}")
            elif os.path.isdir("/" + name):
                os.mkdir(f"{root}/{name}")
                mount("/" + name, f"{root}/{name}", None, MS_BIND | MS_REC)
        for name in os.listdir(self.base + "/links"):
            shutil.copytree(f"{self.base}/links/{name}", f"{root}/links/{name}")
        shutil.copy(f"{self.base}/nothing", f"{root}/payload/nothing")
        for name in ("null", "zero", "full", "random", "urandom", "tty"):
            write(f"{root}/dev/{name}", "")
            mount(f"/dev/{name}", f"{root}/dev/{name}", None, MS_BIND)
        os.symlink("/proc/self/fd", f"{root}/dev/fd")
        for name in ("pts", "shm", "mqueue"):
            os.mkdir(f"{root}/dev/{name}")
        write(f"{root}/etc/passwd", "root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/w:/bin/sh\n")
        write(f"{root}/etc/group", "root:x:0:\nuser:x:1000:\nusers:x:100:user,root\n")
        for name in ("subuid", "subgid"):
            write(f"{root}/etc/{name}", "root:10000:1000\nuser:20000:1000\n")

    def mount_groups(self):
        try:
            mount("sysfs", "/sys", "sysfs")
            mount("tmpfs", "/sys/fs/cgroup", "tmpfs", 0, "mode=755")
        except OSError:
            os.makedirs("/sys/fs/cgroup", exist_ok=True)
        mounted = []
        for controllers, _ in self.groups:
            place = "/sys/fs/cgroup/" + (controllers.replace("=", "-") or "unified")
            os.mkdir(place)
            try:
                if controllers:
                    mount("cgroup", place, "cgroup", 0, ("none," if "=" in controllers else "") + controllers)
                else:
                    mount("cgroup2", place, "cgroup2")
                mounted.append(place)
            except OSError:
                os.rmdir(place)
        self.groups = mounted

    def enter(self):
        mount("proc", self.root + "/proc", "proc")
        os.chdir(self.root)
        check(libc.syscall(SYS_pivot_root, b".", b"."), "pivot_root")
        check(libc.umount2(b".", MNT_DETACH), "umount2")
        os.chdir("/")
        self.mount_groups()
        mount("tmpfs", "/w", "tmpfs", 0, "mode=1777,size=64m")
        mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777,size=1m")
        for name in ("net", "uts"):
            write(f"/pins/{name}", "")
            mount(f"/proc/self/ns/{name}", f"/pins/{name}", None, MS_BIND)
        mount(None, "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY)
        self.make_playground()
        self.start_sleepers()
        self.mounts = read("/proc/self/mountinfo")
        self.files = self.list_files()

    def make_playground(self):
        os.umask(0)
        for path in ("rootfs", "rootfs/bin", "rootfs/dev", "rootfs/proc", "rootfs/etc", "rootfs/payload", "rootfs/tmp", "dir", "dir/below"):
            os.mkdir("/w/" + path)
        shutil.copy("/payload/nothing", "/w/rootfs/payload/nothing")
        shutil.copy("/payload/nothing", "/w/rootfs/bin/true")
        write("/w/rootfs/etc/passwd", "root:x:0:0\nuser:x:1000:1000\n\x1bbad:x:1:1\n")
        write("/w/file", "none /w/dir tmpfs size=1M,nofail 0 0\n/w/dir /w/rootfs/bin none bind,ro\n")
        write("/w/image", "hsqs" + "\0" * 8192)
        os.symlink("/w/dir", "/w/link")
        os.symlink("/etc", "/w/rootfs/link")
        os.mkfifo("/w/fifo")
        os.umask(0o022)
        # So that nobody who writes to it waits for a reader.
        if self.reader >= 0:
            os.close(self.reader)
        self.reader = os.open("/w/fifo", os.O_RDONLY | os.O_NONBLOCK)

    def start_sleepers(self):
        for flags in (NEWNS | NEWNET | NEWIPC | NEWUTS | NEWCGROUP, NEWUSER | NEWNS | NEWNET):
            reader, writer = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(reader)
                unshare(flags)
                if flags & NEWUSER:
                    write("/proc/self/setgroups", "deny")
                    write("/proc/self/uid_map", "0 0 1")
                    write("/proc/self/gid_map", "0 0 1")
                os.write(writer, b"x")
                signal.pthread_sigmask(signal.SIG_SETMASK, [])
                while True:
                    signal.pause()
            os.close(writer)
            if os.read(reader, 1) != b"x":
                raise OSError(errno.EIO, "a process to be joined")
            os.close(reader)
            self.sleepers.append(pid)

    def list_files(self):
        found = []
        places = ["/w"]
        while places:
            place = places.pop()
            try:
                entries = sorted(os.scandir(place), key=lambda entry: entry.path)
            except OSError:
                return None
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                found.append((entry.path, status.st_mode, status.st_uid, status.st_size, status.st_dev, status.st_ino, status.st_ctime_ns))
                if stat.S_ISDIR(status.st_mode):
                    places.append(entry.path)
        return found

    def list_groups(self):
        found = []
        for group in self.groups:
            # A link for each group in it, and two of its own.
            if os.stat(group).st_nlink != 2:
                found += [path for path, _, _ in os.walk(group)][1:]
        return found

    def list_processes(self):
        return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != 1 and int(name) not in self.sleepers]

    def thaw(self):
        for path in self.list_groups():
            for file, value in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
                try:
                    if os.path.exists(f"{path}/{file}"):
                        write(f"{path}/{file}", value)
                except OSError:
                    pass

    def reap(self):
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass

    def kill_all(self):
        self.thaw()
        for _ in range(500):
            for pid in self.list_processes():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.reap()
            if not self.list_processes():
                return
            time.sleep(0.02)

    def await_end(self, seconds):
        """Whether no process of the line is left."""
        end = time.monotonic() + seconds
        while True:
            self.reap()
            if not self.list_processes():
                return True
            if time.monotonic() > end:
                return False
            time.sleep(0.002)

    def spawn(self, words, asan, user, output):
        pid = os.fork()
        if pid:
            return pid
        try:
            links = "/links/" + ("asan" if asan else "release")
            os.chdir("/w")
            os.dup2(self.null, 0)
            os.dup2(output, 1)
            os.dup2(output, 2)
            if user:
                os.setresgid(1000, 1000, 1000)
                os.setresuid(1000, 1000, 1000)
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            os.execve(f"{links}/{words[0].decode()}", words, {
                "PATH": f"{links}:/payload", "ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"})
        finally:
            os._exit(99)

    def run(self, words, asan, user):
        """What is wrong with a line, as (kind, details); None if nothing."""
        for index, pid in enumerate(self.sleepers):
            words = [word.replace(b"@%d" % (index + 1), b"%d" % pid) for word in words]
        output = os.memfd_create("output")
        pid = self.spawn(words, asan, user, output)
        handle = os.pidfd_open(pid)
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        # Frozen until somebody thaws it, or the reader of a FIFO that nobody writes to: as was asked for.
        frozen, fifo = b"--freeze" in words, any(b"fifo" in word for word in words)
        ended = poll.poll(1000 if frozen or fifo else LIMIT_SECONDS * 1000)
        for _ in range(LIMIT_SECONDS * 10 if frozen or fifo else 0):
            if ended:
                break
            self.thaw()
            if fifo:
                os.close(os.open("/w/fifo", os.O_RDWR))
            ended = poll.poll(100)
        wrong = None
        os.close(handle)
        if not ended:
            wrong = ("hang", self.describe())
            self.kill_all()
            status = None
        else:
            status = os.waitpid(pid, 0)[1]
        text = os.pread(output, 1 << 20, 0)
        os.close(output)
        self.succeeded = status == 0
        wrong = wrong or self.judge(words, status, text, asan)
        return self.clean_up(words) or wrong if not wrong or wrong[0] == "hang" else (self.clean_up(words), wrong)[1]

    def describe(self):
        found = []
        for pid in self.list_processes():
            try:
                found.append(f"{pid} {read(f'/proc/{pid}/comm').strip()} {read(f'/proc/{pid}/wchan')} {read(f'/proc/{pid}/stat').split()[2]}")
            except OSError:
                pass
        return "; ".join(found)

    def judge(self, words, status, text, asan):
        shown = text[-1500:].decode(errors="backslashreplace")
        if b"Sanitizer" in text or b"runtime error:" in text:
            return "sanitizer", text[:3000].decode(errors="backslashreplace")
        code = os.WEXITSTATUS(status)
        # Memory that a limit does not allow is the reason, and said. A PID 1 passes the signal on as a status.
        if (os.WTERMSIG(status) == signal.SIGKILL or code == 128 + signal.SIGKILL) and (b"out of memory" in text or asan or b"--exec" in words) \
                and any(b"mem" in word or word.startswith(b"-m") or b"swap" in word for word in words):
            return None
        if os.WIFSIGNALED(status):
            return f"signal {os.WTERMSIG(status)}", shown
        if code not in (0, 125, 126, 127):
            return f"exit status {code}", shown
        lines = text.split(b"\n")
        if code and not any(line.startswith(tuple(link.encode() + b": " for link in LINKS)) for line in lines):
            return f"exit status {code} without a message", shown
        if any(byte < 0x20 and byte != 0x0a or byte == 0x7f for byte in text) and b"newuidmap" not in text and b"newgidmap" not in text:
            return "control characters in a message", shown
        return None

    def clean_up(self, words):
        """Takes away what is left. What is not left on purpose is a finding."""
        wrong = None
        said = b" ".join(words)
        if not self.await_end(10):
            wrong = ("processes left", self.describe())
            self.kill_all()
        pinned = b"pin" in said or b"=" in said
        mounts = read("/proc/self/mountinfo")
        if mounts != self.mounts:
            # Names may hold what str.splitlines() takes for the end of a line.
            before = set(self.mounts.split("\n"))
            added = [line for line in mounts.split("\n") if line not in before]
            if not pinned:
                wrong = wrong or ("mounts left", "; ".join(added))
            for line in reversed(added):
                place = re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), line.split(" ")[4].encode(errors="surrogateescape"))
                libc.umount2(place, MNT_DETACH)
            if read("/proc/self/mountinfo") != self.mounts:
                wrong = wrong or ("mounts changed", read("/proc/self/mountinfo"))
                self.mounts = read("/proc/self/mountinfo")
        groups = self.list_groups()
        if groups:
            if b"--exec" not in words and b"--keep" not in words:
                wrong = wrong or ("cgroups left", "; ".join(groups))
            for group in groups:
                remove_group(group)
        if self.list_files() != self.files:
            for entry in os.scandir("/w"):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path)
                else:
                    os.unlink(entry.path)
            self.make_playground()
            self.files = self.list_files()
        for entry in os.scandir("/tmp"):
            wrong = wrong if b"tmp" in said else wrong or ("files left", entry.path)
            shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)
        return wrong

    def shorten(self, words, asan, user, kind):
        """Fewer words with the same wrong."""
        tries, index = 0, 1
        while index < len(words) and tries < (6 if kind == "hang" else 60):
            fewer = words[:index] + words[index + 1:]
            tries += 1
            wrong = self.run(fewer, asan, user)
            if wrong and wrong[0] == kind:
                words = fewer
            else:
                index += 1
        return words


def say(text):
    os.write(2, text.encode(errors="backslashreplace"))


def run_lines(world, options, numbers, result):
    counts = {"lines": 0, "asan": 0, "user": 0, "succeeded": 0, "findings": 0}
    world.null = os.open("/dev/null", os.O_RDWR)
    for number in numbers:
        chance = random.Random(f"{SEED}:{number}")
        asan, user = chance.random() < ASAN, chance.random() < 0.5
        words = [word.replace(b"\0", b"") for word in Grammar(options, chance).line()]
        wrong = world.run(words, asan, user)
        counts["lines"] += 1
        counts["asan"] += asan
        counts["user"] += user
        counts["succeeded"] += world.succeeded
        if wrong:
            counts["findings"] += 1
            shorter = world.shorten(words, asan, user, wrong[0])
            shown = " ".join(quote(word) for word in shorter)
            details = wrong[1].rstrip().replace("\n", "\n    ")
            say(f"not ok cli-lines: {wrong[0]}: {shown}\n    {'asan' if asan else 'release'}, as {'a user' if user else 'root'}; "
                f"again: CLI_SEED={SEED} CLI_LINE={number} make fuzz-cli\n    {details}\n")
            if counts["findings"] == FINDINGS_MAX:
                break
    os.write(result, json.dumps(counts).encode())


def quote(word):
    if all(0x20 <= byte < 0x7f for byte in word):
        return shlex.quote(word.decode())
    return "$'" + "".join(chr(byte) if 0x20 <= byte < 0x7f and byte not in b"'\\" else f"\\x{byte:02x}" for byte in word) + "'"


def run_world(base, index, options, numbers):
    """Forks the process that makes a world. Returns its PID, the pipe of its result and its groups."""
    groups = make_groups(f"nschain-fuzz-{os.getpid()}-{index}") if os.geteuid() == 0 else []
    reader, writer = os.pipe()
    mapped, map_now = os.pipe()
    made, make_map = os.pipe()
    first, count = (FIRST_ID, IDS) if os.geteuid() == 0 else (os.geteuid(), 1)
    parent = os.fork()
    if parent:
        for fd in (writer, mapped, make_map):
            os.close(fd)
        if os.read(made, 1):
            if os.geteuid():
                write(f"/proc/{parent}/setgroups", "deny")
            write(f"/proc/{parent}/uid_map", f"0 {first} {count}")
            write(f"/proc/{parent}/gid_map", f"0 {first if count > 1 else os.getegid()} {count}")
            os.write(map_now, b"x")
        os.close(map_now)
        return parent, reader, groups
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        for fd in (reader, made, map_now):
            os.close(fd)
        for _, group in groups:
            write(group + "/cgroup.procs", str(os.getpid()))
        try:
            unshare(NEWUSER)
        except OSError as error:
            say(f"cli-lines: cannot make a user namespace: {error}\n")
            os._exit(SKIPPED)
        os.write(make_map, b"x")
        if os.read(mapped, 1) != b"x":
            os._exit(1)
        if count > 1:
            os.setgroups([])
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
        die_with_parent()
        unshare(NEWNS | NEWPID | NEWIPC | NEWUTS | NEWNET | NEWCGROUP)
        world = World(base, groups)
        world.make_root()
        one = os.fork()
        if one:
            os._exit(os.waitstatus_to_exitcode(os.waitpid(one, 0)[1]) & 0xff)
        die_with_parent()
        # The change of ids took that, and with it the own files of /proc.
        libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
        world.enter()
        if count == 1:
            world.spawn = lambda words, asan, user, output, spawn=world.spawn: spawn(words, asan, False, output)
        run_lines(world, options, numbers, writer)
        os._exit(0)
    except BaseException:
        say(traceback.format_exc())
        os._exit(1)


def main():
    options = {link: read_options(link) for link in LINKS if os.path.exists(f"{BUILD}/release/bin/{link}")}
    LINKS[:] = list(options)
    if min(len(rows) for rows in options.values()) < 5:
        sys.exit("cli-lines: cannot read the options of --help")
    os.umask(0o022)
    base = tempfile.mkdtemp(prefix="nschain-fuzz-")
    os.chmod(base, 0o755)
    os.mkdir(base + "/root")
    for flavour in ("release", "asan"):
        shutil.copytree(f"{BUILD}/{flavour}/bin", f"{base}/links/{flavour}")
    shutil.copy(f"{BUILD}/release/helpers/nothing", base)
    started = time.monotonic()
    print(f"cli-lines: CLI_SEED={SEED}", flush=True)
    numbers = [int(ONLY)] if ONLY else range(LINES)
    worlds, failed, skipped = [], 0, 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    total = {"lines": 0, "asan": 0, "user": 0, "succeeded": 0, "findings": 0}
    try:
        for index in range(JOBS):
            worlds.append(run_world(base, index, options, numbers[index::JOBS]))
        for pid, reader, _ in worlds:
            with os.fdopen(reader) as file:
                text = file.read()
            status = os.waitpid(pid, 0)[1]
            if status == SKIPPED << 8:
                skipped = 1
                continue
            if status != 0 or not text:
                failed = 1
                print("not ok cli-lines: a world came to a bad end")
                continue
            for key, value in json.loads(text).items():
                total[key] += value
    finally:
        for pid, _, groups in worlds:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            for _, group in groups:
                remove_group(group)
        shutil.rmtree(base)
    failed += total["findings"]
    print(f"cli-lines: {total['lines']} command lines ({total['asan']} with sanitizers, {total['user']} as a user, "
          f"{total['succeeded']} with success), {total['findings']} findings, "
          f"{time.monotonic() - started:.0f} s")
    print(f"{0 if failed or skipped else 1} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    # `nsjoin --env` takes the environment that this process was started with.
    if "detect_leaks=0" not in os.environ.get("ASAN_OPTIONS", ""):
        os.environ["ASAN_OPTIONS"] = "detect_leaks=0"
        os.execv(sys.executable, [sys.executable] + sys.argv)
    sys.exit(main())
