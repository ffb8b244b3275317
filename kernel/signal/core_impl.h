/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of core dumps see of each other; kernel/signal/coredump.c tells the model. */
#ifndef KERNEL_SIGNAL_CORE_IMPL_H
#define KERNEL_SIGNAL_CORE_IMPL_H

#include "kernel/signal/signal_task.h"
#include "lib/list.h"
#include "lib/types.h"

struct file;
struct seq;
struct siginfo;
struct task;

/* A thread that waits until the dump is over; on its stack. */
struct core_thread {
	struct list link;
	struct task *task;
};

/* A dump; on the stack of the thread that makes it. */
struct core {
	/* I  who dumps, and what of */
	struct task *dumper;
	const struct siginfo *info;
	/* (process->lock)  the others: those that have come, how many have not */
	struct list threads;
	u32 missing;
	/* o  where it goes: a pipe has no holes */
	struct file *file;
	bool pipe;
	/* o  where the next byte goes; bytes written so far, and how many may be */
	u64 pos, written, limit;
	/* o  one page, for copies */
	u8 *page;
};

/* Writes n bytes: 0, -EFBIG at the limit, or the file's error. */
int core_emit(struct core *c, const void *data, size_t n);
/* What is written next comes at pos, with zeros before it. 0 or -Exxx. */
int core_skip(struct core *c, u64 pos);

/* core_elf.c: all of the file. False: nothing of it could be written. */
bool core_elf_write(struct core *c);

/* What kernel.core_pattern makes of a dump. */
struct core_name {
	/* The file's name; or the words of a command, each with its NUL. kvfree() it. */
	char *text;
	u32 words;
	/* It is a command; that wants a pidfd as its descriptor 3 (%F). */
	bool pipe, pidfd;
};
/* core_name.c. 0, -ENOMEM, -EINVAL (a command without words). */
int core_name_make(struct core_name *n, const struct core *c);
/* Is it a command at this moment? */
bool core_name_is_pipe(void);

#endif
