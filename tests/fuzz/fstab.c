/* fstab: a table of mounts and lists of mount options. */
#include "common/fsmount.c"
#include "tests/fuzz/fuzz.h"

enum { OPTIONS, TABLE, PARTS };

struct table {
	struct fsmount *mounts;
	size_t count;
};

static void read_table(void *data)
{
	struct table *table = data;

	table->mounts = fsmount_read_table("table", &table->count);
}

/* The options that libmount gets for one mount. */
static void prepare(void *data)
{
	const struct fsmount *mount = data;

	for (int read_only = 0; read_only < 2; read_only++) {
		char *options = effective_options(mount, read_only);

		take_flags(mount, &options);
		if (is_bind(options) && options)
			for (size_t i = 0; i < FLAGS; i++)
				fuzz_check(!has_option(options, flags[i].name));
		fuzz_check(!has_option(options, "X-mount.mkdir"));
		free(options);
	}
	fuzz_check(directory_mode(mount) <= 07777);
}

static void check_mount(const struct fsmount *mount)
{
	fuzz_check(mount->target && mount->target[0] && strcmp(mount->target, "none") != 0);
	fuzz_check(mount->source);
	fuzz_check(!mount->options || !fsmount_check_options(mount->options));
	fuzz_survive(prepare, (void *)mount);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_part parts[PARTS];
	struct table table = { .count = 0 };

	fuzz_split(data, size, parts, PARTS);

	struct fsmount mount = { .source = "/a", .target = "/b", .options = parts[OPTIONS].text };

	if (!fsmount_check_options(mount.options))
		check_mount(&mount);
	fuzz_file("table", parts[TABLE].text, parts[TABLE].size);
	fuzz_survive(read_table, &table);
	for (size_t i = 0; i < table.count; i++) {
		check_mount(&table.mounts[i]);
		free((void *)table.mounts[i].source);
		free((void *)table.mounts[i].target);
		free((void *)table.mounts[i].type);
		free((void *)table.mounts[i].options);
	}
	free(table.mounts);
	fuzz_free(parts, PARTS);
	return 0;
}
