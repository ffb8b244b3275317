/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User address spaces (mm/space.c tells the model): the page table itself holds
 * what each range is; there is no tree of areas beside it.
 */
#ifndef MM_SPACE_H
#define MM_SPACE_H

#include "lib/list.h"
#include "lib/types.h"
#include "mm/page.h"
#include "percpu/counter.h"
#include "percpu/cpumask.h"
#include "sync/mutex.h"
#include "sync/spinlock.h"

struct file;
struct inode;
struct pagecache;
struct space;

/* Protection and flags of a mapping: the values of PROT_* and MAP_* of the ABI. */
#define PROT_READ 1u
#define PROT_WRITE 2u
#define PROT_EXEC 4u
#define PROT_GROWSDOWN 0x01000000u
#define PROT_GROWSUP 0x02000000u

/* Boot: caches and the zero page. */
void space_init(void);
/* vm.overcommit_memory, vm.overcommit_ratio, and Committed_AS in pages. */
extern int overcommit_mode;
extern u32 overcommit_ratio;
/* vm.mmap_min_addr: below that only who has CAP_SYS_RAWIO may map. */
extern unsigned long mmap_min_addr;
/* vm.max_map_count: mappings of a space, but for a few in each page-table page. */
extern u32 max_map_count;
DECLARE_COUNTER(committed_pages);
/* Promises pages that no mapping counts (negative: takes it back, cannot fail). 0 or -ENOMEM. */
int space_commit(s64 pages);

/* Who gets large pages: /sys/kernel/mm/transparent_hugepage/enabled. */
enum thp_policy { THP_NEVER, THP_MADVISE, THP_ALWAYS };
extern int thp_policy;

/* A new, empty space with one user; NULL without memory. */
struct space *space_create(void);
/* Users (tasks that run in it) and references (others who look at it, /proc). */
void space_get_user(struct space *s);
/* The last user tears all mappings down. May sleep. */
void space_put_user(struct space *s);
/* Has it this one user only? A snapshot. */
bool space_single_user(const struct space *s);
/* True and a user reference unless it is being torn down. */
bool space_try_get_user(struct space *s);
void space_get(struct space *s);
void space_put(struct space *s);
/* A copy for fork: shares pages copy-on-write. err_ptr(-ENOMEM). May sleep. */
struct space *space_fork(struct space *parent);

/*
 * Loads next's tables on this CPU (NULL: a kernel task; the loaded space stays
 * until something else is needed). Interrupts off, from the context switch.
 */
void space_switch_oncpu(struct space *next);

/* System V shared memory that is attached; the list is ipc/'s. */
struct space_shm {
	/* held while the space is forked */
	struct mutex lock;
	/* l */
	struct list attachments;
};
struct space_shm *space_shm(struct space *s);

/* Contexts of io_setup(2); the list is uring/'s. */
struct space_aio {
	struct spinlock lock;
	/* l */
	struct list contexts;
};
struct space_aio *space_aio(struct space *s);

/* What a mapping shows. All NULL/0 for anonymous memory. */
struct map_backing {
	/* Reference taken by the mapping; NULL: anonymous. */
	struct file *file;
	/* Offset in the file of the first byte; page-aligned. */
	u64 offset;
	/* Shown in /proc/PID/maps with `pages`: "[vdso]". Heap and stack are told by address. */
	const char *name;
	/* Kernel pages to map (vdso, vvar), as many as the mapping is long; never freed. */
	struct page **pages;
};

/*
 * mmap: addr is a hint or fixed by flags (MAP_FIXED, MAP_FIXED_NOREPLACE);
 * returns the address or -Exxx (EINVAL, ENOMEM, EEXIST, EPERM, EACCES, EAGAIN,
 * EOVERFLOW, ENODEV) as mmap(2). `b` may be NULL. May sleep.
 */
long space_map(struct space *s, unsigned long addr, size_t len, u32 prot, u32 flags,
	       const struct map_backing *b);
int space_unmap(struct space *s, unsigned long addr, size_t len);
int space_protect(struct space *s, unsigned long addr, size_t len, u32 prot);
/* The protection key of the page at addr; has the machine any? */
u32 space_pkey(struct space *s, unsigned long addr);
bool space_has_pkeys(void);

/* madvise(2) for any space that the caller has a user reference on. May sleep. */
long space_madvise(struct space *s, unsigned long addr, size_t len, int advice);
/* Frees the private memory of a space whose tasks are all being killed. May sleep. */
void space_reap(struct space *s);

/* Where brk starts (set by exec), and moves. */
void space_set_brk(struct space *s, unsigned long start);

/*
 * A page fault by user code or by a copy. access: FAULT_* bits. 0: resolved, go
 * on; -EFAULT with *sig set to what the program gets; -ENOMEM: out of memory.
 */
#define FAULT_WRITE 1u
#define FAULT_EXEC 2u
#define FAULT_USER 4u
/* A debugger's write: to what may not be written, but could be if mprotect asked. */
#define FAULT_FORCE 8u
/* Who asks does not wait for the program behind a userfaultfd: -EFAULT. */
#define FAULT_NOWAIT 16u
struct fault_sig {
	int signo;
	int code;
};
int space_fault(struct space *s, unsigned long addr, u32 access, struct fault_sig *sig);

/*
 * The next four: the caller has a user reference, may sleep.
 *
 * Brings in and pins one page (for futex keys, ptrace, /proc/PID/mem). Caller puts it.
 */
struct page *space_get_page(struct space *s, unsigned long addr, bool write);
/* Copies to or from a space that is not loaded; bytes copied (short at a fault). */
size_t space_access(struct space *s, unsigned long addr, void *buf, size_t n, bool write);
/* The same for who only looks, and does not wait for a userfaultfd's program. */
size_t space_peek(struct space *s, unsigned long addr, void *buf, size_t n);
/* The same for a debugger, who writes to text too (ptrace, /proc/PID/mem). */
size_t space_access_force(struct space *s, unsigned long addr, void *buf, size_t n, bool write);

/* Figures for /proc and getrusage, in pages. */
struct space_stat {
	/* data: private, writable; exec: executable, no stack in both; tables: page-table pages */
	u64 total, resident, shared_file, shared_anon, text, data, stack, exec, locked, tables,
		swap, peak_total, peak_resident;
};
/* All zero (but the peaks) for a space that is being torn down. May sleep. */
void space_stat(struct space *s, struct space_stat *st);
/* Most pages resident so far: the cheap part of the above. */
u64 space_peak_resident(struct space *s);

/* One run of equal mappings, as a line of /proc/PID/maps. */
struct map_info {
	unsigned long start, end;
	u32 prot;
	bool shared, growsdown, locked;
	u64 offset;
	/* Borrowed while the walk's callback runs. */
	struct file *file;
	const char *name;
	/* Filled in for smaps: pages. */
	u64 rss, pss_4096ths, shared_clean, shared_dirty, private_clean, private_dirty, referenced,
		anonymous, anon_huge, swap;
	/* MAPPING_* below, and what mprotect may give */
	u32 vm_flags;
	u32 max_prot;
	/* protection key */
	u32 pkey;
};

/* What a mapping is besides its protection (VmFlags of smaps). */
#define MAPPING_LOCKED 0x0001u
#define MAPPING_LOCKONFAULT 0x0002u
#define MAPPING_NORESERVE 0x0004u
#define MAPPING_DONTFORK 0x0008u
#define MAPPING_WIPEONFORK 0x0010u
#define MAPPING_DONTDUMP 0x0020u
#define MAPPING_HUGE 0x0040u
#define MAPPING_NOHUGE 0x0080u
#define MAPPING_SEQ_READ 0x0100u
#define MAPPING_RAND_READ 0x0200u
#define MAPPING_GROWSDOWN 0x0400u
/* madvise(MADV_MERGEABLE): equal pages might be merged; nobody does. */
#define MAPPING_MERGEABLE 0x0800u
/* Counted in Committed_AS. */
#define MAPPING_ACCOUNT 0x100000u
#define MAPPING_SHARED 0x200000u
/* Kernel pages (vdso). */
#define MAPPING_SPECIAL 0x10000u
/* Registered with a userfaultfd. */
#define MAPPING_UFFD_MISSING 0x20000u
#define MAPPING_UFFD_WP 0x40000u
#define MAPPING_UFFD_MINOR 0x80000u

/* Calls fn for each run from `from` up, in order, with no lock held, until it returns non-zero. */
int space_for_each(struct space *s, unsigned long from, bool smaps,
		   int (*fn)(const struct map_info *mi, void *ctx), void *ctx);

/* Layout facts that exec sets and /proc shows. */
struct space_layout {
	unsigned long start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
	unsigned long arg_start, arg_end, env_start, env_end;
	u64 auxv[64];
	u32 auxv_n;
};
struct space_layout *space_layout(struct space *s);
/* The executable: nobody can open it to write until the space ends. From exec; may be NULL. */
void space_set_exe(struct space *s, struct file *f);
/* For /proc/PID/exe, with a reference; may be NULL. */
struct file *space_get_exe(struct space *s);

#endif
