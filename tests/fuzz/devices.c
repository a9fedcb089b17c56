/*
 * devices: rules of a command line, a line each with '+' (allow) or '-' (deny) in front; the BPF program that is made of them says what they say.
 * And devices.list of version 1.
 */
#include "common/devices.c"
#include "tests/fuzz/fuzz.h"

enum { RULES, LISTED, PARTS };

/* Runs PROGRAM for one question, with what the kernel's machine does for the few instructions that are used. */
static bool run(const struct program *program, const uint32_t question[3])
{
	uint64_t registers[16] = { 0 };
	size_t at = 0;

	for (int steps = 0; steps < 2000; steps++, at++) {
		fuzz_check(at < program->length);

		const struct bpf_insn *code = &program->code[at];
		uint64_t *to = &registers[code->dst_reg];
		uint32_t low = (uint32_t)*to, constant = (uint32_t)code->imm;

		switch (code->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			fuzz_check(code->off % 4 == 0 && code->off / 4 < 3);
			*to = question[code->off / 4];
			break;
		case BPF_ALU | BPF_MOV | BPF_X:
			*to = (uint32_t)registers[code->src_reg];
			break;
		case BPF_ALU | BPF_MOV | BPF_K:
			*to = constant;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			*to = low & constant;
			break;
		case BPF_ALU | BPF_RSH | BPF_K:
			*to = low >> constant;
			break;
		case BPF_JMP | BPF_JNE | BPF_K:
			at += *to != (uint64_t)(int64_t)code->imm ? (size_t)code->off : 0;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += *to == (uint64_t)(int64_t)code->imm ? (size_t)code->off : 0;
			break;
		case BPF_JMP | BPF_EXIT:
			return registers[ANSWER];
		default:
			fuzz_fail(__FILE__, __LINE__, "a known instruction");
		}
	}
	fuzz_fail(__FILE__, __LINE__, "an end");
}

/* What the rules say, by the words of devices.h. */
static bool is_allowed(const struct devices *devices, char type, unsigned int access,
	uint32_t major_number, uint32_t minor_number)
{
	for (size_t i = 0; i < devices->count; i++) {
		const struct device_rule *rule = &devices->rules[i];

		if (rule->type != type || (rule->major != DEVICE_ANY && rule->major != major_number) ||
			(rule->minor != DEVICE_ANY && rule->minor != minor_number))
			continue;
		if (devices->allow_list && !(access & ~rule->access))
			return true;
		if (!devices->allow_list && (access & rule->access))
			return false;
	}
	return !devices->allow_list;
}

static void ask(const struct devices *devices, const struct program *program, uint32_t major_number,
	uint32_t minor_number)
{
	for (unsigned int access = 1; access <= ACCESS_ALL; access++) {
		for (int block = 0; block < 2; block++) {
			uint32_t type = block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
			const uint32_t question[] = { access << 16 | type, major_number,
				minor_number };

			fuzz_check(run(program, question) ==
				is_allowed(devices, block ? 'b' : 'c', access, major_number,
					minor_number));
		}
	}
}

static void check_rules(const struct devices *devices)
{
	static struct program program;
	char text[RULE_SIZE];

	assemble(&program, devices);
	fuzz_check(program.length <= sizeof(program.code) / sizeof(*program.code));
	ask(devices, &program, 1, 3);
	for (size_t i = 0; i < devices->count; i++) {
		const struct device_rule *rule = &devices->rules[i];
		struct device_rule again;

		fuzz_check(rule->access && !(rule->access & ~(unsigned int)ACCESS_ALL));
		format_rule(rule, text, sizeof(text));
		fuzz_check(parse_listed(text, &again) && is_same_device(rule, &again) &&
			again.access == rule->access && is_planned(devices, &again));
		ask(devices, &program, rule->major & MAJOR_MAX, rule->minor & MINOR_MAX);
		ask(devices, &program, rule->major & MAJOR_MAX, 7);
	}
}

struct listing {
	const struct devices *devices;
	struct fuzz_part text;
	bool done;
};

static void read_listed(void *data)
{
	struct listing *listing = data;
	char *copy = strdup(listing->text.text);

	listing->done = check_list(listing->devices, AT_FDCWD, copy, false);
	free(copy);
}

static void add_lines(struct devices *devices, char *text)
{
	for (char *line; (line = fuzz_line(&text)); free(line)) {
		size_t count = devices->count;

		/* What is a path would be looked up. */
		if (line[0] && !strchr(line, '/') && devices_add(devices, line[0] == '+', line + 1))
			fuzz_check(devices->count == count);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct devices devices;
	struct fuzz_part parts[PARTS];

	fuzz_split(data, size, parts, PARTS);
	devices = (struct devices){ 0 };
	add_lines(&devices, parts[RULES].text);
	if (devices_any(&devices))
		check_rules(&devices);
	struct listing listing = { .devices = &devices, .text = parts[LISTED] };

	fuzz_check(fuzz_survive(read_listed, &listing) == FUZZ_RETURNED);
	fuzz_free(parts, PARTS);
	return 0;
}
