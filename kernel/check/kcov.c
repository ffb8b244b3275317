/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KCOV: a task is told which code it runs in the kernel, or what it compares.
 *
 * Model: the compiler calls a function below at the begin of each basic block and
 * before each comparison. Does the task that runs have a kcov in that mode, then
 * it writes a record into the kcov's memory, which the task has mapped:
 *
 *      WORD            MEANING
 *      0               number of records; the task resets it
 *      1 + i           mode PC: where the code is
 *      1 + 4 * i       mode CMP: bit 0 one operand is a constant (the first), bits 1
 *                      and 2 the logarithm of their size in bytes
 *      2 + 4 * i       first operand
 *      3 + 4 * i       second operand
 *      4 + 4 * i       where the code is
 *
 * What does not fit any more is not written. Interrupts that come in between are
 * not the task's work and write nothing, nor does a child.
 *
 * States of a kcov: DISABLED, INIT once it has memory (for ever), a mode while a
 * task has it; then INIT again.
 *
 * Ownership: the handle and the task hold a reference each; the last lets the
 * memory go, which is a nameless file that mappings share.
 *
 * Locking: kcov.lock (RANK_LEAF). A task's part is its own.
 *
 * Contexts: the functions that the compiler calls: any, and they call nothing.
 *
 * See: Linux's Documentation/dev-tools/kcov.rst.
 */
#include "kernel/check/kcov.h"

#include "arch/x86_64/asm/atomic.h"
#include "kernel/file.h"
#include "kernel/task/task.h"
#include "lib/errno.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "percpu/pin.h"
#include "sync/spinlock.h"

#define WORDS_EACH_PAGE (PAGE_SIZE / sizeof(u64))
#define WORDS_EACH_CMP 4
#define CMP_CONST 1u

struct kcov {
	/* a */
	u32 refs;
	struct spinlock lock;
	/* l  enum kcov_mode */
	u32 mode;
	/* l, then I */
	u32 size;
	u64 **words;
	struct file *memory;
};

__maybe_unused static LOCK_CLASS(kcov_class, RANK_LEAF);

/* Before the first task has one the code may run where there are no tasks. */
static bool kcov_used __read_mostly;

/* --- called by instrumented code --- */

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_cmp1(u8 a, u8 b);
void __sanitizer_cov_trace_cmp2(u16 a, u16 b);
void __sanitizer_cov_trace_cmp4(u32 a, u32 b);
void __sanitizer_cov_trace_cmp8(u64 a, u64 b);
void __sanitizer_cov_trace_const_cmp1(u8 a, u8 b);
void __sanitizer_cov_trace_const_cmp2(u16 a, u16 b);
void __sanitizer_cov_trace_const_cmp4(u32 a, u32 b);
void __sanitizer_cov_trace_const_cmp8(u64 a, u64 b);
void __sanitizer_cov_trace_switch(u64 v, const u64 *cases);

/* The current task's part, if it is in this mode; NULL. */
static __always_inline const struct task_kcov *
told(enum kcov_mode mode)
{
	const struct task_kcov *t;

	if (likely(!READ_ONCE(kcov_used)) || in_interrupt())
		return NULL;
	t = &current->kcov;
	return READ_ONCE(t->mode) == mode ? t : NULL;
}

static __always_inline u64 *
word(const struct task_kcov *t, u64 i)
{
	return &t->words[i / WORDS_EACH_PAGE][i % WORDS_EACH_PAGE];
}

void
__sanitizer_cov_trace_pc(void)
{
	const struct task_kcov *t = told(KCOV_TRACE_PC);
	u64 n;

	if (!t)
		return;
	/* The task may have written anything there. */
	n = READ_ONCE(*word(t, 0));
	if (n >= t->size - 1UL)
		return;
	/* Counted first: an interrupt here runs nothing that writes a record. */
	WRITE_ONCE(*word(t, 0), n + 1);
	barrier();
	WRITE_ONCE(*word(t, n + 1), (unsigned long)__builtin_return_address(0));
}

static __always_inline void
compared(u32 type, u64 a, u64 b, unsigned long pc)
{
	const struct task_kcov *t = told(KCOV_TRACE_CMP);
	u64 n, at;

	if (!t)
		return;
	n = READ_ONCE(*word(t, 0));
	if (n >= (t->size - 1UL) / WORDS_EACH_CMP)
		return;
	at = 1 + n * WORDS_EACH_CMP;
	WRITE_ONCE(*word(t, 0), n + 1);
	barrier();
	WRITE_ONCE(*word(t, at), (u64)type);
	WRITE_ONCE(*word(t, at + 1), a);
	WRITE_ONCE(*word(t, at + 2), b);
	WRITE_ONCE(*word(t, at + 3), pc);
}

#define DEFINE_CMP(bytes, type, shift)                                                             \
	void __sanitizer_cov_trace_cmp##bytes(type a, type b)                                      \
	{                                                                                          \
		compared((shift) << 1, a, b, (unsigned long)__builtin_return_address(0));          \
	}                                                                                          \
	void __sanitizer_cov_trace_const_cmp##bytes(type a, type b)                                \
	{                                                                                          \
		compared((shift) << 1 | CMP_CONST, a, b,                                           \
			 (unsigned long)__builtin_return_address(0));                              \
	}

DEFINE_CMP(1, u8, 0u)
DEFINE_CMP(2, u16, 1u)
DEFINE_CMP(4, u32, 2u)
DEFINE_CMP(8, u64, 3u)

void
__sanitizer_cov_trace_switch(u64 v, const u64 *cases)
{
	/* cases: how many there are, the size of v in bits, and the constants. */
	u32 type = CMP_CONST;

	if (cases[1] > 32)
		type |= 3 << 1;
	else if (cases[1] > 16)
		type |= 2 << 1;
	else if (cases[1] > 8)
		type |= 1 << 1;
	for (u64 i = 0; i < cases[0]; i++)
		compared(type, cases[2 + i], v, (unsigned long)__builtin_return_address(0));
}

/* --- a kcov --- */

struct kcov *
kcov_alloc(void)
{
	struct kcov *k = kzalloc(sizeof(*k), GFP_KERNEL);

	if (!k)
		return NULL;
	k->refs = 1;
	spin_init(&k->lock, &kcov_class);
	return k;
}

void
kcov_pages_put(u64 **words, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		page_put(virt_to_page(words[i]));
	kvfree(words);
}

void
kcov_put(struct kcov *k)
{
	if (!atomic_dec_and_test(&k->refs))
		return;
	if (k->memory) {
		kcov_pages_put(k->words, div_round_up((size_t)k->size, WORDS_EACH_PAGE));
		file_put(k->memory);
	}
	kfree(k);
}

int
kcov_init_trace(struct kcov *k, struct file *memory, u64 **words, u32 size)
{
	int err = 0;

	spin_lock(&k->lock);
	if (k->mode != KCOV_DISABLED) {
		err = -EBUSY;
	} else {
		k->memory = memory;
		k->words = words;
		k->size = size;
		k->mode = KCOV_INIT;
	}
	spin_unlock(&k->lock);
	return err;
}

struct file *
kcov_memory(struct kcov *k, u32 *size)
{
	struct file *f;

	spin_lock(&k->lock);
	f = k->memory;
	*size = k->size;
	spin_unlock(&k->lock);
	return f;
}

/* Lock held. */
static int
enable_locked(struct kcov *k, enum kcov_mode mode)
{
	struct task_kcov *t = &current->kcov;

	if (k->mode != KCOV_INIT)
		return -EINVAL;
	if (t->kcov)
		return -EBUSY;
	k->mode = mode;
	atomic_inc(&k->refs);
	t->kcov = k;
	t->size = k->size;
	t->words = k->words;
	WRITE_ONCE(kcov_used, true);
	barrier();
	WRITE_ONCE(t->mode, mode);
	return 0;
}

int
kcov_enable(struct kcov *k, enum kcov_mode mode)
{
	int err;

	spin_lock(&k->lock);
	err = enable_locked(k, mode);
	spin_unlock(&k->lock);
	return err;
}

/* The current task is told nothing any more. */
static void
leave(struct kcov *k)
{
	struct task_kcov *t = &current->kcov;

	WRITE_ONCE(t->mode, KCOV_DISABLED);
	barrier();
	t->kcov = NULL;
	t->words = NULL;
	spin_lock(&k->lock);
	k->mode = KCOV_INIT;
	spin_unlock(&k->lock);
	kcov_put(k);
}

int
kcov_disable(struct kcov *k)
{
	if (current->kcov.kcov != k)
		return -EINVAL;
	leave(k);
	return 0;
}

void
kcov_task_exit(void)
{
	if (current->kcov.kcov)
		leave(current->kcov.kcov);
}
