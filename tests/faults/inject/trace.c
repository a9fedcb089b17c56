#include "trace.h"

#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRACEES = 64, SYSCALL_STOP = SIGTRAP | 0x80 };

struct tracee {
	pid_t pid; /* 0: none */
	char process[PROCESS_NAME], program[PROGRAM_NAME];
	unsigned int children, image, call;
	bool subject; /* its program is one whose calls count */
	bool early;   /* it has not come to main yet */
	bool held;    /* it has stopped before its parent was heard of */
	bool failing; /* it is in the call that is to fail */
	struct machine_trap trap;
};

/* One run; the kernel allows one tracer for each process anyway. */
struct run {
	const struct start *start;
	const struct fault *fault;
	struct points *record;
	struct outcome *outcome;
	FILE *view;
	pid_t first;
	struct tracee tracees[TRACEES];
};

static struct run *current;

static void fail(const char *what)
{
	fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
	exit(2);
}

static struct tracee *find(struct run *run, pid_t pid)
{
	for (size_t i = 0; i < TRACEES; i++) {
		if (run->tracees[i].pid == pid)
			return &run->tracees[i];
	}
	return NULL;
}

static struct tracee *add(struct run *run, pid_t pid)
{
	struct tracee *tracee = find(run, 0);

	if (!tracee)
		fail("too many processes");
	*tracee = (struct tracee){ .pid = pid };
	return tracee;
}

static const char *name_of(pid_t pid)
{
	struct tracee *tracee = pid > 0 ? find(current, pid) : NULL;

	if (tracee)
		return tracee->process;
	return pid == getpid() ? "driver" : pid == 0 ? "none" : "other";
}

/* --- the start --- */

/* A group of version 2 hands controllers down only if nobody else is in it, so the driver stays outside. */
static void enter_groups(const struct start *start)
{
	char path[4096];

	for (size_t i = 0; i < start->group_count; i++) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", start->groups[i]);

		int fd = open(path, O_WRONLY | O_CLOEXEC);

		if (fd < 0 || write(fd, "0", 1) != 1)
			_exit(97);
		close(fd);
	}
}

static _Noreturn void become_command(const struct start *start, int gate)
{
	char byte;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	dup2(null, STDIN_FILENO);
	dup2(start->output, STDOUT_FILENO);
	dup2(start->errors, STDERR_FILENO);
	enter_groups(start);
	if (start->user &&
		(setgroups(0, NULL) < 0 || setgid(start->user) < 0 || setuid(start->user) < 0))
		_exit(99);
	/* Until this process is traced. */
	if (read(gate, &byte, 1) != 0)
		_exit(99);
	execvp(start->command[0], start->command);
	_exit(98);
}

static void launch(struct run *run)
{
	const unsigned int options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD;
	int gate[2];

	if (pipe2(gate, O_CLOEXEC) < 0)
		fail("pipe");

	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		close(gate[1]);
		become_command(run->start, gate[0]);
	}
	if (machine_ptrace(PTRACE_SEIZE, pid, 0, options) < 0)
		fail("PTRACE_SEIZE");
	close(gate[0]);
	close(gate[1]);
	run->first = pid;
	strcpy(add(run, pid)->process, "1");
}

/* --- what a stop means --- */

/* Whether the calls of this process have to be seen. */
static bool is_watched(const struct run *run, const struct tracee *tracee)
{
	if (!tracee->subject)
		return false;
	if (run->record || tracee->failing)
		return true;
	return run->fault && !run->outcome->reached && tracee->image == run->fault->point->image &&
		strcmp(tracee->process, run->fault->point->process) == 0;
}

static void resume(const struct run *run, struct tracee *tracee, int signal)
{
	long request = is_watched(run, tracee) ? PTRACE_SYSCALL : PTRACE_CONT;

	tracee->held = false;
	/* ESRCH: killed meanwhile, of which wait(2) tells. */
	machine_ptrace((int)request, tracee->pid, 0, (unsigned long)signal);
}

static void take_child(struct run *run, struct tracee *parent)
{
	unsigned long message = 0;

	machine_ptrace(PTRACE_GETEVENTMSG, parent->pid, 0, (unsigned long)&message);

	pid_t pid = (pid_t)message;
	struct tracee *child = pid > 0 ? find(run, pid) : NULL;

	if (pid <= 0)
		return;
	if (!child)
		child = add(run, pid);
	parent->children++;
	if (snprintf(child->process, PROCESS_NAME, "%.24s.%u", parent->process, parent->children) < 0)
		return;
	memcpy(child->program, parent->program, PROGRAM_NAME);
	child->subject = parent->subject;
	if (child->held)
		resume(run, child, 0);
}

/* The name of the file that runs; of a copy in memory, "/memfd:NAME (deleted)". */
static void read_program(pid_t pid, char program[PROGRAM_NAME])
{
	char path[64], target[4096];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);

	ssize_t length = readlink(path, target, sizeof(target) - 1);

	target[length < 0 ? 0 : length] = '\0';

	const char *name = strrchr(target, '/');

	name = name ? name + 1 : target;
	if (strncmp(name, "memfd:", 6) == 0)
		name += 6;
	snprintf(program, PROGRAM_NAME, "%.*s", (int)strcspn(name, " "), name);
}

static bool is_subject(const struct start *start, const char *program)
{
	for (const char *const *name = start->subjects; *name; name++) {
		if (strcmp(*name, program) == 0)
			return true;
	}
	return false;
}

static void execute(struct run *run, struct tracee *tracee)
{
	bool before = tracee->subject;

	read_program(tracee->pid, tracee->program);
	tracee->subject = is_subject(run->start, tracee->program);
	tracee->image++;
	tracee->call = 0;
	tracee->failing = false;
	if (tracee->subject) {
		tracee->early = run->record && run->start->programs &&
			machine_trap_main(
				&tracee->trap, tracee->pid, run->start->programs, tracee->program);
		resume(run, tracee, 0);
		return;
	}
	if (!before) {
		resume(run, tracee, 0);
		return;
	}

	bool payload = strcmp(tracee->program, "payload") == 0;
	off_t seen = ftello(run->view);

	if (payload)
		run->start->look(run->view, tracee->pid, name_of);
	/* One that was killed before its first instruction has not run. */
	if (machine_ptrace(PTRACE_DETACH, tracee->pid, 0, 0) < 0)
		fseeko(run->view, seen, SEEK_SET);
	else
		run->outcome->payloads += payload;
	tracee->pid = 0;
}

static void record_call(struct points *points, const struct tracee *tracee, long number)
{
	if (points->count == points->room) {
		points->room = points->room ? 2 * points->room : 512;
		points->list = realloc(points->list, points->room * sizeof(*points->list));
		if (!points->list)
			fail("realloc");
	}

	struct point *point = &points->list[points->count++];

	*point = (struct point){
		.image = tracee->image, .call = tracee->call, .number = number, .early = tracee->early
	};
	memcpy(point->process, tracee->process, PROCESS_NAME);
	memcpy(point->program, tracee->program, PROGRAM_NAME);
}

/* Calls that the kernel has no error for: those that do not return, and those that only say or set a number, by their manual pages. */
static bool cannot_fail(uint64_t number)
{
	static const uint64_t calls[] = { SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_getpid,
		SYS_getppid, SYS_gettid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid,
		SYS_umask, SYS_sched_yield };

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		if (calls[i] == number)
			return true;
	}
	return false;
}

static void call(struct run *run, struct tracee *tracee)
{
	struct ptrace_syscall_info info = { 0 };

	if (machine_ptrace(
		    PTRACE_GET_SYSCALL_INFO, tracee->pid, sizeof(info), (unsigned long)&info) < 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT && tracee->failing) {
		machine_end_failure(tracee->pid, run->outcome->number, run->fault->error);
		tracee->failing = false;
	}
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY && cannot_fail(info.entry.nr)) {
		if (run->record)
			run->record->exempt++;
	} else if (info.op == PTRACE_SYSCALL_INFO_ENTRY && is_watched(run, tracee)) {
		tracee->call++;
		if (run->record)
			record_call(run->record, tracee, (long)info.entry.nr);
		if (run->fault && tracee->call == run->fault->point->call) {
			run->outcome->reached = tracee->failing = true;
			run->outcome->number = (long)info.entry.nr;
			machine_begin_failure(tracee->pid, run->outcome->number);
		}
	}
	resume(run, tracee, 0);
}

static bool is_stop_signal(int signal)
{
	return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

static bool is_crash(int signal)
{
	return signal == SIGSEGV || signal == SIGILL || signal == SIGBUS || signal == SIGFPE;
}

static void stopped(struct run *run, struct tracee *tracee, int status)
{
	int signal = WSTOPSIG(status);

	switch (status >> 16) {
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		take_child(run, tracee);
		resume(run, tracee, 0);
		return;
	case PTRACE_EVENT_EXEC:
		execute(run, tracee);
		return;
	case PTRACE_EVENT_STOP:
		if (is_stop_signal(signal))
			machine_ptrace(PTRACE_LISTEN, tracee->pid, 0, 0);
		else if (tracee->process[0])
			resume(run, tracee, 0);
		else
			tracee->held = true;
		return;
	}
	if (signal == SYSCALL_STOP) {
		call(run, tracee);
	} else if (signal == SIGTRAP && machine_pass_trap(&tracee->trap, tracee->pid)) {
		tracee->early = false;
		resume(run, tracee, 0);
	} else if (is_crash(signal) && run->outcome->reached) {
		/* The kernel ends no PID 1 of a namespace that is traced by its own crash. */
		machine_ptrace(PTRACE_DETACH, tracee->pid, 0, (unsigned long)signal);
		tracee->pid = 0;
	} else {
		resume(run, tracee, signal);
	}
}

/* --- the end --- */

static void interrupt(int signal)
{
	(void)signal;
}

static void set_alarm(unsigned int seconds)
{
	struct sigaction action = { .sa_handler = interrupt };
	/* Again and again, in case one comes before the wait. */
	struct itimerval timer = { { seconds ? 1 : 0, 0 }, { seconds, 0 } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* Everything that this process traces or has inherited. */
static void kill_all(const struct run *run)
{
	FILE *children = fopen("/proc/thread-self/children", "re");
	int pid;

	for (size_t i = 0; i < TRACEES; i++) {
		if (run->tracees[i].pid)
			kill(run->tracees[i].pid, SIGKILL);
	}
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
	while (children && fscanf(children, "%d", &pid) == 1)
		kill(pid, SIGKILL);
	if (children)
		fclose(children);
}

/* Until there is no child any more; orphans become children of this process, which is their subreaper. */
static void serve(struct run *run)
{
	int status;
	unsigned int rounds = 0;

	for (;;) {
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno == EINTR) {
			run->outcome->hung = true;
			if (++rounds > 10)
				fail("processes that SIGKILL does not end");
			kill_all(run);
			continue;
		}
		if (pid < 0)
			return;

		struct tracee *tracee = find(run, pid);

		if (!WIFSTOPPED(status)) {
			if (pid == run->first)
				run->outcome->status = status;
			if (tracee)
				tracee->pid = 0;
			continue;
		}
		stopped(run, tracee ? tracee : add(run, pid), status);
	}
}

void trace_run(const struct start *start, const struct fault *fault, struct points *record,
	struct outcome *outcome)
{
	static struct run run;

	run = (struct run){ .start = start, .fault = fault, .record = record, .outcome = outcome };
	*outcome = (struct outcome){ .number = -1 };
	run.view = open_memstream(&outcome->view, &outcome->view_size);
	if (!run.view)
		fail("open_memstream");
	current = &run;
	launch(&run);
	set_alarm(start->seconds);
	serve(&run);
	set_alarm(0);
	fclose(run.view);
}
