/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sequence counts: readers that write nothing and retry if a writer passed.
 * Writers exclude one another by other means and are pinned (a reader in an
 * interrupt on the same CPU: with interrupts off), as readers spin meanwhile.
 * Readers may see any mixture of values before they retry: they follow no
 * pointer that they read.
 *
 * Ordering:
 *      seq_write_begin                 seq_read_retry
 *      seq + 1, odd                    fields are read
 *      write barrier                   read barrier
 *      fields are written              seq is read
 *      Who reads a new field finds the count changed.
 *
 *      seq_write_end                   seq_read_begin
 *      fields are written              seq is read, even (acquire)
 *      seq + 1, even (release)         fields are read
 *      Who finds the new count reads the new fields.
 */
#ifndef SYNC_SEQ_H
#define SYNC_SEQ_H

#include "arch/x86_64/asm/barrier.h"
#include "arch/x86_64/asm/insn.h"
#include "lib/types.h"

struct seqcount {
	/* a  odd while a writer is inside */
	u32 seq;
};

static inline u32
seq_read_begin(const struct seqcount *s)
{
	u32 v;

	while (unlikely((v = smp_load_acquire(&s->seq)) & 1))
		cpu_relax();
	return v;
}

/* True: what was read since is not consistent; read again. */
static inline bool
seq_read_retry(const struct seqcount *s, u32 v)
{
	smp_rmb();
	return unlikely(READ_ONCE(s->seq) != v);
}

static inline void
seq_write_begin(struct seqcount *s)
{
	WRITE_ONCE(s->seq, READ_ONCE(s->seq) + 1);
	smp_wmb();
}

static inline void
seq_write_end(struct seqcount *s)
{
	smp_store_release(&s->seq, READ_ONCE(s->seq) + 1);
}

#endif
