/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tallies: reference counts whose gets and puts stay on their CPU, and whose last
 * put is still known at once. For objects that many CPUs use and whose end somebody
 * waits for (the handle of a pipe's end); where nobody waits, a drained reference
 * (percpu/ref.h) is cheaper still. percpu/tally.c tells the model.
 *
 * Rules: none of these in interrupts. An object that is looked for under RCU
 * (tally_try_get) is freed after a grace period.
 */
#ifndef PERCPU_TALLY_H
#define PERCPU_TALLY_H

#include "lib/types.h"

struct tally {
	/* a  count, and which CPUs ever kept a part of it (percpu/tally.c) */
	u64 word;
};

/* n references, n > 0, held by the caller. */
void tally_init(struct tally *t, u32 n);
/* The caller holds a reference. */
void tally_get(struct tally *t);
/* In an RCU section, of an object that may be gone: false if it is. */
bool tally_try_get(struct tally *t);
/* True for the one put that was the last. */
bool __must_check tally_put(struct tally *t);
/* How many there are; the caller makes sure that it is one at least. Slow. */
u64 tally_sum(struct tally *t);

/* One reference, the caller's, and never more than one at a time when others could have used it. */
static inline bool
tally_is_sole(const struct tally *t)
{
	return READ_ONCE(t->word) == 1;
}

#endif
