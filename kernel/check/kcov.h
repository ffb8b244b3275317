/* SPDX-License-Identifier: BSD-2-Clause */
/* Which code a task runs (CONFIG_KCOV; kernel/check/kcov.c tells the model). */
#ifndef KERNEL_CHECK_KCOV_H
#define KERNEL_CHECK_KCOV_H

#include "config/config.h"
#include "lib/types.h"

struct file;
struct kcov;

enum kcov_mode {
	/* No memory yet. */
	KCOV_DISABLED,
	/* Memory, and no task. */
	KCOV_INIT,
	KCOV_TRACE_PC,
	KCOV_TRACE_CMP,
};

/* Of a task; all but mode is valid while mode is one of the last two. */
struct task_kcov {
	/* enum kcov_mode */
	u32 mode;
	/* Words in the memory, and where they are, a page each. */
	u32 size;
	u64 **words;
	struct kcov *kcov;
};

#if CONFIG_KCOV
/* The current task exits. */
void kcov_task_exit(void);
#else
static inline void
kcov_task_exit(void)
{
}
#endif

/* --- for fs/debugfs/kcov.c; errors are those of the ioctls --- */

/* One reference; NULL: no memory. */
struct kcov *kcov_alloc(void);
void kcov_put(struct kcov *k);
/* Gives k its memory: takes `memory`, a file of size * 8 bytes, and a reference of each page. */
int kcov_init_trace(struct kcov *k, struct file *memory, u64 **words, u32 size);
/* The memory's file (borrowed), and its words; NULL: none yet. */
struct file *kcov_memory(struct kcov *k, u32 *size);
/* What the current task runs is written there from now on. */
int kcov_enable(struct kcov *k, enum kcov_mode mode);
int kcov_disable(struct kcov *k);
/* Lets go of pages that were not given to a kcov. */
void kcov_pages_put(u64 **words, size_t pages);

#endif
