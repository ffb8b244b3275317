/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the level SOL_SOCKET (socket(7)). */
#include "arch/x86_64/asm/atomic.h"
#include "kernel/cred.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/time.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "net/socket.h"

/* Set and told as they are; local sockets have nothing to do with them. */
#define KEPT                                                                                       \
	(BIT(SO_DEBUG) | BIT(SO_REUSEADDR) | BIT(SO_DONTROUTE) | BIT(SO_BROADCAST) |               \
	 BIT(SO_KEEPALIVE) | BIT(SO_OOBINLINE) | BIT(SO_REUSEPORT))

static bool
is_kept(int opt)
{
	return opt > 0 && opt < 32 && KEPT & BIT(opt);
}

static int
get_bytes(void __user *val, u32 *len, const void *from, u32 n)
{
	*len = min(*len, n);
	return copy_to_user(val, from, *len);
}

static int
get_int(void __user *val, u32 *len, int v)
{
	return get_bytes(val, len, &v, sizeof(v));
}

static int
get_timeout(void __user *val, u32 *len, u64 ns)
{
	struct timeval tv = {(s64)(ns / NSEC_PER_SEC), (s64)(ns % NSEC_PER_SEC / NSEC_PER_USEC)};

	return get_bytes(val, len, &tv, sizeof(tv));
}

/* The length is told in instructions, both ways. */
static int
get_filter(struct socket *s, void __user *val, u32 *len)
{
	int n = socket_filter_get(s, val, *len);

	if (n < 0)
		return n;
	*len = (u32)n;
	return 0;
}

int
socket_getopt(struct socket *s, int opt, void __user *val, u32 *len)
{
	struct ucred c = {0, ~0u, ~0u};

	if (is_kept(opt))
		return get_int(val, len, !!(atomic_read(&s->kept) & BIT(opt)));
	switch (opt) {
	case SO_TYPE:
		return get_int(val, len, s->type);
	case SO_DOMAIN:
		return get_int(val, len, s->family);
	case SO_PROTOCOL:
		return get_int(val, len, (int)s->protocol);
	case SO_ERROR:
		return get_int(val, len, -s->ops->take_error(s));
	case SO_SNDBUF:
		return get_int(val, len, (int)READ_ONCE(s->sndbuf));
	case SO_RCVBUF:
		return get_int(val, len, (int)READ_ONCE(s->rcvbuf));
	case SO_PRIORITY:
		return get_int(val, len, 0);
	case SO_RCVLOWAT:
		return get_int(val, len, (int)READ_ONCE(s->rcvlowat));
	case SO_LINGER:
		return get_bytes(val, len, &s->linger, sizeof(s->linger));
	case SO_RCVTIMEO:
	case SO_RCVTIMEO_NEW:
		return get_timeout(val, len, READ_ONCE(s->rcv_timeout));
	case SO_SNDTIMEO:
	case SO_SNDTIMEO_NEW:
		return get_timeout(val, len, READ_ONCE(s->snd_timeout));
	case SO_PASSCRED:
		return get_int(val, len, !!(atomic_read(&s->options) & SOCKET_PASSCRED));
	case SO_PASSSEC:
		return get_int(val, len, !!(atomic_read(&s->options) & SOCKET_PASSSEC));
	case SO_PEEK_OFF:
		return get_int(val, len, READ_ONCE(s->peek_off));
	case SO_LOCK_FILTER:
		return get_int(val, len, !!(atomic_read(&s->options) & SOCKET_FILTER_LOCKED));
	case SO_ATTACH_FILTER:
		return get_filter(s, val, len);
	case SO_ACCEPTCONN:
		return get_int(val, len, s->ops->listening(s));
	case SO_PEERCRED:
		s->ops->peer_cred(s, &c);
		return get_bytes(val, len, &c, sizeof(c));
	default:
		return -ENOPROTOOPT;
	}
}

static int
set_timeout(u64 *timeout, const void __user *val, u32 len)
{
	struct timeval tv;

	if (len < sizeof(tv))
		return -EINVAL;
	if (copy_from_user(&tv, val, sizeof(tv)))
		return -EFAULT;
	if (tv.usec < 0 || tv.usec >= 1000000)
		return -EDOM;
	/* A negative time is none at all: calls return at once; 0: they wait for ever. */
	if (tv.sec < 0)
		WRITE_ONCE(*timeout, 1);
	else if (tv.sec >= S64_MAX / (s64)NSEC_PER_SEC)
		WRITE_ONCE(*timeout, 0);
	else
		WRITE_ONCE(*timeout, (u64)tv.sec * NSEC_PER_SEC + (u64)tv.usec * NSEC_PER_USEC);
	return 0;
}

/* As Linux: twice what was asked, for what is needed around the data. */
static void
set_buffer(u32 *size, int v, bool forced)
{
	u32 n = v < 0 ? 0 : (u32)v;

	if (!forced)
		n = min(n, SOCK_BUF_MAX);
	WRITE_ONCE(*size, max(min(n, (u32)INT32_MAX / 2) * 2, SOCK_BUF_MIN));
}

static void
set_flag(u32 *word, u32 flag, int v)
{
	if (v)
		atomic_or(word, flag);
	else
		atomic_and(word, ~flag);
}

/* No handle is a program. */
static int
attach_bpf(struct socket *s, int fd)
{
	struct fdref r;

	if (atomic_read(&s->options) & SOCKET_FILTER_LOCKED)
		return -EPERM;
	r = fd_get((unsigned int)fd);
	if (!r.file)
		return -EBADF;
	fd_put(r);
	return -EINVAL;
}

static int
set_int(struct socket *s, int opt, int v)
{
	if (is_kept(opt)) {
		set_flag(&s->kept, BIT(opt), v);
		return 0;
	}
	switch (opt) {
	case SO_TYPE:
	case SO_DOMAIN:
	case SO_PROTOCOL:
	case SO_ERROR:
	case SO_ACCEPTCONN:
		return -ENOPROTOOPT;
	case SO_SNDBUF:
		set_buffer(&s->sndbuf, v, false);
		return 0;
	case SO_RCVBUF:
		set_buffer(&s->rcvbuf, v, false);
		return 0;
	case SO_SNDBUFFORCE:
	case SO_RCVBUFFORCE:
		if (!capable(CAP_NET_ADMIN))
			return -EPERM;
		set_buffer(opt == SO_SNDBUFFORCE ? &s->sndbuf : &s->rcvbuf, v, true);
		return 0;
	case SO_PASSCRED:
		set_flag(&s->options, SOCKET_PASSCRED, v);
		return 0;
	/* No security module has anything to tell. */
	case SO_PASSSEC:
		set_flag(&s->options, SOCKET_PASSSEC, v);
		return 0;
	case SO_PEEK_OFF:
		WRITE_ONCE(s->peek_off, v);
		return 0;
	case SO_DETACH_FILTER:
		return socket_filter_detach(s);
	case SO_ATTACH_BPF:
		return attach_bpf(s, v);
	case SO_LOCK_FILTER:
		if (!v && atomic_read(&s->options) & SOCKET_FILTER_LOCKED)
			return -EPERM;
		set_flag(&s->options, SOCKET_FILTER_LOCKED, v);
		return 0;
	case SO_PRIORITY:
		return v ? -EPERM : 0;
	case SO_RCVLOWAT:
		WRITE_ONCE(s->rcvlowat, v < 0 ? INT32_MAX : max((u32)v, 1u));
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int
socket_setopt(struct socket *s, int opt, const void __user *val, u32 len)
{
	struct linger l;
	int v;

	switch (opt) {
	case SO_RCVTIMEO:
	case SO_RCVTIMEO_NEW:
		return set_timeout(&s->rcv_timeout, val, len);
	case SO_SNDTIMEO:
	case SO_SNDTIMEO_NEW:
		return set_timeout(&s->snd_timeout, val, len);
	case SO_LINGER:
		if (len < sizeof(l))
			return -EINVAL;
		if (copy_from_user(&l, val, sizeof(l)))
			return -EFAULT;
		s->linger = l;
		return 0;
	}
	if (len < sizeof(v))
		return -EINVAL;
	if (copy_from_user(&v, val, sizeof(v)))
		return -EFAULT;
	if (opt == SO_ATTACH_FILTER)
		return socket_filter_attach(s, val, len);
	if (opt == SO_ATTACH_BPF && len != sizeof(v))
		return -EINVAL;
	return set_int(s, opt, v);
}
