/* process: what is read of another process: /proc/PID/status, uid_map, and the path that a link was started by. */
#include "common/child.c"
#include "common/target.h"
#include "common/toolbox.c"
#include "tests/fuzz/fuzz.h"

enum { STATUS, MAP, STARTED, PARTS };

struct follow {
	struct target target;
	struct target_id id;
	const char *map;
};

static void follow(void *data)
{
	struct follow *wanted = data;

	target_resolve_id(&wanted->target, &wanted->id, "Uid", wanted->map);
}

static void check_follow(const struct fuzz_part *parts, const char *map)
{
	struct follow wanted = {
		.target = { .pid = 1, .process = AT_FDCWD },
		.id = { .given = true, .follow = true, .number = UINT32_MAX },
		.map = map,
	};

	fuzz_file("status", parts[STATUS].text, parts[STATUS].size);
	fuzz_file("uid_map", parts[MAP].text, parts[MAP].size);
	if (fuzz_survive(follow, &wanted) == FUZZ_RETURNED && !map)
		fuzz_check(wanted.id.number != UINT32_MAX);
}

/* A signal is left to its default if all three masks are there and it is in none of them. */
static void check_masks(const struct fuzz_part *status)
{
	const struct fuzz_file file = { .text = status->text, .size = strlen(status->text) };
	struct child child = { .status = fuzz_open(&file) };
	char *copy = fuzz_copy(status->text, strlen(status->text)).text;
	char *rest = copy;
	uint64_t others = 0;
	size_t found = 0;

	for (char *line; (line = fuzz_line(&rest)); free(line))
		found += take_mask(line, &others);
	fuzz_check(found > 0 || others == 0);
	for (int i = 1; i <= 64; i++)
		fuzz_check(left_to_default(&child, i) == (found == 3 && !(others >> (i - 1) & 1)));
	close(child.status);
	free(copy);
}

static void check_started(const char *started)
{
	for (size_t own = 0; own <= LINKS; own++) {
		int first = parse_started(started, own);

		if (first < 0)
			continue;
		fuzz_check(own < LINKS && strncmp(started, "/dev/fd/", 8) == 0);
		fuzz_check(strtol(started + 8, NULL, 10) == first + (long)own);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_part parts[PARTS];

	fuzz_split(data, size, parts, PARTS);
	check_follow(parts, NULL);
	check_follow(parts, "uid_map");
	check_masks(&parts[STATUS]);
	check_started(parts[STARTED].text);
	fuzz_free(parts, PARTS);
	return 0;
}
