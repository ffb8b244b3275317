/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux AIO: contexts and their events (io_setup(2), io_getevents(2), io_destroy(2)).
 *
 * Model: a context is a ring of events that is mapped into the space of who made it; its
 * name is that address. io_submit(2) (aio.c) does what it is asked at once, as Linux does
 * for all but direct access to a disk, and posts an event; only polls wait (aio_poll.c).
 *
 * Ownership: the space has the context, and io_destroy(2) or the space's end takes it
 * away; what waits holds it until it has posted. The memory lives as long as the handle
 * that is mapped, which has a reference too.
 *
 * Limits: fs.aio-max-nr over the sum of what all contexts asked for, -EAGAIN; a slot for
 * each request, -EAGAIN.
 *
 * Locking: space_aio()->lock the list; ->reader who takes events; ->lock the tail.
 */
#include "arch/x86_64/asm/atomic.h"
#include "kernel/init.h"
#include "kernel/seq.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/sysctl.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/fcntl.h"
#include "kernel/uapi/mman.h"
#include "lib/errno.h"
#include "lib/parse.h"
#include "mm/port_space.h"
#include "mm/slab.h"
#include "mm/space.h"
#include "mm/uaccess.h"
#include "mm/vmalloc.h"
#include "percpu/counter.h"
#include "percpu/cpumask.h"
#include "uring/aio_impl.h"

#define AIO_RING_MAGIC 0xa10a10a1u
#define EVENTS_MAX (0x10000000u / sizeof(struct aio_event))
#define AIO_MAX_NR 65536

static LOCK_CLASS(aio_reader_class, RANK_URING);
static LOCK_CLASS(aio_ctx_class, RANK_URING_SPIN);
static struct limit_counter aio_count;

static int
aio_init(void)
{
	return limit_counter_init(&aio_count, AIO_MAX_NR);
}
INITCALL(INIT_CORE, aio_init);

/* --- fs.aio-nr, fs.aio-max-nr --- */

static int
nr_show(struct seq *s)
{
	seq_printf(s, "%ld\n", limit_counter_sum(&aio_count));
	return 0;
}

static int
max_show(struct seq *s)
{
	seq_printf(s, "%ld\n", (s64)READ_ONCE(aio_count.limit));
	return 0;
}

static int
max_store(char *text)
{
	u64 n;

	if (parse_u64(text, 0, &n) || n > S64_MAX)
		return -EINVAL;
	limit_counter_set_limit(&aio_count, (s64)n);
	return 0;
}

SYSCTL_SHOW(aio_nr, "fs/aio-nr", nr_show);
SYSCTL_RW(aio_max_nr, "fs/aio-max-nr", max_show, max_store);

/* --- life --- */

static void
ctx_free(struct aio_ctx *c)
{
	vfree(c->ring);
	kvfree(c->pages);
	kfree(c);
}

static void
ctx_free_work(struct work *w)
{
	ctx_free(container_of(w, struct aio_ctx, free_work));
}

void
aio_ctx_put(struct aio_ctx *c)
{
	if (!atomic_dec_and_test(&c->refs))
		return;
	work_init(&c->free_work, ctx_free_work);
	work_post_here(&c->free_work);
}

static int
ring_mmap(struct file *f, struct map_request *req)
{
	struct aio_ctx *c = f->private;

	if (req->offset || req->len > c->nr_pages * PAGE_SIZE)
		return -EINVAL;
	req->pages = c->pages;
	return 0;
}

static void
ring_release(struct file *f)
{
	aio_ctx_put(f->private);
}

static const struct file_ops aio_ring_ops = {
	.name = "[aio]",
	.mmap = ring_mmap,
	.release = ring_release,
};

static struct aio_ctx *
ctx_alloc(u32 nr, u32 max_reqs)
{
	struct aio_ctx *c = kzalloc(sizeof(*c), GFP_KERNEL);
	size_t size = sizeof(struct aio_ring) + (nr + 2) * sizeof(struct aio_event);

	if (!c)
		return NULL;
	c->refs = 1;
	c->max_reqs = max_reqs;
	c->nr_pages = (u32)div_round_up(size, (size_t)PAGE_SIZE);
	c->nr = (u32)((c->nr_pages * PAGE_SIZE - sizeof(struct aio_ring)) /
		      sizeof(struct aio_event));
	spin_init(&c->lock, &aio_ctx_class);
	mutex_init(&c->reader, &aio_reader_class);
	list_init(&c->polls);
	waitq_init(&c->wait);
	c->ring = vmalloc(c->nr_pages * PAGE_SIZE, GFP_KERNEL | GFP_ZERO);
	c->pages = kvmalloc(c->nr_pages * sizeof(*c->pages), GFP_KERNEL);
	if (!c->ring || !c->pages) {
		ctx_free(c);
		return NULL;
	}
	for (u32 i = 0; i < c->nr_pages; i++)
		c->pages[i] = vmalloc_to_page((u8 *)c->ring + i * PAGE_SIZE);
	c->ring->id = U32_MAX;
	c->ring->nr = c->nr;
	c->ring->magic = AIO_RING_MAGIC;
	c->ring->compat = 1;
	c->ring->header_length = sizeof(struct aio_ring);
	return c;
}

/* Maps it; the mapping holds it from then on. */
static long
ctx_map(struct aio_ctx *c)
{
	struct map_backing b = {0};
	struct file *f;
	long at;

	atomic_inc(&c->refs);
	f = file_alloc(&aio_ring_ops, FMODE_READ | FMODE_WRITE, O_RDWR, c);
	if (is_err(f)) {
		aio_ctx_put(c);
		return ptr_err(f);
	}
	b.file = f;
	at = space_map(current->space, 0, c->nr_pages * PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_SHARED, &b);
	file_put(f);
	return at;
}

static void
ctx_publish(struct aio_ctx *c)
{
	struct space_aio *a = space_aio(current->space);

	spin_lock(&a->lock);
	list_add(&c->link, &a->contexts);
	spin_unlock(&a->lock);
}

long
sys_io_setup(u32 nr, u64 __user *uid)
{
	struct aio_ctx *c;
	u32 max_reqs = nr;
	u64 id;
	long at;

	if (get_user(id, uid))
		return -EFAULT;
	if (id || !nr)
		return -EINVAL;
	nr = max(nr, nr_cpus * 4);
	if (nr > EVENTS_MAX / 2)
		return -EINVAL;
	if (!limit_counter_try_add(&aio_count, max_reqs))
		return -EAGAIN;
	c = ctx_alloc(nr * 2, max_reqs);
	at = c ? ctx_map(c) : -ENOMEM;
	if (at >= 0) {
		c->id = (u64)at;
		ctx_publish(c);
		if (!put_user(c->id, uid))
			return 0;
		(void)sys_io_destroy(c->id);
		return -EFAULT;
	}
	limit_counter_try_add(&aio_count, -(s64)max_reqs);
	if (c)
		aio_ctx_put(c);
	return at;
}

struct aio_ctx *
aio_ctx_get(u64 id)
{
	struct space_aio *a = space_aio(current->space);
	struct aio_ctx *c, *found = NULL;

	spin_lock(&a->lock);
	list_for_each_entry(c, &a->contexts, link) {
		if (c->id == id) {
			atomic_inc(&c->refs);
			found = c;
			break;
		}
	}
	spin_unlock(&a->lock);
	return found;
}

/* It is in no list any more: nothing of it waits afterwards. */
static void
ctx_end(struct aio_ctx *c)
{
	unsigned long f = spin_lock_irq(&c->lock);

	c->dead = true;
	spin_unlock_irq(&c->lock, f);
	(void)aio_poll_cancel(c, 0);
	waitq_wake_all(&c->wait);
	wait_event(&c->wait, !READ_ONCE(c->active));
	limit_counter_try_add(&aio_count, -(s64)c->max_reqs);
}

long
sys_io_destroy(u64 id)
{
	struct space_aio *a = space_aio(current->space);
	struct aio_ctx *c = aio_ctx_get(id);
	bool ours = false;

	if (!c)
		return -EINVAL;
	spin_lock(&a->lock);
	if (!list_empty(&c->link)) {
		list_del_init(&c->link);
		ours = true;
	}
	spin_unlock(&a->lock);
	if (ours) {
		ctx_end(c);
		(void)space_unmap(current->space, c->id, c->nr_pages * PAGE_SIZE);
		aio_ctx_put(c);
	}
	aio_ctx_put(c);
	return ours ? 0 : -EINVAL;
}

void
mm_port_aio_end(struct space *s)
{
	struct space_aio *a = space_aio(s);
	struct aio_ctx *c;

	while ((c = list_first_or_null(&a->contexts, struct aio_ctx, link)) != NULL) {
		list_del_init(&c->link);
		ctx_end(c);
		aio_ctx_put(c);
	}
}

/* --- events --- */

/* Events in the ring; the program may have put anything into its head. c->lock held. */
static u32
unread(const struct aio_ctx *c)
{
	return (c->tail + c->nr - READ_ONCE(c->ring->head) % c->nr) % c->nr;
}

int
aio_reserve(struct aio_ctx *c)
{
	unsigned long f = spin_lock_irq(&c->lock);
	int err = 0;

	if (c->dead)
		err = -EINVAL;
	else if (unread(c) + c->active >= c->nr - 1)
		err = -EAGAIN;
	else
		WRITE_ONCE(c->active, c->active + 1);
	spin_unlock_irq(&c->lock, f);
	return err;
}

void
aio_unreserve(struct aio_ctx *c)
{
	unsigned long f = spin_lock_irq(&c->lock);

	WRITE_ONCE(c->active, c->active - 1);
	spin_unlock_irq(&c->lock, f);
	waitq_wake_all(&c->wait);
}

void
aio_post(struct aio_ctx *c, const struct aio_event *e, struct file *resfd)
{
	unsigned long f = spin_lock_irq(&c->lock);

	c->ring->events[c->tail] = *e;
	c->tail = (c->tail + 1) % c->nr;
	smp_store_release(&c->ring->tail, c->tail);
	WRITE_ONCE(c->active, c->active - 1);
	spin_unlock_irq(&c->lock, f);
	if (resfd)
		eventfd_signal(file_eventfd(resfd), 1);
	waitq_wake_all(&c->wait);
}

/* Takes up to n events to the user: how many, or -EFAULT. */
static long
take_events(struct aio_ctx *c, struct aio_event __user *to, s64 n)
{
	u32 head, tail;
	s64 done = 0;
	int err = 0;

	mutex_lock(&c->reader);
	head = READ_ONCE(c->ring->head) % c->nr;
	tail = smp_load_acquire(&c->tail);
	while (done < n && head != tail && !err) {
		struct aio_event e = c->ring->events[head];

		err = copy_to_user(&to[done], &e, sizeof(e));
		if (err)
			break;
		head = (head + 1) % c->nr;
		done++;
	}
	WRITE_ONCE(c->ring->head, head);
	mutex_unlock(&c->reader);
	return done ? done : err;
}

static bool
any_event(struct aio_ctx *c)
{
	return READ_ONCE(c->ring->head) % c->nr != READ_ONCE(c->tail) || READ_ONCE(c->dead);
}

static long
get_events(u64 id, s64 min, s64 nr, struct aio_event __user *to, u64 deadline)
{
	struct aio_ctx *c;
	s64 done = 0;
	long n = 0;
	int err = 0;

	c = aio_ctx_get(id);
	if (!c)
		return -EINVAL;
	if (min > nr || min < 0) {
		aio_ctx_put(c);
		return -EINVAL;
	}
	for (;;) {
		n = take_events(c, to + done, nr - done);
		if (n > 0)
			done += n;
		if (n < 0 || done >= min || err || deadline == 0 || READ_ONCE(c->dead))
			break;
		err = wait_event_interruptible_until(&c->wait, any_event(c), deadline);
	}
	if (!done && n < 0)
		done = n;
	else if (!done && READ_ONCE(c->dead) && min)
		done = -EINVAL;
	else if (!done && err == -ERESTARTSYS)
		done = -EINTR;
	aio_ctx_put(c);
	return done;
}

long
sys_io_getevents(u64 id, s64 min, s64 nr, void __user *events, struct timespec __user *ts)
{
	u64 deadline;
	int err = get_user_deadline(ts, &deadline);

	return err ? err : get_events(id, min, nr, events, deadline);
}

long
sys_io_pgetevents(u64 id, s64 min, s64 nr, void __user *events, struct timespec __user *ts,
		  const void __user *usig)
{
	struct {
		const u64 __user *mask;
		size_t size;
	} sig = {0};
	u64 deadline;
	long ret = get_user_deadline(ts, &deadline);

	if (!ret && usig && copy_from_user(&sig, usig, sizeof(sig)))
		ret = -EFAULT;
	if (!ret)
		ret = signal_set_user_mask(sig.mask, sig.size);
	if (ret)
		return ret;
	ret = get_events(id, min, nr, events, deadline);
	signal_restore_mask(ret == -EINTR);
	return ret;
}
