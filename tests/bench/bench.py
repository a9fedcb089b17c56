#!/usr/bin/env python3
"""tests/bench/bench.py: how long chains take beside other programs that do such things, and beside the system calls alone (limit.c), all
in turn in one run (drive.c). Prints a table for each case and what was reached of the goals, and writes it all as JSON. Exits with 1
if something did not run; a goal that is missed is no failure. Needs root, and tests/setup.sh bench.
  BENCH         cases: a each link alone, b limits and capabilities and a root, c a whole container, d the same without a network, e join,
                f memory of what waits, g many alive, h throughput, i those of them that take no peer, in a machine with cgroup version 2
                alone (tests/vm/run.sh, takes its time). Default "a b c d e f g h"
  BENCH_ROUNDS  how often each is started (200); slow programs every fourth time
  BENCH_LIVE    how many containers are alive in g ("1 10 100 1000")
  BENCH_JSON    where the results go (build/bench/results.json)
"""
import collections
import contextlib
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = TREE + "/build/release/bin"
BENCH = TREE + "/build/release/bench"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "200"))
LIVE = [int(word) for word in os.environ.get("BENCH_LIVE", "1 10 100 1000").split()]
JSON = os.environ.get("BENCH_JSON", TREE + "/build/bench/results.json")
CASES = os.environ.get("BENCH", "a b c d e f g h").split()
UNIFIED = "/sys/fs/cgroup/unified"
CAPS = ("chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod audit_write"
        " setfcap").split()
# What common/mask.c hides and protects.
COVERED = "acpi asound interrupts kcore keys latency_stats sched_debug scsi timer_list timer_stats".split()
FIXED = "bus fs irq sys sysrq-trigger".split()

# name; argv; in which rounds; whether without the second version of cgroups beside the first
Subject = collections.namedtuple("Subject", "name argv every alone")
Goal = collections.namedtuple("Goal", "case subject reference most")


def subject(name, argv, every=1, alone=False):
    return Subject(name, [str(word) for word in argv], every, alone)


def find(program):
    """Where PROGRAM is, or a place that tells its name when it cannot be run."""
    return shutil.which(program, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") or "/not-installed/" + program


def own_group(controller):
    """This process's group in the hierarchy of CONTROLLER ("" is version 2): its directory and its path, None without one."""
    with open("/proc/self/cgroup") as file:
        for line in file:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            if controller in controllers.split(",") and (controller or not controllers):
                break
        else:
            return None, None
    with open("/proc/self/mountinfo") as file:
        for line in file:
            fields, kind = (half.split() for half in line.split(" - "))
            if kind[0] == ("cgroup" if controller else "cgroup2") and (not controller or controller in kind[2].split(",")):
                return (fields[4] + path).rstrip("/"), path
    return None, None


def handing_on(group):
    """The nearest group from GROUP up that hands memory on to those below it: where one with a limit can be made."""
    while os.path.exists(group + "/cgroup.subtree_control"):
        with open(group + "/cgroup.subtree_control") as file:
            if "memory" in file.read().split():
                return group
        group = os.path.dirname(group)
    return None


class World:
    """A root file system with two programs in it, the groups, and the words that start things."""

    def __init__(self, work):
        self.work = work
        self.root = work + "/root"
        for name in "bin proc sys dev etc tmp".split():
            os.makedirs(self.root + "/" + name)
        for name in "true", "pause":
            shutil.copy(BENCH + "/" + name, self.root + "/bin/" + name)
        self.true = self.root + "/bin/true"
        self.v2, _ = own_group("")
        self.v1, self.v1_path = own_group("memory")
        if self.v2 and not self.v1:
            self.v2 = handing_on(self.v2)
        if not self.v2:
            sys.exit("bench.py: needs a group of version 2, with memory or with a group for that on version 1")
        self.hybrid = self.v1 is not None and os.path.ismount(UNIFIED)
        self.env = {"PATH": BIN + ":/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": "/root"}
        self.failures = []
        self.results = {}
        self.goals = []
        self.bundles = {}

    def fail(self, text):
        print("not run: " + text, flush=True)
        self.failures.append(text)

    def remove_groups(self):
        """What a limit or a cgrun left that was killed, and cgrun --exec always."""
        for place in filter(None, (self.v1, self.v2)):
            for name in os.listdir(place):
                if name.startswith("limit-") and not os.path.exists("/proc/" + name[6:]):
                    with contextlib.suppress(OSError):
                        os.rmdir(place + "/" + name)
        subprocess.run(self.link("cgrun", "--gc"), env=self.env, check=False)

    def link(self, *words):
        return [BIN + "/" + words[0], *words[1:]]

    def limit(self, steps, command="/bin/true", target=0):
        return [BENCH + "/limit", steps, self.v2, self.v1 or "-", self.root, str(target), command]

    def chain(self, command="/bin/true", spaces="-pmuin"):
        return self.link("cgrun", "-m", "100M", "nsnew", spaces, "rootjail", self.root, "capjail", "--preset", "docker", command)

    def example(self, command="/bin/true"):
        return self.link("cgrun", "-m", "100M", "capjail", "--drop", "chown", "rootjail", self.root, command)

    def bwrap(self, command="/bin/true", net=True):
        words = [find("bwrap"), "--unshare-pid", "--unshare-uts", "--unshare-ipc", "--die-with-parent", "--bind", self.root, "/",
                 "--dev", "/dev", "--proc", "/proc", "--cap-drop", "ALL"]
        words += ["--unshare-net"] if net else []
        for cap in CAPS:
            words += ["--cap-add", "CAP_" + cap.upper()]
        return words + [command]

    def bwrap_alike(self, net=True):
        """What the chain does: in a group, which limit makes and removes, with shared memory and without what tells of the machine in /proc."""
        words = self.bwrap(net=net)
        covers = []
        for path in ["/proc/" + name for name in FIXED + COVERED if os.path.exists("/proc/" + name)]:
            how = ["--ro-bind", path] if path[6:] in FIXED else ["--tmpfs"] if os.path.isdir(path) else ["--ro-bind", "/dev/null"]
            covers += how + [path]
        return self.limit("g", words[0]) + words[1:-1] + ["--tmpfs", "/dev/shm"] + covers + words[-1:]

    def bundle(self, command, net):
        """A directory with the config.json of a container like those of the chain."""
        key = (command, net)
        if key not in self.bundles:
            self.bundles[key] = f"{self.work}/bundle{len(self.bundles)}"
            os.mkdir(self.bundles[key])
            with open(self.bundles[key] + "/config.json", "w") as file:
                json.dump(config(self.root, command, net), file)
        return self.bundles[key]

    def oci(self, runtime, command="/bin/true", net=True, name="nschain-bench-{}"):
        return [find(runtime), "run", "--bundle", self.bundle(command, net), name]

    # --- timing ---

    def drive(self, what, subjects, rounds=None, pause=0, starters=1, starts=1):
        """Runs SUBJECTS in turn: {name: {round: nanoseconds}}. Those that cannot run are left out and told."""
        usable = []
        for one in subjects:
            error = self._drive([one], 1, 0, 1, 1)[1]
            if error:
                self.fail(f"{what}: {one.name}: {error}")
            else:
                usable.append(one)
        samples, error = self._drive(usable, rounds or ROUNDS, pause, starters, starts) if usable else ({}, None)
        if error:
            self.fail(f"{what}: {error}")
        return samples

    def _drive(self, subjects, *numbers):
        lists, results = self.work + "/subjects", self.work + "/results"
        with open(lists, "w") as file:
            for one in subjects:
                print(one.name, one.every, "alone" if one.alone else "-", *one.argv, sep="\t", file=file)
        done = subprocess.run([BENCH + "/drive", "run", lists, results, *map(str, numbers)], env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            return {}, (done.stderr.strip() or "drive failed").replace("\n", "; ")
        samples = collections.defaultdict(dict)
        with open(results) as file:
            for line in file:
                name, turn, nanoseconds = line.rstrip("\n").split("\t")
                samples[name][int(turn)] = int(nanoseconds)
        return samples, None

    def compare(self, case, title, samples, references, starts=1):
        """Prints a table of SAMPLES with their ratios to REFERENCES and keeps it."""
        if not samples:
            return
        references = [name for name in references if name in samples]
        print(f"\n{case}: {title}")
        print(f"  {'':34}{'turns':>6}{'min ms':>9}{'median':>9}" + "".join(f"{'/ ' + name:>21}" for name in references))
        rows = {}
        for name, turns in samples.items():
            times = [value / 1e6 / starts for value in turns.values()]
            row = rows[name] = {"turns": len(times), "min_ms": min(times), "median_ms": statistics.median(times), "ratios": {}}
            for reference in references:
                row["ratios"][reference] = ratios(turns, samples[reference])
            print(f"  {name:34}{len(times):6}{row['min_ms']:9.3f}{row['median_ms']:9.3f}" + "".join(
                f"{'%.2f %.2f %.2f' % (r['median'], r['of_medians'], r['of_minima']):>21}" for r in row["ratios"].values()), flush=True)
        self.results.setdefault(case, {})[title] = rows

    def goal(self, case, name, reference, most, samples):
        """Whether the median of the ratios of NAME to REFERENCE is at most MOST."""
        if name in samples and reference in samples:
            value = ratios(samples[name], samples[reference])["median"]
            self.judge(case, f"{name}: {value:.2f} x {reference}", value, most)

    def judge(self, case, text, value, most, sign="<="):
        met = value >= most if sign == ">=" else value <= most
        self.goals.append({"case": case, "text": text, "value": value, "goal": most, "sign": sign, "met": met})

    # --- containers that stay ---

    @contextlib.contextmanager
    def sleeping(self, argv, count=1, alone=False):
        """COUNT commands that ran as far as the payload, which sleeps: their processes. Ends them by killing the payloads."""
        read, write = os.pipe()
        before = [BENCH + "/drive", "exec"] if alone else []
        group = []
        try:
            for number in range(count):
                words = before + [word.replace("{}", f"{os.getpid()}-{number}") for word in argv]
                group.append(subprocess.Popen(words, env=self.env, stdin=subprocess.DEVNULL, stdout=write, stderr=subprocess.PIPE))
                # One after the other, or a thousand of them would be set up at the same time.
                if count == 1:
                    os.close(write)
                if not os.read(read, 1):
                    raise RuntimeError(group[-1].stderr.read().decode().strip())
            yield group
        finally:
            self.teardown = end(group)
            os.close(read)
            if count > 1:
                os.close(write)


def config(root, command, net):
    caps = ["CAP_" + cap.upper() for cap in CAPS]
    mounts = [
        {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "noexec", "mode=755"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777"]},
    ]
    kinds = ["pid", "mount", "uts", "ipc"] + (["network"] if net else [])
    return {
        "ociVersion": "1.0.0",
        "process": {
            "terminal": False, "user": {"uid": 0, "gid": 0}, "args": [command], "cwd": "/", "env": ["PATH=/bin"],
            "capabilities": {"bounding": caps, "effective": caps, "permitted": caps}, "noNewPrivileges": True,
        },
        "root": {"path": root}, "mounts": mounts,
        "linux": {
            "namespaces": [{"type": kind} for kind in kinds],
            "resources": {"memory": {"limit": 104857600, "swap": 104857600}},
            "maskedPaths": ["/proc/" + name for name in COVERED], "readonlyPaths": ["/proc/" + name for name in FIXED],
        },
    }


def ratios(turns, reference):
    both = [turns[turn] / reference[turn] for turn in turns if turn in reference]
    return {"of_medians": statistics.median(turns.values()) / statistics.median(reference.values()), "median": statistics.median(both),
            "of_minima": min(turns.values()) / min(reference.values())}


# --- processes ---

def children():
    """{parent: [child]} of all processes."""
    below = collections.defaultdict(list)
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat") as file:
                below[int(file.read().rsplit(")", 1)[1].split()[1])].append(int(name))
    return below


def family(group):
    """All processes below those of GROUP and themselves: those that sleep as the payload, and those that wait."""
    below, todo, payloads, waiting = children(), [one.pid for one in group], [], []
    while todo:
        pid = todo.pop()
        todo += below[pid]
        with contextlib.suppress(OSError):
            (payloads if os.readlink(f"/proc/{pid}/exe").endswith("/pause") else waiting).append(pid)
    return payloads, waiting


def end(group):
    """Kills the payloads; how many seconds all took to be gone."""
    payloads, waiting = family(group)
    begun = time.monotonic()
    for pid in payloads or waiting:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for one in group:
        one.wait(60)
        one.stderr.close()
    return time.monotonic() - begun


def memory(group):
    """Kilobytes of what waits: processes, PSS, and what is theirs alone. Asked until it no longer changes."""
    last = None
    while True:
        now = [len(family(group)[1]), 0, 0]
        for pid in family(group)[1]:
            with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup") as file:
                for line in file:
                    words = line.split()
                    now[1] += int(words[1]) if words[0] == "Pss:" else 0
                    now[2] += int(words[1]) if words[0].startswith("Private_") else 0
        if now == last:
            return {"processes": now[0], "pss_kb": now[1], "private_kb": now[2]}
        last = now
        time.sleep(0.02)


# --- the cases ---

def case_a(world):
    """each link alone"""
    group = world.v1 + f"/nschain-bench-{os.getpid()}" if world.v1 else None
    true, root = world.true, world.root
    tool = {name: find(name) for name in "unshare nsenter setpriv capsh chroot cgexec".split()}

    def one(title, subjects, references, mine=None, peer=None, most=1.0):
        samples = world.drive("a: " + title, subjects)
        world.compare("a", title, samples, references)
        if mine:
            world.goal("a", mine, peer, most, samples)

    one("nothing but the command", [subject("true", [true])], [])
    one("a namespace", [subject("nsnew -u", world.link("nsnew", "-u", true)), subject("unshare -u", [tool["unshare"], "-u", true]),
                        subject("limit u", world.limit("u", true))], ["limit u", "unshare -u"], "nsnew -u", "unshare -u")
    one("namespaces", [subject("nsnew -pmuin", world.link("nsnew", "-pmuin", true)),
                       subject("unshare -fpmuin", [tool["unshare"], "-fpmuin", "--kill-child", true]),
                       subject("limit S", world.limit("S", true))], ["limit S", "unshare -fpmuin"], "nsnew -pmuin", "unshare -fpmuin")
    one("capabilities", [subject("capjail --drop", world.link("capjail", "--drop", "chown", true)),
                         subject("setpriv", [tool["setpriv"], "--bounding-set", "-chown", "--inh-caps", "-chown", "--no-new-privs", true]),
                         subject("capsh", [tool["capsh"], "--drop=cap_chown", "--shell=" + true, "--"]),
                         subject("limit d", world.limit("d", true))], ["limit d", "setpriv"], "capjail --drop", "setpriv")
    one("a root", [subject("rootjail --bare", world.link("rootjail", "--bare", root, "/bin/true")),
                   subject("rootjail", world.link("rootjail", root, "/bin/true")),
                   subject("unshare -mR", [tool["unshare"], "-m", "-R", root, "/bin/true"]),
                   subject("chroot", [tool["chroot"], root, "/bin/true"]),
                   subject("limit b", world.limit("b")), subject("limit r", world.limit("r"))],
        ["limit b", "limit r", "unshare -mR"], "rootjail --bare", "unshare -mR")
    with world.sleeping(world.link("nsnew", "-u", root + "/bin/pause")) as group_of:
        target = family(group_of)[0][0]
        one("join a namespace", [subject("nsjoin -u", world.link("nsjoin", "-u", "-t", target, true)),
                                 subject("nsenter -u", [tool["nsenter"], "-u", "-t", target, true])],
            ["nsenter -u"], "nsjoin -u", "nsenter -u", 0.7)
    subjects = [subject("cgrun -m", world.link("cgrun", "-m", "100M", true)), subject("limit g", world.limit("g", true))]
    if group:
        os.mkdir(group)
        path = world.v1_path.rstrip("/") + "/" + os.path.basename(group)
        subjects += [subject("cgrun --join", world.link("cgrun", "--join=" + os.path.basename(group), true)),
                     subject("cgexec", [tool["cgexec"], "-g", "memory:" + path, true])]
    try:
        one("a limit", subjects, ["limit g", "cgexec"])
    finally:
        if group:
            os.rmdir(group)


def case_b(world):
    """a limit, a capability less, a root"""
    samples = world.drive("b", [subject("chain", world.example()), subject("limit", world.limit("gdr")),
                                subject("limit, an exec for each link", world.limit("gxdxr"))])
    world.compare("b", case_b.__doc__, samples, ["limit"])
    world.goal("b", "chain", "limit", 1.25, samples)


def containers(world, net):
    slow = {"net": net}
    return [subject("chain", world.chain(spaces="-pmuin" if net else "-pmui")), subject("limit", world.limit("gSrk" if net else "gsrk")),
            subject("limit, an exec for each link", world.limit("gxSxrxk" if net else "gxsxrxk")),
            subject("bwrap", world.bwrap(**slow)), subject("bwrap alike", world.bwrap_alike(**slow)),
            subject("crun", world.oci("crun", **slow), 4, world.hybrid), subject("runc", world.oci("runc", **slow), 4, world.hybrid)]


def case_c(world):
    """a whole container"""
    # bwrap by itself sets no limit and covers less of /proc.
    samples = world.drive("c", containers(world, True))
    world.compare("c", case_c.__doc__, samples, ["limit", "bwrap", "bwrap alike", "crun", "runc"])
    for reference, most in ("limit", 1.20), ("bwrap alike", 0.60), ("bwrap", 0.60), ("crun", 0.35), ("runc", 0.15):
        world.goal("c", "chain", reference, most, samples)
    samples = world.drive("c", containers(world, True), max(4, ROUNDS // 5), 50000)
    world.compare("c", "the same, each after a pause of 50 ms", samples, ["limit", "bwrap", "bwrap alike", "crun", "runc"])


def case_d(world):
    """a container without a network"""
    samples = world.drive("d", containers(world, False))
    world.compare("d", case_d.__doc__, samples, ["limit", "bwrap", "bwrap alike", "crun", "runc"])


def case_e(world):
    """join all namespaces of a container"""
    name = f"nschain-bench-{os.getpid()}-target"
    with contextlib.ExitStack() as stack:
        group = stack.enter_context(world.sleeping(world.link("nsnew", "-pmuin", "rootjail", world.root, "/bin/pause")))
        target = family(group)[0][0]
        subjects = [subject("nsjoin -a", world.link("nsjoin", "-a", "-t", target, "/bin/true")),
                    subject("limit", world.limit("j", target=target)),
                    subject("nsenter -a", [find("nsenter"), "-a", "-t", target, "/bin/true"])]
        try:
            stack.enter_context(world.sleeping(world.oci("crun", "/bin/pause", name=name), alone=world.hybrid))
            subjects.append(subject("crun exec", [find("crun"), "exec", name, "/bin/true"], 2, world.hybrid))
        except (OSError, RuntimeError) as error:
            world.fail(f"e: crun: {error}")
        samples = world.drive("e", subjects)
    world.compare("e", case_e.__doc__, samples, ["limit", "nsenter -a", "crun exec"])
    world.goal("e", "nsjoin -a", "nsenter -a", 0.70, samples)


def case_f(world):
    """memory of what waits beside the command"""
    limit = world.limit("gSrk", "/bin/pause")
    subjects = [subject("chain", world.chain("/bin/pause")), subject("limit", limit),
                subject("cgrun --exec", world.link("cgrun", "--exec", "-m", "100M", "nsnew", "-muin", "rootjail", world.root, "/bin/pause")),
                subject("without cgrun", world.link("nsnew", "-pmuin", "rootjail", world.root, "/bin/pause")),
                subject("unshare -fp", [find("unshare"), "-fpmuin", "-R", world.root, "/bin/pause"]),
                subject("bwrap", world.bwrap("/bin/pause")),
                subject("crun", world.oci("crun", "/bin/pause"), 1, world.hybrid),
                subject("runc", world.oci("runc", "/bin/pause"), 1, world.hybrid)]
    print(f"\nf: {case_f.__doc__}\n  {'':34}{'processes':>10}{'PSS kB':>9}{'private kB':>12}")
    rows = world.results.setdefault("f", {})
    for one in subjects:
        try:
            with world.sleeping(one.argv, alone=one.alone) as group:
                rows[one.name] = row = memory(group)
            print(f"  {one.name:34}{row['processes']:10}{row['pss_kb']:9}{row['private_kb']:12}", flush=True)
        except (OSError, RuntimeError) as error:
            world.fail(f"f: {one.name}: {error}")
    if "chain" in rows:
        world.judge("f", f"chain: {rows['chain']['pss_kb']} kB PSS", rows["chain"]["pss_kb"], 160)
    if "cgrun --exec" in rows:
        world.judge("f", f"cgrun --exec without -p: {rows['cgrun --exec']['pss_kb']} kB PSS", rows["cgrun --exec"]["pss_kb"], 0)


def case_g(world):
    """start, memory and end with many alive"""
    rows = world.results.setdefault("g", {})
    rounds = max(5, ROUNDS // 5)
    print(f"\ng: {case_g.__doc__}\n  {'alive':>8}{'chain min':>11}{'median ms':>11}{'limit min':>11}{'median ms':>11}"
          f"{'PSS kB each':>13}{'end ms each':>13}")
    for count in LIVE:
        with world.sleeping(world.chain("/bin/pause"), count) as group:
            samples = world.drive("g", [subject("chain", world.chain()), subject("limit", world.limit("gSrk"))], rounds)
            row = rows[str(count)] = {name: {"min_ms": min(turns.values()) / 1e6, "median_ms": statistics.median(turns.values()) / 1e6}
                                      for name, turns in samples.items()}
            row["pss_kb_each"] = memory(group)["pss_kb"] / count
        row["end_ms_each"] = world.teardown * 1e3 / count
        if "chain" in row and "limit" in row:
            print(f"  {count:8}{row['chain']['min_ms']:11.3f}{row['chain']['median_ms']:11.3f}{row['limit']['min_ms']:11.3f}"
                  f"{row['limit']['median_ms']:11.3f}{row['pss_kb_each']:13.1f}{row['end_ms_each']:13.3f}", flush=True)
    first, last = rows[str(LIVE[0])], rows[str(LIVE[-1])]
    if "chain" in first and "chain" in last:
        value = last["chain"]["median_ms"] / first["chain"]["median_ms"]
        world.judge("g", f"start at {LIVE[-1]} alive: {value:.2f} x start at {LIVE[0]}", value, 1.3)


def case_h(world):
    """containers a second"""
    subjects = [subject("chain", world.chain()), subject("limit", world.limit("gSrk")), subject("bwrap", world.bwrap())]
    turns, starts = max(3, ROUNDS // 20), 20
    rows = world.results.setdefault("h", {})
    print(f"\nh: {case_h.__doc__} (median of {turns} turns of {starts} each)\n  {'starters':>8}"
          + "".join(f"{one.name:>12}" for one in subjects) + f"{'chain / limit':>16}")
    for starters in range(1, 5):
        samples = world.drive("h", subjects, turns, 0, starters, starts)
        if len(samples) < len(subjects):
            continue
        row = rows[str(starters)] = {name: starters * starts / (statistics.median(times.values()) / 1e9) for name, times in samples.items()}
        row["chain_to_limit"] = 1 / ratios(samples["chain"], samples["limit"])["median"]
        print(f"  {starters:8}" + "".join(f"{row[one.name]:12.0f}" for one in subjects) + f"{row['chain_to_limit']:16.2f}", flush=True)
        world.judge("h", f"{starters} at a time: {row['chain_to_limit']:.2f} x limit", row["chain_to_limit"], 0.85, ">=")


def case_i(world):
    """cgroup version 2 alone, emulated: ratios only"""
    print(f"\ni: {case_i.__doc__}", flush=True)
    env = dict(os.environ, BENCH="b c d e f", BENCH_ROUNDS=str(max(4, ROUNDS // 10)), BENCH_JSON="-")
    done = subprocess.run([TREE + "/tests/vm/run.sh", TREE + "/tests/bench/bench.py"], env=env, stdout=subprocess.PIPE, text=True, cwd=TREE)
    *table, last = done.stdout.rstrip("\n").split("\n")
    print("\n".join("  " + line for line in table))
    if done.returncode:
        world.fail(f"i: status {done.returncode}: {last}")
    with contextlib.suppress(ValueError):
        world.results["i"] = json.loads(last)


# --- what was measured where ---

def first_line(*command):
    with contextlib.suppress(OSError, IndexError, TypeError):
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout.splitlines()[0]
    return None


def facts(world):
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    with open(BENCH + "/limit", "rb") as file:
        musl = b"musl" in file.read() or "-linux-musl" in open(TREE + "/build/release/flags").read()
    peers = {"crun": "crun", "runc": "runc", "bubblewrap": "bwrap", "util-linux": "unshare"}
    return {
        "kernel": platform.release(), "cpu": model, "cores": os.cpu_count(), "load": os.getloadavg()[0],
        "cgroup": "hybrid" if world.hybrid else "v1" if world.v1 else "v2", "libc": "musl" if musl else "system", "rounds": ROUNDS,
        "peers": {name: first_line(find(program), "--version") for name, program in peers.items()},
    }


def main():
    if os.geteuid():
        sys.exit("bench.py: needs root")
    cases = {name[5:]: function for name, function in globals().items() if name.startswith("case_")}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    unknown = [name for name in CASES if name not in cases]
    if unknown:
        sys.exit(f"bench.py: no such case: {' '.join(unknown)}")
    with tempfile.TemporaryDirectory(prefix="nschain-bench.") as work:
        os.chmod(work, 0o755)
        world = World(work)
        machine = facts(world)
        print(" ".join(f"{name}={value}" for name, value in machine.items() if name != "peers"))
        print("; ".join(str(version) for version in machine["peers"].values()), flush=True)
        try:
            for name in CASES:
                try:
                    cases[name](world)
                except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                    world.fail(f"{name}: {error}")
        finally:
            world.remove_groups()
    print("\nratios: median of those of each turn (which goals are about), of the medians, of the minima" if set(CASES) & set("abcde") else "")
    for goal in world.goals:
        print(f"{goal['case']}: {goal['text']} (goal {goal['sign']} {goal['goal']}): {'met' if goal['met'] else 'missed'}")
    document = {"machine": machine, "cases": world.results, "goals": world.goals, "not_run": world.failures}
    if JSON == "-":
        print(json.dumps(document))
    else:
        os.makedirs(os.path.dirname(JSON), exist_ok=True)
        with open(JSON, "w") as file:
            json.dump(document, file, indent=1)
    met = sum(goal["met"] for goal in world.goals)
    if JSON != "-":
        print(f"{met} goals met, {len(world.goals) - met} missed, {len(world.failures)} not run")
    sys.exit(1 if world.failures else 0)


if __name__ == "__main__":
    main()
