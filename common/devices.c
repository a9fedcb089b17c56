#include "common/devices.h"

#include "common/explain.h"
#include "common/fd.h"
#include "common/parse.h"
#include "common/report.h"

#include <errno.h>
#include <limits.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* What the kernel's dev_t holds. Version 1 takes the next 32-bit number too, and its largest means all of them. */
enum { MAJOR_MAX = 4095, MINOR_MAX = 1048575 };

enum { LIST_SIZE = 32768, RULE_SIZE = 64, ACCESS_ALL = DEVICE_MKNOD | DEVICE_READ | DEVICE_WRITE };

_Static_assert(DEVICE_MKNOD == (int)BPF_DEVCG_ACC_MKNOD && DEVICE_READ == (int)BPF_DEVCG_ACC_READ &&
		DEVICE_WRITE == (int)BPF_DEVCG_ACC_WRITE,
	"the BPF program compares them with the kernel's");

/* --- rules as text --- */

static const char *parse_access(const char *text, unsigned int *ret)
{
	unsigned int access = 0;

	for (; *text; text++) {
		unsigned int bit = *text == 'r' ? DEVICE_READ :
			*text == 'w'            ? DEVICE_WRITE :
			*text == 'm'            ? DEVICE_MKNOD :
						  0;

		if (!bit || access & bit)
			return "has an ACCESS that is none: letters of rwm, each at most once";
		access |= bit;
	}
	if (!access)
		return "has an empty ACCESS";
	*ret = access;
	return NULL;
}

static const char *parse_device_number(const char *text, uint32_t max, uint32_t *ret)
{
	uint64_t number = DEVICE_ANY;

	if (strcmp(text, "*") != 0 && parse_number(text, 0, max, &number))
		return "has a number that is none: MAJOR up to 4095, MINOR up to 1048575, or '*'";
	*ret = (uint32_t)number;
	return NULL;
}

static const char *parse_numbers(
	const char *type, const char *major, const char *minor, struct device_rule *rule)
{
	const char *reason = parse_device_number(major, MAJOR_MAX, &rule->major);

	rule->type = type[0];
	return reason ? reason : parse_device_number(minor, MINOR_MAX, &rule->minor);
}

static const char *find_numbers(const char *path, struct device_rule *rule)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return errno == ENOENT ? "names a file that is not there" :
					 "names a file that cannot be looked up";
	if (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode))
		return "names a file that is no device";
	rule->type = S_ISCHR(status.st_mode) ? 'c' : 'b';
	rule->major = major(status.st_rdev);
	rule->minor = minor(status.st_rdev);
	return NULL;
}

static bool is_type(const char *text)
{
	return strcmp(text, "b") == 0 || strcmp(text, "c") == 0;
}

/* Any RULE but "all". */
static const char *parse_rule(const char *text, struct device_rule *ret)
{
	enum { FIRST, SECOND, THIRD, FOURTH, FIELDS };
	char copy[2 * PATH_MAX];
	char *fields[FIELDS];
	struct device_rule rule = { .access = ACCESS_ALL };
	size_t length = strlen(text);

	if (length >= sizeof(copy))
		return "is too long";
	memcpy(copy, text, length + 1);

	const char *reason = parse_fields(copy, fields, FIELDS);
	const char *access = NULL;

	if (reason)
		return reason;
	if (is_type(fields[FIRST]) && fields[THIRD]) {
		reason = parse_numbers(fields[FIRST], fields[SECOND], fields[THIRD], &rule);
		access = fields[FOURTH];
	} else if (strchr(fields[FIRST], '/') && !fields[THIRD]) {
		reason = find_numbers(fields[FIRST], &rule);
		access = fields[SECOND];
	} else {
		return "is no rule: all, PATH[:ACCESS] with a '/', or c|b:MAJOR:MINOR[:ACCESS]";
	}
	if (!reason && access)
		reason = parse_access(access, &rule.access);
	if (!reason)
		*ret = rule;
	return reason;
}

static bool is_same_device(const struct device_rule *a, const struct device_rule *b)
{
	return a->type == b->type && a->major == b->major && a->minor == b->minor;
}

const char *devices_add(struct devices *devices, bool allow, const char *rule)
{
	struct device_rule added;
	bool all = strcmp(rule, "all") == 0;
	const char *reason = all ? NULL : parse_rule(rule, &added);

	if (reason)
		return reason;
	if (all && allow)
		return "is what holds without any rule";
	if ((all || allow) ? devices->count > 0 && !devices->allow_list : devices->allow_list)
		return "cannot stand in one list with those before: either some are allowed, or some denied";
	if (all || allow)
		devices->allow_list = true;
	if (all)
		return NULL;
	for (size_t i = 0; i < devices->count; i++) {
		if (is_same_device(&devices->rules[i], &added)) {
			devices->rules[i].access |= added.access;
			return NULL;
		}
	}
	if (devices->count == DEVICES_MAX)
		return "is one device more than the 64 that a list can have";
	devices->rules[devices->count++] = added;
	return NULL;
}

/* --- version 1 --- */

/* As devices.allow, devices.deny and devices.list have it: "c 1:* rw". */
static void format_rule(const struct device_rule *rule, char *text, size_t size)
{
	char numbers[2][16] = { "*", "*" };

	if (rule->major != DEVICE_ANY)
		snprintf(numbers[0], sizeof(numbers[0]), "%u", rule->major);
	if (rule->minor != DEVICE_ANY)
		snprintf(numbers[1], sizeof(numbers[1]), "%u", rule->minor);
	snprintf(text, size, "%c %s:%s %s%s%s", rule->type, numbers[0], numbers[1],
		rule->access & DEVICE_READ ? "r" : "", rule->access & DEVICE_WRITE ? "w" : "",
		rule->access & DEVICE_MKNOD ? "m" : "");
}

static bool parse_listed(const char *line, struct device_rule *ret)
{
	const char *cursor = line;
	char type[4], major[16], minor[16];

	return !parse_word(&cursor, ' ', type, sizeof(type)) && is_type(type) && cursor &&
		!parse_word(&cursor, ':', major, sizeof(major)) && cursor &&
		!parse_word(&cursor, ' ', minor, sizeof(minor)) && cursor &&
		!parse_numbers(type, major, minor, ret) && !parse_access(cursor, &ret->access);
}

static bool write_text(int directory, const char *file, const char *text)
{
	int error = fd_try_write(directory, file, text);

	if (error == 0)
		return true;
	warn_error(-error, "cannot write '%s' to '%s' of the cgroup", text, file);
	/* Something was denied before anything is allowed, so that it is not the capability then. */
	if (error == -EPERM && strcmp(file, "devices.allow") == 0)
		hint("no group can allow what the one above it does not; see its devices.list");
	else if (error == -EPERM || error == -EACCES)
		hint("it takes CAP_SYS_ADMIN of the host");
	else if (error == -EINVAL)
		hint("rules are for a group that has no groups below it yet");
	return false;
}

static bool write_rule(int directory, const char *file, const struct device_rule *rule)
{
	char text[RULE_SIZE];

	format_rule(rule, text, sizeof(text));
	return write_text(directory, file, text);
}

static bool write_rules(int directory, const char *file, const struct devices *devices)
{
	for (size_t i = 0; i < devices->count; i++) {
		if (!write_rule(directory, file, &devices->rules[i]))
			return false;
	}
	return true;
}

static bool read_list(int directory, char *text)
{
	ssize_t length = fd_try_read(directory, "devices.list", text, LIST_SIZE);

	if (length < 0)
		warn_error((int)-length, "cannot read 'devices.list' of the cgroup");
	return length >= 0;
}

static bool is_planned(const struct devices *devices, const struct device_rule *listed)
{
	for (size_t i = 0; i < devices->count; i++) {
		if (is_same_device(&devices->rules[i], listed))
			return devices->rules[i].access == listed->access;
	}
	return false;
}

static bool allow_by_list(const struct devices *devices, int directory)
{
	char text[LIST_SIZE];
	char *cursor = text;
	size_t lines = 0;

	if (!write_text(directory, "devices.deny", "a") ||
		!write_rules(directory, "devices.allow", devices) || !read_list(directory, text))
		return false;
	for (char *line; (line = strsep(&cursor, "\n")) && *line; lines++) {
		struct device_rule listed;

		if (!parse_listed(line, &listed) || !is_planned(devices, &listed)) {
			warn("'devices.list' of the cgroup has '%s', which was not asked for", line);
			return false;
		}
	}
	if (lines == devices->count)
		return true;
	warn("'devices.list' of the cgroup has %zu devices and not %zu as asked", lines,
		devices->count);
	return false;
}

static bool overlaps(const struct device_rule *a, const struct device_rule *b)
{
	return a->type == b->type && a->access & b->access &&
		(a->major == b->major || a->major == DEVICE_ANY || b->major == DEVICE_ANY) &&
		(a->minor == b->minor || a->minor == DEVICE_ANY || b->minor == DEVICE_ANY);
}

/* Whether RULE is about all the devices that LISTED is about. */
static bool covers(const struct device_rule *rule, const struct device_rule *listed)
{
	return rule->type == listed->type &&
		(rule->major == DEVICE_ANY || rule->major == listed->major) &&
		(rule->minor == DEVICE_ANY || rule->minor == listed->minor);
}

static bool take_off(const struct devices *devices, int directory, const struct device_rule *listed)
{
	for (size_t i = 0; i < devices->count; i++) {
		struct device_rule part = *listed;
		char denied[RULE_SIZE], allowed[RULE_SIZE];

		if (!overlaps(&devices->rules[i], listed))
			continue;
		if (!covers(&devices->rules[i], listed)) {
			format_rule(&devices->rules[i], denied, sizeof(denied));
			format_rule(listed, allowed, sizeof(allowed));
			warn("cannot deny '%s': the group above allows '%s'", denied, allowed);
			hint("cgroup version 1 can deny all of that or nothing of it");
			return false;
		}
		part.access &= devices->rules[i].access;
		if (!write_rule(directory, "devices.deny", &part))
			return false;
	}
	return true;
}

/*
 * Below a group that allows by a list, a group allows by its copy of that list, and what is written to devices.deny is silently ignored unless
 * the same numbers are in the list. With WRITE the rules are taken off TEXT, that list, line by line; else nothing of them must be left in it.
 */
static bool check_list(const struct devices *devices, int directory, char *text, bool write)
{
	for (char *line; (line = strsep(&text, "\n")) && *line;) {
		struct device_rule listed;

		if (!parse_listed(line, &listed)) {
			warn("'devices.list' of the cgroup has '%s', which is not understood", line);
			return false;
		}
		if (write && !take_off(devices, directory, &listed))
			return false;
		for (size_t i = 0; i < devices->count && !write; i++) {
			if (overlaps(&devices->rules[i], &listed)) {
				warn("'devices.list' of the cgroup still has '%s'", line);
				return false;
			}
		}
	}
	return true;
}

static bool deny_by_list(const struct devices *devices, int directory)
{
	char text[LIST_SIZE];

	if (!read_list(directory, text))
		return false;
	/* A group that allows by default shows this and never what it denies, so that nothing can be read back. */
	if (strcmp(text, "a *:* rwm") == 0)
		return write_rules(directory, "devices.deny", devices);
	return check_list(devices, directory, text, true) && read_list(directory, text) &&
		check_list(devices, directory, text, false);
}

/* --- version 2 --- */

enum { PROLOGUE = 6, PER_RULE = 8, EPILOGUE = 2, PROGRAMS_MAX = 256, LOG_SIZE = 65536 };

struct program {
	size_t length;
	struct bpf_insn code[PROLOGUE + PER_RULE * DEVICES_MAX + EPILOGUE];
};

/* Registers, numbers of 4 bits; the context of the call is in R1, the answer is R0. */
enum { ANSWER = BPF_REG_0, CONTEXT = BPF_REG_1, TYPE, ACCESS, MAJOR, MINOR };

static void emit(struct program *program, struct bpf_insn instruction)
{
	program->code[program->length++] = instruction;
}

static void emit_load(struct program *program, unsigned int to, size_t offset)
{
	emit(program,
		(struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W,
			.dst_reg = to & 0xfU,
			.src_reg = CONTEXT,
			.off = (short)offset });
}

/* OPERATION on all 32 bits of the register TO, with a constant. */
static void emit_constant(
	struct program *program, unsigned char operation, unsigned int to, int32_t value)
{
	emit(program,
		(struct bpf_insn){ .code = (unsigned char)(BPF_ALU | BPF_K | operation),
			.dst_reg = to & 0xfU,
			.imm = value });
}

static void emit_copy(struct program *program, unsigned int to, unsigned int from)
{
	emit(program,
		(struct bpf_insn){ .code = BPF_ALU | BPF_MOV | BPF_X,
			.dst_reg = to & 0xfU,
			.src_reg = from & 0xfU });
}

/* A jump to the next rule, whose place emit_rule() fills in. */
static void emit_skip(
	struct program *program, unsigned char condition, unsigned int from, uint32_t value)
{
	emit(program,
		(struct bpf_insn){ .code = (unsigned char)(BPF_JMP | BPF_K | condition),
			.dst_reg = from & 0xfU,
			.imm = (int32_t)value });
}

static void emit_answer(struct program *program, bool allow)
{
	emit_constant(program, BPF_MOV, ANSWER, allow);
	emit(program, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
}

static void emit_rule(struct program *program, const struct device_rule *rule, bool allow)
{
	size_t first = program->length;

	emit_skip(program, BPF_JNE, TYPE,
		rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	if (rule->major != DEVICE_ANY)
		emit_skip(program, BPF_JNE, MAJOR, rule->major);
	if (rule->minor != DEVICE_ANY)
		emit_skip(program, BPF_JNE, MINOR, rule->minor);
	/* To be allowed, nothing may be asked for that the rule does not have; to be denied, something that it has. */
	emit_copy(program, ANSWER, ACCESS);
	emit_constant(program, BPF_AND, ANSWER, (int32_t)(allow ? ~rule->access : rule->access));
	emit_skip(program, allow ? BPF_JNE : BPF_JEQ, ANSWER, 0);

	size_t last = program->length;

	emit_answer(program, allow);
	for (size_t i = first; i < last; i++) {
		if (BPF_CLASS(program->code[i].code) == BPF_JMP)
			program->code[i].off = (short)(program->length - i - 1);
	}
}

static void assemble(struct program *program, const struct devices *devices)
{
	program->length = 0;
	emit_load(program, ACCESS, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit_load(program, MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	emit_load(program, MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	/* access_type is (access << 16) | type. */
	emit_copy(program, TYPE, ACCESS);
	emit_constant(program, BPF_AND, TYPE, 0xffff);
	emit_constant(program, BPF_RSH, ACCESS, 16);
	for (size_t i = 0; i < devices->count; i++)
		emit_rule(program, &devices->rules[i], devices->allow_list);
	emit_answer(program, !devices->allow_list);
}

/* Returns what bpf(2) does, or -errno. A program's fd is close-on-exec by itself. */
static int call_bpf(int command, union bpf_attr *attributes)
{
	long result = syscall(SYS_bpf, command, attributes, sizeof(*attributes));

	return result < 0 ? -errno : (int)result;
}

static int try_load(const struct program *program, char *log, uint32_t size)
{
	union bpf_attr attributes;

	/* The kernel refuses what is not zero behind what it knows, so padding counts. */
	memset(&attributes, 0, sizeof(attributes));
	attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attributes.insns = (uintptr_t)program->code;
	attributes.insn_cnt = (uint32_t)program->length;
	/* The licence of this code. Only helpers of the kernel that are for GPL programs ask for another, and none is called. */
	attributes.license = (uintptr_t) "MIT";
	attributes.log_level = log ? 1 : 0;
	attributes.log_buf = (uintptr_t)log;
	attributes.log_size = size;
	return call_bpf(BPF_PROG_LOAD, &attributes);
}

/* What the verifier has against a program: the last line of its log, save for the one with its own statistics. */
static const char *find_objection(char *log)
{
	char *end = strstr(log, "\nprocessed ");

	if (!end)
		end = log + strlen(log);
	while (end > log && end[-1] == '\n')
		end--;
	*end = '\0';

	const char *newline = strrchr(log, '\n');

	return newline ? newline + 1 : log;
}

static void say_objection(const struct program *program, int error)
{
	char log[LOG_SIZE] = "";

	if (error == -EPERM) {
		hint("it takes CAP_SYS_ADMIN of the host; before Linux 5.11 'ulimit -l'");
		return;
	}

	autoclose int fd = try_load(program, log, sizeof(log));

	if (fd < 0 && log[0])
		hint("the kernel's verifier says: %s", find_objection(log));
	else if (error == -EINVAL || error == -ENOSYS)
		hint("the kernel needs CONFIG_BPF_SYSCALL and CONFIG_CGROUP_BPF");
}

/* Ids of the programs that are run for a group, its own and those of the groups above. */
struct programs {
	uint32_t count;
	uint32_t ids[PROGRAMS_MAX];
};

static bool find_programs(int directory, struct programs *ret)
{
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.query.target_fd = (uint32_t)directory;
	attributes.query.attach_type = BPF_CGROUP_DEVICE;
	attributes.query.query_flags = BPF_F_QUERY_EFFECTIVE;
	attributes.query.prog_ids = (uintptr_t)ret->ids;
	attributes.query.prog_cnt = PROGRAMS_MAX;

	int error = call_bpf(BPF_PROG_QUERY, &attributes);

	if (error < 0)
		warn_error(-error, "cannot find the device programs of the cgroup");
	ret->count = attributes.query.prog_cnt;
	return error == 0;
}

static bool is_among(const struct programs *programs, uint32_t id)
{
	for (uint32_t i = 0; i < programs->count; i++) {
		if (programs->ids[i] == id)
			return true;
	}
	return false;
}

/* Whether what is run for the group now is the program FD and all of BEFORE. */
static bool check_programs(int directory, int fd, const struct programs *before)
{
	struct bpf_prog_info info = { .id = 0 };
	struct programs now = { .count = 0 };
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.info.bpf_fd = (uint32_t)fd;
	attributes.info.info_len = sizeof(info);
	attributes.info.info = (uintptr_t)&info;

	int error = call_bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes);

	if (error < 0)
		warn_error(-error, "cannot find the id of the device program");
	if (error < 0 || !find_programs(directory, &now))
		return false;
	if (!is_among(&now, info.id)) {
		warn("the device program is not among those of the cgroup");
		return false;
	}
	for (uint32_t i = 0; i < before->count; i++) {
		if (!is_among(&now, before->ids[i])) {
			warn("cannot add a device program: that of a group above would no longer be run");
			hint("it was attached with BPF_F_ALLOW_OVERRIDE; see: bpftool cgroup tree");
			return false;
		}
	}
	return true;
}

static bool attach(int directory, int fd)
{
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.target_fd = (uint32_t)directory;
	attributes.attach_bpf_fd = (uint32_t)fd;
	attributes.attach_type = BPF_CGROUP_DEVICE;
	/* Programs of groups below are then run besides this one and never in its place. */
	attributes.attach_flags = BPF_F_ALLOW_MULTI;

	int error = call_bpf(BPF_PROG_ATTACH, &attributes);

	if (error == 0)
		return true;
	warn_error(-error, "cannot attach the device program to the cgroup");
	if (error == -EPERM)
		hint("a group above has one that is alone; see: bpftool cgroup tree");
	return false;
}

static bool apply_program(const struct devices *devices, int directory)
{
	struct program program;
	struct programs before = { .count = 0 };

	assemble(&program, devices);

	autoclose int fd = try_load(&program, NULL, 0);

	if (fd < 0) {
		warn_error(-fd, "cannot load the device program of the cgroup");
		say_objection(&program, fd);
		return false;
	}
	return find_programs(directory, &before) && attach(directory, fd) &&
		check_programs(directory, fd, &before);
}

bool devices_any(const struct devices *devices)
{
	return devices->count > 0 || devices->allow_list;
}

/* On version 1 as below a group that allows everything. */
static bool explain_devices(const struct devices *devices, int directory, int version)
{
	explain_because(devices->allow_list ? "these devices and no others" : "all devices but these");
	if (version == 2) {
		explain_call("bpf(BPF_PROG_LOAD, {prog_type=BPF_PROG_TYPE_CGROUP_DEVICE})");
		explain_call("bpf(BPF_PROG_ATTACH, {target_fd=%f, attach_type=BPF_CGROUP_DEVICE})",
			directory);
		return true;
	}
	return (!devices->allow_list || write_text(directory, "devices.deny", "a")) &&
		write_rules(
			directory, devices->allow_list ? "devices.allow" : "devices.deny", devices);
}

bool devices_apply(const struct devices *devices, int directory, int version)
{
	if (!devices_any(devices))
		return true;
	if (explain_is_on())
		return explain_devices(devices, directory, version);
	if (version == 2)
		return apply_program(devices, directory);
	return devices->allow_list ? allow_by_list(devices, directory) :
				     deny_by_list(devices, directory);
}
