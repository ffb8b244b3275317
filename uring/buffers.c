/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registered buffers: the user's pages, held, for READ_FIXED and WRITE_FIXED.
 *
 * Model: a buffer is an array of pieces, one a page, by the kernel's addresses. Requests
 * count it, so that it may be unregistered while they use it; its tag is posted when the
 * last one has let go.
 *
 * Limits: pages held count for RLIMIT_MEMLOCK of the user who made the ring, unless it
 * has CAP_IPC_LOCK; a buffer has at most 1 GiB, a ring URING_MAX_BUFFERS of them.
 *
 * Locking: ring->mutex.
 */
#include "arch/x86_64/asm/atomic.h"
#include "kernel/signal/signal.h"
#include "kernel/task/task.h"
#include "mm/space.h"
#include "mm/uaccess.h"
#include "uring/uring_impl.h"

#define BUFFER_MAX (1UL << 30)

struct uring_buffer {
	/* a  its ring's table, requests */
	u32 refs;
	u32 nr_pages;
	u64 addr;
	u64 len;
	u64 tag;
	/* whose completion its tag is; its requests hold it */
	struct ring *ring;
	struct user *user;
	/* whole pages, but the first and last */
	struct iovec piece[];
};

static struct page *
piece_page(const struct uring_buffer *b, u32 i)
{
	unsigned long at = (unsigned long __force)b->piece[i].base;

	return virt_to_page((void *)(at & ~(PAGE_SIZE - 1)));
}

static void
buffer_free(struct uring_buffer *b, u32 pages)
{
	for (u32 i = 0; i < pages; i++)
		page_put(page_head(piece_page(b, i)));
	if (b->user) {
		user_count_add(b->user, USER_PINNED_PAGES, -(s64)b->nr_pages);
		user_put(b->user);
	}
	kvfree(b);
}

void
ring_buffer_put(struct uring_buffer *b)
{
	if (!atomic_dec_and_test(&b->refs))
		return;
	if (b->tag)
		(void)ring_post(b->ring, b->tag, 0, 0);
	buffer_free(b, b->nr_pages);
}

struct uring_buffer *
ring_buffer_get(struct ring *ring, u32 i)
{
	struct uring_buffer *b = i < ring->nr_buffers ? ring->buffers[i] : NULL;

	if (b)
		atomic_inc(&b->refs);
	return b;
}

int
ring_buffer_iter(struct uring_buffer *b, struct op_rw *rw)
{
	u64 off = rw->addr - b->addr, end, skip, i = 0;

	if (__builtin_add_overflow(rw->addr, rw->len, &end) || rw->addr < b->addr ||
	    end > b->addr + b->len)
		return -EFAULT;
	/* From the beginning of the first page: pieces are pages then. */
	skip = off;
	if (skip >= b->piece[0].len) {
		skip -= b->piece[0].len;
		i = 1 + skip / PAGE_SIZE;
		skip %= PAGE_SIZE;
	}
	rw->iter = (struct iter){.kernel = true,
				 .left = rw->len,
				 .offset = i < b->nr_pages ? skip : 0,
				 .iov = &b->piece[i < b->nr_pages ? i : 0],
				 .nr = i < b->nr_pages ? b->nr_pages - (u32)i : 0};
	return 0;
}

/* --- making --- */

static int
charge(struct ring *ring, struct uring_buffer *b)
{
	if (!ring->user)
		return 0;
	if (!user_count_try_add(ring->user, USER_PINNED_PAGES, b->nr_pages,
				rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT))
		return -ENOMEM;
	b->user = user_get(ring->user);
	return 0;
}

/* Holds all pages; a page in each piece. */
static int
hold_pages(struct uring_buffer *b)
{
	u64 at = b->addr, end = b->addr + b->len;

	for (u32 i = 0; i < b->nr_pages; i++) {
		u64 next = min((at | (PAGE_SIZE - 1)) + 1, end);
		struct page *p =
			fatal_signal_pending()
				? NULL
				: space_get_page(current->space, at & ~(PAGE_SIZE - 1), true);

		if (!p) {
			for (u32 k = 0; k < i; k++)
				page_put(page_head(piece_page(b, k)));
			return -EFAULT;
		}
		b->piece[i].base =
			(void __user __force *)((char *)page_to_virt(p) + (at & (PAGE_SIZE - 1)));
		b->piece[i].len = next - at;
		at = next;
	}
	return 0;
}

/* The buffer of one range of the user's; NULL: an empty slot; err_ptr. */
static struct uring_buffer *
buffer_make(struct ring *ring, const struct iovec *iov, u64 tag)
{
	u64 addr = (u64 __force)iov->base, end;
	struct uring_buffer *b;
	u32 pages;
	int err;

	if (!addr)
		return iov->len || tag ? err_ptr(iov->len ? -EFAULT : -EINVAL) : NULL;
	if (!iov->len || iov->len > BUFFER_MAX)
		return err_ptr(-EFAULT);
	if (__builtin_add_overflow(addr, iov->len + PAGE_SIZE - 1, &end))
		return err_ptr(-EOVERFLOW);
	if (!user_range_ok(iov->base, iov->len))
		return err_ptr(-EFAULT);
	pages = (u32)((end >> PAGE_SHIFT) - (addr >> PAGE_SHIFT));
	b = kvmalloc(sizeof(*b) + pages * sizeof(b->piece[0]), GFP_KERNEL);
	if (!b)
		return err_ptr(-ENOMEM);
	*b = (struct uring_buffer){
		.refs = 1, .nr_pages = pages, .addr = addr, .len = iov->len, .tag = tag};
	b->ring = ring;
	err = charge(ring, b);
	if (!err) {
		err = hold_pages(b);
		if (!err)
			return b;
	}
	buffer_free(b, 0);
	return err_ptr(err);
}

static struct uring_buffer *
buffer_of_user(struct ring *ring, const void __user *iovs, const u64 __user *tags, u32 i)
{
	struct iovec iov;
	u64 tag = 0;

	if (tags && get_user(tag, &tags[i]))
		return err_ptr(-EFAULT);
	if (copy_from_user(&iov, (const struct iovec __user *)iovs + i, sizeof(iov)))
		return err_ptr(-EFAULT);
	return buffer_make(ring, &iov, tag);
}

/* --- io_uring_register --- */

long
buffers_unregister(struct ring *ring)
{
	struct uring_buffer **table = ring->buffers;
	u32 n = ring->nr_buffers;

	if (!table)
		return -ENXIO;
	ring->buffers = NULL;
	ring->nr_buffers = 0;
	for (u32 i = 0; i < n; i++) {
		if (!table[i])
			continue;
		/* No tag is told of then. */
		table[i]->tag = 0;
		ring_buffer_put(table[i]);
	}
	kvfree(table);
	return 0;
}

long
buffers_register(struct ring *ring, void __user *arg, u32 nr, u64 __user *tags)
{
	struct uring_buffer **table;
	u32 i;

	if (ring->buffers)
		return -EBUSY;
	if (!nr || nr > URING_MAX_BUFFERS)
		return -EINVAL;
	table = kvmalloc(nr * sizeof(*table), GFP_KERNEL | GFP_ZERO);
	if (!table)
		return -ENOMEM;
	for (i = 0; i < nr && arg; i++) {
		table[i] = buffer_of_user(ring, arg, tags, i);
		if (is_err(table[i]))
			break;
	}
	if (arg && i < nr) {
		long err = ptr_err(table[i]);

		while (i-- > 0) {
			if (table[i]) {
				table[i]->tag = 0;
				ring_buffer_put(table[i]);
			}
		}
		kvfree(table);
		return err;
	}
	ring->buffers = table;
	ring->nr_buffers = nr;
	return 0;
}

long
buffers_register2(struct ring *ring, void __user *arg, u32 size)
{
	struct uring_rsrc_register rr;

	if (size != sizeof(rr))
		return -EINVAL;
	if (copy_from_user(&rr, arg, sizeof(rr)))
		return -EFAULT;
	if (!rr.nr || rr.resv2 || rr.flags & ~IORING_RSRC_REGISTER_SPARSE)
		return -EINVAL;
	if (rr.flags & IORING_RSRC_REGISTER_SPARSE && rr.data)
		return -EINVAL;
	if (!(rr.flags & IORING_RSRC_REGISTER_SPARSE) && !rr.data)
		return -EFAULT;
	return buffers_register(ring, (void __user *)rr.data, rr.nr, (u64 __user *)rr.tags);
}

long
buffers_update(struct ring *ring, const struct rsrc_update *u)
{
	u32 i;
	long err = 0;

	if (!ring->buffers)
		return -ENXIO;
	if (u->nr > ring->nr_buffers || u->offset > ring->nr_buffers - u->nr)
		return -EINVAL;
	for (i = 0; i < u->nr; i++) {
		struct uring_buffer *b = buffer_of_user(ring, (void __user *)u->data,
							(const u64 __user *)u->tags, i);
		struct uring_buffer **slot = &ring->buffers[u->offset + i];

		if (is_err(b)) {
			err = ptr_err(b);
			break;
		}
		if (*slot)
			ring_buffer_put(*slot);
		*slot = b;
	}
	return i ? (long)i : err;
}
