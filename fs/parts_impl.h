/* SPDX-License-Identifier: BSD-2-Clause */
/* What fs/parts.c and fs/parts_write.c share. */
#ifndef FS_PARTS_IMPL_H
#define FS_PARTS_IMPL_H

#include "fs/parts.h"

/* Parts that a CPU may have of one inode's place in its table. */
#define PART_WAYS 4u
#define PART_LOCKED 1UL

struct part {
	/* a  inode and PART_LOCKED; who has it locked may change the rest */
	unsigned long key;
	/* times of changes here, and their steps; step 0: none since the last fold */
	s64 time[INODE_TIMES];
	u32 step[INODE_TIMES];
	/* names that were made here less those that were removed here */
	u32 links;
	/* writers that came in here */
	u32 inside;
	/* the access counts whatever else happened (strictatime) */
	bool strict;
} __cacheline_aligned;
static_assert(sizeof(struct part) == CACHE_LINE, "parts of two inodes share no line");

/* The place of i in a CPU's table: PART_WAYS parts. */
struct part *parts_of(const struct inode *i, unsigned int cpu);
u64 parts_cpu_bit(unsigned int cpu);
/* Locks p if it is i's. Pinned. */
bool part_lock(struct part *p, const struct inode *i);
/* This CPU's part of i, locked; NULL: there is no room. Pinned. */
struct part *part_get(struct inode *i);
/* How many parts are in use, for tests: exact while nobody changes that. */
unsigned int parts_used(void);

/* It is i's from now on, or (NULL) nobody's. */
static inline void
part_unlock(struct part *p, const struct inode *i)
{
	smp_store_release(&p->key, (unsigned long)i);
}

#endif
