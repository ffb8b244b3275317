/* SPDX-License-Identifier: BSD-2-Clause */
/* System V IPC: the ABI (shmctl(2), semctl(2), msgctl(2)). */
#ifndef KERNEL_UAPI_IPC_H
#define KERNEL_UAPI_IPC_H

#include "lib/types.h"

#define IPC_PRIVATE 0
#define IPC_CREAT 01000u
#define IPC_EXCL 02000u
#define IPC_NOWAIT 04000u

#define IPC_RMID 0
#define IPC_SET 1
#define IPC_STAT 2
#define IPC_INFO 3

struct ipc64_perm {
	s32 key;
	u32 uid, gid, cuid, cgid;
	u32 mode;
	u16 seq;
	u16 pad[3];
	u64 unused[2];
};
static_assert(sizeof(struct ipc64_perm) == 48, "ABI");

/* --- shared memory --- */

/* shmget */
#define SHM_HUGETLB 04000u
#define SHM_NORESERVE 010000u
#define SHM_HUGE_SHIFT 26
/* shmat */
#define SHM_RDONLY 010000
#define SHM_RND 020000
#define SHM_REMAP 040000
#define SHM_EXEC 0100000
/* shmctl */
#define SHM_LOCK 11
#define SHM_UNLOCK 12
#define SHM_STAT 13
#define SHM_INFO 14
#define SHM_STAT_ANY 15
/* bits of ipc64_perm.mode */
#define SHM_DEST 01000u
#define SHM_LOCKED 02000u

struct shmid64_ds {
	struct ipc64_perm perm;
	u64 segsz;
	s64 atime, dtime, ctime;
	s32 cpid, lpid;
	u64 nattch;
	u64 unused[2];
};
static_assert(sizeof(struct shmid64_ds) == 112, "ABI");

struct shminfo64 {
	u64 shmmax, shmmin, shmmni, shmseg, shmall;
	u64 unused[4];
};

struct shm_info {
	s32 used_ids;
	s32 pad;
	u64 tot, rss, swp, swap_attempts, swap_successes;
};

/* --- semaphores --- */

#define SEM_UNDO 0x1000
#define GETPID 11
#define GETVAL 12
#define GETALL 13
#define GETNCNT 14
#define GETZCNT 15
#define SETVAL 16
#define SETALL 17
#define SEM_STAT 18
#define SEM_INFO 19
#define SEM_STAT_ANY 20

#define SEMVMX 32767
#define SEMAEM SEMVMX

struct sembuf {
	u16 num;
	s16 op;
	s16 flags;
};

struct semid64_ds {
	struct ipc64_perm perm;
	s64 otime;
	u64 unused1;
	s64 ctime;
	u64 unused2;
	u64 nsems;
	u64 unused3, unused4;
};
static_assert(sizeof(struct semid64_ds) == 104, "ABI");

struct seminfo {
	s32 semmap, semmni, semmns, semmnu, semmsl, semopm, semume, semusz, semvmx, semaem;
};

/* --- messages --- */

#define MSG_NOERROR 010000
#define MSG_EXCEPT 020000
#define MSG_COPY 040000
#define MSG_STAT 11
#define MSG_INFO 12
#define MSG_STAT_ANY 13

struct msqid64_ds {
	struct ipc64_perm perm;
	s64 stime, rtime, ctime;
	u64 cbytes, qnum, qbytes;
	s32 lspid, lrpid;
	u64 unused[2];
};
static_assert(sizeof(struct msqid64_ds) == 120, "ABI");

struct msginfo {
	s32 msgpool, msgmap, msgmax, msgmnb, msgmni, msgssz, msgtql;
	u16 msgseg;
};

/* --- POSIX message queues --- */

struct mq_attr {
	s64 flags, maxmsg, msgsize, curmsgs;
	s64 reserved[4];
};

#endif
