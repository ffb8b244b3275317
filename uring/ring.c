/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io_uring: rings (io_uring_setup(2), io_uring_enter(2), io_uring_register(2)).
 *
 * Model: a ring is a handle and two areas of memory that it shares with its program: the
 * head with both queues' indices and the completions, and the entries of submissions.
 * An entry becomes a request (request.c). A request is tried at once, without waiting,
 * by who submits it; most end so and are never seen by anyone else. What would wait is
 * tracked and waits for its file (poll.c), its timer (timeout.c), or goes to a worker,
 * a thread of the submitter's process that may wait (worker.c).
 *
 * What a queue, a timer or a canceller lets go on is pushed on the list of work of the
 * task that submitted it. That list is run by the task itself while it is inside
 * io_uring_enter(2), else by its manager, a thread that only does this and makes
 * workers. So no call of the program is disturbed, and a ring needs no thread as long
 * as nothing waits.
 *
 * States of a request: enum request_state. A waiting state is entered under
 * ring->req_lock, and not at all once its task or ring ends; it is left by whoever
 * exchanges it for REQ_WORK (a canceller: under the lock), and that one owns it then.
 *
 * Ownership: a ring lives until its handle is gone and its last request has ended. A
 * task waits for its requests and workers when it exits or execs.
 *
 * Locking: ring->mutex (RANK_URING: requests are started under it) covers submission
 * and what is registered; ring->cq_lock completions; ring->req_lock the lists of
 * requests under way; uring_task->lock that of a task. cq_lock may be taken inside of
 * req_lock; uring_task->pool_lock is taken inside of all, and in callbacks of queues.
 *
 * Commuting: the lines that a ring's work writes belong to the ring, to the task or to
 * the request: two tasks with a ring each share none.
 */
#include "arch/x86_64/asm/atomic.h"
#include "kernel/seq.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/uapi/capability.h"
#include "lib/string.h"
#include "mm/uaccess.h"
#include "mm/vmalloc.h"
#include "uring/uring_impl.h"

LOCK_CLASS(uring_mutex_class, RANK_URING);
LOCK_CLASS(uring_class, RANK_URING_SPIN);
LOCK_CLASS(uring_cq_class, RANK_URING_CQ);

#define SETUP_KNOWN                                                                                \
	(IORING_SETUP_SQPOLL | IORING_SETUP_SQ_AFF | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP |    \
	 IORING_SETUP_ATTACH_WQ | IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL |              \
	 IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SQE128 |             \
	 IORING_SETUP_CQE32 | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN)

/* --- the end of a ring --- */

struct ring *
ring_get(struct ring *ring)
{
	atomic_inc(&ring->refs);
	return ring;
}

static void
ring_free(struct ring *ring)
{
	sqpoll_free(ring);
	ring_files_free(ring);
	(void)buffers_unregister(ring);
	select_free(ring);
	ring_eventfd_free(ring);
	for (u32 i = 0; i < ring->nr_creds; i++)
		if (ring->creds[i])
			cred_put(ring->creds[i]);
	kvfree(ring->creds);
	ring_drop_overflow(ring);
	if (ring->spare)
		request_discard(ring->spare);
	vfree(ring->shared);
	vfree(ring->sqes);
	kvfree(ring->pages);
	if (ring->user)
		user_put(ring->user);
	kfree(ring);
}

static void
ring_free_work(struct work *w)
{
	ring_free(container_of(w, struct ring, free_work));
}

void
ring_put(struct ring *ring)
{
	if (!atomic_dec_and_test(&ring->refs))
		return;
	work_init(&ring->free_work, ring_free_work);
	work_post_here(&ring->free_work);
}

static void
uring_release(struct file *f)
{
	struct ring *ring = f->private;

	WRITE_ONCE(ring->dying, true);
	sqpoll_stop(ring);
	ring_cancel_all(ring, NULL);
	ring_put(ring);
}

/* --- the handle --- */

static u32
uring_poll(struct file *f, struct poll_table *pt)
{
	struct ring *ring = f->private;
	u32 events = 0;

	poll_wait(f, &ring->wait, pt);
	smp_mb();
	if (READ_ONCE(ring->sq_head) - READ_ONCE(ring->shared->sq_tail) + ring->sq_entries != 0)
		events |= POLLOUT | POLLWRNORM;
	if (ring_ready(ring) || READ_ONCE(ring->nr_overflow))
		events |= POLLIN | POLLRDNORM;
	return events;
}

/* Which area an offset names, and how many pages it has; NULL: none. */
static struct page **
area(const struct ring *ring, u64 offset, u32 *pages)
{
	if (offset == IORING_OFF_SQ_RING || offset == IORING_OFF_CQ_RING) {
		*pages = ring->ring_pages;
		return ring->pages;
	}
	*pages = ring->sqe_pages;
	return offset == IORING_OFF_SQES ? ring->pages + ring->ring_pages : NULL;
}

static int
uring_mmap(struct file *f, struct map_request *req)
{
	u32 n;
	struct page **pages = area(f->private, req->offset, &n);

	if (!pages || req->len > n * PAGE_SIZE)
		return -EINVAL;
	/* A mapping counts its pages from the file's offset. */
	req->pages = (struct page **)((unsigned long)pages -
				      (req->offset >> PAGE_SHIFT) * sizeof(*pages));
	return 0;
}

static void
uring_show(struct file *f, struct seq *s)
{
	const struct ring *ring = f->private;
	const struct ring_shared *sh = ring->shared;

	seq_printf(s, "SqMask:\t0x%x\n", sh->sq_mask);
	seq_printf(s, "SqHead:\t%u\n", READ_ONCE(sh->sq_head));
	seq_printf(s, "SqTail:\t%u\n", READ_ONCE(sh->sq_tail));
	seq_printf(s, "CachedSqHead:\t%u\n", READ_ONCE(ring->sq_head));
	seq_printf(s, "CqMask:\t0x%x\n", sh->cq_mask);
	seq_printf(s, "CqHead:\t%u\n", READ_ONCE(sh->cq_head));
	seq_printf(s, "CqTail:\t%u\n", READ_ONCE(sh->cq_tail));
	seq_printf(s, "CachedCqTail:\t%u\n", READ_ONCE(ring->cq_tail));
	seq_printf(s, "SqThread:\t%d\n", sqpoll_tid(ring));
	seq_printf(s, "SqThreadCpu:\t%d\n", sqpoll_cpu(ring));
}

const struct file_ops uring_ops = {
	.name = "[io_uring]",
	.stays = true,
	.poll = uring_poll,
	.mmap = uring_mmap,
	.release = uring_release,
	.show_fdinfo = uring_show,
};

/* --- making one --- */

static u32
round_up_pow2(u32 n)
{
	u32 p = 1;

	while (p < n)
		p *= 2;
	return p;
}

static int
setup_sizes(struct uring_params *p, u32 entries)
{
	if (!entries)
		return -EINVAL;
	if (entries > URING_MAX_ENTRIES) {
		if (!(p->flags & IORING_SETUP_CLAMP))
			return -EINVAL;
		entries = URING_MAX_ENTRIES;
	}
	p->sq_entries = round_up_pow2(entries);
	if (!(p->flags & IORING_SETUP_CQSIZE)) {
		p->cq_entries = 2 * p->sq_entries;
		return 0;
	}
	if (!p->cq_entries)
		return -EINVAL;
	if (p->cq_entries > URING_MAX_CQ_ENTRIES) {
		if (!(p->flags & IORING_SETUP_CLAMP))
			return -EINVAL;
		p->cq_entries = URING_MAX_CQ_ENTRIES;
	}
	p->cq_entries = round_up_pow2(p->cq_entries);
	return p->cq_entries < p->sq_entries ? -EINVAL : 0;
}

static int
setup_flags(const struct uring_params *p)
{
	u32 f = p->flags;

	if (f & ~SETUP_KNOWN)
		return -EINVAL;
	if (f & IORING_SETUP_SQPOLL && f & (IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
					    IORING_SETUP_DEFER_TASKRUN))
		return -EINVAL;
	if (f & IORING_SETUP_TASKRUN_FLAG &&
	    !(f & (IORING_SETUP_COOP_TASKRUN | IORING_SETUP_DEFER_TASKRUN)))
		return -EINVAL;
	if (f & IORING_SETUP_DEFER_TASKRUN && !(f & IORING_SETUP_SINGLE_ISSUER))
		return -EINVAL;
	return f & IORING_SETUP_SQ_AFF && !(f & IORING_SETUP_SQPOLL) ? -EINVAL : 0;
}

static void
ring_init(struct ring *ring, const struct uring_params *p)
{
	ring->flags = p->flags;
	ring->sq_entries = p->sq_entries;
	ring->cq_entries = p->cq_entries;
	ring->sqe_shift = p->flags & IORING_SETUP_SQE128 ? 7 : 6;
	ring->cqe_shift = p->flags & IORING_SETUP_CQE32 ? 5 : 4;
	ring->enabled = !(p->flags & IORING_SETUP_R_DISABLED);
	ring->refs = 1;
	mutex_init(&ring->mutex, &uring_mutex_class);
	spin_init(&ring->cq_lock, &uring_cq_class);
	spin_init(&ring->req_lock, &uring_class);
	list_init(&ring->overflow);
	list_init(&ring->counting);
	list_init(&ring->reqs);
	list_init(&ring->deferred);
	waitq_init(&ring->wait);
	if (!capable(CAP_IPC_LOCK))
		ring->user = user_get(current_cred()->user);
	if (p->flags & IORING_SETUP_SINGLE_ISSUER && ring->enabled)
		ring->submitter = current;
}

/* Both areas, and their pages for mappings. */
static int
ring_memory(struct ring *ring)
{
	size_t array = sizeof(struct ring_shared) + ((size_t)ring->cq_entries << ring->cqe_shift);
	size_t size = array + ring->sq_entries * sizeof(u32);
	size_t sqes = (size_t)ring->sq_entries << ring->sqe_shift;
	u32 i;

	ring->shared = vmalloc(size, GFP_KERNEL | GFP_ZERO);
	ring->sqes = vmalloc(sqes, GFP_KERNEL | GFP_ZERO);
	ring->ring_pages = (u32)div_round_up(size, (size_t)PAGE_SIZE);
	ring->sqe_pages = (u32)div_round_up(sqes, (size_t)PAGE_SIZE);
	ring->pages =
		kvmalloc((ring->ring_pages + ring->sqe_pages) * sizeof(struct page *), GFP_KERNEL);
	if (!ring->shared || !ring->sqes || !ring->pages)
		return -ENOMEM;
	for (i = 0; i < ring->ring_pages; i++)
		ring->pages[i] = vmalloc_to_page((u8 *)ring->shared + i * PAGE_SIZE);
	for (i = 0; i < ring->sqe_pages; i++)
		ring->pages[ring->ring_pages + i] = vmalloc_to_page(ring->sqes + i * PAGE_SIZE);
	ring->sq_array = (u32 *)((u8 *)ring->shared + array);
	ring->shared->sq_mask = ring->sq_entries - 1;
	ring->shared->cq_mask = ring->cq_entries - 1;
	ring->shared->sq_entries = ring->sq_entries;
	ring->shared->cq_entries = ring->cq_entries;
	return 0;
}

static void
fill_offsets(const struct ring *ring, struct uring_params *p)
{
	p->sq_off = (struct uring_sq_offsets){
		.head = offsetof(struct ring_shared, sq_head),
		.tail = offsetof(struct ring_shared, sq_tail),
		.ring_mask = offsetof(struct ring_shared, sq_mask),
		.ring_entries = offsetof(struct ring_shared, sq_entries),
		.flags = offsetof(struct ring_shared, sq_flags),
		.dropped = offsetof(struct ring_shared, sq_dropped),
		.array = (u32)((u8 *)ring->sq_array - (u8 *)ring->shared),
	};
	p->cq_off = (struct uring_cq_offsets){
		.head = offsetof(struct ring_shared, cq_head),
		.tail = offsetof(struct ring_shared, cq_tail),
		.ring_mask = offsetof(struct ring_shared, cq_mask),
		.ring_entries = offsetof(struct ring_shared, cq_entries),
		.overflow = offsetof(struct ring_shared, cq_overflow),
		.cqes = offsetof(struct ring_shared, cqes),
		.flags = offsetof(struct ring_shared, cq_flags),
	};
	p->features = IORING_FEAT_ALL;
}

/* ATTACH_WQ names a ring whose workers are to be shared: they are the task's in any case. */
static int
check_attach(const struct uring_params *p)
{
	struct fdref r;
	int err = 0;

	if (!(p->flags & IORING_SETUP_ATTACH_WQ))
		return 0;
	r = fd_get(p->wq_fd);
	if (!r.file)
		return p->flags & IORING_SETUP_SQPOLL ? -ENXIO : -EINVAL;
	if (!file_ring(r.file))
		err = -EINVAL;
	fd_put(r);
	return err;
}

/* A ring that nobody knows yet; err_ptr. */
static struct ring *
ring_create(struct uring_params *p)
{
	struct ring *ring = kzalloc(sizeof(*ring), GFP_KERNEL);
	int err;

	if (!ring)
		return err_ptr(-ENOMEM);
	ring_init(ring, p);
	err = ring_memory(ring);
	if (err) {
		ring_free(ring);
		return err_ptr(err);
	}
	fill_offsets(ring, p);
	return ring;
}

/* Takes ring, also when it fails. */
static long
install(struct ring *ring, const struct uring_params *p, struct uring_params __user *uparams)
{
	struct file *f = file_alloc(&uring_ops, FMODE_READ | FMODE_WRITE, O_RDWR, ring);
	long ret;
	int fd;

	if (is_err(f)) {
		ring_free(ring);
		return ptr_err(f);
	}
	fd = fd_reserve(0, true);
	ret = fd;
	if (fd >= 0 && copy_to_user(uparams, p, sizeof(*p)))
		ret = -EFAULT;
	if (ret >= 0 && p->flags & IORING_SETUP_SQPOLL)
		ret = sqpoll_create(ring, current->uring, p) ?: fd;
	if (ret < 0) {
		if (fd >= 0)
			fd_unreserve((unsigned int)fd);
		file_put(f);
		return ret;
	}
	fd_publish((unsigned int)fd, f);
	return ret;
}

long
sys_io_uring_setup(u32 entries, struct uring_params __user *uparams)
{
	struct uring_params p;
	struct ring *ring;
	int err;

	if (copy_from_user(&p, uparams, sizeof(p)))
		return -EFAULT;
	if (p.resv[0] | p.resv[1] | p.resv[2])
		return -EINVAL;
	err = setup_flags(&p);
	if (!err)
		err = setup_sizes(&p, entries);
	if (!err)
		err = check_attach(&p);
	if (err)
		return err;
	if (!uring_task_get())
		return -ENOMEM;
	ring = ring_create(&p);
	return is_err(ring) ? ptr_err(ring) : install(ring, &p, uparams);
}
