/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pages of one file by index, read without locks under RCU. tmpfs files
 * live here entirely; file systems with a disk fill pages through their ops.
 */
#ifndef MM_PAGECACHE_H
#define MM_PAGECACHE_H

#include "lib/list.h"
#include "mm/page.h"
#include "percpu/tally.h"
#include "sync/mutex.h"
#include "sync/seq.h"
#include "sync/waitq.h"

struct inode;
struct space;

struct pagecache_ops {
	/*
	 * Fills a new page (index in page->index). NULL: new pages are zero (tmpfs).
	 * 0 or -Exxx. May sleep.
	 */
	int (*read_page)(struct pagecache *pc, struct page *p);
	/* A shared mapping or a write makes a clean page dirty; may refuse (-ENOSPC). */
	int (*make_dirty)(struct pagecache *pc, struct page *p);
	/* May another page be added (quota of a tmpfs)? 0 or -ENOSPC. n < 0 gives back. */
	int (*charge)(struct pagecache *pc, s64 n);
	/* msync: writes pages [first, last] back and waits. NULL: nothing to do. May sleep. */
	int (*sync)(struct pagecache *pc, u64 first, u64 last);
	/* madvise(MADV_REMOVE): makes a hole of [off, off + len). NULL: -EOPNOTSUPP. May sleep. */
	int (*punch)(struct pagecache *pc, u64 off, u64 len);
};

struct pagecache {
	/* r  root of a radix tree of pages; writers hold ->lock */
	void __rcu *root;
	struct spinlock lock;
	/* (lock)  odd while pages leave the tree */
	struct seqcount removals;
	/* a  pages present */
	u64 nr_pages;
	/* a  pagecache_reserve() was called: a page may not be PAGE_UPTODATE */
	bool reserved;
	const struct pagecache_ops *ops;
	/* Regions that map this file, in lists per creating CPU (mm/rmap.c). */
	void *mappers;
	/*
	 * One more than regions that are shared and may be written; goes down some
	 * milliseconds after the unmapping: ask pagecache_mapped_writable()
	 */
	struct tally writable_maps;
	/* who waits for the lock of a page, or for those who have some (fs/parts.c) */
	struct waitq wait;
	/* Size of the file in bytes, as the file system sees it; pages beyond give SIGBUS. */
	u64 *size;
	struct inode *inode;
};

void pagecache_init(struct pagecache *pc, const struct pagecache_ops *ops, u64 *size,
		    struct inode *inode);
/* Frees all pages; nobody may map it any more. */
void pagecache_fini(struct pagecache *pc);
/* The page with a reference, or NULL. No lock, no sleep. */
struct page *pagecache_find(struct pagecache *pc, u64 index);
/*
 * Copies n bytes at pos, which lie in one page, to the kernel's memory, and writes
 * nothing of the page. False: the page is not there, or may have left meanwhile.
 */
bool pagecache_copy(struct pagecache *pc, void *to, u64 pos, size_t n);
/*
 * The page without a reference, for who holds the lock of a table that the cache
 * is mapped in: until that is let go the page is not freed (mm/rmap.c).
 */
struct page *pagecache_peek(struct pagecache *pc, u64 index);
/*
 * The same for n pages from `first` on, within one group of 64; NULL where
 * there is none. False: none at all.
 */
bool pagecache_peek_many(struct pagecache *pc, u64 first, unsigned int n, struct page **pages);
/* The page, referenced, made (and read) if need be. err_ptr(-ENOMEM, -ENOSPC, -EIO). May sleep. */
struct page *pagecache_get(struct pagecache *pc, u64 index);
/*
 * Sees to it that there is a page, which counts as in core (mincore(2)) when it is
 * first used. Errors as above.
 */
int pagecache_reserve(struct pagecache *pc, u64 index);
/* p, of pc, is used. */
static inline void
pagecache_used(const struct pagecache *pc, struct page *p)
{
	if (unlikely(READ_ONCE(pc->reserved)) && !(READ_ONCE(p->flags) & PAGE_UPTODATE))
		atomic_or(&p->flags, PAGE_UPTODATE);
}
/* Takes p, a fresh page with its contents, for index. -EEXIST, -ENOMEM, -ENOSPC: not taken. */
int pagecache_insert(struct pagecache *pc, u64 index, struct page *p);
/*
 * Locks of pages order those who write to a file beside each other. The caller keeps
 * p in the cache meanwhile. May sleep. nested: holds the lock of a page before it.
 */
void pagecache_lock(struct page *p, bool nested);
void pagecache_unlock(struct page *p);
/* First index >= from that has a page (SEEK_DATA), or -ENXIO; and first that has none. */
s64 pagecache_next_data(struct pagecache *pc, u64 from);
s64 pagecache_next_hole(struct pagecache *pc, u64 from);
/*
 * Removes pages [first, last] inclusive (truncate, punch): unmaps them from every
 * space first. Partial pages at the ends are the caller's to zero. May sleep.
 */
void pagecache_remove(struct pagecache *pc, u64 first, u64 last);
/*
 * The file ends before page `first` from now on: removes the pages behind that, and
 * the copies that private mappings have made of them. The size has been set. May sleep.
 */
void pagecache_truncate(struct pagecache *pc, u64 first);
/* Unmaps without removing; copies that private mappings have made stay. */
void pagecache_unmap(struct pagecache *pc, u64 first, u64 last);
/* The same with the copies. */
void pagecache_unmap_copies(struct pagecache *pc, u64 first, u64 last);
/*
 * Is the file mapped shared and writable (or may mprotect make it so)? Waits for
 * mappings whose end is under way. May sleep.
 */
bool pagecache_mapped_writable(struct pagecache *pc);
/* The same, of regions that may be gone already. No sleep. */
static inline bool
pagecache_has_writers(struct pagecache *pc)
{
	return tally_sum(&pc->writable_maps) > 1;
}
/* A region of that kind is gone. */
void pagecache_put_writer(struct pagecache *pc);

#endif
