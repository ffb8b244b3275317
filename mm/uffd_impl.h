/* SPDX-License-Identifier: BSD-2-Clause */
/* Between userfaultfd's files and those of faults and mappings (mm/uffd.c). */
#ifndef MM_UFFD_IMPL_H
#define MM_UFFD_IMPL_H

#include "mm/space_impl.h"
#include "mm/uffd.h"

/* Has s ever had a range of the kind? Else none of what follows need be called. */
static inline bool
space_has_uffd(const struct space *s)
{
	return unlikely(READ_ONCE(s->has_uffd));
}

/* --- uffd_range.c --- */
/*
 * The region for `plain` (anonymous, or of a file) with these modes: with a
 * reference. err_ptr(-ENOMEM). May sleep.
 */
struct region *uffd_region(struct uffd *u, struct region *plain, u32 modes);
/* Runs of `from` in [start, end) become ones of `to`. As range_apply(). */
int uffd_change(struct space *s, unsigned long start, unsigned long end, const struct region *from,
		struct region *to);

/* --- uffd_fill.c --- */
/* Is [start, end) one registered mapping? Then the region of *out is held. */
bool uffd_find_run(struct space *s, unsigned long start, unsigned long end, struct run *out);

/* --- uffd.c --- */
/* What a fault is to be told for. */
enum uffd_reason { UFFD_NONE, UFFD_MISSING, UFFD_WP, UFFD_MINOR };
/*
 * A fault at va is for r's program: waits until it has answered. 0: try again (or a
 * signal is to be handled first); -EFAULT: nobody will answer. No lock is held.
 */
int uffd_wait_fault(struct space *s, struct region *r, unsigned long va, u32 access,
		    enum uffd_reason reason);

/* --- uffd_event.c --- */
struct uffd_event {
	/* (u->lock)  in u->events, or of one that reads it; by hand of uffd_unmap_prepare() */
	struct list link;
	struct uffd *uffd;
	struct uffd_msg msg;
	/* UFFD_EVENT_FORK: the child's, one reference is ours */
	struct uffd *child;
	/* (u->lock) */
	enum { EVENT_QUEUED, EVENT_READING, EVENT_DONE } state;
};
/* Does r's program want to know of this (UFFD_FEATURE_EVENT_*)? */
bool uffd_wants(const struct region *r, u32 event);
/* From now until uffd_event_send() memory is not filled. */
void uffd_event_begin(struct uffd *u);
/* Waits until e is read, or the handle closed. */
void uffd_event_send(struct uffd_event *e);
/* The change was not made. */
void uffd_event_cancel(struct uffd_event *e);
/* [start, end) is about to lose its pages (madvise). r is held. */
void uffd_tell_remove(const struct region *r, unsigned long start, unsigned long end);
/* [start, end) is about to be unmapped: events to send when it is. 0 or -ENOMEM. */
int uffd_unmap_prepare(struct space *s, unsigned long start, unsigned long end,
		       struct list *events);
void uffd_unmap_done(struct list *events);
/* The child's ranges that are copies of the parent's: of none, or of a handle of its own. */
int uffd_fork(struct space *child, struct list *events);
/* Sends the events, or forgets them. */
void uffd_fork_done(struct list *events, bool send);

#endif
