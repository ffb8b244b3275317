/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of pairs: rules that combine operations under one kind of sharing, and the pairs
 * that POSIX itself makes depend on their order.
 */
#include "tests/conflicts/conflicts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How the operations of a rule are combined. */
enum combine {
	/* each operation of a with itself */
	EACH,
	/* each of a with itself and all that follow it */
	ALL,
	/* each of a with each of b */
	CROSS,
};

/* Lists of names with a space between two. */
struct rule {
	enum sharing sharing;
	enum combine combine;
	const char *a;
	const char *b;
};

#define NAMES "creat open stat rename unlink link mkdir"
#define PROCESSES "fork fork-wait exec-wait thread"
#define RANGES "mmap-fixed munmap fault mprotect madvise"

static const struct rule rules[] = {
	/* names */
	{SAME_DIR, ALL, NAMES, NULL},
	{SAME_DIR, EACH, "open-missing access symlink chmod utimes readdir statfs chdir", NULL},
	{SAME_DIR, CROSS, "readdir", "creat stat"},
	{APART, ALL, NAMES, NULL},
	{APART, EACH, "chmod utimes truncate readdir getcwd mount umount", NULL},
	{APART, CROSS, "mount", "stat open"},
	/* one file */
	{SAME_FILE, ALL, "open stat access", NULL},
	{SAME_FILE, CROSS, "open", "pread pwrite"},
	{SAME_FILE, CROSS, "stat", "pread pwrite"},
	{SAME_FILE, ALL, "fstat pread pwrite", NULL},
	{SAME_FILE, EACH, "link chmod fsync append lock mmap-file fault-file", NULL},
	{SAME_FILE, CROSS, "fault-file", "pread pwrite"},
	/* one open file */
	{SAME_HANDLE, ALL, "fstat pread pwrite", NULL},
	{SAME_HANDLE, EACH, "read lseek dup getfl fsync lock mmap-file", NULL},
	{SAME_HANDLE, EACH, "pipe-write pipe-read eventfd-write eventfd-read epoll-add epoll-wait",
	 NULL},
	{SAME_HANDLE, CROSS, "pipe-write", "pipe-read"},
	{SAME_HANDLE, CROSS, "eventfd-write", "eventfd-read"},
	/* one descriptor of threads, and different ones */
	{SAME_FD, ALL, "fstat pread pwrite", NULL},
	{SAME_FD, EACH, "dup cloexec getfl", NULL},
	{SAME_FD, CROSS, "pread", "dup2"},
	{THREADS, ALL, "pread pwrite", NULL},
	{THREADS, EACH, "open close dup dup2 cloexec fstat pipe-write pipe-read", NULL},
	{THREADS, CROSS, "close", "pread"},
	{THREADS, EACH, "eventfd-write epoll-wait epoll-add epoll-wake", NULL},
	/* handles of one's own */
	{APART, EACH, "fstat pread pwrite read write append ftruncate fsync lseek", NULL},
	{APART, EACH, "dup dup2 close getfl cloexec lock", NULL},
	{APART, EACH, "pipe pipe-write pipe-read socketpair memfd", NULL},
	{APART, EACH, "eventfd eventfd-write eventfd-read", NULL},
	{APART, EACH, "epoll-create epoll-add epoll-del epoll-wait epoll-wake", NULL},
	/* System V and POSIX IPC */
	{APART, EACH, "semop msgsnd msgrcv shmat shmdt shm-fault mq-send mq-receive", NULL},
	{APART, CROSS, "msgsnd", "msgrcv"},
	{APART, CROSS, "mq-send", "mq-receive"},
	/* memory */
	{FAR, ALL, "mmap " RANGES, NULL},
	{FAR, EACH, "fault-read fault-file mmap-file mincore mlock mremap", NULL},
	{NEAR, ALL, RANGES, NULL},
	{NEAR, EACH, "fault-read mincore", NULL},
	{APART, EACH, "mmap " RANGES " fault-read fault-file mmap-file mincore mlock mremap brk",
	 NULL},
	/* processes and threads */
	{APART, ALL, PROCESSES, NULL},
	{APART, CROSS, "fork-wait", "open fault mmap getpid kill-none"},
	{APART, EACH, "wait wait-none getpid getppid gettid getpgid kill-none pidfd-open", NULL},
	{THREADS, EACH, "thread getpid gettid", NULL},
	{APART, EACH, "switch futex-wake futex-wait yield setaffinity getaffinity", NULL},
	{APART, EACH, "setscheduler getparam getpriority setpriority", NULL},
	{THREADS, EACH, "switch futex-wake futex-wait yield setaffinity", NULL},
	/* signals, time, who one is */
	{APART, EACH, "raise kill-self sigqueue sigaction sigprocmask sigpending signalfd", NULL},
	{THREADS, EACH, "raise sigaction sigprocmask sigpending", NULL},
	{APART, EACH, "timer-create timer-settime timerfd timerfd-settime setitimer nanosleep",
	 NULL},
	{APART, EACH, "clock clock-call clock-cpu times getrusage", NULL},
	{THREADS, EACH, "timer-settime timerfd-settime nanosleep clock clock-call clock-cpu", NULL},
	{APART, EACH, "getuid setuid setgroups getgroups umask prctl-name", NULL},
	{APART, EACH, "getrlimit setrlimit uname getrandom", NULL},
	{THREADS, EACH, "getuid setuid getrlimit", NULL},
};

/* What depends on order by what POSIX says. */
static const struct {
	enum sharing sharing;
	const char *a;
	const char *b;
	const char *reason;
} ordered[] = {
	{SAME_DIR, "readdir", "creat", "the list shows whether the name was there"},
	{SAME_FILE, "stat", "pwrite", "stat shows the time of the write"},
	{SAME_FILE, "fstat", "pwrite", "stat shows the time of the write"},
	{SAME_HANDLE, "fstat", "pwrite", "stat shows the time of the write"},
	{SAME_FD, "fstat", "pwrite", "stat shows the time of the write"},
	{SAME_FILE, "append", "append", "the end of the file gives the order"},
	{SAME_HANDLE, "read", "read", "the offset gives the order"},
	{SAME_HANDLE, "pipe-write", "pipe-write", "the pipe keeps the order of bytes"},
	{SAME_HANDLE, "pipe-read", "pipe-read", "the pipe keeps the order of bytes"},
	/* Each asks for one event of a set where two are ready. */
	{SAME_HANDLE, "epoll-wait", "epoll-wait", "calls go round the ready descriptors"},
	{SAME_FD, "dup", "dup", "the lowest free descriptor is returned"},
	{THREADS, "dup", "dup", "the lowest free descriptor is returned"},
	{THREADS, "open", "open", "the lowest free descriptor is returned"},
};

static const char *const sharing_names[SHARINGS] = {
	[APART] = "apart",
	[SAME_DIR] = "same-dir",
	[SAME_FILE] = "same-file",
	[SAME_HANDLE] = "same-handle",
	[THREADS] = "threads",
	[SAME_FD] = "same-fd",
	[FAR] = "far",
	[NEAR] = "near",
};

const char *
sharing_name(enum sharing s)
{
	return sharing_names[s];
}

bool
sharing_is_threads(enum sharing s)
{
	return s >= THREADS;
}

/* The operation of that name of `length` letters. */
static const struct op *
find(const char *name, size_t length)
{
	static const struct op *const lists[] = {ops_path, ops_handle, ops_memory, ops_process,
						 ops_system, ops_ipc};

	for (unsigned int i = 0; i < array_size(lists); i++)
		for (const struct op *op = lists[i]; op->name != NULL; op++)
			if (strlen(op->name) == length && memcmp(op->name, name, length) == 0)
				return op;
	printf("# no operation %.*s\n", (int)length, name);
	abort();
}

/* The operation at *names, which moves on; NULL at the end. */
static const struct op *
next(const char **names)
{
	size_t length = strcspn(*names, " ");
	const struct op *op;

	if (length == 0)
		return NULL;
	op = find(*names, length);
	*names += length + ((*names)[length] == ' ');
	return op;
}

static const char *
reason_of(const struct pair *p)
{
	for (unsigned int i = 0; i < array_size(ordered); i++)
		if (ordered[i].sharing == p->sharing && strcmp(ordered[i].a, p->a->name) == 0 &&
		    strcmp(ordered[i].b, p->b->name) == 0)
			return ordered[i].reason;
	return NULL;
}

static void
apply(const struct rule *r, void (*visit)(const struct pair *p))
{
	struct pair p = {.sharing = r->sharing};
	const char *a = r->a, *b;

	while ((p.a = next(&a)) != NULL) {
		/* EACH and ALL begin with the operation itself. */
		b = r->combine == CROSS ? r->b : a;
		p.b = r->combine == CROSS ? next(&b) : p.a;
		do {
			p.reason = reason_of(&p);
			visit(&p);
		} while (r->combine != EACH && (p.b = next(&b)) != NULL);
	}
}

void
pairs_for_each(void (*visit)(const struct pair *p))
{
	for (unsigned int i = 0; i < array_size(rules); i++)
		apply(&rules[i], visit);
}
