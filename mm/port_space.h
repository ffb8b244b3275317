/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What address spaces and the page cache need from kernel/ and fs/: files, limits,
 * the current task, randomness, the list of processes. Defined in
 * kernel/mm_port.c and fs/mm_port.c.
 */
#ifndef MM_PORT_SPACE_H
#define MM_PORT_SPACE_H

#include "lib/types.h"
#include "mm/space.h"

struct file;

/* --- kernel/mm_port.c --- */

void mm_port_file_get(struct file *f);
void mm_port_file_put(struct file *f);
/*
 * The same for the program that a space runs: nobody can open it to write. The caller
 * of the first has one, or has it from exec.
 */
void mm_port_exe_get(struct file *f);
void mm_port_exe_put(struct file *f);
/*
 * May f be mapped so, and what backs it? Fills *cache or *pages (both NULL:
 * anonymous memory, as /dev/zero). max_prot: what mprotect() may ask for later.
 * -ENODEV, -EACCES, -EPERM, -ETXTBSY, -ENOMEM.
 */
struct map_ask {
	u32 prot;
	u32 flags;
	size_t len;
	u64 offset;
	struct pagecache *cache;
	struct page **pages;
	u32 max_prot;
};
int mm_port_file_map(struct file *f, struct map_ask *ask);
/* The handle of descriptor fd with a reference, or NULL. */
struct file *mm_port_fd(unsigned long fd);

/* The running task's space; NULL in kernel threads. */
struct space *mm_port_current_space(void);
/* Soft limits of the current process: enum of kernel/task/rlimit.h. */
u64 mm_port_rlimit(unsigned int which);
bool mm_port_capable(unsigned int cap);
/* Is address-space randomisation off for the current task (personality, sysctl)? */
bool mm_port_no_random(void);
u64 mm_port_random(void);
/* READ_IMPLIES_EXEC of the personality. */
bool mm_port_read_implies_exec(void);
/* A fatal signal is pending: long operations give up. */
bool mm_port_fatal_pending(void);
/* Number of the current task; does it exit? */
u32 mm_port_tid(void);
bool mm_port_exiting(void);

/* --- arch/x86_64/pkey.c --- */

/* Has the CPU protection keys? The others are for who has asked. */
bool mm_port_has_pkeys(void);
/* What current may not do by a key: bit 0 anything, bit 1 write. May it read, and write? */
void mm_port_set_pkey_access(u32 key, u32 denied);
bool mm_port_pkey_allows(u32 key, bool write);

/* --- ipc/ --- */

/* The child gets the parent's attachments; the list is locked. 0 or -ENOMEM. May sleep. */
int mm_port_shm_fork(struct space *parent, struct space *child);
/* [start, end) is not what it was: attachments without a page left end. May sleep. */
void mm_port_shm_unmapped(struct space *s, unsigned long start, unsigned long end);
/* A mapping of f, maybe an attachment's, has pages in [start, end) now. */
void mm_port_shm_moved(struct space *s, const struct file *f, unsigned long start,
		       unsigned long end);
/* The space has gone. May sleep. */
void mm_port_shm_end(struct space *s);

/* --- uring/ --- */

/* The space has gone: so do its AIO contexts. May sleep. */
void mm_port_aio_end(struct space *s);

/* --- fs/ --- */

/* An unlinked tmpfs file of this size for shared anonymous memory; err_ptr. */
struct file *mm_port_shmem_file(u64 size);

/* current has had a page fault served (Linux's minor faults). */
void mm_port_fault_done(void);

#endif
