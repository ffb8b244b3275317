/* SPDX-License-Identifier: BSD-2-Clause */
/* Sleepable RCU: readers may sleep; each domain has its own grace periods. */
#ifndef SYNC_SRCU_H
#define SYNC_SRCU_H

#include "lib/types.h"
#include "percpu/percpu.h"
#include "sync/mutex.h"

/* Readers that entered and left in each phase, on one CPU; modulo 2^64. */
struct srcu_count {
	u64 entered[2];
	u64 left[2];
};

struct srcu {
	struct srcu_count __percpu *count;
	/* a  0 or 1: the phase that readers enter */
	unsigned int phase;
	/* one grace period at a time */
	struct mutex gp;
};

/* -ENOMEM. May sleep. */
int __must_check srcu_init(struct srcu *s);
/* No reader is inside and none will come. */
void srcu_fini(struct srcu *s);
/* Returns the index that the unlock wants. May sleep inside. */
int srcu_read_lock(struct srcu *s);
/* By the same or another task, on any CPU. */
void srcu_read_unlock(struct srcu *s, int idx);
/* Waits for all readers that are inside now. May sleep. */
void srcu_synchronize(struct srcu *s);

#endif
