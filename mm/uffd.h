/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page faults of ranges of a space that a program answers (userfaultfd(2)): what
 * the handle of kernel/handle/userfaultfd.c is made of. mm/uffd.c tells the model.
 */
#ifndef MM_UFFD_H
#define MM_UFFD_H

#include "kernel/uapi/userfaultfd.h"
#include "lib/list.h"
#include "lib/types.h"
#include "sync/waitq.h"

struct region;
struct space;

/* Regions that ranges were given last; found again so that neighbours are one mapping. */
#define UFFD_REGIONS 8

struct uffd {
	/* a  the handle, regions, events of fork that nobody has read */
	u32 refs;
	/* I  UFFD_USER_MODE_ONLY */
	u32 flags;
	/* I  with a reference */
	struct space *space;
	/* a  UFFD_FEATURE_*, and UFFD_READY once they are chosen */
	u32 features;
	/* a  changes of the space that nobody has read of yet */
	u32 changing;
	struct spinlock lock;
	/* (lock)  the handle is closed: nobody waits any more */
	bool released;
	/* a  and its ranges are ordinary again */
	bool gone;
	/* (lock)  struct uffd_wait: faults not read, and read; oldest first */
	struct list faults, served;
	/* (lock)  struct uffd_event that nobody has read */
	struct list events;
	/* (lock)  with references */
	struct region *regions[UFFD_REGIONS];
	u32 next_region;
	/* who polls and reads; who waits in a fault or with an event */
	struct waitq readers, waiters;
};
#define UFFD_READY 0x80000000u

/* For a space; err: NULL, no memory. The reference is the handle's. */
struct uffd *uffd_create(struct space *s, u32 flags, u32 features);
static inline void
uffd_get(struct uffd *u)
{
	atomic_inc(&u->refs);
}
void uffd_put(struct uffd *u);
/* The handle is closed: ranges are as before, and who waits goes on. Puts. May sleep. */
void uffd_release(struct uffd *u);

/* The features are chosen, once. False: they are already. */
bool uffd_choose_features(struct uffd *u, u32 features);
static inline bool
uffd_ready(const struct uffd *u)
{
	return READ_ONCE(u->features) & UFFD_READY;
}

/*
 * The ioctls; ranges are the space's addresses, checked by uffd_check_range(). May
 * sleep. Errors as ioctl_userfaultfd(2).
 */
int uffd_check_range(u64 start, u64 len);
int uffd_register(struct uffd *u, unsigned long start, unsigned long end, u32 modes);
int uffd_unregister(struct uffd *u, unsigned long start, unsigned long end);
void uffd_wake(struct uffd *u, unsigned long start, unsigned long end);
int uffd_protect(struct uffd *u, unsigned long start, unsigned long end, bool on);

enum uffd_fill_kind { UFFD_FILL_COPY, UFFD_FILL_ZERO, UFFD_FILL_CONTINUE };
struct uffd_fill {
	enum uffd_fill_kind kind;
	unsigned long start, end;
	/* COPY: from here, in current's memory */
	unsigned long src;
	/* write-protected */
	bool protect;
};
/* Bytes, fewer if it stopped, or why it could not begin. */
s64 uffd_fill(struct uffd *u, const struct uffd_fill *fill);

/*
 * The next message. 0, -EAGAIN. Of a fork *child is the new one's reference; the event stays
 * until uffd_fork_read() says whether it was taken over.
 */
struct uffd_event;
int uffd_next(struct uffd *u, struct uffd_msg *msg, struct uffd_event **fork, struct uffd **child);
void uffd_fork_read(struct uffd *u, struct uffd_event *fork, bool taken);
bool uffd_readable(struct uffd *u);
/* Faults that wait: not read, all. */
void uffd_count(struct uffd *u, unsigned long *pending, unsigned long *total);

#endif
