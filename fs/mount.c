/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mounts: life, references, write access, the table that walks read.
 *
 * States: nowhere (made, not linked) -> attached (in the table and a namespace)
 * -> detached -> gone. Puts of an attached mount subtract from this CPU's count.
 * After ->attached became false and a grace period passed, every put goes through
 * put_slow(), which adds up. The one that finds zero is in mount_end(): it waits for the walks
 * that may have counted meanwhile and looks again; a walk that did get a
 * reference ends the mount itself later.
 */
#include "fs/mount.h"
#include "fs/mount_impl.h"
#include "kernel/log.h"
#include "lib/assert.h"
#include "lib/hash.h"
#include "mm/slab.h"
#include "percpu/cpumask.h"
#include "percpu/idpool.h"

#define TABLE_BITS 10
/* sysctl fs.mount-max can allow no more; what the kernel mounts for itself has numbers too. */
#define MOUNT_IDS (1u << 20)

__maybe_unused static LOCK_CLASS(mount_mutex_class, RANK_SB_MOUNT);
__maybe_unused static LOCK_CLASS(mount_lock_class, RANK_MOUNT_TABLE);
struct mutex mount_mutex = MUTEX_INIT(mount_mutex, mount_mutex_class);
/* Not on the line of mount_seq, which all walks read. */
struct spinlock mount_lock __cacheline_aligned = SPINLOCK_INIT(mount_lock_class);
struct seqcount mount_seq __cacheline_aligned;

struct table_chain {
	/* r  (lock) */
	struct hlist mounts;
	struct spinlock lock;
};

static LOCK_CLASS(chain_class, RANK_MOUNT_TABLE + 2);
static struct table_chain mount_table[1 << TABLE_BITS];
static struct idpool *mount_ids __read_mostly;

u32 mount_max __read_mostly = CONFIG_DEBUG ? 10000 : 100000;

void
mount_init(void)
{
	mount_ns_init();
	for (u32 i = 0; i < ARRAY_SIZE(mount_table); i++)
		spin_init(&mount_table[i].lock, &chain_class);
	mount_ids = idpool_create(1, MOUNT_IDS, 0);
	if (!mount_ids)
		panic("no memory for the numbers of mounts");
	mount_local_init();
}

void
mount_write_lock(void)
{
	spin_lock(&mount_lock);
	seq_write_begin(&mount_seq);
}

void
mount_write_unlock(void)
{
	seq_write_end(&mount_seq);
	spin_unlock(&mount_lock);
}

struct mount *
mount_alloc(struct super *sb, struct dentry *root, const char *source)
{
	struct mount *m = kzalloc(sizeof(*m), GFP_KERNEL);
	s64 id = -ENOMEM;

	if (!m)
		return err_ptr(-ENOMEM);
	m->pcp = percpu_alloc(sizeof(struct mount_pcp), CACHE_LINE);
	m->source = kstrdup(source ? source : "none", GFP_KERNEL);
	if (m->pcp && m->source)
		id = idpool_alloc(mount_ids);
	if (id < 0) {
		if (m->pcp)
			percpu_free(m->pcp);
		kfree(m->source);
		kfree(m);
		return err_ptr(id == -EAGAIN ? -ENOSPC : id);
	}
	m->id = (s32)id;
	m->sb = super_get(sb);
	m->root = dentry_get(root);
	m->flags = MOUNT_RELATIME;
	hnode_init(&m->hash);
	hnode_init(&m->point_hash);
	list_init(&m->children);
	list_init(&m->child_link);
	list_init(&m->ns_link);
	list_init(&m->peer);
	list_init(&m->slaves);
	list_init(&m->slave_link);
	list_init(&m->gone_link);
	this_cpu_inc(m->pcp->count);
	return m;
}

s64
mount_count(const struct mount *m)
{
	unsigned int cpu;
	s64 n = 0;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(cpu_ptr(m->pcp, cpu)->count);
	return n;
}

s64
mount_writers(const struct mount *m)
{
	unsigned int cpu;
	s64 n = 0;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(cpu_ptr(m->pcp, cpu)->writers);
	return n;
}

/* mount_lock held: one reference less; true: the caller must call mount_end(). */
static bool
put_locked(struct mount *m)
{
	this_cpu_dec(m->pcp->count);
	if (m->attached || m->ending || mount_count(m))
		return false;
	m->ending = true;
	return true;
}

static void
put_slow(struct mount *m)
{
	bool last;

	spin_lock(&mount_lock);
	last = put_locked(m);
	spin_unlock(&mount_lock);
	if (last)
		mount_end(m);
}

void
mount_end(struct mount *m)
{
	bool gone;

	rcu_synchronize();
	spin_lock(&mount_lock);
	gone = mount_count(m) == 0;
	m->ending = gone;
	if (gone)
		list_del_init(&m->ns_link);
	spin_unlock(&mount_lock);
	if (!gone)
		return;
	DEBUG_ASSERT(list_empty(&m->children) && !m->parent);
	dentry_put(m->root);
	super_put(m->sb);
	percpu_free(m->pcp);
	idpool_free(mount_ids, (u32)m->id);
	kfree(m->source);
	kfree(m);
}

void
mount_put_no_expire(struct mount *m)
{
	rcu_read_lock();
	if (likely(READ_ONCE(m->attached))) {
		this_cpu_dec(m->pcp->count);
		rcu_read_unlock();
		return;
	}
	rcu_read_unlock();
	put_slow(m);
}

void
mount_put(struct mount *m)
{
	if (!m)
		return;
	if (unlikely(READ_ONCE(m->flags) & MOUNT_EXPIRING))
		atomic_and(&m->flags, ~MOUNT_EXPIRING);
	mount_put_no_expire(m);
}

bool
mount_unget_rcu(struct mount *m)
{
	bool last;

	spin_lock(&mount_lock);
	last = put_locked(m);
	spin_unlock(&mount_lock);
	return last;
}

bool
mount_readonly(const struct mount *m)
{
	return (READ_ONCE(m->flags) & MOUNT_RDONLY) || (READ_ONCE(m->sb->flags) & SB_RDONLY);
}

/* 0, -EROFS, -EAGAIN: a remount is looking for writers. */
static int
try_write(struct mount *m)
{
	int err = 0;

	rcu_read_lock();
	if (unlikely(READ_ONCE(m->flags) & MOUNT_WRITE_HOLD))
		err = -EAGAIN;
	else if (mount_readonly(m))
		err = -EROFS;
	else
		this_cpu_inc(m->pcp->writers);
	rcu_read_unlock();
	return err;
}

bool
mount_try_want_write(struct mount *m)
{
	return try_write(m) == 0;
}

int
mount_want_write(struct mount *m)
{
	int err;

	while ((err = try_write(m)) == -EAGAIN) {
		/* The remount holds the mutex for as long as its mark is there. */
		mutex_lock(&mount_mutex);
		mount_mutex_unlock();
	}
	return err;
}

void
mount_drop_write(struct mount *m)
{
	this_cpu_dec(m->pcp->writers);
}

static struct table_chain *
table_chain(const struct mount *m, const struct dentry *d)
{
	return &mount_table[hash_bits(hash_2u64((u64)m, (u64)d), TABLE_BITS)];
}

struct mount *
mount_find_rcu(const struct mount *m, const struct dentry *d)
{
	struct mount *c;

	hlist_for_each_entry_rcu(c, &table_chain(m, d)->mounts, hash) {
		if (READ_ONCE(c->parent) == m && READ_ONCE(c->mountpoint) == d)
			return c;
	}
	return NULL;
}

struct mount *
mount_internal(struct super *sb)
{
	struct mount *m = mount_alloc(sb, sb->root, sb->type->name);

	if (!is_err(m)) {
		m->flags |= MOUNT_INTERNAL;
		/* The kernel keeps it for ever: puts need not add up. */
		m->attached = true;
	}
	return m;
}

void
mount_table_add(struct mount *m)
{
	struct table_chain *c = table_chain(m->parent, m->mountpoint);

	spin_lock(&c->lock);
	hlist_add_rcu(&m->hash, &c->mounts);
	spin_unlock(&c->lock);
}

void
mount_table_del(struct mount *m)
{
	struct table_chain *c = table_chain(m->parent, m->mountpoint);

	spin_lock(&c->lock);
	hlist_del_init_rcu(&m->hash);
	spin_unlock(&c->lock);
}
