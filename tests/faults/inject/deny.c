#include "deny.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS = 64 };

/* COMMAND of SUBJECT behind the filter, which is there without a CALL too. */
static void put_before(const struct deny_plan *plan, const char *call, char *const command[],
	const char *words[WORDS])
{
	const char *const user[] = { "setpriv", "--reuid", plan->user, "--regid", plan->user,
		"--clear-groups", "--inh-caps=-all" };
	size_t used = 0;

	words[used++] = plan->without;
	if (call)
		words[used++] = call;
	words[used++] = "--";
	for (size_t i = 0; plan->user && i < sizeof(user) / sizeof(*user); i++)
		words[used++] = user[i];
	while (*command && used < WORDS - 1)
		words[used++] = *command++;
	words[used] = NULL;
}

static void run(const struct subject *subject, const struct deny_plan *plan, const char *call,
	struct run_result *result)
{
	struct subject changed = *subject;
	const char *words[WORDS];

	put_before(plan, call, subject->start.command, words);
	changed.start.command = (char **)words;
	judge_run(&changed, NULL, NULL, result);
}

static enum verdict try_call(const struct subject *subject, const struct deny_plan *plan,
	const struct run_result *wanted, const char *call, const char *name)
{
	static const char *const kinds[] = { [TOLERATED] = "same",
		[REFUSED] = "refused",
		[FAIL_OPEN] = "FAIL-OPEN",
		[HANG] = "HANG",
		[LEFTOVER] = "LEFTOVER",
		[WRONG_STATUS] = "WRONG-STATUS" };
	struct run_result result;
	char *why = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&why, &size);

	run(subject, plan, call, &result);

	enum verdict verdict = judge(subject, wanted, &result, NULL, stream);

	fclose(stream);
	if (verdict != TOLERATED && verdict != REFUSED)
		printf("not ok %s without %s: %s\n%s", name, call, kinds[verdict], why);
	else if (verdict == REFUSED)
		printf("# %s without %s: %.*s\n", name, call, (int)strcspn(result.errors, "\n"),
			result.errors);
	printf("%s %s %s\n", name, call, kinds[verdict]);
	free(why);
	judge_free(&result);
	return verdict;
}

int deny_all(struct subject *subject, const struct deny_plan *plan, const char *name)
{
	struct run_result wanted;
	int status = 0;

	subject->before = snapshot_take(&subject->places);
	run(subject, plan, NULL, &wanted);
	if (wanted.outcome.payloads != 1 || !strstr(wanted.output, "\nend\n")) {
		printf("not ok %s: cannot be compared: COMMAND ran %d times\n%s", name,
			wanted.outcome.payloads, wanted.errors);
		return 1;
	}
	for (size_t i = 0; i < plan->count; i++) {
		enum verdict verdict = try_call(subject, plan, &wanted, plan->calls[i], name);

		if (verdict != TOLERATED && verdict != REFUSED)
			status = 1;
	}
	judge_free(&wanted);
	return status;
}
