/* SPDX-License-Identifier: BSD-2-Clause */
/* Lowest free numbers: a bitmap that grows. */
#include "fs/ids.h"
#include "lib/bitmap.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/fail.h"
#include "mm/slab.h"

#define ROOM_FIRST 512u

LOCK_CLASS(ids_class, RANK_PROCESS + 1);

static int
grow(struct ids *ids)
{
	u32 room = ids->room ? ids->room * 2 : ROOM_FIRST;
	size_t old = BITS_TO_LONGS(ids->room) * sizeof(long);
	size_t size = BITS_TO_LONGS(room) * sizeof(long);
	unsigned long *used = krealloc(ids->used, size, GFP_KERNEL);

	if (!used)
		return -ENOMEM;
	memset((char *)used + old, 0, size - old);
	ids->used = used;
	ids->room = room;
	return 0;
}

s32
ids_alloc(struct ids *ids)
{
	size_t n;
	s32 r = 0;

	mutex_lock(&ids->mutex);
	n = ids->room ? bitmap_next_zero(ids->used, ids->room, ids->hint) : 0;
	if (fail_alloc(GFP_KERNEL))
		r = -ENOMEM;
	else if (n >= ids->limit)
		r = -ENOSPC;
	else if (n >= ids->room)
		r = grow(ids);
	if (!r) {
		bit_set(ids->used, n);
		ids->hint = n + 1;
		r = ids->first + n;
	}
	mutex_unlock(&ids->mutex);
	return r;
}

void
ids_free(struct ids *ids, u32 id)
{
	u32 n = id - ids->first;

	mutex_lock(&ids->mutex);
	bit_clear(ids->used, n);
	ids->hint = min(ids->hint, n);
	mutex_unlock(&ids->mutex);
}
