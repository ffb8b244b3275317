/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files about shared memory share. (shm.c tells the model.) */
#ifndef IPC_SHM_IMPL_H
#define IPC_SHM_IMPL_H

#include "ipc/ipc_impl.h"
#include "kernel/file.h"

struct user;

struct shm {
	struct ipc_object ipc;
	/* I  bytes */
	u64 size;
	/* I  its memory; put when the segment is destroyed */
	struct file *file;
	/* I  pages that were promised */
	s64 committed;
	/* l  attachments, and attaching that is under way */
	u64 attached;
	/* l  seconds since 1970, 0: never; processes */
	s64 atime, dtime, ctime;
	s32 cpid, lpid;
	/* (shm_ids.mutex)  the task that made it; NULL: it has exited */
	const struct task *creator;
	/* l  whose locked pages they are; NULL: not locked */
	struct user *locker;
};

extern struct ipc_ids shm_ids;
/* sysctl kernel.shm_rmid_forced */
extern u32 shm_rmid_forced;

static inline struct shm *
shm_of(struct ipc_object *o)
{
	return container_of(o, struct shm, ipc);
}

static inline u64
shm_pages(const struct shm *s)
{
	return div_round_up(s->size, PAGE_SIZE);
}

/* --- shm.c --- */
/* Pages of all segments; of them in memory. */
u64 shm_total(void);
u64 shm_resident(const struct shm *s);
u64 shm_max(void);
u64 shm_all(void);
/* Is it to be destroyed when nobody has it attached? Locked. */
bool shm_doomed(const struct shm *s);
/* Destroys it unless somebody uses it. The caller has a reference, no lock. May sleep. */
void shm_reap(struct shm *s);
/* IPC_RMID: destroys it, or marks it to be. May sleep. */
int shm_mark(s32 id);
/* Gives back the locked pages, if they were. */
void shm_unlock_pages(struct shm *s);

#endif
