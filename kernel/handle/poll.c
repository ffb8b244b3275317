/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * poll, ppoll, select, pselect6.
 *
 * Model: the first pass over the handles queues the caller on each of their
 * wait queues and looks; later passes only look. A waiter's callback marks the
 * set as triggered, so that a wakeup between the pass and the sleep is seen.
 *
 * Ownership: waiters live in the set: a few inside (on the stack), more in
 * chunks; all are taken off their queues before the handles are put.
 */
#include "kernel/handle/handle.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"
#include "sync/port.h"

#define INLINE_WAITERS 6
#define CHUNK_WAITERS 60

struct pollfd {
	s32 fd;
	s16 events;
	s16 revents;
};

struct poll_waiter {
	struct waiter waiter;
	struct poll_set *set;
	u32 events;
};

struct waiter_chunk {
	struct waiter_chunk *next;
	u32 used;
	struct poll_waiter w[CHUNK_WAITERS];
};

struct poll_set {
	struct poll_table pt;
	struct task *task;
	/* a  a queue has called */
	u32 triggered;
	/* -ENOMEM if a waiter could not be made */
	int err;
	u32 used;
	struct waiter_chunk *chunks;
	struct poll_waiter in[INLINE_WAITERS];
};

static int
set_wake(struct waiter *w, unsigned long key)
{
	struct poll_waiter *pw = container_of(w, struct poll_waiter, waiter);

	if (key && !(key & pw->events))
		return 0;
	WRITE_ONCE(pw->set->triggered, 1);
	unpark(pw->set->task);
	return 1;
}

static struct poll_waiter *
waiter_get(struct poll_set *s)
{
	struct waiter_chunk *c = s->chunks;

	if (s->used < INLINE_WAITERS)
		return &s->in[s->used++];
	if (!c || c->used == CHUNK_WAITERS) {
		c = kmalloc(sizeof(*c), GFP_KERNEL);
		if (!c)
			return NULL;
		c->used = 0;
		c->next = s->chunks;
		s->chunks = c;
	}
	return &c->w[c->used++];
}

static void
set_queue(struct poll_table *pt, struct file *f, struct waitq *q)
{
	struct poll_set *s = container_of(pt, struct poll_set, pt);
	struct poll_waiter *pw = waiter_get(s);

	if (!pw) {
		s->err = -ENOMEM;
		return;
	}
	pw->set = s;
	pw->events = pt->events | POLLERR | POLLHUP;
	pw->waiter = (struct waiter){.flags = WAITER_KEEP, .wake = set_wake, .task = s->task};
	waitq_add(q, &pw->waiter);
}

static void
set_init(struct poll_set *s)
{
	s->pt.queue = set_queue;
	s->pt.events = 0;
	s->task = current;
	s->triggered = 0;
	s->err = 0;
	s->used = 0;
	s->chunks = NULL;
}

static void
set_fini(struct poll_set *s)
{
	struct waiter_chunk *c;
	u32 i;

	for (i = 0; i < s->used; i++)
		waitq_del(s->in[i].waiter.queue, &s->in[i].waiter);
	while ((c = s->chunks) != NULL) {
		for (i = 0; i < c->used; i++)
			waitq_del(c->w[i].waiter.queue, &c->w[i].waiter);
		s->chunks = c->next;
		kfree(c);
	}
}

/*
 * Sleeps until a queue calls. 0: look again; -ETIMEDOUT, -ERESTARTSYS. The
 * state is set before `triggered` is read: pairs with set_wake().
 */
static int
set_wait(struct poll_set *s, u64 deadline)
{
	int err = 0;

	park_prepare(PARK_INTERRUPTIBLE);
	if (READ_ONCE(s->triggered))
		park_cancel();
	else
		err = park(deadline);
	WRITE_ONCE(s->triggered, 0);
	smp_mb();
	return err;
}

/* --- poll --- */

static u32
poll_one(struct pollfd *p, struct fdref *ref, struct poll_set *s, bool queue)
{
	u32 want = ((u32)(u16)p->events | POLLERR | POLLHUP) & 0xffff, got;

	if (p->fd < 0)
		return 0;
	if (!ref->file)
		return POLLNVAL;
	s->pt.events = want;
	got = file_poll(ref->file, queue ? &s->pt : NULL);
	return got & want;
}

static int
poll_pass(struct pollfd *fds, struct fdref *refs, unsigned int n, struct poll_set *s, bool queue)
{
	unsigned int i;
	int ready = 0;

	for (i = 0; i < n; i++) {
		/* Once something is ready nobody will sleep: no need to queue further. */
		u32 ev = poll_one(&fds[i], &refs[i], s, queue && !ready);

		fds[i].revents = (s16)ev;
		ready += ev != 0;
	}
	return ready;
}

static int
poll_loop(struct pollfd *fds, struct fdref *refs, unsigned int n, u64 deadline)
{
	struct poll_set s;
	int ready, err = 0;

	set_init(&s);
	ready = poll_pass(fds, refs, n, &s, deadline != 0);
	while (!ready && !err) {
		if (s.err)
			err = s.err;
		else if (deadline == 0)
			break;
		else
			err = set_wait(&s, deadline);
		ready = poll_pass(fds, refs, n, &s, false);
	}
	set_fini(&s);
	if (ready || err == -ETIMEDOUT)
		return ready;
	return err;
}

static long
poll_do(struct pollfd __user *ufds, unsigned int n, u64 deadline)
{
	struct pollfd fast[8], *fds = fast;
	struct fdref fast_refs[8], *refs = fast_refs;
	unsigned int i;
	long ret;

	if (n > rlimit(RLIMIT_NOFILE))
		return -EINVAL;
	if (n > ARRAY_SIZE(fast)) {
		fds = kvmalloc(n * sizeof(*fds), GFP_KERNEL);
		refs = kvmalloc(n * sizeof(*refs), GFP_KERNEL);
	}
	ret = fds && refs ? 0 : -ENOMEM;
	if (!ret)
		ret = copy_from_user(fds, ufds, n * sizeof(*fds));
	if (!ret) {
		for (i = 0; i < n; i++)
			refs[i] = fds[i].fd >= 0 ? fd_get((unsigned int)fds[i].fd)
						 : (struct fdref){0};
		ret = poll_loop(fds, refs, n, deadline);
		for (i = 0; i < n; i++)
			fd_put(refs[i]);
		for (i = 0; i < n && ret >= 0; i++)
			if (put_user(fds[i].revents, user_field(&ufds[i], revents)))
				ret = -EFAULT;
	}
	if (fds != fast) {
		kvfree(fds);
		kvfree(refs);
	}
	return ret;
}

static long
poll_restart(u64 args[4])
{
	long ret = poll_do((struct pollfd __user *)args[0], (unsigned int)args[1], args[2]);

	if (ret != -ERESTARTSYS)
		return ret;
	current->restart_fn = poll_restart;
	return -ERESTART_RESTARTBLOCK;
}

long
sys_poll(struct pollfd __user *fds, unsigned int n, int timeout_ms)
{
	u64 deadline = timeout_ms < 0	 ? NO_DEADLINE
		       : timeout_ms == 0 ? 0
					 : deadline_after((u64)timeout_ms * NSEC_PER_MSEC);
	u64 args[4] = {(u64 __force)fds, n, deadline};
	long ret = poll_restart(args);

	if (ret == -ERESTART_RESTARTBLOCK)
		memcpy(current->restart_args, args, sizeof(args));
	return ret;
}

/* The time left goes back to the caller, as far as it can be written. */
static void
put_left(struct timespec __user *ts, u64 deadline)
{
	u64 now = ktime_get();
	int err;

	if (!ts)
		return;
	err = put_user_timespec(ts, deadline > now && deadline != NO_DEADLINE ? deadline - now : 0);
	(void)err;
}

long
sys_ppoll(struct pollfd __user *fds, unsigned int n, struct timespec __user *ts,
	  const u64 __user *mask, size_t size)
{
	u64 deadline;
	long ret = get_user_deadline(ts, &deadline);

	if (!ret)
		ret = signal_set_user_mask(mask, size);
	if (ret)
		return ret;
	ret = poll_do(fds, n, deadline);
	signal_restore_mask(ret == -ERESTARTSYS);
	put_left(ts, deadline);
	return ret == -ERESTARTSYS ? -ERESTARTNOHAND : ret;
}

/* --- select --- */

#define SELECT_IN (POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR)
#define SELECT_OUT (POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR)
#define SELECT_EX POLLPRI

/* Six bit maps: what is asked for in, out, ex, and what is ready. */
struct select_sets {
	unsigned long *bits[6];
	unsigned int n;
};

static bool
bit_at(const unsigned long *map, unsigned int i)
{
	return map[i / 64] >> (i % 64) & 1;
}

static u32
select_want(const struct select_sets *ss, unsigned int i)
{
	return (bit_at(ss->bits[0], i) ? SELECT_IN : 0) |
	       (bit_at(ss->bits[1], i) ? SELECT_OUT : 0) | (bit_at(ss->bits[2], i) ? SELECT_EX : 0);
}

static int
select_mark(struct select_sets *ss, unsigned int i, u32 ev)
{
	static const u32 mask[3] = {SELECT_IN, SELECT_OUT, SELECT_EX};
	int k, ready = 0;

	for (k = 0; k < 3; k++)
		if (bit_at(ss->bits[k], i) && ev & mask[k]) {
			ss->bits[3 + k][i / 64] |= BIT(i % 64);
			ready++;
		}
	return ready;
}

static int
select_pass(struct select_sets *ss, struct poll_set *s, bool queue)
{
	unsigned int i;
	int ready = 0;

	for (i = 0; i < ss->n; i++) {
		u32 want = select_want(ss, i);
		struct fdref r;

		if (!want)
			continue;
		r = fd_get(i);
		if (!r.file)
			return -EBADF;
		s->pt.events = want;
		ready += select_mark(ss, i, file_poll(r.file, queue && !ready ? &s->pt : NULL));
		fd_put(r);
	}
	return ready;
}

/* Handles that are waited on stay referenced: their queues must not go. */
static int
select_hold(struct select_sets *ss, struct file **held)
{
	unsigned int i;

	for (i = 0; i < ss->n; i++) {
		held[i] = NULL;
		if (select_want(ss, i)) {
			held[i] = fd_get_file(i);
			if (!held[i]) {
				while (i--)
					if (held[i])
						file_put(held[i]);
				return -EBADF;
			}
		}
	}
	return 0;
}

static int
select_loop(struct select_sets *ss, u64 deadline)
{
	struct file **held = kvmalloc((ss->n + 1) * sizeof(*held), GFP_KERNEL);
	struct poll_set s;
	unsigned int i;
	int ready, err;

	if (!held)
		return -ENOMEM;
	err = select_hold(ss, held);
	if (err) {
		kvfree(held);
		return err;
	}
	set_init(&s);
	ready = select_pass(ss, &s, deadline != 0);
	while (!ready && !err) {
		if (s.err)
			err = s.err;
		else if (deadline == 0)
			break;
		else
			err = set_wait(&s, deadline);
		ready = select_pass(ss, &s, false);
	}
	set_fini(&s);
	for (i = 0; i < ss->n; i++)
		if (held[i])
			file_put(held[i]);
	kvfree(held);
	return ready || err == -ETIMEDOUT ? ready : err;
}

static int
sets_read(struct select_sets *ss, void __user *const u[3], size_t bytes)
{
	int k;

	for (k = 0; k < 3; k++)
		if (u[k] && copy_from_user(ss->bits[k], u[k], bytes))
			return -EFAULT;
	/* Bits beyond n in the last word are not the caller's question. */
	return 0;
}

static int
sets_write(struct select_sets *ss, void __user *const u[3], size_t bytes)
{
	int k;

	for (k = 0; k < 3; k++)
		if (u[k] && copy_to_user(u[k], ss->bits[3 + k], bytes))
			return -EFAULT;
	return 0;
}

static long
select_do(int n, void __user *const u[3], u64 deadline)
{
	unsigned long stack[6 * 2], *mem = stack;
	struct select_sets ss;
	size_t words;
	long ret;
	int k;

	if (n < 0)
		return -EINVAL;
	ss.n = min((unsigned int)n, files_slots(current->files));
	words = BITS_TO_LONGS(ss.n);
	if (words > 2) {
		mem = kvmalloc(6 * words * sizeof(long), GFP_KERNEL);
		if (!mem)
			return -ENOMEM;
	}
	memset(mem, 0, 6 * words * sizeof(long));
	for (k = 0; k < 6; k++)
		ss.bits[k] = mem + (size_t)k * words;
	ret = sets_read(&ss, u, words * sizeof(long));
	if (!ret)
		ret = select_loop(&ss, deadline);
	if (ret >= 0 && sets_write(&ss, u, words * sizeof(long)))
		ret = -EFAULT;
	if (mem != stack)
		kvfree(mem);
	return ret;
}

long
sys_select(int n, void __user *in, void __user *out, void __user *ex, struct timeval __user *utv)
{
	void __user *const u[3] = {in, out, ex};
	u64 deadline = NO_DEADLINE, now;
	struct timeval tv;
	long ret;

	if (utv) {
		if (copy_from_user(&tv, utv, sizeof(tv)))
			return -EFAULT;
		if (tv.sec < 0 || tv.usec < 0)
			return -EINVAL;
		tv.sec += tv.usec / 1000000;
		tv.usec %= 1000000;
		deadline = tv.sec || tv.usec ? deadline_after(timespec_to_ns(
						       &(struct timespec){tv.sec, tv.usec * 1000}))
					     : 0;
	}
	ret = select_do(n, u, deadline);
	if (utv) {
		now = ktime_get();
		now = deadline > now ? deadline - now : 0;
		tv = (struct timeval){(s64)(now / NSEC_PER_SEC), (s64)(now % NSEC_PER_SEC / 1000)};
		/* A time that cannot be written back is no error of the call. */
		if (copy_to_user(utv, &tv, sizeof(tv)))
			return ret;
	}
	return ret == -ERESTARTSYS ? -ERESTARTNOHAND : ret;
}

long
sys_pselect6(int n, void __user *in, void __user *out, void __user *ex, struct timespec __user *ts,
	     void __user *usig)
{
	void __user *const u[3] = {in, out, ex};
	struct {
		const u64 __user *mask;
		size_t size;
	} sig = {0};
	u64 deadline;
	long ret;

	if (usig && copy_from_user(&sig, usig, sizeof(sig)))
		return -EFAULT;
	ret = get_user_deadline(ts, &deadline);
	if (!ret)
		ret = signal_set_user_mask(sig.mask, sig.size);
	if (ret)
		return ret;
	ret = select_do(n, u, deadline);
	signal_restore_mask(ret == -ERESTARTSYS);
	put_left(ts, deadline);
	return ret == -ERESTARTSYS ? -ERESTARTNOHAND : ret;
}
