/* SPDX-License-Identifier: BSD-2-Clause */
/* io_uring_register(2): what a ring is told once. */
#include "kernel/syscall/syscalls.h"
#include "kernel/task/task.h"
#include "lib/bits.h"
#include "mm/uaccess.h"
#include "uring/uring_impl.h"

/* --- eventfd --- */

static void
eventfd_drop(struct rcu_head *h)
{
	struct ring_eventfd *e = container_of(h, struct ring_eventfd, rcu);

	kfree(e);
}

static void
eventfd_put(struct ring_eventfd *e)
{
	/* Nobody signals it any more after a grace period. */
	rcu_synchronize();
	file_put(e->file);
	rcu_call(&e->rcu, eventfd_drop);
}

static long
eventfd_register(struct ring *ring, const void __user *arg, bool async_only)
{
	struct ring_eventfd *e;
	s32 fd;

	if (rcu_locked(ring->eventfd))
		return -EBUSY;
	if (copy_from_user(&fd, arg, sizeof(fd)))
		return -EFAULT;
	e = kzalloc(sizeof(*e), GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	e->file = fd_get_file((unsigned int)fd);
	e->eventfd = e->file ? file_eventfd(e->file) : NULL;
	e->async_only = async_only;
	if (!e->eventfd) {
		long err = e->file ? -EINVAL : -EBADF;

		if (e->file)
			file_put(e->file);
		kfree(e);
		return err;
	}
	rcu_publish(ring->eventfd, e);
	return 0;
}

static long
eventfd_unregister(struct ring *ring)
{
	struct ring_eventfd *e = rcu_locked(ring->eventfd);

	if (!e)
		return -ENXIO;
	rcu_publish(ring->eventfd, NULL);
	eventfd_put(e);
	return 0;
}

void
ring_eventfd_free(struct ring *ring)
{
	(void)eventfd_unregister(ring);
}

/* --- probe, personality, restrictions --- */

static long
probe(void __user *arg, u32 nr)
{
	struct uring_probe p = {.last_op = IORING_OP_LAST - 1};
	struct uring_probe __user *u = arg;
	struct uring_probe in;

	nr = min(nr, (u32)IORING_OP_LAST);
	/* The answer's place is to be zero. */
	if (copy_from_user(&in, u, sizeof(in)))
		return -EFAULT;
	if (in.last_op | in.ops_len | in.resv | in.resv2[0] | in.resv2[1] | in.resv2[2])
		return -EINVAL;
	for (u32 i = 0; i < nr; i++) {
		struct uring_probe_op __user *uop = (struct uring_probe_op __user *)(u + 1) + i;
		struct uring_probe_op op;

		if (copy_from_user(&op, uop, sizeof(op)))
			return -EFAULT;
		if (op.op | op.resv | op.flags | op.resv2)
			return -EINVAL;
		op.op = (u8)i;
		op.flags = op_defs[i].issue ? IO_URING_OP_SUPPORTED : 0;
		if (copy_to_user(uop, &op, sizeof(op)))
			return -EFAULT;
	}
	p.ops_len = (u8)nr;
	return copy_to_user(u, &p, sizeof(p));
}

static long
personality_register(struct ring *ring)
{
	const struct cred **more;
	u32 i;

	for (i = 0; i < ring->nr_creds && ring->creds[i]; i++)
		;
	if (i == ring->nr_creds) {
		if (i == URING_MAX_PERSONALITIES)
			return -EBUSY;
		more = kvmalloc((i + 8) * sizeof(*more), GFP_KERNEL | GFP_ZERO);
		if (!more)
			return -ENOMEM;
		for (u32 k = 0; k < i; k++)
			more[k] = ring->creds[k];
		kvfree(ring->creds);
		ring->creds = more;
		ring->nr_creds = min(i + 8, URING_MAX_PERSONALITIES);
	}
	ring->creds[i] = cred_get(current_cred());
	return i + 1;
}

static long
personality_unregister(struct ring *ring, u32 id)
{
	const struct cred *c;

	if (!id || id > ring->nr_creds || !ring->creds[id - 1])
		return -EINVAL;
	c = ring->creds[id - 1];
	ring->creds[id - 1] = NULL;
	cred_put(c);
	return 0;
}

static int
restrict_one(struct restrictions *rs, const struct uring_restriction *u)
{
	switch (u->opcode) {
	case IORING_RESTRICTION_REGISTER_OP:
		if (u->value >= IORING_REGISTER_LAST)
			return -EINVAL;
		rs->register_ops |= BIT(u->value);
		return 0;
	case IORING_RESTRICTION_SQE_OP:
		if (u->value >= IORING_OP_LAST)
			return -EINVAL;
		rs->sqe_ops |= BIT(u->value);
		return 0;
	case IORING_RESTRICTION_SQE_FLAGS_ALLOWED:
		rs->flags_allowed = u->value;
		return 0;
	case IORING_RESTRICTION_SQE_FLAGS_REQUIRED:
		rs->flags_required = u->value;
		return 0;
	default:
		return -EINVAL;
	}
}

static long
restrictions_register(struct ring *ring, const void __user *arg, u32 nr)
{
	const struct uring_restriction __user *u = arg;
	struct restrictions rs = {.registered = true};
	struct uring_restriction one;
	int err = 0;

	if (ring->enabled)
		return -EBADFD;
	if (ring->restrictions.registered)
		return -EBUSY;
	if (!arg || nr > URING_MAX_RESTRICTIONS)
		return -EINVAL;
	for (u32 i = 0; i < nr && !err; i++)
		err = copy_from_user(&one, &u[i], sizeof(one)) ?: restrict_one(&rs, &one);
	if (!err)
		ring->restrictions = rs;
	return err;
}

static long
enable(struct ring *ring)
{
	if (ring->enabled)
		return -EBADFD;
	if (ring->flags & IORING_SETUP_SINGLE_ISSUER && !ring->submitter)
		ring->submitter = current;
	ring->restricted = ring->restrictions.registered;
	WRITE_ONCE(ring->enabled, true);
	sqpoll_wake(ring);
	return 0;
}

/* --- ring descriptors of the task --- */

static long
ring_fd_set(struct uring_task *t, struct uring_rsrc_update2 *u)
{
	u32 i = u->offset, end = URING_MAX_RING_FDS;
	struct file *f;

	if (u->resv)
		return -EINVAL;
	if (i == U32_MAX) {
		for (i = 0; i < end && t->ring_fds[i]; i++)
			;
		if (i == end)
			return -EBUSY;
	} else if (i >= end) {
		return -EINVAL;
	} else if (t->ring_fds[i]) {
		return -EBUSY;
	}
	f = fd_get_file((unsigned int)u->data);
	if (!f)
		return -EBADF;
	if (!file_ring(f)) {
		file_put(f);
		return -EOPNOTSUPP;
	}
	t->ring_fds[i] = f;
	u->offset = i;
	return 0;
}

/* offset, resv, data: the head of the structure. */
#define RING_FD_SIZE 16

static long
ring_fds_register(void __user *arg, u32 nr)
{
	struct uring_task *t = current->uring;
	long err = 0;
	u32 i;

	if (!nr || nr > URING_MAX_RING_FDS)
		return -EINVAL;
	for (i = 0; i < nr && !err; i++) {
		char __user *at = (char __user *)arg + i * RING_FD_SIZE;
		struct uring_rsrc_update2 u = {0};

		if (copy_from_user(&u, at, RING_FD_SIZE)) {
			err = -EFAULT;
			break;
		}
		err = ring_fd_set(t, &u);
		if (!err && copy_to_user(at, &u, RING_FD_SIZE)) {
			file_put(t->ring_fds[u.offset]);
			t->ring_fds[u.offset] = NULL;
			err = -EFAULT;
		}
		if (err)
			break;
	}
	return i ? (long)i : err;
}

static long
ring_fds_unregister(const void __user *arg, u32 nr)
{
	struct uring_task *t = current->uring;
	long err = 0;
	u32 i;

	if (!nr || nr > URING_MAX_RING_FDS)
		return -EINVAL;
	for (i = 0; i < nr; i++) {
		struct uring_rsrc_update2 u = {0};

		if (copy_from_user(&u, (const char __user *)arg + i * RING_FD_SIZE, RING_FD_SIZE))
			err = -EFAULT;
		else if (u.resv || u.data || u.offset >= URING_MAX_RING_FDS)
			err = -EINVAL;
		if (err)
			break;
		if (t->ring_fds[u.offset]) {
			file_put(t->ring_fds[u.offset]);
			t->ring_fds[u.offset] = NULL;
		}
	}
	return i ? (long)i : err;
}

/* --- the call --- */

static long
update_plain(struct ring *ring, const void __user *arg, u32 nr)
{
	struct uring_files_update u;

	if (!nr)
		return -EINVAL;
	if (copy_from_user(&u, arg, sizeof(u)))
		return -EFAULT;
	if (u.resv)
		return -EINVAL;
	return files_update(ring, &(struct rsrc_update){u.offset, nr, u.data, 0});
}

static long
update_tagged(struct ring *ring, const void __user *arg, u32 size, bool files)
{
	struct uring_rsrc_update2 u;
	struct rsrc_update up;

	if (size != sizeof(u))
		return -EINVAL;
	if (copy_from_user(&u, arg, sizeof(u)))
		return -EFAULT;
	if (!u.nr || u.resv || u.resv2)
		return -EINVAL;
	up = (struct rsrc_update){u.offset, u.nr, u.data, u.tags};
	return files ? files_update(ring, &up) : buffers_update(ring, &up);
}

/* Which take an argument, which a count; the others take neither. */
#define WITH_ARG                                                                                   \
	(BIT(IORING_REGISTER_EVENTFD) | BIT(IORING_REGISTER_EVENTFD_ASYNC) |                       \
	 BIT(IORING_REGISTER_PBUF_RING) | BIT(IORING_UNREGISTER_PBUF_RING) |                       \
	 BIT(IORING_REGISTER_SYNC_CANCEL))
#define WITHOUT                                                                                    \
	(BIT(IORING_UNREGISTER_BUFFERS) | BIT(IORING_UNREGISTER_FILES) |                           \
	 BIT(IORING_UNREGISTER_EVENTFD) | BIT(IORING_REGISTER_PERSONALITY) |                       \
	 BIT(IORING_REGISTER_ENABLE_RINGS))

static int
check_args(unsigned int op, const void __user *arg, u32 nr)
{
	if (BIT(op) & WITHOUT && (arg || nr))
		return -EINVAL;
	if (BIT(op) & WITH_ARG && (nr != 1 || !arg))
		return -EINVAL;
	if (op == IORING_UNREGISTER_PERSONALITY && arg)
		return -EINVAL;
	if (op == IORING_REGISTER_PROBE && (!arg || nr > 256))
		return -EINVAL;
	if (op == IORING_REGISTER_IOWQ_MAX_WORKERS && (!arg || nr != 2))
		return -EINVAL;
	if (op == IORING_REGISTER_FILE_ALLOC_RANGE && (!arg || nr))
		return -EINVAL;
	if ((op == IORING_REGISTER_BUFFERS || op == IORING_REGISTER_FILES) && !arg)
		return -EFAULT;
	return 0;
}

/* long: one case a command */
static long
register_op(struct ring *ring, unsigned int op, void __user *arg, u32 nr)
{
	int err = check_args(op, arg, nr);

	if (err)
		return err;
	switch (op) {
	case IORING_REGISTER_BUFFERS:
		return buffers_register(ring, arg, nr, NULL);
	case IORING_UNREGISTER_BUFFERS:
		return buffers_unregister(ring);
	case IORING_REGISTER_FILES:
		return files_register(ring, arg, nr, NULL);
	case IORING_UNREGISTER_FILES:
		return files_unregister(ring);
	case IORING_REGISTER_EVENTFD:
	case IORING_REGISTER_EVENTFD_ASYNC:
		return eventfd_register(ring, arg, op == IORING_REGISTER_EVENTFD_ASYNC);
	case IORING_UNREGISTER_EVENTFD:
		return eventfd_unregister(ring);
	case IORING_REGISTER_FILES_UPDATE:
		return update_plain(ring, arg, nr);
	case IORING_REGISTER_PROBE:
		return probe(arg, nr);
	case IORING_REGISTER_PERSONALITY:
		return personality_register(ring);
	case IORING_UNREGISTER_PERSONALITY:
		return personality_unregister(ring, nr);
	case IORING_REGISTER_RESTRICTIONS:
		return restrictions_register(ring, arg, nr);
	case IORING_REGISTER_ENABLE_RINGS:
		return enable(ring);
	case IORING_REGISTER_FILES2:
		return files_register2(ring, arg, nr);
	case IORING_REGISTER_FILES_UPDATE2:
		return update_tagged(ring, arg, nr, true);
	case IORING_REGISTER_BUFFERS2:
		return buffers_register2(ring, arg, nr);
	case IORING_REGISTER_BUFFERS_UPDATE:
		return update_tagged(ring, arg, nr, false);
	case IORING_REGISTER_IOWQ_MAX_WORKERS:
		return pool_limits(ring, arg);
	case IORING_REGISTER_RING_FDS:
		return ring_fds_register(arg, nr);
	case IORING_UNREGISTER_RING_FDS:
		return ring_fds_unregister(arg, nr);
	case IORING_REGISTER_PBUF_RING:
		return select_register(ring, arg);
	case IORING_UNREGISTER_PBUF_RING:
		return select_unregister(ring, arg);
	case IORING_REGISTER_SYNC_CANCEL:
		return cancel_sync(ring, arg);
	case IORING_REGISTER_FILE_ALLOC_RANGE:
		return files_alloc_range(ring, arg);
	default:
		return -EINVAL;
	}
}

long
sys_io_uring_register(unsigned int fd, unsigned int op, void __user *arg, u32 nr)
{
	struct fdref r;
	struct ring *ring;
	long ret;

	if (op >= IORING_REGISTER_LAST)
		return -EINVAL;
	r = fd_get(fd);
	if (!r.file)
		return -EBADF;
	ring = file_ring(r.file);
	ret = ring ? 0 : -EOPNOTSUPP;
	if (!ret && !uring_task_get())
		ret = -ENOMEM;
	if (!ret) {
		current->uring->inside = &r;
		mutex_lock(&ring->mutex);
		if (ring->submitter && ring->submitter != current)
			ret = -EEXIST;
		else if (ring->restricted && !(ring->restrictions.register_ops & BIT(op)))
			ret = -EACCES;
		else
			ret = register_op(ring, op, arg, nr);
		mutex_unlock(&ring->mutex);
		current->uring->inside = NULL;
	}
	fd_put(r);
	return ret;
}
