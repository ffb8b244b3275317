/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters of sockets (SO_ATTACH_FILTER, socket(7)).
 *
 * Model: a program of classic BPF says of each packet that comes how much of it the
 * socket takes; of 0 the sender hears nothing. lib/cbpf.c checks and runs it.
 * Connections of streams have none.
 *
 * Locking: a filter does not change; it is found under RCU and goes a grace period
 * after it was replaced.
 */
#include "net/socket.h"

#include "arch/x86_64/asm/atomic.h"
#include "kernel/random.h"
#include "lib/cbpf.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

/* net.core.optmem_max of Linux, and what a filter takes there besides its instructions. */
#define OPTMEM_MAX 20480u
#define FILTER_HEAD 72u

/* struct sock_fprog of the ABI. */
struct user_filter {
	u16 len;
	u16 pad[3];
	const struct cbpf_insn __user *insns;
};
static_assert(sizeof(struct user_filter) == 16, "ABI");

struct socket_filter {
	struct rcu_head rcu;
	u32 len;
	struct cbpf_insn insns[];
};

static void
filter_free_rcu(struct rcu_head *h)
{
	kvfree(container_of(h, struct socket_filter, rcu));
}

/* Puts `new` in place; false: there was none before. */
static bool
filter_replace(struct socket *s, struct socket_filter *new)
{
	struct socket_filter __rcu *was =
		atomic_xchg(&s->filter, (struct socket_filter __rcu __force *)new);
	struct socket_filter *old = rcu_locked(was);

	if (!old)
		return false;
	rcu_call(&old->rcu, filter_free_rcu);
	return true;
}

static int
filter_check(const struct socket_filter *f)
{
	u16 *scratch = kvmalloc(f->len * sizeof(*scratch), GFP_KERNEL);
	bool ok;

	if (!scratch)
		return -ENOMEM;
	ok = cbpf_check_packet(f->insns, f->len, scratch);
	kvfree(scratch);
	if (!ok)
		return -EINVAL;
	return FILTER_HEAD + cbpf_weight(f->insns, f->len) * 8 >= OPTMEM_MAX ? -ENOMEM : 0;
}

int
socket_filter_attach(struct socket *s, const void __user *val, u32 len)
{
	struct socket_filter *f;
	struct user_filter u;
	int err;

	if (len != sizeof(u))
		return -EINVAL;
	if (copy_from_user(&u, val, sizeof(u)))
		return -EFAULT;
	if (atomic_read(&s->options) & SOCKET_FILTER_LOCKED)
		return -EPERM;
	if (!u.insns || u.len == 0 || u.len > CBPF_MAX_INSNS)
		return -EINVAL;
	f = kvmalloc(sizeof(*f) + u.len * sizeof(f->insns[0]), GFP_KERNEL);
	if (!f)
		return -ENOMEM;
	f->len = u.len;
	err = copy_from_user(f->insns, u.insns, u.len * sizeof(f->insns[0]));
	if (!err)
		err = filter_check(f);
	if (err)
		kvfree(f);
	else
		(void)filter_replace(s, f);
	return err;
}

int
socket_filter_detach(struct socket *s)
{
	if (atomic_read(&s->options) & SOCKET_FILTER_LOCKED)
		return -EPERM;
	return filter_replace(s, NULL) ? 0 : -ENOENT;
}

void
socket_filter_free(struct socket *s)
{
	(void)filter_replace(s, NULL);
}

int
socket_filter_get(struct socket *s, void __user *val, u32 len)
{
	struct cbpf_insn *copy = NULL;
	const struct socket_filter *f;
	u32 n = 0;
	int err;

	if (len) {
		copy = kvmalloc(CBPF_MAX_INSNS * sizeof(*copy), GFP_KERNEL);
		if (!copy)
			return -ENOMEM;
	}
	rcu_read_lock();
	f = rcu_load(s->filter);
	if (f) {
		n = f->len;
		if (copy)
			memcpy(copy, f->insns, n * sizeof(*copy));
	}
	rcu_read_unlock();
	err = len && n > len ? -EINVAL : 0;
	if (!err && copy)
		err = copy_to_user(val, copy, n * sizeof(*copy));
	kvfree(copy);
	return err ? err : (int)n;
}

size_t
socket_filter_run(struct socket *s, const u8 *data, size_t n)
{
	const struct socket_filter *f;
	struct cbpf_env env;
	size_t take = n;

	if (!READ_ONCE(s->filter))
		return n ? n : 1;
	env.cpu = cpu_id();
	random_bytes(&env.random, sizeof(env.random));
	rcu_read_lock();
	f = rcu_load(s->filter);
	if (f)
		take = cbpf_run_packet(f->insns, data, (u32)n, &env);
	else if (!n)
		take = 1;
	rcu_read_unlock();
	return take;
}
