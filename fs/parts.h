/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each CPU keeps of an inode that several change: times, links, writers
 * inside. (fs/parts.c and, of writers, fs/parts_write.c tell the model.)
 */
#ifndef FS_PARTS_H
#define FS_PARTS_H

#include "fs/vfs.h"
#include "kernel/time/clock.h"

struct part;

/* In inode->parts, above the CPUs: parts may count links; writers may come in beside others. */
#define PARTS_LINKS BIT(62)
#define PARTS_WRITE BIT(63)

/* --- times --- */

/* mtime and ctime, or ctime only, become now. Any context that may take ->lock. */
void inode_touch_mtime(struct inode *i);
void inode_touch_ctime(struct inode *i);
/* All three. */
void inode_touch_all(struct inode *i);
/* atime becomes now; relative: only if the file was changed since, or a day ago. */
void inode_touch_access(struct inode *i, bool relative);

#define DAY_NS (86400 * (s64)NSEC_PER_SEC)

/* Does a read now change atime, by the rule of relatime and what the inode itself says? */
static inline bool
inode_access_counts(const struct inode *i, s64 now)
{
	s64 atime = READ_ONCE(i->time[TIME_ACCESS]);

	return atime <= READ_ONCE(i->time[TIME_MODIFY]) ||
	       atime <= READ_ONCE(i->time[TIME_CHANGE]) || now - atime >= DAY_NS;
}

/* There was a change at `when`; the latest counts. ->lock is held. */
void inode_set_time(struct inode *i, enum inode_time t, s64 when);
/* atime or mtime is `value` until the next change. ->lock is held. */
void inode_give_time(struct inode *i, enum inode_time t, s64 value);

/* --- links --- */

/* One more name; *first: it had none. -ENOENT: it has none, and may not have one. */
int inode_add_link(struct inode *i, bool *first);
/* n names less; true: none is left. */
bool inode_drop_links(struct inode *i, u32 n);

/* --- all of it --- */

void inode_fold_slow(struct inode *i);

/* Times and links of the inode are right up to here. No sleep. */
static inline void
inode_fold(struct inode *i)
{
	if (unlikely(READ_ONCE(i->parts)))
		inode_fold_slow(i);
}

/* --- writers --- */

/*
 * Begins a write that neither moves the end of the file nor excludes other writers
 * of this kind; who changes size, pages or seals is kept out. NULL: not now, take
 * inode_lock(). May sleep inside; ends on any CPU.
 */
struct part *inode_enter(struct inode *i);
void inode_leave(struct inode *i, struct part *p);
void inode_close_slow(struct inode *i);
void inode_open_slow(struct inode *i);

/* Excludes all other writers: ->mutex, and those that are inside. May sleep. */
static inline void
inode_lock(struct inode *i) __no_thread_safety
{
	mutex_lock(&i->mutex);
	if (unlikely(READ_ONCE(i->parts) & PARTS_WRITE))
		inode_close_slow(i);
}

static inline void
inode_unlock(struct inode *i) __no_thread_safety
{
	mutex_unlock(&i->mutex);
}

/* The same; open: if several CPUs change the file, writers may come in from now on. */
static inline void
inode_unlock_open(struct inode *i, bool open) __no_thread_safety
{
	if (unlikely(READ_ONCE(i->parts)) && open)
		inode_open_slow(i);
	mutex_unlock(&i->mutex);
}

#endif
