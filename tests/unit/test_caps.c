/* caps: names of capabilities, and the sets of this process. */
#include "common/caps.h"

#include "common/report.h"
#include "tests/unit/tap.h"

#include <linux/capability.h>
#include <sys/syscall.h>

#define BIT(capability) (UINT64_C(1) << (capability))
#define UNKNOWN "is not a capability of this kernel"
#define EMPTY "is empty"
#define TOO_LONG "too long"
#define ALL UINT64_MAX /* all that the kernel has */

enum { UNTOUCHED = 123454321 };

static const struct {
	const char *list;
	const char *reason;
	uint64_t mask;
	const char *word;    /* the one that is wrong */
	const char *nearest; /* NULL: whatever */
} lists[] = {
	{ "chown", NULL, BIT(CAP_CHOWN), NULL, NULL },
	{ "cap_chown", NULL, BIT(CAP_CHOWN), NULL, NULL },
	{ "CHOWN", NULL, BIT(CAP_CHOWN), NULL, NULL },
	{ "CAP_CHOWN", NULL, BIT(CAP_CHOWN), NULL, NULL },
	{ "Cap_Chown", NULL, BIT(CAP_CHOWN), NULL, NULL },
	{ "cap_CHOWN", NULL, BIT(CAP_CHOWN), NULL, NULL },
	{ "sys_admin", NULL, BIT(CAP_SYS_ADMIN), NULL, NULL },
	{ "sys_admin,CAP_NET_RAW", NULL, BIT(CAP_SYS_ADMIN) | BIT(CAP_NET_RAW), NULL, NULL },
	{ "chown,chown,cap_chown", NULL, BIT(CAP_CHOWN), NULL, NULL },
	{ "setgid,setuid,setpcap,setfcap", NULL,
		BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETPCAP) | BIT(CAP_SETFCAP), NULL, NULL },
	{ "audit_read,audit_write,audit_control", NULL,
		BIT(CAP_AUDIT_READ) | BIT(CAP_AUDIT_WRITE) | BIT(CAP_AUDIT_CONTROL), NULL, NULL },
	{ "all", NULL, ALL, NULL, NULL },
	{ "ALL", NULL, ALL, NULL, NULL },
	{ "All,chown", NULL, ALL, NULL, NULL },
	{ "chown,all", NULL, ALL, NULL, NULL },
	{ "all,-chown", NULL, ALL & ~BIT(CAP_CHOWN), NULL, NULL },
	{ "ALL,-CAP_CHOWN,-21", NULL, ALL & ~BIT(CAP_CHOWN) & ~BIT(CAP_SYS_ADMIN), NULL, NULL },
	{ "all,kill,-chown", NULL, ALL & ~BIT(CAP_CHOWN), NULL, NULL },
	{ "0", NULL, BIT(0), NULL, NULL },
	{ "21", NULL, BIT(CAP_SYS_ADMIN), NULL, NULL },
	{ "cap_21", NULL, BIT(CAP_SYS_ADMIN), NULL, NULL },
	{ "CAP_21,0", NULL, BIT(CAP_SYS_ADMIN) | BIT(0), NULL, NULL },
	/* empty words */
	{ "", EMPTY, 0, "", "" },
	{ ",", EMPTY, 0, "", "" },
	{ "chown,", EMPTY, 0, "", "" },
	{ ",chown", EMPTY, 0, "", "" },
	{ "chown,,setuid", EMPTY, 0, "", "" },
	/* unknown names, and those meant */
	{ "cap_", UNKNOWN, 0, "cap_", NULL },
	{ "none", UNKNOWN, 0, "none", "" },
	{ "xyzzy", UNKNOWN, 0, "xyzzy", "" },
	{ "sys_admn", UNKNOWN, 0, "sys_admn", "sys_admin" },
	{ "SYS_ADMN", UNKNOWN, 0, "SYS_ADMN", "sys_admin" },
	{ "sys_adminn", UNKNOWN, 0, "sys_adminn", "sys_admin" },
	{ "chwon", UNKNOWN, 0, "chwon", "chown" },
	{ "ptrace", UNKNOWN, 0, "ptrace", "sys_ptrace" },
	{ "net_adm", UNKNOWN, 0, "net_adm", "net_admin" },
	{ "cap_net_adm", UNKNOWN, 0, "cap_net_adm", "net_admin" },
	{ "CAP_PTRACE", UNKNOWN, 0, "CAP_PTRACE", "sys_ptrace" },
	{ "chown,sys_admn,setuid", UNKNOWN, 0, "sys_admn", "sys_admin" },
	{ "all,none", UNKNOWN, 0, "none", NULL },
	{ "cap_all", UNKNOWN, 0, "cap_all", NULL },
	{ "cap_cap_chown", UNKNOWN, 0, "cap_cap_chown", NULL },
	{ "chow", UNKNOWN, 0, "chow", "chown" },
	{ "chownn", UNKNOWN, 0, "chownn", "chown" },
	{ "_chown", UNKNOWN, 0, "_chown", NULL },
	{ "sys-admin", UNKNOWN, 0, "sys-admin", NULL },
	/* what is left out of all */
	{ "all,-", EMPTY, 0, "-", "" },
	{ "all,-chwon", UNKNOWN, 0, "-chwon", "chown" },
	{ "all,-all", UNKNOWN, 0, "-all", NULL },
	{ "all,--chown", UNKNOWN, 0, "--chown", NULL },
	{ "-chown,all", UNKNOWN, 0, "-chown", NULL },
	{ "all,-chown,chown", "both named and left out", 0, "chown", NULL },
	{ "chown,all,-chown", "both named and left out", 0, "-chown", NULL },
	/* nothing before, behind or instead of a name */
	{ " chown", UNKNOWN, 0, " chown", NULL },
	{ "chown ", UNKNOWN, 0, "chown ", NULL },
	{ "chown\n", UNKNOWN, 0, "chown\n", NULL },
	{ "chown, setuid", UNKNOWN, 0, " setuid", NULL },
	{ "chown sys_admin", UNKNOWN, 0, "chown sys_admin", NULL },
	{ "chown;sys_admin", UNKNOWN, 0, "chown;sys_admin", NULL },
	{ "chown:sys_admin", UNKNOWN, 0, "chown:sys_admin", NULL },
	{ "chown|sys_admin", UNKNOWN, 0, "chown|sys_admin", NULL },
	{ "cap_chown+ep", UNKNOWN, 0, "cap_chown+ep", NULL },
	{ "cap_chown=ep", UNKNOWN, 0, "cap_chown=ep", NULL },
	{ "chown1", UNKNOWN, 0, "chown1", NULL },
	{ "chown.", UNKNOWN, 0, "chown.", NULL },
	{ "+chown", UNKNOWN, 0, "+chown", NULL },
	{ "-chown", UNKNOWN, 0, "-chown", NULL },
	{ "!chown", UNKNOWN, 0, "!chown", NULL },
	/* numbers */
	{ "63", UNKNOWN, 0, "63", NULL },
	{ "64", UNKNOWN, 0, "64", NULL },
	{ "cap_64", UNKNOWN, 0, "cap_64", NULL },
	{ "-1", UNKNOWN, 0, "-1", NULL },
	{ "+1", UNKNOWN, 0, "+1", NULL },
	{ "1 ", UNKNOWN, 0, "1 ", NULL },
	{ "0x1", UNKNOWN, 0, "0x1", NULL },
	{ "cap_0x1", UNKNOWN, 0, "cap_0x1", NULL },
	{ "1x", UNKNOWN, 0, "1x", NULL },
	{ "1.0", UNKNOWN, 0, "1.0", NULL },
	{ "4294967296", UNKNOWN, 0, "4294967296", NULL },
	{ "18446744073709551616", UNKNOWN, 0, "18446744073709551616", NULL },
	{ "a_word_that_is_longer_than_32_bytes", TOO_LONG, 0, NULL, NULL },
	{ "chown,a_word_that_is_longer_than_32_bytes", TOO_LONG, 0, NULL, NULL },
};

static void test_lists(void)
{

	for (size_t i = 0; i < TAP_ROWS(lists); i++) {
		uint64_t mask = UNTOUCHED;
		char word[32] = "before", nearest[32] = "before";
		const char *shown = tap_show(lists[i].list);
		const char *reason =
			caps_parse_list(lists[i].list, &mask, word, nearest, sizeof(word));

		if (!lists[i].reason) {
			is_text(reason, NULL, "list '%s' is taken", shown);
			ok(mask == lists[i].mask, "... as %#llx", (unsigned long long)mask);
			continue;
		}
		ok(reason && strstr(reason, lists[i].reason), "list '%s' %s", shown, lists[i].reason);
		is_number((long long)mask, UNTOUCHED, "... and the result is left alone");
		if (lists[i].word)
			is_text(reason ? word : "(taken)", lists[i].word, "... with the word");
		if (lists[i].nearest)
			is_text(nearest, lists[i].nearest, "... and the one that was meant");
	}
}

/* Each capability by its number, as far as the kernel goes and no further. */
static void test_known(void)
{
	uint64_t known = caps_known();
	char line[16];
	bool passed = true;
	FILE *file = fopen("/proc/sys/kernel/cap_last_cap", "re");

	if (file && fgets(line, sizeof(line), file))
		ok(known == (BIT(strtoul(line, NULL, 10)) - 1) * 2 + 1,
			"caps_known goes up to the kernel's last capability");
	else
		skip("caps_known", "/proc/sys is not there");
	if (file)
		fclose(file);
	ok((known & (known + 1)) == 0 && (known & BIT(CAP_SYS_ADMIN)), "caps_known has no gap");
	for (int i = 0; i < 64; i++) {
		uint64_t mask = 0;
		char text[16], word[32], nearest[32];

		snprintf(text, sizeof(text), "%d", i);

		const char *reason = caps_parse_list(text, &mask, word, nearest, sizeof(word));

		passed = passed &&
			((known & BIT(i)) ? !reason && mask == BIT(i) : reason && mask == 0);
	}
	ok(passed, "each number up to 63 is a capability if the kernel has it");
}

/* The set NAME in /proc/self/status. */
static uint64_t status_set(const char *name)
{
	char line[256];
	unsigned long long value = 0;
	bool found = false;
	FILE *file = fopen("/proc/self/status", "re");

	if (!file)
		bail_out("cannot open /proc/self/status");
	while (!found && fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') {
			value = strtoull(line + strlen(name) + 1, NULL, 16);
			found = true;
		}
	}
	fclose(file);
	return found ? value : 0xbad;
}

static void test_read(void)
{
	struct caps_sets sets = caps_read();

	is_number((long long)sets.inheritable, (long long)status_set("CapInh"), "inheritable set");
	is_number((long long)sets.permitted, (long long)status_set("CapPrm"), "permitted set");
	is_number((long long)sets.effective, (long long)status_set("CapEff"), "effective set");
	is_number((long long)sets.bounding, (long long)status_set("CapBnd"), "bounding set");
	is_number((long long)sets.ambient, (long long)status_set("CapAmb"), "ambient set");
}

static const struct {
	const char *text;
	struct caps_iab iab;
	const char *reason;
} iabs[] = {
	{ "none", { 0 }, NULL },
	{ "chown", { .inheritable = BIT(CAP_CHOWN) }, NULL },
	{ "%cap_chown", { .inheritable = BIT(CAP_CHOWN) }, NULL },
	{ "^chown", { .inheritable = BIT(CAP_CHOWN), .ambient = BIT(CAP_CHOWN) }, NULL },
	{ "!chown", { .blocked = BIT(CAP_CHOWN) }, NULL },
	{ "!%chown", { .blocked = BIT(CAP_CHOWN), .inheritable = BIT(CAP_CHOWN) }, NULL },
	{ "!^CAP_CHOWN,kill,!5",
		{ .blocked = BIT(CAP_CHOWN) | BIT(CAP_KILL),
			.inheritable = BIT(CAP_CHOWN) | BIT(CAP_KILL),
			.ambient = BIT(CAP_CHOWN) },
		NULL },
	{ "", { 0 }, EMPTY },
	{ "!", { 0 }, EMPTY },
	{ "^chown,", { 0 }, EMPTY },
	{ "!!!!chown", { 0 }, "more than one" },
	{ "!all", { 0 }, UNKNOWN },
	{ "chown^", { 0 }, UNKNOWN },
	{ "^ chown", { 0 }, UNKNOWN },
	{ "=ep", { 0 }, UNKNOWN },
};

static void test_iabs(void)
{
	for (size_t i = 0; i < TAP_ROWS(iabs); i++) {
		struct caps_iab iab = { .blocked = UNTOUCHED };
		char word[32], nearest[32];
		const char *reason = caps_parse_iab(iabs[i].text, &iab, word, nearest, sizeof(word));

		if (iabs[i].reason) {
			ok(reason && strstr(reason, iabs[i].reason) && iab.blocked == UNTOUCHED,
				"IAB '%s' %s", iabs[i].text, iabs[i].reason);
			continue;
		}
		is_text(reason, NULL, "IAB '%s' is taken", iabs[i].text);
		ok(iab.inheritable == iabs[i].iab.inheritable && iab.ambient == iabs[i].iab.ambient &&
				iab.blocked == iabs[i].iab.blocked,
			"... as meant");
	}
}

/* Each name is read back as its number; numbers without a name have one too. */
static void test_names(void)
{
	char name[40], text[CAPS_TEXT], word[40], nearest[40];
	uint64_t mask, known = caps_known();
	bool passed = true;

	for (int i = 0; i < 64; i++) {
		caps_name(i, name, sizeof(name));
		passed = passed && strncmp(name, "cap_", 4) == 0 && name[4];
		if (known & BIT(i))
			passed = passed &&
				!caps_parse_list(name, &mask, word, nearest, sizeof(word)) &&
				mask == BIT(i);
	}
	ok(passed, "each capability has a name that stands for it");
	caps_name(63, name, sizeof(name));
	is_text(name, "cap_63", "one without a name is called by its number");
	caps_format(BIT(CAP_CHOWN) | BIT(CAP_KILL) | BIT(63), text);
	is_text(text, "cap_chown,cap_kill,cap_63", "names are in the order of numbers");
	caps_format(0, text);
	is_text(text, "none", "no capability is none");
	caps_format(ALL, text);
	ok(strlen(text) < CAPS_TEXT - 1 && strstr(text, "cap_63"), "all names fit");
}

int main(void)
{
	test_lists();
	test_known();
	test_read();
	test_iabs();
	test_names();
	return tap_end();
}
