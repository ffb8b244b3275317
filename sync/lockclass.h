/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lock classes and ranks. A CPU or task that holds a lock of rank r may take
 * only locks of a rank above r (same rank: only through the _nested forms, in
 * address order). Debug kernels check it, and that a class taken in interrupts
 * is never held with interrupts on. tools/gen-docs makes
 * Documentation/locking.md of the ranks below.
 */
#ifndef SYNC_LOCKCLASS_H
#define SYNC_LOCKCLASS_H

#include "config/config.h"
#include "lib/section.h"
#include "lib/types.h"

/* Outermost first. Sleeping locks come before spinning ones. */
enum lock_rank {
	RANK_NONE = 0,
	/* uring/: sleeping; held while requests are started */
	RANK_URING = 4,
	/* kernel/handle and fs/: sleeping */
	RANK_FILE_POS = 8,
	RANK_SB_MOUNT = 10,
	RANK_RENAME = 14,
	/* A splice holds its pipe while it writes to a file. */
	RANK_PIPE = 15,
	RANK_PIPE2 = 16,
	RANK_INODE = 18,
	RANK_INODE_CHILD = 19,
	RANK_INODE_NESTED = 20,
	RANK_EPOLL = 30,
	RANK_SOCKET_READ = 32,
	RANK_TTY = 34,
	RANK_TTY_WRITE = 36,
	/* kernel/: sleeping */
	RANK_EXEC = 40,
	RANK_PROCESS = 44,
	RANK_SECCOMP = 46,
	RANK_FUTEX_PI = 48,
	RANK_TRACE = 54,
	/* ipc/ and mm/: sleeping */
	RANK_BRK = 56,
	RANK_SHM_ATTACH = 57,
	RANK_IPC_IDS = 58,
	/* mm/: sleeping */
	RANK_SPACE = 60,
	RANK_PAGECACHE = 64,
	RANK_PERCPU_ALLOC = 70,
	RANK_VMALLOC = 72,
	RANK_CPU_HOTPLUG = 74,
	RANK_RCU_SYNC = 78,
	RANK_SLEEPING_LAST = 99,
	/* spinning */
	RANK_MOUNT_TABLE = 100,
	RANK_DENTRY = 104,
	RANK_DENTRY_CHILD = 105,
	RANK_ICACHE = 108,
	RANK_FILE_LOCKS = 112,
	RANK_INOTIFY = 114,
	RANK_FDTABLE = 116,
	RANK_ASYNC = 118,
	RANK_IPC = 119,
	RANK_TASKLIST = 120,
	RANK_SIGHAND = 124,
	RANK_TTY_SPIN = 128,
	RANK_CRED = 130,
	RANK_POSIX_TIMER = 132,
	RANK_SOCKET_NAMES = 133,
	RANK_SOCKET = 134,
	RANK_SOCKET2 = 135,
	RANK_FUTEX = 136,
	RANK_FUTEX2 = 137,
	RANK_ARENA = 140,
	RANK_PT = 144,
	RANK_PT_L3 = 145,
	RANK_PT_L2 = 146,
	RANK_PT_L1 = 147,
	RANK_PAGE = 150,
	RANK_RWSEM = 154,
	RANK_PIMUTEX_CYCLE = 155,
	RANK_PIMUTEX = 156,
	RANK_URING_SPIN = 157,
	RANK_URING_CQ = 158,
	RANK_WAITQ = 160,
	RANK_WAITQ_NESTED = 161,
	RANK_URING_POOL = 162,
	RANK_TASK_PI = 164,
	RANK_RUNQ = 170,
	RANK_RUNQ2 = 171,
	RANK_TIMER = 174,
	RANK_RCU_NODE = 178,
	RANK_SLAB = 184,
	RANK_BUDDY = 188,
	RANK_VMALLOC_SPIN = 189,
	RANK_IDPOOL = 190,
	RANK_DEVICE = 192,
	RANK_LOG = 196,
	RANK_LEAF = 200,
};

/*
 * A class is constant; what a debug kernel learns about its use lies beside it
 * (bits LOCK_USED_*).
 */
struct lock_class {
	const char *name;
	u16 rank;
#if CONFIG_DEBUG
	/* a */
	u32 *usage;
#endif
};

/* Keeps the class in a lock; kernels that check nothing do not. */
#if CONFIG_DEBUG
#define lock_class_set(l, c) ((l)->class = (c))
#else
#define lock_class_set(l, c) ((void)0)
#endif

/* Uncontended lock operations are inline, and ordinary functions where they are checked. */
#if CONFIG_DEBUG
#define LOCK_INLINE
#else
#define LOCK_INLINE static inline __maybe_unused
#endif

/* What is waited for, for tracepoints. */
#define LOCK_WAIT_SPIN 0x01u
#define LOCK_WAIT_READ 0x02u
#define LOCK_WAIT_WRITE 0x04u
#define LOCK_WAIT_MUTEX 0x20u

/* Taken in a hard interrupt; in a softirq; elsewhere with these two enabled. */
#define LOCK_USED_HARDIRQ 0x01u
#define LOCK_USED_SOFTIRQ 0x02u
#define LOCK_USED_HARDIRQ_ON 0x04u
#define LOCK_USED_SOFTIRQ_ON 0x08u
#define LOCK_USED_REPORTED 0x10u

/*
 * One definition a class: static LOCK_CLASS(runq_class, RANK_RUNQ); debug kernels
 * give them numbers (sync/lock_stat.c).
 */
#if CONFIG_DEBUG
#define LOCK_CLASS(id, r)                                                                          \
	REGISTER(lock_classes)                                                                     \
	const struct lock_class id = {.name = #id, .rank = (r), .usage = &(u32){0}}
#else
#define LOCK_CLASS(id, r) const struct lock_class id __maybe_unused = {.name = #id, .rank = (r)}
#endif

#endif
