/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Provided buffers: groups from which a request takes one when there is something for it
 * (IOSQE_BUFFER_SELECT). A group is filled by PROVIDE_BUFFERS, or is a ring in the
 * program's memory whose tail the program moves (IORING_REGISTER_PBUF_RING).
 *
 * A buffer of the first kind leaves its group when it is taken, and comes back if it was
 * not used. Of a ring, the head moves when it is taken and back if it was not used.
 *
 * Locking: ring->mutex. The memory of a ring of buffers is read through its held pages.
 */
#include "kernel/task/task.h"
#include "mm/space.h"
#include "mm/uaccess.h"
#include "uring/uring_impl.h"

#define GROUPS_MAX 65536u
#define BUFS_MAX 65536u
#define RING_ENTRIES_MAX 65536u
#define BUFS_A_PAGE (PAGE_SIZE / sizeof(struct uring_buf))

struct buf {
	struct list link;
	u64 addr;
	u32 len;
	u16 bid;
};

struct uring_buffer_group {
	u16 id;
	/* of PROVIDE_BUFFERS */
	struct list bufs;
	/* of a ring: its pages, its size; 0: it is none */
	u32 entries;
	u32 nr_pages;
	u16 head;
	struct page **pages;
};

static struct uring_buffer_group *
group_find(struct ring *ring, u32 id)
{
	for (u32 i = 0; i < ring->nr_groups; i++)
		if (ring->groups[i]->id == id)
			return ring->groups[i];
	return NULL;
}

static struct uring_buffer_group *
group_add(struct ring *ring, u16 id)
{
	struct uring_buffer_group *g = kzalloc(sizeof(*g), GFP_KERNEL);
	struct uring_buffer_group **more;

	if (!g)
		return NULL;
	more = krealloc(ring->groups, (ring->nr_groups + 1) * sizeof(*more), GFP_KERNEL);
	if (!more) {
		kfree(g);
		return NULL;
	}
	g->id = id;
	list_init(&g->bufs);
	ring->groups = more;
	more[ring->nr_groups++] = g;
	return g;
}

/* Drops up to n of PROVIDE_BUFFERS' buffers; how many. */
static u32
drop_bufs(struct uring_buffer_group *g, u32 n)
{
	struct buf *b;
	u32 done = 0;

	while (done < n && (b = list_first_or_null(&g->bufs, struct buf, link)) != NULL) {
		list_del(&b->link);
		kfree(b);
		done++;
	}
	return done;
}

static void
drop_pages(struct uring_buffer_group *g)
{
	for (u32 i = 0; i < g->nr_pages; i++)
		page_put(page_head(g->pages[i]));
	kvfree(g->pages);
	g->pages = NULL;
	g->nr_pages = g->entries = 0;
}

void
select_free(struct ring *ring)
{
	for (u32 i = 0; i < ring->nr_groups; i++) {
		struct uring_buffer_group *g = ring->groups[i];

		(void)drop_bufs(g, U32_MAX);
		drop_pages(g);
		kfree(g);
	}
	kfree(ring->groups);
	ring->groups = NULL;
	ring->nr_groups = 0;
}

/* --- taking one --- */

static struct uring_buf *
ring_slot(const struct uring_buffer_group *g, u16 at)
{
	u32 i = at & (g->entries - 1);

	return (struct uring_buf *)page_to_virt(g->pages[i / BUFS_A_PAGE]) + i % BUFS_A_PAGE;
}

static int
take_of_ring(struct request *r, struct uring_buffer_group *g, struct uring_buf *out)
{
	/* The tail lies in the first entry's last word. */
	u16 tail = smp_load_acquire(&ring_slot(g, 0)->resv);
	const struct uring_buf *b = ring_slot(g, g->head);

	if (tail == g->head)
		return -ENOBUFS;
	out->addr = READ_ONCE(b->addr);
	out->len = READ_ONCE(b->len);
	out->bid = READ_ONCE(b->bid);
	g->head++;
	return 0;
}

static int
take_of_list(struct uring_buffer_group *g, struct uring_buf *out)
{
	struct buf *b = list_first_or_null(&g->bufs, struct buf, link);

	if (!b)
		return -ENOBUFS;
	list_del(&b->link);
	*out = (struct uring_buf){b->addr, b->len, b->bid, 0};
	kfree(b);
	return 0;
}

int
select_buffer(struct request *r, u64 *addr, u32 *len, u32 how)
{
	struct uring_buffer_group *g;
	struct uring_buf b = {0};
	int err = -ENOBUFS;

	ring_lock(r->ring, how);
	g = group_find(r->ring, r->buf_index);
	if (g)
		err = g->entries ? take_of_ring(r, g, &b) : take_of_list(g, &b);
	ring_unlock(r->ring, how);
	if (err)
		return err;
	r->taken = b;
	*addr = b.addr;
	*len = *len ? min(*len, b.len) : b.len;
	r->flags |= RQ_BUFFER;
	r->cflags = IORING_CQE_F_BUFFER | (u32)b.bid << IORING_CQE_BUFFER_SHIFT;
	return 0;
}

void
select_undo(struct request *r, u32 how)
{
	struct uring_buffer_group *g;
	struct buf *b;

	if (!(r->flags & RQ_BUFFER))
		return;
	r->flags &= ~RQ_BUFFER;
	r->cflags = 0;
	ring_lock(r->ring, how);
	g = group_find(r->ring, r->buf_index);
	if (g && g->entries) {
		g->head--;
	} else if (g) {
		b = kmalloc(sizeof(*b), GFP_KERNEL);
		if (b) {
			*b = (struct buf){
				.addr = r->taken.addr, .len = r->taken.len, .bid = r->taken.bid};
			list_add(&b->link, &g->bufs);
		}
	}
	ring_unlock(r->ring, how);
}

/* --- PROVIDE_BUFFERS, REMOVE_BUFFERS --- */

int
prep_provide(struct request *r, const struct uring_sqe *sqe)
{
	u64 size, end, n = (u32)sqe->fd;

	if (sqe->op_flags || sqe->file_index)
		return -EINVAL;
	if (!n || n > BUFS_MAX)
		return -E2BIG;
	if (__builtin_mul_overflow((u64)sqe->len, n, &size) ||
	    __builtin_add_overflow(sqe->addr, size, &end))
		return -EOVERFLOW;
	if (!user_range_ok((const void __user *)sqe->addr, size))
		return -EFAULT;
	if (sqe->off > 0xffff)
		return -E2BIG;
	if (sqe->off + n > BUFS_MAX)
		return -EINVAL;
	r->args = (struct op_args){.a = sqe->addr, .b = sqe->off, .len = sqe->len, .x = (u32)n};
	return 0;
}

static long
provide(struct request *r, struct uring_buffer_group *g)
{
	u32 i;

	if (g->entries)
		return -EINVAL;
	for (i = 0; i < r->args.x; i++) {
		struct buf *b = kmalloc(sizeof(*b), GFP_KERNEL);

		if (!b)
			break;
		*b = (struct buf){.addr = r->args.a + (u64)i * r->args.len,
				  .len = r->args.len,
				  .bid = (u16)(r->args.b + i)};
		list_add_tail(&b->link, &g->bufs);
	}
	return i ? 0 : -ENOMEM;
}

long
issue_provide(struct request *r, u32 how)
{
	struct uring_buffer_group *g;
	long ret = -ENOMEM;

	ring_lock(r->ring, how);
	g = group_find(r->ring, r->buf_index);
	if (!g)
		g = group_add(r->ring, r->buf_index);
	if (g)
		ret = provide(r, g);
	ring_unlock(r->ring, how);
	return ret;
}

int
prep_remove_buffers(struct request *r, const struct uring_sqe *sqe)
{
	u32 n = (u32)sqe->fd;

	if (sqe->op_flags || sqe->addr || sqe->len || sqe->off || sqe->file_index)
		return -EINVAL;
	if (!n || n > BUFS_MAX)
		return -EINVAL;
	r->args = (struct op_args){.x = n};
	return 0;
}

long
issue_remove_buffers(struct request *r, u32 how)
{
	struct uring_buffer_group *g;
	long ret = -ENOENT;

	ring_lock(r->ring, how);
	g = group_find(r->ring, r->buf_index);
	if (g)
		ret = g->entries ? -EINVAL : (long)drop_bufs(g, r->args.x);
	ring_unlock(r->ring, how);
	return ret;
}

/* --- rings of buffers --- */

static int
hold_ring(struct uring_buffer_group *g, const struct uring_buf_reg *reg)
{
	u32 n = (u32)div_round_up(reg->ring_entries * sizeof(struct uring_buf), PAGE_SIZE);

	g->pages = kvmalloc(n * sizeof(*g->pages), GFP_KERNEL);
	if (!g->pages)
		return -ENOMEM;
	for (g->nr_pages = 0; g->nr_pages < n; g->nr_pages++) {
		struct page *p = space_get_page(current->space,
						reg->ring_addr + g->nr_pages * PAGE_SIZE, true);

		if (!p) {
			drop_pages(g);
			return -EFAULT;
		}
		g->pages[g->nr_pages] = p;
	}
	g->entries = reg->ring_entries;
	g->head = 0;
	return 0;
}

long
select_register(struct ring *ring, const void __user *arg)
{
	struct uring_buffer_group *g;
	struct uring_buf_reg reg;

	if (copy_from_user(&reg, arg, sizeof(reg)))
		return -EFAULT;
	if (reg.pad || reg.resv[0] | reg.resv[1] | reg.resv[2])
		return -EINVAL;
	if (!reg.ring_addr)
		return -EFAULT;
	if (reg.ring_addr & (PAGE_SIZE - 1) || !reg.ring_entries ||
	    reg.ring_entries & (reg.ring_entries - 1) || reg.ring_entries >= RING_ENTRIES_MAX)
		return -EINVAL;
	g = group_find(ring, reg.bgid);
	if (g && (g->entries || !list_empty(&g->bufs)))
		return -EEXIST;
	if (!g)
		g = group_add(ring, reg.bgid);
	return g ? hold_ring(g, &reg) : -ENOMEM;
}

long
select_unregister(struct ring *ring, const void __user *arg)
{
	struct uring_buffer_group *g;
	struct uring_buf_reg reg;

	if (copy_from_user(&reg, arg, sizeof(reg)))
		return -EFAULT;
	if (reg.pad || reg.resv[0] | reg.resv[1] | reg.resv[2])
		return -EINVAL;
	g = group_find(ring, reg.bgid);
	if (!g)
		return -ENOENT;
	if (!g->entries)
		return -EINVAL;
	drop_pages(g);
	return 0;
}
