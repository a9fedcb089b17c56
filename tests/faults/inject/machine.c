#include "machine.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/ptrace.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <unistd.h>

long machine_ptrace(int request, pid_t pid, unsigned long address, unsigned long data)
{
	return syscall(SYS_ptrace, request, pid, address, data);
}

#ifdef __x86_64__

enum { BREAKPOINT = 0xcc };

static void set_register(pid_t pid, size_t offset, long value)
{
	machine_ptrace(PTRACE_POKEUSR, pid, offset, (unsigned long)value);
}

const char *machine_lacks(void)
{
	return NULL;
}

void machine_begin_failure(pid_t pid, long number)
{
	/* brk(2) returns no error but the old end of the data segment. close(2) closes, also if it says that it could not. */
	if (number == SYS_brk)
		set_register(pid, offsetof(struct user_regs_struct, rdi), 0);
	else if (number != SYS_close)
		set_register(pid, offsetof(struct user_regs_struct, orig_rax), -1);
}

void machine_end_failure(pid_t pid, long number, int error)
{
	if (number != SYS_brk)
		set_register(pid, offsetof(struct user_regs_struct, rax), -error);
}

/* The symbol main of an ELF file, as its distance from the entry; 0 if there is none. */
static unsigned long find_main(const char *image)
{
	const Elf64_Ehdr *head = (const void *)image;
	const Elf64_Shdr *sections = (const void *)(image + head->e_shoff);

	for (unsigned int i = 0; i < head->e_shnum; i++) {
		const Elf64_Sym *symbols = (const void *)(image + sections[i].sh_offset);

		if (sections[i].sh_type != SHT_SYMTAB && sections[i].sh_type != SHT_DYNSYM)
			continue;
		for (size_t k = 0; k < sections[i].sh_size / sizeof(*symbols); k++) {
			const char *names = image + sections[sections[i].sh_link].sh_offset;

			if (strcmp(names + symbols[k].st_name, "main") == 0)
				return symbols[k].st_value - head->e_entry;
		}
	}
	return 0;
}

static unsigned long measure(const char *directory, const char *program)
{
	char path[4096];
	struct stat status;
	unsigned long distance = 0;

	snprintf(path, sizeof(path), "%s/%s", directory, program);

	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &status) < 0)
		return 0;

	char *image = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (image != MAP_FAILED) {
		distance = memcmp(image, ELFMAG, SELFMAG) == 0 ? find_main(image) : 0;
		munmap(image, (size_t)status.st_size);
	}
	close(fd);
	return distance;
}

static unsigned long find_entry(pid_t pid)
{
	char path[64];
	Elf64_auxv_t list[64] = { 0 };

	snprintf(path, sizeof(path), "/proc/%d/auxv", (int)pid);

	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, list, sizeof(list)) < 0)
		return 0;
	close(fd);
	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		if (list[i].a_type == AT_ENTRY)
			return list[i].a_un.a_val;
	}
	return 0;
}

static long peek(pid_t pid, unsigned long address)
{
	long word = 0;

	/* The bare call stores what the one of the C library returns. */
	machine_ptrace(PTRACE_PEEKTEXT, pid, address, (unsigned long)&word);
	return word;
}

bool machine_trap_main(
	struct machine_trap *trap, pid_t pid, const char *directory, const char *program)
{
	unsigned long distance = measure(directory, program), entry = find_entry(pid);

	*trap = (struct machine_trap){ 0 };
	if (!distance || !entry)
		return false;
	trap->address = entry + distance;
	trap->word = peek(pid, trap->address);
	return machine_ptrace(PTRACE_POKETEXT, pid, trap->address,
		       ((unsigned long)trap->word & ~0xffUL) | BREAKPOINT) == 0;
}

bool machine_pass_trap(struct machine_trap *trap, pid_t pid)
{
	long at = 0;

	machine_ptrace(
		PTRACE_PEEKUSR, pid, offsetof(struct user_regs_struct, rip), (unsigned long)&at);
	if (!trap->address || (unsigned long)at != trap->address + 1)
		return false;
	machine_ptrace(PTRACE_POKETEXT, pid, trap->address, (unsigned long)trap->word);
	set_register(pid, offsetof(struct user_regs_struct, rip), (long)trap->address);
	trap->address = 0;
	return true;
}

#else

const char *machine_lacks(void)
{
	return "system calls can be failed on x86-64 only";
}

void machine_begin_failure(pid_t pid, long number)
{
	(void)pid;
	(void)number;
}

void machine_end_failure(pid_t pid, long number, int error)
{
	(void)pid;
	(void)number;
	(void)error;
}

bool machine_trap_main(
	struct machine_trap *trap, pid_t pid, const char *directory, const char *program)
{
	(void)trap;
	(void)pid;
	(void)directory;
	(void)program;
	return false;
}

bool machine_pass_trap(struct machine_trap *trap, pid_t pid)
{
	(void)trap;
	(void)pid;
	return false;
}

#endif
