/* SPDX-License-Identifier: BSD-2-Clause */
/* Between locks.c and locks_set.c, which tells how the locks of a file are kept. */
#ifndef FS_LOCKS_IMPL_H
#define FS_LOCKS_IMPL_H

#include "lib/list.h"
#include "lib/types.h"
#include "sync/spinlock.h"
#include "sync/waitq.h"

#define OFFSET_MAX S64_MAX
/* Bands of a file's range go to so many lists, 1 << BANDS_BITS. */
#define BANDS_BITS 3
#define BANDS (1u << BANDS_BITS)

enum lock_kind { LOCK_POSIX, LOCK_OFD, LOCK_FLOCK };

struct lock {
	struct list link;
	enum lock_kind kind;
	/* F_RDLCK, F_WRLCK; F_UNLCK in requests */
	s32 type;
	/* struct files, or struct file */
	void *owner;
	s32 pid;
	s64 start;
	/* Inclusive. */
	s64 end;
};

/* Records that lie in some of the file's bands. */
struct lock_band {
	struct spinlock lock;
	/* l  by start */
	struct list records;
} __cacheline_aligned;

struct file_locks {
	struct spinlock lock;
	/* (lock)  by start: flock's; records, with all bands' locks too if there are bands */
	struct list flocks;
	struct list records;
	/* a  BANDS of them, published once, or NULL */
	struct lock_band *bands;
	/* (lock)  while there are none: who came last, and how often another CPU than before */
	u16 last_cpu;
	u16 turns;
	/* a  who sleeps for a release; rises with each that somebody may sleep for */
	u32 waiting;
	u64 released;
	struct waitq wait;
	/* (all_lock) */
	struct list all_link;
	/* I  for /proc/locks */
	u32 dev;
	u64 ino;
};

/* What is locked of a file's locks: all that a lock may have to do with. */
struct lock_scope {
	struct file_locks *fl;
	/* The only one; NULL: fl->lock and, if `all`, those of all bands. */
	struct lock_band *band;
	bool all;
	/* Bands would have helped, and are worth it. */
	bool split;
	u32 nr;
	struct list *lists[BANDS + 2];
};

struct file_locks *file_locks_alloc(void);
/* No lock is left. */
void file_locks_free(struct file_locks *fl);
/* May sleep; makes bands if scope_lock() found that they are worth it. */
void file_locks_split(struct file_locks *fl);

/* For a lock of r's kind and range. */
void scope_lock(struct lock_scope *s, struct file_locks *fl, const struct lock *r);
/* For all locks of the file. */
void scope_lock_all(struct lock_scope *s, struct file_locks *fl);
void scope_unlock(struct lock_scope *s);
/* The first lock, by start, after all that this has returned; begins with place zeroed. */
struct lock_place {
	struct lock *next[BANDS + 2];
	bool begun;
};
struct lock *scope_next(struct lock_scope *s, struct lock_place *p);

bool lock_same_owner(const struct lock *a, const struct lock *b);
/* The first by start that is in the way of `want`, or NULL. */
struct lock *scope_conflict(struct lock_scope *s, const struct lock *want);
/*
 * Makes the owner's range what `r` says. r is taken over if true is returned; *spare
 * (by lock_alloc()) is taken, and NULL then, if a lock falls in two.
 */
bool scope_apply(struct lock_scope *s, struct lock *r, struct lock **spare);
/* Drops what the owner has of this kind; true if it had any. */
bool scope_drop(struct lock_scope *s, enum lock_kind kind, const void *owner);

struct lock *lock_alloc(void);
void lock_free(struct lock *l);

#endif
