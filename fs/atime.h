/* SPDX-License-Identifier: BSD-2-Clause */
/* Times of access that CPUs keep (fs/atime.c). */
#ifndef FS_ATIME_H
#define FS_ATIME_H

#include "fs/vfs.h"

void atime_init(void);
/* i was read now, on this CPU. The caller has a reference. */
void atime_note(struct inode *i, s64 now);
/* The time of i's last access. */
s64 atime_latest(struct inode *i);
/* Forgets what CPUs have: the time is about to be set, or the inode ends. */
void atime_forget(struct inode *i);
/* Slots that name an inode without a link, on all CPUs: for tests. */
unsigned int atime_slots_used(void);

#endif
