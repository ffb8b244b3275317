/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading, writing and mapping through the page cache.
 *
 * Locking: reads take no lock: the size is read, then pages. Changes of the size
 * hold inode_lock(), as most writes do. Writes that do not move the end come in
 * beside each other where several CPUs write (fs/parts.c), and then lock pages: each
 * locks the next page before it lets go of the last. So one of two whose ranges
 * overlap is first at the first common page, and stays ahead on all others: no
 * write is seen between the pages of another. A writer stores the data before the
 * size that shows it.
 */
#include "fs/generic.h"
#include "fs/attr.h"
#include "fs/mount.h"
#include "fs/notify.h"
#include "fs/parts.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/task/rlimit.h"
#include "kernel/task/task.h"
#include "kernel/uapi/fcntl.h"
#include "lib/string.h"

#define MAP_TYPE 0x0fu
#define MAP_PRIVATE 0x02u

/* Bytes of [pos, ...) in one page, n at most. */
static size_t
page_part(u64 pos, size_t n)
{
	return min(n, PAGE_SIZE - (size_t)(pos & (PAGE_SIZE - 1)));
}

static void *
page_at(struct page *p, u64 pos)
{
	return (char *)page_to_virt(p) + (pos & (PAGE_SIZE - 1));
}

/* Copies from one page, or zeros where there is none. Bytes moved (short: fault), or -Exxx. */
static s64
read_part(struct pagecache *pc, struct iter *to, u64 pos, size_t n)
{
	struct page *p = pagecache_find(pc, pos >> PAGE_SHIFT);
	size_t moved;

	if (!p && pc->ops->read_page) {
		p = pagecache_get(pc, pos >> PAGE_SHIFT);
		if (is_err(p))
			return ptr_err(p);
	}
	if (!p)
		return iter_zero(to, n);
	moved = iter_copy_to(to, page_at(p, pos), n);
	page_put(p);
	return moved;
}

s64
generic_read(struct file *f, struct iter *to, u64 *pos)
{
	struct inode *i = f->inode;
	s64 done = 0;
	s64 r = 0;

	while (iter_left(to)) {
		u64 size = smp_load_acquire(&i->size);
		size_t n = page_part(*pos, iter_left(to));

		if (*pos >= size)
			break;
		n = min((u64)n, size - *pos);
		r = read_part(i->pages, to, *pos, n);
		if (r > 0) {
			*pos += r;
			done += r;
		}
		if (r < (s64)n) {
			r = r < 0 ? r : -EFAULT;
			break;
		}
		if (fatal_signal_pending()) {
			r = -EINTR;
			break;
		}
		cond_resched();
	}
	if (done > 0) {
		file_accessed(f);
		notify_file(f, IN_ACCESS);
	}
	return done ? done : min(r, (s64)0);
}

int
generic_write_limits(struct file *f, u64 pos, size_t *n)
{
	u64 limit = rlimit(RLIMIT_FSIZE);
	u64 max = f->inode->sb->max_size;

	if (limit != RLIM_INFINITY) {
		if (pos >= limit) {
			signal_send_task(current, SIGXFSZ, NULL);
			return -EFBIG;
		}
		*n = min((u64)*n, limit - pos);
	}
	if (pos >= max)
		return -EFBIG;
	*n = min((u64)*n, max - pos);
	return 0;
}

/* What seals leave of a write at pos: 0 or -EPERM. Mutex held, or inside. */
static int
write_seals(const struct inode *i, u64 pos, size_t *n)
{
	if (likely(!i->seals))
		return 0;
	if (i->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if (!(i->seals & F_SEAL_GROW) || pos + *n <= i->size)
		return 0;
	if (pos >= i->size)
		return -EPERM;
	*n = i->size - pos;
	return 0;
}

static void
let_go(struct page *locked)
{
	if (!locked)
		return;
	pagecache_unlock(locked);
	page_put(locked);
}

/* Writes into one page: bytes moved (short: fault) or -Exxx. */
static s64
write_part(struct inode *i, struct page *p, struct iter *from, u64 pos, size_t n)
{
	struct pagecache *pc = i->pages;
	size_t moved;
	int err = 0;

	if (pc->ops->make_dirty)
		err = pc->ops->make_dirty(pc, p);
	moved = err ? 0 : iter_copy_from(page_at(p, pos), from, n);
	if (moved && pos + moved > i->size)
		smp_store_release(&i->size, pos + moved);
	return err ? err : (s64)moved;
}

/* Mutex held, or (beside) inside: then each page is locked before the last one is let go. */
static s64
write_pages(struct file *f, struct iter *from, u64 *pos, size_t left, bool beside)
{
	struct inode *i = f->inode;
	struct page *locked = NULL;
	s64 done = 0;
	s64 r = 0;

	while (left) {
		size_t n = page_part(*pos, left);
		struct page *p = pagecache_get(i->pages, *pos >> PAGE_SHIFT);

		if (is_err(p)) {
			r = ptr_err(p);
			break;
		}
		if (unlikely(beside)) {
			pagecache_lock(p, locked != NULL);
			let_go(locked);
			locked = p;
		}
		r = write_part(i, p, from, *pos, n);
		if (likely(!beside))
			page_put(p);
		if (r > 0) {
			*pos += r;
			done += r;
			left -= r;
		}
		if (r < (s64)n) {
			r = r < 0 ? r : -EFAULT;
			break;
		}
		if (fatal_signal_pending()) {
			r = -EINTR;
			break;
		}
		cond_resched();
	}
	let_go(locked);
	/* A page that got nothing must not stay behind the end. */
	if (r < 0 && *pos >= i->size)
		pagecache_remove(i->pages, div_round_up(i->size, PAGE_SIZE), *pos >> PAGE_SHIFT);
	return done ? done : min(r, (s64)0);
}

/* Mutex held, or (beside) inside. */
static s64
write_checked(struct file *f, struct iter *from, u64 *pos, bool beside)
{
	struct inode *i = f->inode;
	size_t n = iter_left(from);
	int err;

	err = generic_write_limits(f, *pos, &n);
	if (!err)
		err = write_seals(i, *pos, &n);
	if (!err)
		err = file_remove_privs(f);
	if (err)
		return err;
	inode_touch_mtime(i);
	return write_pages(f, from, pos, n, beside);
}

/* Lets us in beside other writers: NULL if that cannot be now, or the file would grow. */
static __noinline struct part *
begin_beside(struct inode *i, u64 end)
{
	struct part *p = end <= READ_ONCE(i->size) ? inode_enter(i) : NULL;

	/* From here on nobody changes the size. */
	if (p && end > i->size) {
		inode_leave(i, p);
		p = NULL;
	}
	return p;
}

static s64
write_file(struct file *f, struct iter *from, u64 *pos, bool append)
{
	struct inode *i = f->inode;
	struct part *p = NULL;
	u64 size = 0;
	s64 r;

	if (!iter_left(from))
		return 0;
	if (unlikely(READ_ONCE(i->parts) & PARTS_WRITE) && !append)
		p = begin_beside(i, *pos + iter_left(from));
	if (likely(!p)) {
		inode_lock(i);
		size = i->size;
		if (append)
			*pos = size;
	}
	r = write_checked(f, from, pos, p != NULL);
	if (unlikely(p != NULL))
		inode_leave(i, p);
	else
		inode_unlock_open(i, i->size == size);
	if (r > 0)
		notify_file(f, IN_MODIFY);
	return r;
}

s64
generic_write(struct file *f, struct iter *from, u64 *pos)
{
	return write_file(f, from, pos, READ_ONCE(f->flags) & O_APPEND);
}

s64
generic_write_append(struct file *f, struct iter *from, u64 *pos)
{
	return write_file(f, from, pos, true);
}

/* --- positions --- */

s64
seek_simple(struct file *f, s64 off, int whence, u64 size, u64 max)
{
	s64 base;

	switch (whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = f->pos;
		break;
	case SEEK_END:
		base = size;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(off, base, &off) || off < 0 || (u64)off > max)
		return -EINVAL;
	WRITE_ONCE(f->pos, off);
	return off;
}

static s64
seek_data_hole(struct file *f, s64 off, bool data)
{
	struct inode *i = f->inode;
	u64 size = READ_ONCE(i->size);
	s64 index;

	if (off < 0 || (u64)off >= size)
		return -ENXIO;
	if (data) {
		index = pagecache_next_data(i->pages, off >> PAGE_SHIFT);
		if (index < 0 || (u64)index << PAGE_SHIFT >= size)
			return -ENXIO;
	} else {
		index = pagecache_next_hole(i->pages, off >> PAGE_SHIFT);
	}
	if (index > off >> PAGE_SHIFT)
		off = min((u64)index << PAGE_SHIFT, size);
	WRITE_ONCE(f->pos, off);
	return off;
}

s64
generic_seek(struct file *f, s64 off, int whence)
{
	struct inode *i = f->inode;

	if (whence == SEEK_DATA || whence == SEEK_HOLE)
		return seek_data_hole(f, off, whence == SEEK_DATA);
	return seek_simple(f, off, whence, READ_ONCE(i->size), i->sb->max_size);
}

int
generic_mmap(struct file *f, struct map_request *req)
{
	u32 seals = READ_ONCE(f->inode->seals);
	bool shared = (req->flags & MAP_TYPE) != MAP_PRIVATE;

	if ((req->prot & PROT_EXEC) && (READ_ONCE(f->path.mnt->flags) & MOUNT_NOEXEC))
		return -EPERM;
	if (shared && (req->prot & PROT_WRITE) && (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
		return -EPERM;
	if (shared && (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
		req->max_prot &= ~PROT_WRITE;
	req->cache = f->cache;
	file_accessed(f);
	return 0;
}

int
generic_fsync_none(struct file *f, bool data_only)
{
	return 0;
}

/* --- sizes --- */

/* Zeroes the bytes [from, to) of one page if it is there. */
static void
zero_part(struct inode *i, u64 from, u64 to)
{
	struct page *p = pagecache_find(i->pages, from >> PAGE_SHIFT);

	if (!p)
		return;
	memset(page_at(p, from), 0, to - from);
	page_put(p);
}

void
generic_zero_range(struct inode *i, u64 from, u64 to)
{
	while (from < to) {
		size_t n = page_part(from, to - from);

		zero_part(i, from, from + n);
		from += n;
	}
}

void
generic_set_size(struct inode *i, u64 size)
{
	u64 old = i->size;
	u64 first = div_round_up(size, PAGE_SIZE);

	WRITE_ONCE(i->size, size);
	if (size < old && (size & (PAGE_SIZE - 1)))
		zero_part(i, size, first << PAGE_SHIFT);
	if (size < old)
		pagecache_truncate(i->pages, first);
	else if (READ_ONCE(i->pages->nr_pages))
		pagecache_remove(i->pages, first, U64_MAX >> PAGE_SHIFT);
}

/* --- for the kernel --- */

/*
 * A short read as exec makes them of what all its CPUs execute: without a reference
 * of the page. False: it is to be read as others are.
 */
static bool
read_at_hand(struct file *f, void *buf, size_t *n, u64 pos)
{
	u64 size = smp_load_acquire(&f->inode->size);

	if (f->ops->read != generic_read || pos >= size)
		return false;
	*n = min((u64)*n, size - pos);
	if (!*n || *n > page_part(pos, *n) || !pagecache_copy(f->inode->pages, buf, pos, *n))
		return false;
	file_accessed(f);
	notify_file(f, IN_ACCESS);
	return true;
}

s64
file_read_kernel(struct file *f, void *buf, size_t n, u64 pos)
{
	struct iter it;

	if (!f->ops->read)
		return -EINVAL;
	if (likely(read_at_hand(f, buf, &n, pos)))
		return (s64)n;
	iter_init_kernel(&it, buf, n);
	return f->ops->read(f, &it, &pos);
}

s64
file_write_kernel(struct file *f, const void *buf, size_t n, u64 *pos)
{
	struct iter it;

	if (!f->ops->write)
		return -EINVAL;
	iter_init_kernel(&it, (void *)buf, n);
	return f->ops->write(f, &it, pos);
}
