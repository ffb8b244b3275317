/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of local sockets.
 *
 * Model: a table of names, by the node in the file system or, abstract, by the
 * bytes. The socket that was bound is found by it until it is closed; sockets
 * that it accepted bear the same name.
 *
 * Locking: a lock a bucket; sockets' locks inside.
 */
#include "kernel/init.h"
#include "kernel/random.h"
#include "lib/errno.h"
#include "lib/hash.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "net/unix/unix_impl.h"

#define BUCKETS 256u
#define AUTOBIND_NAMES (1u << 20)

static LOCK_CLASS(names_class, RANK_SOCKET_NAMES);

struct bucket {
	struct spinlock lock;
	/* (lock) */
	struct hlist names;
} __cacheline_aligned;

static struct bucket buckets[BUCKETS];

static int
names_init(void)
{
	for (unsigned int i = 0; i < BUCKETS; i++)
		spin_init(&buckets[i].lock, &names_class);
	return 0;
}
INITCALL(INIT_CORE, names_init);

static struct bucket *
bucket_of(const struct unix_name *n)
{
	return &buckets[n->hash % BUCKETS];
}

void
unix_name_put(struct unix_name *n)
{
	if (!atomic_dec_and_test(&n->refs))
		return;
	if (n->place.mnt)
		net_port_place_put(&n->place);
	kfree(n);
}

static bool
same(const struct unix_name *a, const struct unix_name *b)
{
	if (a->hash != b->hash || !a->place.mnt != !b->place.mnt)
		return false;
	if (a->place.mnt)
		return net_port_place_key(&a->place) == net_port_place_key(&b->place);
	return a->addr.len == b->addr.len && !memcmp(a->addr.bytes, b->addr.bytes, a->addr.len);
}

/* Bucket locked. */
static struct unix_name *
lookup(struct bucket *b, const struct unix_name *like)
{
	struct unix_name *n;

	hlist_for_each_entry(n, &b->names, link)
		if (same(n, like))
			return n;
	return NULL;
}

/* Fills in what names are told apart by. An abstract name keeps its kind of socket to itself. */
static void
name_key(struct unix_name *n, int type)
{
	if (n->place.mnt)
		n->hash = hash_ptr(net_port_place_key(&n->place));
	else
		n->hash = hash_mem(n->addr.bytes, n->addr.len, (u64)type);
}

/* The path in a, with a 0 behind it. */
static void
path_of(const struct sock_addr *a, char *path)
{
	size_t n = a->len - sizeof(u16);

	memcpy(path, a->bytes + sizeof(u16), n);
	path[n] = 0;
}

static int
check_addr(const struct sock_addr *a)
{
	if (a->len <= sizeof(u16) || a->len > sizeof(u16) + UNIX_PATH_MAX || a->family != AF_UNIX)
		return -EINVAL;
	return 0;
}

static bool
is_abstract(const struct sock_addr *a)
{
	return a->bytes[sizeof(u16)] == 0;
}

/* --- binding --- */

static struct unix_name *
name_alloc(const struct sock_addr *a, struct unix_sock *u)
{
	struct unix_name *n = kzalloc(sizeof(*n), GFP_KERNEL);

	if (n) {
		n->refs = 1;
		n->addr = *a;
		n->owner = u;
	}
	return n;
}

/* Enters n as u's name; takes n if it returns 0. */
static int
name_enter(struct unix_sock *u, struct unix_name *n)
{
	struct bucket *b;
	int err = 0;

	name_key(n, u->socket.type);
	b = bucket_of(n);
	spin_lock(&b->lock);
	spin_lock(&u->lock);
	if (u->name)
		err = -EINVAL;
	else if (lookup(b, n))
		err = -EADDRINUSE;
	if (!err) {
		hlist_add(&n->link, &b->names);
		smp_store_release(&u->name, n);
	}
	spin_unlock(&u->lock);
	spin_unlock(&b->lock);
	return err;
}

int
unix_autobind(struct unix_sock *u)
{
	static const char digits[] = "0123456789abcdef";
	struct sock_addr a = {.len = sizeof(u16) + 6, .family = AF_UNIX};
	u32 first = (u32)random_u64(), i, k;
	struct unix_name *n;
	int err = -ENOSPC;

	if (smp_load_acquire(&u->name))
		return 0;
	n = name_alloc(&a, u);
	if (!n)
		return -ENOMEM;
	for (i = 0; i < AUTOBIND_NAMES; i++) {
		for (k = 0; k < 5; k++)
			n->addr.bytes[3 + k] = (u8)digits[(first + i) >> (16 - 4 * k) & 15];
		err = name_enter(u, n);
		if (err != -EADDRINUSE)
			break;
	}
	if (err)
		kfree(n);
	return err == -EADDRINUSE ? -ENOSPC : err == -EINVAL ? 0 : err;
}

static int
bind_path(struct unix_sock *u, struct unix_name *n)
{
	char path[UNIX_PATH_MAX + 1];
	int err;

	path_of(&n->addr, path);
	/* What is told has the 0 behind the path and nothing after. */
	n->addr.len = sizeof(u16) + (u32)strlen(path) + 1;
	memcpy(n->addr.bytes + sizeof(u16), path, n->addr.len - sizeof(u16));
	err = net_port_socket_make(path, &n->place);
	return err ? err : name_enter(u, n);
}

int
unix_bind(struct socket *s, const struct sock_addr *a)
{
	struct unix_sock *u = unix_of(s);
	struct unix_name *n;
	int err;

	if (a->len == sizeof(u16) && a->family == AF_UNIX)
		return unix_autobind(u);
	err = check_addr(a);
	if (err)
		return err;
	if (smp_load_acquire(&u->name))
		return -EINVAL;
	n = name_alloc(a, u);
	if (!n)
		return -ENOMEM;
	err = is_abstract(a) ? name_enter(u, n) : bind_path(u, n);
	if (err)
		unix_name_put(n);
	return err;
}

void
unix_name_forget(struct unix_sock *u)
{
	struct unix_name *n = smp_load_acquire(&u->name);
	struct bucket *b;

	if (!n || n->owner != u)
		return;
	b = bucket_of(n);
	spin_lock(&b->lock);
	hlist_del_init(&n->link);
	n->owner = NULL;
	spin_unlock(&b->lock);
}

/* --- finding --- */

struct unix_sock *
unix_find(const struct sock_addr *a, int type)
{
	char path[UNIX_PATH_MAX + 1];
	struct unix_name key = {.addr = *a}, *n;
	struct unix_sock *u = NULL;
	struct bucket *b;
	int err = check_addr(a);

	if (err)
		return err_ptr(err);
	if (!is_abstract(a)) {
		path_of(a, path);
		err = net_port_socket_find(path, &key.place);
		if (err)
			return err_ptr(err);
	}
	name_key(&key, type);
	b = bucket_of(&key);
	spin_lock(&b->lock);
	n = lookup(b, &key);
	/* Its owner takes it out before it goes. */
	if (n)
		u = unix_get(n->owner);
	spin_unlock(&b->lock);
	if (key.place.mnt)
		net_port_place_put(&key.place);
	if (!u)
		return err_ptr(-ECONNREFUSED);
	if (u->socket.type == type)
		return u;
	unix_put(u);
	return err_ptr(-EPROTOTYPE);
}
