#include "common/namespace.h"

#include "common/explain.h"
#include "common/fd.h"
#include "common/parse.h"
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

const struct namespace_kind namespace_kinds[NAMESPACE_KINDS] = {
	{ "mnt", CLONE_NEWNS, 'm' },
	{ "uts", CLONE_NEWUTS, 'u' },
	{ "ipc", CLONE_NEWIPC, 'i' },
	{ "net", CLONE_NEWNET, 'n' },
	{ "pid", CLONE_NEWPID, 'p' },
	{ "cgroup", CLONE_NEWCGROUP, 'C' },
	{ "time", CLONE_NEWTIME, 'T' },
	{ "user", CLONE_NEWUSER, 'U' },
};

enum { NAMES_SIZE = 64, FLAGS_SIZE = 128 };

const char *namespace_flag_name(size_t kind)
{
	static const char *const names[NAMESPACE_KINDS] = { "CLONE_NEWNS", "CLONE_NEWUTS",
		"CLONE_NEWIPC", "CLONE_NEWNET", "CLONE_NEWPID", "CLONE_NEWCGROUP", "CLONE_NEWTIME",
		"CLONE_NEWUSER" };

	return names[kind];
}

size_t namespace_by_letter(int letter)
{
	for (size_t i = 0; i < NAMESPACE_KINDS; i++) {
		if (namespace_kinds[i].letter == letter)
			return i;
	}
	die("no kind of namespace is called '%c'", letter);
}

int namespace_all(void)
{
	int flags = 0;

	for (size_t i = 0; i < NAMESPACE_KINDS; i++)
		flags |= namespace_kinds[i].flag;
	return flags;
}

bool namespace_is_initial(int kind)
{
	bool user = kind == CLONE_NEWUSER;

	if (explain_is_changed(user ? EXPLAIN_USER : EXPLAIN_CGROUP))
		return false;

	autoclose int own =
		fd_open(AT_FDCWD, user ? "/proc/self/ns/user" : "/proc/self/ns/cgroup", O_RDONLY);
	struct stat status;

	if (ioctl(own, NS_GET_NSTYPE) != kind || fstat(own, &status) < 0)
		die("cannot tell by '/proc' which %s namespace this is", user ? "user" : "cgroup");
	/* PROC_USER_INIT_INO and PROC_CGROUP_INIT_INO of the kernel's linux/proc_ns.h */
	return status.st_ino == (user ? 0xEFFFFFFDU : 0xEFFFFFFBU);
}

static void list_names(int flags, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < NAMESPACE_KINDS; i++) {
		if (flags & namespace_kinds[i].flag)
			used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "",
				namespace_kinds[i].name);
	}
}

/* Whether the kernel file PATH holds VALUE. */
static bool setting_is(const char *path, const char *value)
{
	char text[64];

	return fd_try_read(AT_FDCWD, path, text, sizeof(text)) >= 0 && strcmp(text, value) == 0;
}

static const char *refusal(int flags)
{
	if (!(flags & CLONE_NEWUSER))
		return "this needs CAP_SYS_ADMIN: behind 'nsnew -r' a plain user has it";
	if (setting_is("/proc/sys/kernel/unprivileged_userns_clone", "0"))
		return "off for plain users: sysctl kernel.unprivileged_userns_clone=1";
	if (setting_is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"))
		return "AppArmor: sysctl kernel.apparmor_restrict_unprivileged_userns=0";
	return "a chroot or a filter forbids it, or the own ids are not mapped here";
}

static void hint_at_limit(int flags)
{
	for (size_t i = 0; i < NAMESPACE_KINDS; i++) {
		const char *name = namespace_kinds[i].name;
		char path[64];

		snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", name);
		if ((flags & namespace_kinds[i].flag) && setting_is(path, "0")) {
			hint("%s namespaces are off: '%s' is 0", name, path);
			return;
		}
	}
	hint("a max_*_namespaces of /proc/sys/user is reached, or 32 deep");
}

static void hint_at_lack(int flags)
{
	for (size_t i = 0; i < NAMESPACE_KINDS; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/ns/%s", namespace_kinds[i].name);
		if ((flags & namespace_kinds[i].flag) && access(path, F_OK) < 0)
			hint("this kernel has no %s namespaces", namespace_kinds[i].name);
	}
}

/* As a program would be written with them. */
static const char *name_flags(int flags, char text[FLAGS_SIZE])
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < NAMESPACE_KINDS; i++) {
		if (flags & namespace_kinds[i].flag)
			used += (size_t)snprintf(text + used, FLAGS_SIZE - used, "%s%s",
				used ? "|" : "", namespace_flag_name(i));
	}
	return text;
}

/* What is done behind this call is done in another world. */
void namespace_explain_entry(int flags)
{
	if (flags & CLONE_NEWPID)
		explain_change(EXPLAIN_PID);
	if (flags & CLONE_NEWUSER)
		explain_change(EXPLAIN_USER);
	if (flags & CLONE_NEWCGROUP)
		explain_change(EXPLAIN_CGROUP);
}

void namespace_unshare(int flags)
{
	char names[NAMES_SIZE], text[FLAGS_SIZE];

	if (flags && explain_is_on()) {
		explain_because(flags & CLONE_NEWUSER ?
				"new namespaces, of which the new user namespace is the owner" :
				flags == CLONE_NEWNS ? "mounts of its own" :
						       "new namespaces, all at once");
		explain_call("unshare(%s)", name_flags(flags, text));
		namespace_explain_entry(flags);
		return;
	}
	if (flags == 0 || unshare(flags) == 0)
		return;

	int error = errno;

	list_names(flags, names, sizeof(names));
	warn_error(error, "cannot create namespaces (%s)", names);
	if (error == EPERM)
		hint("%s", refusal(flags));
	else if (error == ENOSPC)
		hint_at_limit(flags);
	else if (error == EINVAL)
		hint_at_lack(flags);
	exit(STATUS_FAILED);
}

int namespace_different(int process, int flags)
{
	int different = 0;

	for (size_t i = 0; i < NAMESPACE_KINDS; i++) {
		struct stat own, other;
		char path[64];

		if (!(flags & namespace_kinds[i].flag))
			continue;
		snprintf(path, sizeof(path), "/proc/self/ns/%s", namespace_kinds[i].name);
		if (stat(path, &own) < 0)
			die_error(errno, "cannot look at '%s'", path);
		if (fstatat(process, path + strlen("/proc/self/"), &other, 0) < 0)
			die_hint(errno == EACCES ?
					"a process of another user: this needs CAP_SYS_PTRACE" :
					errno == ENOENT ?
					"the process has ended, or the kernel has no such namespaces" :
					NULL,
				errno, "cannot look at the target's '%s'",
				path + strlen("/proc/self/"));
		if (own.st_dev != other.st_dev || own.st_ino != other.st_ino)
			different |= namespace_kinds[i].flag;
	}
	return different;
}

void namespace_refuse_join(int error, int flags)
{
	char names[NAMES_SIZE];
	const char *advice = NULL;

	if (error == EPERM && !(flags & CLONE_NEWUSER))
		advice = "the rights come from the target's user namespace: join that too (-U)";
	else if (error == EPERM)
		advice = "the target's user namespace belongs to another user";
	else if (error == ESRCH)
		advice = "the target has ended";
	list_names(flags, names, sizeof(names));
	die_hint(advice, error, "cannot join the target's namespaces (%s)", names);
}

int namespace_try_join(int pidfd, int flags)
{
	char text[FLAGS_SIZE];

	if (flags && explain_is_on()) {
		explain_because("the namespaces that are joined");
		explain_call("setns(<pidfd of the target>, %s)", name_flags(flags, text));
		namespace_explain_entry(flags);
		return 0;
	}
	if (flags == 0 || setns(pidfd, flags) == 0)
		return 0;
	if (errno != EINVAL)
		namespace_refuse_join(errno, flags);
	return -EINVAL;
}

void namespace_set_clock(const char *clock, const struct namespace_offset *offset)
{
	char text[96];

	if (!offset->set)
		return;
	explain_because("how far the clock is off, before anybody enters the namespace");
	snprintf(text, sizeof(text), "%s %" PRId64 " %" PRIu32, clock, offset->seconds,
		offset->nanoseconds);

	int error = fd_try_write(AT_FDCWD, "/proc/self/timens_offsets", text);

	if (error < 0)
		die_hint(error == -ERANGE ?
				"a clock cannot go below zero, nor above half of its range" :
				NULL,
			-error, "cannot set the clock to '%s'", text);
}

void namespace_enter_time(void)
{
	if (explain_call("setns(</proc/self/ns/time_for_children>, CLONE_NEWTIME)"))
		return;

	autoclose int file = fd_open(AT_FDCWD, "/proc/self/ns/time_for_children", O_RDONLY);

	if (setns(file, CLONE_NEWTIME) < 0)
		die_error(errno, "cannot enter the new time namespace");
}

void namespace_raise_loopback(void)
{
	explain_because("the loopback interface is up");
	if (explain_call(
		    "ioctl(<socket>, SIOCSIFFLAGS, {ifr_name=\"lo\", ifr_flags=IFF_UP|IFF_LOOPBACK})"))
		return;

	struct ifreq request = { .ifr_name = "lo" };
	autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		die_error(errno, "cannot find the loopback interface");
	request.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		die_error(errno, "cannot bring the loopback interface up");
}

void namespace_set_host_name(const char *name)
{
	explain_because("the names that were asked for");
	if (explain_call("sethostname(%q, %d)", name, (int)strlen(name)))
		return;
	if (sethostname(name, strlen(name)) < 0)
		die_error(errno, "cannot set the host name '%s'", name);
}

void namespace_set_domain_name(const char *name)
{
	explain_because("the names that were asked for");
	if (explain_call("setdomainname(%q, %d)", name, (int)strlen(name)))
		return;
	if (setdomainname(name, strlen(name)) < 0)
		die_error(errno, "cannot set the domain name '%s'", name);
}
