/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program that runs pairs of operations on two CPUs, for tools/conflicts/plugin.c.
 * driver.c tells the model.
 */
#ifndef TESTS_CONFLICTS_CONFLICTS_H
#define TESTS_CONFLICTS_CONFLICTS_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SIDES 2
#define PAGE 4096UL
#define array_size(a) (sizeof(a) / sizeof((a)[0]))

/* What the two sides of a pair have in common, beside the kernel. */
enum sharing {
	/* processes: each its own directory, files, memory */
	APART,
	/* processes: files of different names in one directory */
	SAME_DIR,
	/* processes: one file, opened by each */
	SAME_FILE,
	/* processes: one open file, inherited */
	SAME_HANDLE,
	/* threads: one descriptor table, different objects */
	THREADS,
	/* threads: one descriptor */
	SAME_FD,
	/* threads: one address space, ranges that are gigabytes apart */
	FAR,
	/* threads: one address space, neighbouring pages */
	NEAR,
	SHARINGS,
};

/*
 * One side of a pair: its operation and what that works on. Threads of one process have
 * theirs in one array; a process uses only its own element.
 */
struct side {
	unsigned int number;
	const struct op *op;
	enum sharing sharing;
	/* Absolute: where its files are, the file it works on, a second name for it. */
	char dir[32];
	char path[48];
	char other[48];
	/* Open files, -1: none. The same number in both when inherited. */
	int fd;
	int fd2;
	/* Where its memory is to be, and how much. */
	char *memory;
	size_t length;
	/* Scratch of the operation: the result of run() for after(), and the like. */
	long result;
	void *object;
	pid_t child;
	_Atomic int word;
	struct {
		pthread_t thread;
		_Atomic int command;
	} helper;
};

/*
 * An operation; only run() is measured. setup() once, before and after() around each
 * run(), on the same CPU. Any of them but run() may be NULL.
 */
struct op {
	const char *name;
	void (*run)(struct side *s);
	void (*before)(struct side *s);
	void (*after)(struct side *s);
	void (*setup)(struct side *s);
	/* Makes what both share, before the sides exist; s: of either side. */
	void (*arrange)(struct side *s);
};

/* Operations by subject, ended by an element without a name. */
extern const struct op ops_path[], ops_handle[], ops_memory[], ops_process[], ops_system[],
	ops_ipc[];

/* A pair to run. reason: why POSIX does not let it commute; NULL: it does. */
struct pair {
	const struct op *a;
	const struct op *b;
	enum sharing sharing;
	const char *reason;
};

/* All pairs, in the table's order, for one that visit() wants. */
void pairs_for_each(void (*visit)(const struct pair *p));
const char *sharing_name(enum sharing s);
bool sharing_is_threads(enum sharing s);

/* Ends the program (the side, the pair) with a message if value is -1. Else value. */
long must_be(long value, const char *what, const char *file, int line);
#define must(call) must_be((long)(call), #call, __FILE__, __LINE__)
/* Runs the calling thread on one CPU from now on. */
void pin_to(unsigned int cpu);
/* Makes an empty file, or `length` bytes. */
void make_file(const char *path, size_t length);

/* Prints what has become of the page frames since the last call: frames.c. */
void frames_print(void);

#endif
