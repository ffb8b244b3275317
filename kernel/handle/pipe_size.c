/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many slots a pipe has: F_SETPIPE_SZ, and the limits of pipe(7).
 *
 * Each slot counts as a page of its user, whether it is full or not. A user
 * without CAP_SYS_RESOURCE or CAP_SYS_ADMIN that is beyond the soft limit gets
 * small pipes, beyond the hard limit none.
 */
#include "kernel/cred.h"
#include "kernel/handle/handle.h"
#include "kernel/handle/pipe.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/fcntl.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "mm/slab.h"

#define PIPE_MIN_SLOTS 2u

u32 pipe_max_size = 1u << 20;
u32 pipe_user_pages_soft = 1u << 14;
u32 pipe_user_pages_hard;

/* Charges n pages to the user of p unless a limit forbids it. */
static bool
charge(struct pipe *p, u32 n, u32 limit)
{
	bool exempt = !limit || capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN);

	return user_count_try_add(p->user, USER_PIPE_PAGES, n, exempt ? U64_MAX : limit);
}

static void
uncharge(struct pipe *p, u32 n)
{
	user_count_add(p->user, USER_PIPE_PAGES, -(s64)n);
}

/* A new pipe has fewer slots when its user is beyond the soft limit, none beyond the hard one. */
static u32
charge_new(struct pipe *p)
{
	u32 n = PIPE_DEFAULT_SLOTS, max = READ_ONCE(pipe_max_size) / (u32)PAGE_SIZE;
	u32 hard = READ_ONCE(pipe_user_pages_hard);

	if (n > max && !capable(CAP_SYS_RESOURCE))
		n = max;
	while (!is_power_of_2(n))
		n &= n - 1;
	if (!charge(p, n, READ_ONCE(pipe_user_pages_soft))) {
		n = PIPE_MIN_SLOTS;
		return charge(p, n, hard) ? n : 0;
	}
	if (!hard)
		return n;
	/* The soft limit let it pass: it must hold under the hard one too. */
	uncharge(p, n);
	return charge(p, n, hard) ? n : 0;
}

int
pipe_slots_alloc(struct pipe *p)
{
	u32 n;

	p->user = current_cred()->user;
	n = charge_new(p);
	if (!n)
		return -ENFILE;
	p->slot = kcalloc(n, sizeof(*p->slot), GFP_KERNEL);
	if (!p->slot) {
		uncharge(p, n);
		return -ENOMEM;
	}
	p->nr_slots = n;
	return 0;
}

void
pipe_slots_free(struct pipe *p)
{
	kfree(p->slot);
	uncharge(p, p->nr_slots);
}

/* For more slots than there are: 0 or -EPERM. Both limits count. */
static int
charge_more(struct pipe *p, u32 n)
{
	u32 soft = READ_ONCE(pipe_user_pages_soft), hard = READ_ONCE(pipe_user_pages_hard);
	u32 limit = soft && hard ? min(soft, hard) : max(soft, hard);

	return charge(p, n, limit) ? 0 : -EPERM;
}

/* Both locks held. Positions stay: who polls looks at them without locks. */
static void
replace_slots(struct pipe *p, struct pipe_slot *new, u32 slots)
{
	u32 i;

	for (i = p->r.tail; i != p->w.head; i++)
		new[i & (slots - 1)] = *pipe_at(p, i);
	kfree(p->slot);
	p->slot = new;
	WRITE_ONCE(p->nr_slots, slots);
}

static long
pipe_resize(struct pipe *p, unsigned long bytes)
{
	struct pipe_slot *new;
	u32 slots, old;
	int err = 0;

	if (bytes > (1ul << 31))
		return -EINVAL;
	slots = (u32)max(div_round_up(bytes, PAGE_SIZE), 1UL);
	while (!is_power_of_2(slots))
		slots += slots & -slots;
	if (slots > p->nr_slots && (u64)slots * PAGE_SIZE > READ_ONCE(pipe_max_size) &&
	    !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	new = kcalloc(slots, sizeof(*new), GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	pipe_lock_both(p);
	old = p->nr_slots;
	if (p->w.head - p->r.tail > slots)
		err = -EBUSY;
	else if (slots > old)
		err = charge_more(p, slots - old);
	else
		uncharge(p, old - slots);
	if (!err)
		replace_slots(p, new, slots);
	pipe_unlock_both(p);
	if (err) {
		kfree(new);
		return err;
	}
	waitq_wake_all(&p->write_wait);
	return (long)slots * (long)PAGE_SIZE;
}

long
pipe_fcntl(struct file *f, unsigned int cmd, unsigned long arg)
{
	struct pipe *p = file_pipe(f);

	if (!p)
		return -EBADF;
	if (cmd == F_GETPIPE_SZ)
		return (long)READ_ONCE(p->nr_slots) * (long)PAGE_SIZE;
	return pipe_resize(p, (unsigned int)arg);
}
