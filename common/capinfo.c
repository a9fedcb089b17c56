#include "common/capinfo.h"

#include <linux/capability.h>
#include <string.h>

static const struct capinfo capabilities[] = {
	[CAP_CHOWN] = { "give files to any user and group",
		"enough to become root by way of a file that root trusts" },
	[CAP_DAC_OVERRIDE] = { "read, write and search whatever the permissions say",
		"all files, so /etc/shadow and what root runs" },
	[CAP_DAC_READ_SEARCH] = { "read and search whatever the permissions say",
		"also opens files by handle, outside of the own root" },
	[CAP_FOWNER] = { "do to others' files what only their owner may",
		"modes, times, attributes, ACLs, sticky directories" },
	[CAP_FSETID] = { "keep set-id bits on files that are written or chmodded",
		"alone of little use, a help to plant such a file" },
	[CAP_KILL] = { "send signals to processes of any user", "those that the PID namespace shows" },
	[CAP_SETGID] = { "take any group id, and any supplementary groups",
		"every file that some group may use" },
	[CAP_SETUID] = { "take any user id", "one of them is root, whose exec gains the bounding set" },
	[CAP_SETPCAP] = { "inherit more, shrink the bounding set, set securebits",
		"adds nothing that the bounding set does not hold" },
	[CAP_LINUX_IMMUTABLE] = { "set and clear the append-only and immutable flags",
		"undoes what protects logs from change" },
	[CAP_NET_BIND_SERVICE] = { "listen on ports below 1024",
		"what a web server needs, and nothing else" },
	[CAP_NET_BROADCAST] = { "was meant for broadcasts; no kernel checks it", "safe either way" },
	[CAP_NET_ADMIN] = { "configure the network: links, routes, firewall",
		"of the own network namespace; a large part of the kernel" },
	[CAP_NET_RAW] = { "raw and packet sockets, any address as sender",
		"reads and forges the traffic of its network; ping" },
	[CAP_IPC_LOCK] = { "lock memory, beyond the limit",
		"can use up the memory of the machine; huge pages too" },
	[CAP_IPC_OWNER] = { "use System V IPC whatever its permissions say",
		"of the own IPC namespace" },
	[CAP_SYS_MODULE] = { "load and remove kernel modules",
		"is to be the kernel: there is no jail any more" },
	[CAP_SYS_RAWIO] = { "I/O ports, /dev/mem, raw commands to devices",
		"reads and writes past the kernel: there is no jail" },
	[CAP_SYS_CHROOT] = { "change the root directory, join mount namespaces",
		"undoes a plain chroot" },
	[CAP_SYS_PTRACE] = { "trace and read any process, its memory and files",
		"takes over processes with more rights, if it sees any" },
	[CAP_SYS_PACCT] = { "turn process accounting on and off",
		"writes a record of each process to a file of its choice" },
	[CAP_SYS_ADMIN] = { "mounts, namespaces, and whatever has no better name",
		"nearly all of root; the first one to take away" },
	[CAP_SYS_BOOT] = { "reboot, and load another kernel by kexec",
		"in a PID namespace of its own it ends only that" },
	[CAP_SYS_NICE] = { "priority, scheduling and CPUs of any process",
		"real-time processes can starve all others" },
	[CAP_SYS_RESOURCE] = { "exceed quotas, limits and reserved space",
		"raises its own limits, so none of them binds" },
	[CAP_SYS_TIME] = { "set the clock of the machine",
		"for all namespaces; certificates and logs trust it" },
	[CAP_SYS_TTY_CONFIG] = { "configure terminals, hang them up",
		"virtual consoles and vhangup(2)" },
	[CAP_MKNOD] = { "make device files", "opens any disk, unless the mount is nodev" },
	[CAP_LEASE] = { "be told before others open any file", "can hold up those who open it" },
	[CAP_AUDIT_WRITE] = { "add records to the kernel's audit log",
		"login programs need it; can flood the log" },
	[CAP_AUDIT_CONTROL] = { "configure the kernel's audit log, switch it off",
		"hides what is done afterwards" },
	[CAP_SETFCAP] = { "give capabilities to files",
		"in a user namespace also to map the root outside" },
	[CAP_MAC_OVERRIDE] = { "not be bound by mandatory access control (Smack)",
		"for the security modules that ask for it" },
	[CAP_MAC_ADMIN] = { "configure mandatory access control",
		"Smack and parts of others; lifts what it forbids" },
	[CAP_SYSLOG] = { "read and clear the kernel log, see kernel addresses",
		"addresses help to attack the kernel" },
	[CAP_WAKE_ALARM] = { "set timers that wake the machine up", "drains batteries" },
	[CAP_BLOCK_SUSPEND] = { "keep the machine from going to sleep", "drains batteries" },
	[CAP_AUDIT_READ] = { "read the kernel's audit log as it is written",
		"shows what all users do" },
	[CAP_PERFMON] = { "measure: performance counters, tracing programs",
		"sees other processes and the kernel; since Linux 5.8" },
	[CAP_BPF] = { "load BPF programs and maps", "more with perfmon or net_admin; since Linux 5.8" },
	[CAP_CHECKPOINT_RESTORE] = { "save processes, start them again with their PID",
		"chooses PIDs, opens others' mappings; since Linux 5.9" },
};

static const struct capinfo_preset presets[] = {
	{ .name = "none", .keep = 0 },
	{ .name = "nobody", .keep = 0, .nobody = true },
	{
		.name = "docker",
		.keep = UINT64_C(1) << CAP_CHOWN | UINT64_C(1) << CAP_DAC_OVERRIDE |
			UINT64_C(1) << CAP_FOWNER | UINT64_C(1) << CAP_FSETID |
			UINT64_C(1) << CAP_KILL | UINT64_C(1) << CAP_SETGID |
			UINT64_C(1) << CAP_SETUID | UINT64_C(1) << CAP_SETPCAP |
			UINT64_C(1) << CAP_NET_BIND_SERVICE | UINT64_C(1) << CAP_NET_RAW |
			UINT64_C(1) << CAP_SYS_CHROOT | UINT64_C(1) << CAP_MKNOD |
			UINT64_C(1) << CAP_AUDIT_WRITE | UINT64_C(1) << CAP_SETFCAP,
	},
};

const struct capinfo *capinfo_of(int capability)
{
	static const struct capinfo unknown = { "newer than this program",
		"see capabilities(7) of the system that has it" };
	size_t number = (size_t)capability;

	if (number < sizeof(capabilities) / sizeof(*capabilities) && capabilities[number].summary)
		return &capabilities[number];
	return &unknown;
}

const struct capinfo_preset *capinfo_preset(const char *name)
{
	for (size_t i = 0; i < sizeof(presets) / sizeof(*presets); i++) {
		if (strcmp(name, presets[i].name) == 0)
			return &presets[i];
	}
	return NULL;
}
