/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the three kinds of System V objects have in common: numbers, keys,
 * owners and permissions (ids.c).
 *
 * Model: an object has an id, by which it is used, and a key, by which ids are
 * found. An id is an index into a table and a sequence number above it, so that
 * the id of a removed object is not soon that of another.
 *
 * Ownership: the table has one reference, who uses an object without its lock
 * another; the memory goes a grace period after the last.
 *
 * Locking:
 *   1 ids->mutex     what is in the table; sleeping
 *   2 object->lock   the object; one at a time
 * Objects are found under RCU, without writing to anything; who has locked one
 * looks whether it was removed meanwhile. Keys are looked up so too.
 */
#ifndef IPC_IPC_IMPL_H
#define IPC_IPC_IMPL_H

#include "kernel/cred.h"
#include "kernel/uapi/ipc.h"
#include "lib/bitmap.h"
#include "lib/list.h"
#include "lib/types.h"
#include "sync/mutex.h"
#include "sync/rcu.h"
#include "sync/spinlock.h"

struct seq;

#define IPC_INDEX_BITS 15
/* Objects of a kind at most, whatever the settings say. */
#define IPC_INDEX_MAX (1u << IPC_INDEX_BITS)
#define IPC_CHUNK 64u
#define IPC_KEY_BITS 8
/* Who may read, and write: for ipc_permission(). */
#define IPC_READ 0444u
#define IPC_WRITE 0222u
/* What fits into an int of the ABI. */
#define IPC_INT_MAX 0x7fffffffu

struct ipc_object {
	struct spinlock lock;
	/* l  out of the table */
	bool removed;
	/* I  once it is in the table */
	s32 id;
	/* (ids->mutex and l; r)  IPC_PRIVATE: found by its id only */
	s32 key;
	/* I */
	u32 cuid, cgid;
	/* l r */
	u32 uid, gid;
	/* l r  permission bits; shared memory: SHM_DEST, SHM_LOCKED too */
	u32 mode;
	/* a */
	u32 refs;
	/* (ids->mutex, r) */
	struct hnode key_link;
	struct rcu_head rcu;
	/* The last reference has gone, and a grace period; may not sleep. */
	void (*free)(struct ipc_object *o);
};

struct ipc_chunk {
	/* r */
	struct ipc_object __rcu *slot[IPC_CHUNK];
};

struct ipc_ids {
	struct mutex mutex;
	/* l  what the next creation looks at */
	u32 used;
	u32 last_index;
	u32 sequence;
	/* a  sysctl: how many there may be; the id wanted next, -1 */
	u32 limit;
	s32 next_id;
	/* l  called with the new object's id before anybody finds it; may be NULL */
	void (*named)(struct ipc_object *o);
	/* l */
	BITMAP_DECLARE(index, IPC_INDEX_MAX);
	/* r  made when first needed, and kept */
	struct ipc_chunk __rcu *chunks[IPC_INDEX_MAX / IPC_CHUNK];
	/* r */
	struct hlist keys[1 << IPC_KEY_BITS];
};

/* shmget(2), semget(2), msgget(2). */
struct ipc_request {
	struct ipc_ids *ids;
	s32 key;
	u32 flags;
	u64 size;
	/* Makes an object, not in the table; err_ptr(-Exxx). May sleep. */
	struct ipc_object *(*make)(const struct ipc_request *r);
	/* Does one that is there do? 0 or -Exxx; NULL: any does. RCU section. */
	int (*suits)(const struct ipc_object *o, const struct ipc_request *r);
	/* Undoes make(), and puts the reference. May sleep. */
	void (*drop)(struct ipc_object *o);
};
/* The id, or -Exxx. May sleep. */
long ipc_get(const struct ipc_request *r);

/* Prepares a zeroed object: owner, permissions, one reference. */
void ipc_init(struct ipc_object *o, const struct ipc_request *r);
void ipc_put(struct ipc_object *o);
static inline void
ipc_hold(struct ipc_object *o)
{
	atomic_inc(&o->refs);
}

/* By id: err_ptr(-EINVAL). By index, whatever the sequence: so too. RCU section. */
struct ipc_object *ipc_find(struct ipc_ids *ids, s32 id);
struct ipc_object *ipc_find_index(struct ipc_ids *ids, s32 index);
/* The first from *index up, which moves behind it; NULL. RCU section. */
struct ipc_object *ipc_next(struct ipc_ids *ids, u32 *index);

/*
 * The object of an id, locked, in the RCU section that ipc_unlock() ends. With `perm`
 * (IPC_READ, IPC_WRITE) the caller must have them. -EINVAL, -EACCES, -EIDRM.
 */
struct ipc_object *ipc_lock(struct ipc_ids *ids, s32 id, u32 perm);
/* The same for IPC_SET, IPC_RMID and the like: owner, creator or CAP_SYS_ADMIN; -EPERM. */
struct ipc_object *ipc_lock_owned(struct ipc_ids *ids, s32 id);
void ipc_unlock(struct ipc_object *o);
/* For IPC_STAT (by id) and the *_STAT commands (by index); asks: the caller must have IPC_READ. */
struct ipc_object *ipc_lock_status(struct ipc_ids *ids, s32 nr, bool by_id, bool asks);

/* 0 or -EACCES: does the caller have what the bits of flags (any of the three places) say? */
int ipc_permission(const struct ipc_object *o, u32 flags);
bool ipc_owned(const struct ipc_object *o);
/* IPC_SET: 0 or -EINVAL (no such id). Locked. */
int ipc_set_owner(struct ipc_object *o, const struct ipc64_perm *p);
void ipc_show_perm(const struct ipc_object *o, struct ipc64_perm *p);

/*
 * Takes o out of the table, whose reference is the caller's then. ids->mutex and o->lock
 * are held.
 */
void ipc_remove(struct ipc_ids *ids, struct ipc_object *o);
/* From now on only the id finds it. ids->mutex and o->lock are held. */
void ipc_forget_key(struct ipc_object *o);
/* The highest index in use, 0 if there is none. */
long ipc_highest(struct ipc_ids *ids);
u32 ipc_used(struct ipc_ids *ids);

/* A line for each object, `show` under its lock. */
int ipc_show_all(struct ipc_ids *ids, struct seq *s,
		 void (*show)(struct ipc_object *o, struct seq *s));

/* sysctl: the id that the next object gets; -1: none is asked for. */
int ipc_show_next(struct ipc_ids *ids, struct seq *s);
int ipc_store_next(struct ipc_ids *ids, const char *text);

/* Seconds since 1970, and the caller's process number. */
s64 ipc_now(void);
s32 ipc_pid(void);

#endif
