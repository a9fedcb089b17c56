#include "common/inspect.h"

#include "common/capinfo.h"
#include "common/caps.h"
#include "common/ids.h"
#include "common/report.h"
#include "common/securebits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CAPABILITIES_MAX = 64, BITS = 32, SETS = 5 };

struct set {
	const char *name;
	uint64_t mask;
};

struct process {
	unsigned int users[4], groups[4]; /* real, effective, saved, file system */
	int count;
	gid_t *supplementary;
	mode_t umask;
	int no_new_privs, seccomp, parent_signal;
	unsigned int securebits;
	struct set sets[SETS];
	char libcap_sets[CAPS_TEXT], libcap_iab[CAPS_TEXT];
};

static const char *const id_kinds[] = { "real", "effective", "saved", "filesystem" };

static void finish(void)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		die_error(errno, "cannot write to standard output");
}

static void read_ids(struct process *process)
{
	unsigned int *users = process->users, *groups = process->groups;

	if (getresuid(&users[0], &users[1], &users[2]) < 0 ||
		getresgid(&groups[0], &groups[1], &groups[2]) < 0)
		die_error(errno, "cannot read the ids of this process");
	/* An id that is none changes nothing and tells the one that is there. */
	users[3] = (unsigned int)setfsuid((uid_t)-1);
	groups[3] = (unsigned int)setfsgid((gid_t)-1);
	process->count = getgroups(0, NULL);
	if (process->count < 0)
		die_error(errno, "cannot read the supplementary groups");
	process->supplementary = calloc((size_t)process->count + 1, sizeof(gid_t));
	if (!process->supplementary ||
		getgroups(process->count, process->supplementary) != process->count)
		die_error(errno, "cannot read the supplementary groups");
}

static void read_process(struct process *process)
{
	const struct caps_sets sets = caps_read();

	*process = (struct process){
		.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
		.seccomp = prctl(PR_GET_SECCOMP, 0, 0, 0, 0),
		.parent_signal = ids_parent_signal(),
		.securebits = securebits_read(),
		.umask = umask(0),
		.sets = { { "inheritable", sets.inheritable }, { "permitted", sets.permitted },
			{ "effective", sets.effective }, { "bounding", sets.bounding },
			{ "ambient", sets.ambient } },
	};
	umask(process->umask);
	read_ids(process);
	caps_describe(process->libcap_sets, process->libcap_iab);
}

/* The names of BITS with SEPARATOR between, each in QUOTE. */
static void print_securebits(unsigned int bits, const char *quote, const char *separator)
{
	const char *between = "";

	for (int i = 0; i < BITS; i++) {
		const char *name = securebits_name(i);

		if (!(bits >> i & 1))
			continue;
		if (name)
			printf("%s%s%s%s", between, quote, name, quote);
		else
			printf("%s%sbit_%d%s", between, quote, i, quote);
		between = separator;
	}
}

static void print_ids_text(const char *label, const unsigned int ids[4])
{
	printf("%-14s", label);
	for (int i = 0; i < 4; i++)
		printf("%s%s %u", i ? ", " : "", id_kinds[i], ids[i]);
	putchar('\n');
}

static void print_set_text(const struct set *set)
{
	char names[CAPS_TEXT];

	caps_format(set->mask, names);
	printf("%-14s%016llx=%s\n", set->name, (unsigned long long)set->mask, names);
}

static void print_text(const struct process *process, uint64_t known)
{
	print_ids_text("user", process->users);
	print_ids_text("group", process->groups);
	printf("%-14s", "groups");
	for (int i = 0; i < process->count; i++)
		printf("%s%u", i ? "," : "", process->supplementary[i]);
	printf("%s\n%-14s%04o\n", process->count ? "" : "none", "umask", process->umask);
	printf("%-14s%d\n%-14s%d\n%-14s%d\n", "no_new_privs", process->no_new_privs, "seccomp",
		process->seccomp, "parent_death", process->parent_signal);
	printf("%-14s%#x=", "securebits", process->securebits);
	print_securebits(process->securebits, "", ",");
	puts(process->securebits ? "" : "none");
	for (int i = 0; i < SETS; i++)
		print_set_text(&process->sets[i]);
	printf("%-14s%s\n%-14s%s\n", "sets", process->libcap_sets, "iab",
		process->libcap_iab[0] ? process->libcap_iab : "none");
	puts("\nCapabilities, with the sets they are in by their first letters:");
	for (int i = 0; i < CAPABILITIES_MAX; i++) {
		char name[40];

		if (!(known >> i & 1))
			continue;
		caps_name(i, name, sizeof(name));
		printf("%2d ", i);
		for (int j = 0; j < SETS; j++)
			putchar(process->sets[j].mask >> i & 1 ? process->sets[j].name[0] : '-');
		printf(" %s\n         %s\n", name, capinfo_of(i)->summary);
	}
}

static void print_ids_json(const char *label, const unsigned int ids[4])
{
	printf("  \"%s\": {", label);
	for (int i = 0; i < 4; i++)
		printf("%s\"%s\": %u", i ? ", " : "", id_kinds[i], ids[i]);
	puts("},");
}

static void print_capability_json(const struct process *process, int number)
{
	const struct capinfo *info = capinfo_of(number);
	const char *between = "";
	char name[40];

	caps_name(number, name, sizeof(name));
	printf("    {\"number\": %d, \"name\": \"%s\", \"sets\": [", number, name);
	for (int i = 0; i < SETS; i++) {
		if (!(process->sets[i].mask >> number & 1))
			continue;
		printf("%s\"%s\"", between, process->sets[i].name);
		between = ", ";
	}
	printf("], \"allows\": \"%s\", \"remark\": \"%s\"}", info->summary, info->remark);
}

static void print_set_json(const struct set *set)
{
	const char *between = "";
	char name[40];

	printf("    \"%s\": {\"mask\": \"%016llx\", \"names\": [", set->name,
		(unsigned long long)set->mask);
	for (int i = 0; i < CAPABILITIES_MAX; i++) {
		if (!(set->mask >> i & 1))
			continue;
		caps_name(i, name, sizeof(name));
		printf("%s\"%s\"", between, name);
		between = ", ";
	}
	printf("]}");
}

/* None of the texts has a character that JSON would want escaped. */
static void print_json(const struct process *process, uint64_t known)
{
	puts("{");
	print_ids_json("user", process->users);
	print_ids_json("group", process->groups);
	printf("  \"groups\": [");
	for (int i = 0; i < process->count; i++)
		printf("%s%u", i ? ", " : "", process->supplementary[i]);
	printf("],\n  \"umask\": \"%04o\",\n  \"no_new_privs\": %s,\n  \"seccomp\": %d,\n"
	       "  \"parent_death\": %d,\n  \"securebits\": {\"mask\": %u, \"names\": [",
		process->umask, process->no_new_privs == 1 ? "true" : "false", process->seccomp,
		process->parent_signal, process->securebits);
	print_securebits(process->securebits, "\"", ", ");
	puts("]},\n  \"sets\": {");
	for (int i = 0; i < SETS; i++) {
		print_set_json(&process->sets[i]);
		puts(i + 1 < SETS ? "," : "\n  },");
	}
	printf("  \"text\": {\"sets\": \"%s\", \"iab\": \"%s\"},\n  \"capabilities\": [\n",
		process->libcap_sets, process->libcap_iab);
	for (int i = 0; i < CAPABILITIES_MAX && (known >> i & 1); i++) {
		if (i)
			puts(",");
		print_capability_json(process, i);
	}
	puts("\n  ]\n}");
}

void inspect_print(bool json)
{
	struct process process;

	read_process(&process);
	if (json)
		print_json(&process, caps_known());
	else
		print_text(&process, caps_known());
	free(process.supplementary);
	finish();
}

void inspect_explain(uint64_t mask)
{
	mask &= caps_known();
	for (int i = 0; i < CAPABILITIES_MAX; i++) {
		char name[40];

		if (!(mask >> i & 1))
			continue;
		caps_name(i, name, sizeof(name));
		printf("%s (%d): %s;\n    %s\n", name, i, capinfo_of(i)->summary,
			capinfo_of(i)->remark);
	}
	finish();
}
