/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small numbers (pids, inode numbers, pty numbers) handed out without a shared
 * line: each CPU owns a range at a time and returns what it does not need.
 */
#ifndef PERCPU_IDPOOL_H
#define PERCPU_IDPOOL_H

#include "lib/types.h"

struct idpool;

/*
 * Ids first to last inclusive; each CPU takes about `chunk` at a time (the pool
 * may choose more: at least 64, and no more than 16384 chunks in all). Memory:
 * a cache line or more for each chunk, a page of chunks at a time, once one of
 * them was used. NULL: no memory. May sleep.
 */
struct idpool *idpool_create(u32 first, u32 last, u32 chunk);
/* May sleep. p may be NULL. */
void idpool_destroy(struct idpool *p);
/*
 * A free id, or -EAGAIN when all are in use, -ENOMEM. Prefers ids not used for
 * long (a pid must not be reused at once). May sleep.
 */
s64 idpool_alloc(struct idpool *p);
/* Takes this very id; -EEXIST if in use, -EINVAL if outside, -ENOMEM. May sleep. */
int idpool_take(struct idpool *p, u32 id);
/* Any context. */
void idpool_free(struct idpool *p, u32 id);
/* Ids in use: a walk over the pool. */
u64 idpool_used(const struct idpool *p);

#endif
