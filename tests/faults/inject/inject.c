/*
 * inject [OPTION]... -- COMMAND [ARGUMENT]...: fails every system call that the links of COMMAND make, one in each run, with each of several errors,
 * and compares what COMMAND then ran as, if it did, with a run without a fault. COMMAND ends in payload. For tests/faults/check.sh.
 *   -n NAME     what to call COMMAND in messages
 *   -b DIR      where the links are
 *   -s PROGRAM  calls of this program count, and not those of links; may be repeated
 *   -u UID      run COMMAND as this user
 *   -g DIR      a cgroup below which COMMAND may make groups; may be repeated
 *   -w DIR      where COMMAND may make files; may be repeated
 *   -t PID      a process whose namespaces COMMAND joins
 *   -k N        take every Nth fault only
 *   -o N        ... from the Nth on
 *   -f POINT    only this fault, as a message has it: PROCESS/IMAGE:CALL=ERROR
 *   -m          COMMAND makes files that stay: they may also if it does not run
 *   -d CALL     fail nothing, but run COMMAND as on a kernel without CALL, see without.c; may be repeated
 *   -p PROGRAM  ... by this program, which is called without
 *   -a UID      ... and then as this user
 *   -l          list the calls instead
 *   -v          show what COMMAND runs as instead
 */
#include "deny.h"
#include "judge.h"
#include "machine.h"
#include "view.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PROGRAMS = 8, SECONDS = 10 };

static const char *const call_names[] = {
#include "names.h"
};

static const struct {
	const char *name;
	int number;
} errors[] = { { "EPERM", EPERM }, { "ENOSYS", ENOSYS }, { "EIO", EIO }, { "ENOMEM", ENOMEM },
	{ "EINTR", EINTR }, { "EMFILE", EMFILE } };

enum { ERRORS = sizeof(errors) / sizeof(*errors) };

struct plan {
	struct subject subject;
	const char *name, *single;
	const char *programs[PROGRAMS + 1];
	size_t program_count;
	size_t step, offset;
	bool list, show;
	struct deny_plan deny;
};

struct counts {
	size_t faults, early, missed, verdicts[VERDICTS];
};

static const char *name_call(long number)
{
	bool known = number >= 0 && (size_t)number < sizeof(call_names) / sizeof(*call_names);

	return known && call_names[number] ? call_names[number] : "?";
}

static void add_place(const char **list, size_t *count, size_t most, const char *value)
{
	if (*count == most) {
		fprintf(stderr, "inject: too many of %s\n", value);
		exit(2);
	}
	list[(*count)++] = value;
}

static void parse_option(struct plan *plan, int letter, char *value)
{
	struct snapshot_places *places = &plan->subject.places;

	switch (letter) {
	case 's':
		plan->subject.foreign = true;
		add_place(plan->programs, &plan->program_count, PROGRAMS, value);
		break;
	case 'g':
		add_place(places->groups, &places->group_count, SNAPSHOT_PLACES, value);
		add_place(view_places.groups, &view_places.group_count, VIEW_GROUPS, value);
		break;
	case 'w':
		add_place(places->directories, &places->directory_count, SNAPSHOT_PLACES, value);
		break;
	case 'u':
		plan->subject.start.user = (uid_t)strtoul(value, NULL, 10);
		break;
	case 't':
		view_places.target = (pid_t)strtol(value, NULL, 10);
		break;
	case 'd':
		add_place(plan->deny.calls, &plan->deny.count, DENY_CALLS, value);
		break;
	case 'p':
		plan->deny.without = value;
		break;
	case 'a':
		plan->deny.user = value;
		break;
	case 'k':
		plan->step = strtoul(value, NULL, 10);
		break;
	case 'o':
		plan->offset = strtoul(value, NULL, 10);
		break;
	default:
		exit(2);
	}
}

static void parse(struct plan *plan, int argc, char **argv)
{
	static const char *const links[] = { "nsnew", "nsjoin", "cgrun", "capjail", "rootjail",
		"nsmount", NULL };
	struct start *start = &plan->subject.start;
	int letter;

	*plan = (struct plan){ .name = "command", .step = 1 };
	while ((letter = getopt(argc, argv, "+n:b:s:u:g:w:t:k:o:f:d:p:a:mlv")) != -1) {
		if (letter == 'n')
			plan->name = optarg;
		else if (letter == 'b')
			start->programs = optarg;
		else if (letter == 'f')
			plan->single = optarg;
		else if (letter == 'm')
			plan->subject.makes = true;
		else if (letter == 'l')
			plan->list = true;
		else if (letter == 'v')
			plan->show = true;
		else
			parse_option(plan, letter, optarg);
	}
	start->command = argv + optind;
	start->subjects = plan->program_count ? plan->programs : links;
	start->groups = plan->subject.places.groups;
	start->group_count = plan->subject.places.group_count;
	start->seconds = SECONDS;
	start->look = view_process;
	if (!*start->command || plan->step == 0)
		exit(2);
}

static void spell(const struct point *point, const char *error, char *text, size_t size)
{
	snprintf(text, size, "%s/%u:%u=%s", point->process, point->image, point->call, error);
}

/* One fault, counted; what is not allowed is printed. */
static void try_fault(const struct plan *plan, const struct run_result *wanted,
	const struct point *point, size_t error, struct counts *counts)
{
	const struct fault fault = { .point = point, .error = errors[error].number };
	struct run_result result;
	char *why = NULL, spelled[96];
	size_t size = 0;
	FILE *stream = open_memstream(&why, &size);

	judge_run(&plan->subject, &fault, NULL, &result);

	enum verdict verdict = judge(&plan->subject, wanted, &result, point, stream);

	fclose(stream);
	counts->faults++;
	counts->early += point->early;
	counts->missed += !result.outcome.reached;
	counts->verdicts[verdict]++;
	spell(point, errors[error].name, spelled, sizeof(spelled));
	if (verdict != TOLERATED && verdict != REFUSED) {
		static const char *const kinds[] = {
			[FAIL_OPEN] = "fail-open", [HANG] = "hang", [LEFTOVER] = "leftover", [WRONG_STATUS] = "wrong status"
		};

		printf("not ok %s %s: %s: %s of %s%s\n%s", plan->name, spelled, kinds[verdict],
			name_call(result.outcome.number), point->program,
			result.outcome.reached ? "" : " (not reached)", why);
		fflush(stdout);
	} else if (plan->single) {
		printf("ok %s %s: %s: %s of %s%s\n", plan->name, spelled,
			verdict == TOLERATED ? "tolerated" : "refused",
			name_call(result.outcome.number), point->program,
			result.outcome.reached ? "" : " (not reached)");
		fputs(result.errors, stdout);
	}
	if (result.stays) {
		printf("not ok %s: cannot clean up\n", plan->name);
		exit(1);
	}
	free(why);
	judge_free(&result);
}

static bool is_chosen(const struct plan *plan, const struct point *point, size_t index, size_t error)
{
	char spelled[96];

	/* Only one of the errors is brk's. */
	if (point->number == SYS_brk && errors[error].number != ENOMEM)
		return false;
	if (plan->single) {
		spell(point, errors[error].name, spelled, sizeof(spelled));
		return strcmp(spelled, plan->single) == 0;
	}
	/* So that calls that follow each other fail with different errors. */
	return (index + 5 * error + plan->offset) % plan->step == 0;
}

static void sweep(const struct plan *plan, const struct run_result *wanted,
	const struct points *points, struct counts *counts)
{
	for (size_t i = 0; i < points->count; i++) {
		for (size_t error = 0; error < ERRORS; error++) {
			if (is_chosen(plan, &points->list[i], i, error))
				try_fault(plan, wanted, &points->list[i], error, counts);
		}
	}
}

static void print(const struct plan *plan, const struct points *points, const struct counts *counts)
{
	const size_t *verdicts = counts->verdicts;

	printf("%s: %zu calls, %zu faults: tolerated %zu, refused %zu, fail-open %zu, hangs %zu, leftovers %zu, wrong status %zu; before main %zu, not reached %zu, cannot fail %zu\n",
		plan->name, points->count, counts->faults, verdicts[TOLERATED], verdicts[REFUSED],
		verdicts[FAIL_OPEN], verdicts[HANG], verdicts[LEFTOVER], verdicts[WRONG_STATUS],
		counts->early, counts->missed, points->exempt);
}

/* Runs without a fault: twice, to see that nothing varies by itself, and once to count calls. */
static void prepare(struct plan *plan, struct run_result *wanted, struct points *points)
{
	struct run_result again;

	plan->subject.before = snapshot_take(&plan->subject.places);
	judge_run(&plan->subject, NULL, NULL, wanted);
	judge_run(&plan->subject, NULL, points, &again);
	if (wanted->outcome.payloads != 1 || !strstr(wanted->output, "\nend\n") ||
		judge(&plan->subject, wanted, &again, NULL, stdout) != TOLERATED) {
		printf("not ok %s: cannot be compared: COMMAND ran %d times, status %#x\n%s%s",
			plan->name, wanted->outcome.payloads, (unsigned int)wanted->outcome.status,
			wanted->errors, wanted->left);
		exit(1);
	}
	judge_free(&again);
}

int main(int argc, char **argv)
{
	struct plan plan;
	struct run_result wanted;
	struct points points = { 0 };
	struct counts counts = { 0 };
	const char *lack = machine_lacks();

	parse(&plan, argc, argv);
	if (lack) {
		fprintf(stderr, "inject: %s\n", lack);
		return 77;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "starter");
	if (plan.deny.count > 0)
		return deny_all(&plan.subject, &plan.deny, plan.name);
	prepare(&plan, &wanted, &points);
	for (size_t i = 0; plan.list && i < points.count; i++) {
		char spelled[96];

		spell(&points.list[i], "", spelled, sizeof(spelled));
		printf("%s%s %s%s\n", spelled, points.list[i].program,
			name_call(points.list[i].number), points.list[i].early ? " before main" : "");
	}
	if (plan.show)
		printf("%s%s%s", wanted.outcome.view, wanted.output, wanted.left);
	if (plan.list || plan.show)
		return 0;
	sweep(&plan, &wanted, &points, &counts);
	print(&plan, &points, &counts);
	return counts.verdicts[TOLERATED] + counts.verdicts[REFUSED] == counts.faults ? 0 : 1;
}
