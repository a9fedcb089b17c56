/* capinfo: a text for each capability, and the presets. */
#include "common/capinfo.h"

#include "tests/unit/tap.h"

#include <linux/capability.h>

/* Printed in a column, and in JSON as they are. */
static bool is_plain(const char *text)
{
	return text && *text && strlen(text) <= 56 && !strpbrk(text, "\"\\\n\t");
}

int main(void)
{
	const struct capinfo *unknown = capinfo_of(63);
	bool plain = true, own = true, distinct = true;

	for (int i = 0; i < 64; i++) {
		const struct capinfo *info = capinfo_of(i);

		plain = plain && is_plain(info->summary) && is_plain(info->remark);
		own = own && (info != unknown) == (i <= CAP_LAST_CAP);
		for (int j = 0; j < i && i <= CAP_LAST_CAP; j++)
			distinct = distinct && strcmp(info->summary, capinfo_of(j)->summary) != 0;
	}
	ok(plain, "each text fits a line of --print");
	ok(own, "each capability of the headers is explained, and no other");
	ok(distinct, "no two say the same");
	is_text(unknown->summary, "newer than this program", "one of a newer kernel");
	is_number(__builtin_popcountll(capinfo_preset("docker")->keep), 14, "docker keeps 14");
	is_number((long long)capinfo_preset("none")->keep, 0, "none keeps none");
	ok(capinfo_preset("nobody")->nobody && !capinfo_preset("nobody")->keep, "nobody is nobody");
	ok(!capinfo_preset("dock") && !capinfo_preset(""), "there is no other");
	return tap_end();
}
