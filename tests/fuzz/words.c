/* words: the small grammars, of targets, groups, names and choices. */
#include "common/cgroup.h"
#include "common/hierarchy.h"
#include "common/idmap.h"
#include "common/leftover.c"
#include "common/mounttree.h"
#include "common/securebits.h"
#include "common/target.h"
#include "tests/fuzz/fuzz.h"

#include <inttypes.h>

static void check_target(const char *text)
{
	struct target target = { 0 };
	struct target_id id;
	char printed[64];

	if (!target_parse(text, &target)) {
		fuzz_check(target.pins ? target.pins == text && strchr(text, '/') && !target.pid :
					 target.pid >= 1 && target.pid <= 4194304);
		snprintf(printed, sizeof(printed), target.inode ? "%d:%" PRIu64 : "%d",
			(int)target.pid, target.inode);
		if (!target.pins)
			fuzz_check(strspn(text, "0123456789:") == strlen(text) &&
				!strchr(text, ':') == !target.inode && printed[0]);
	}
	if (!target_parse_id(text, &id))
		fuzz_check(id.given && (id.follow || id.number != UINT32_MAX));
}

static void check_groups(const char *text)
{
	char path[512];
	int pid;

	if (!cgroup_check_name(text))
		fuzz_check(text[0] && strlen(text) < NAME_MAX && !strpbrk(text, "/\n") &&
			strcmp(text, ".") != 0 && strcmp(text, "..") != 0 &&
			strncmp(text, "cgrun-", 6) != 0);
	if (!hierarchy_check_group(text)) {
		snprintf(path, sizeof(path), "%s%s/", text[0] == '/' ? "" : "/", text);
		fuzz_check(strlen(text) + 3 > sizeof(path) || strcmp(text, "/") == 0 ||
			(!strstr(path, "//") && !strstr(path, "/./") && !strstr(path, "/../")));
	}
	if (leftover_is_name(text) && parse_name(text, &pid))
		fuzz_check(pid >= 1 && pid <= 4194304 && strlen(text) < LEFTOVER_NAME &&
			!strchr(text, '/'));
}

static void check_securebits(const char *text)
{
	char word[64], nearest[64], printed[512] = "none";
	unsigned int bits, again;
	size_t used = 0;

	if (securebits_parse(text, &bits, word, nearest, sizeof(word)))
		return;
	for (int i = 0; i < 32; i++) {
		if (!(bits >> i & 1))
			continue;
		fuzz_check(securebits_name(i));
		used += (size_t)snprintf(printed + used, sizeof(printed) - used, "%s%s",
			used ? "," : "", securebits_name(i));
	}
	/* keep_caps */
	fuzz_check(!(bits & 16));
	fuzz_check(!securebits_parse(printed, &again, word, nearest, sizeof(word)) && again == bits);
}

static void check_choices(const char *text)
{
	enum idmap_setgroups setgroups;
	unsigned long propagation;

	if (!idmap_parse_setgroups(text, &setgroups))
		fuzz_check(strcmp(text, setgroups == IDMAP_SETGROUPS_ALLOW ? "allow" : "deny") == 0);
	if (!mounttree_parse_propagation(text, &propagation))
		fuzz_check((propagation & (propagation - 1)) == 0 &&
			(propagation == 0) == (strcmp(text, "unchanged") == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_part part = fuzz_copy(size ? (const char *)data : "", size);
	char *text = fuzz_copy(part.text, strlen(part.text)).text;

	check_target(text);
	check_groups(text);
	check_securebits(text);
	check_choices(text);
	free(text);
	free(part.text);
	return 0;
}
