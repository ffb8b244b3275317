/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside fine leaves: for mm/fine.c, which tells the model, and the tests. */
#ifndef MM_FINE_IMPL_H
#define MM_FINE_IMPL_H

#include "mm/space_impl.h"

struct record {
	u32 lock;
	/* (lock) */
	meta_t meta;
	u64 entry;
	/* (lock)  as pt->cpus */
	u64 cpus;
} __cacheline_aligned;

struct fine {
	struct record record[PTE_COUNT];
	/* a  CPUs with a leaf */
	u64 cpus;
	struct rcu_head rcu;
	/* a  by CPU */
	u64 *leaf[];
};

#endif
