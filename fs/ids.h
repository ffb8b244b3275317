/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small numbers, the lowest free one first: for what is made rarely and shown to
 * users (peer groups of mounts). What is made often takes percpu/idpool.h.
 */
#ifndef FS_IDS_H
#define FS_IDS_H

#include "lib/types.h"
#include "sync/mutex.h"

struct ids {
	struct mutex mutex;
	/* I  numbers first to first + limit - 1 */
	u32 first;
	u32 limit;
	/* (mutex)  bit set: in use; room bits, grows */
	unsigned long *used;
	u32 room;
	/* (mutex)  none is free below */
	u32 hint;
};

extern const struct lock_class ids_class;
#define IDS_INIT(name, from, n)                                                                    \
	{                                                                                          \
		.mutex = MUTEX_INIT((name).mutex, ids_class), .first = (from), .limit = (n)        \
	}

/* -ENOMEM, -ENOSPC when all are in use. May sleep. */
s32 ids_alloc(struct ids *ids);
void ids_free(struct ids *ids, u32 id);

#endif
