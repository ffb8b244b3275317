/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers of tasks, groups and sessions, and how they are found.
 *
 * Model: a struct pid is a number. It is taken while something uses it: the
 * task that has it as tid (until it is released), a process group, a session.
 * Its memory outlives that while a pidfd or a reader holds it. The table from
 * number to struct pid is a radix tree of three levels whose nodes are never
 * freed, so that a lookup is three loads and no lock.
 *
 * Ownership: numbers come from a pool that gives each CPU a run of 64 of them,
 * aligned, so that CPUs that fork at the same time write different cache lines
 * of the table.
 *
 * Locking of the family, in order (all in kernel/task):
 * 1. family_lock of a process, then of its descendants (RANK_TASKLIST): the
 *    list of children, and in each child its parent, its exit state and its
 *    place in the list. Ancestors come first; since a process only ever moves
 *    to a parent further up, two tasks never lock two processes the other way
 *    round. To lock the parent of a process: load it under RCU, lock, look
 *    again (process_lock_parent).
 * 2. the lock of a session: its list of groups; taken to change groups.
 * 3. locks of the shards of one group, in ascending order: their members.
 *    Fork takes that of the CPU it runs on, a signal to the group takes all.
 * 4. process->lock: threads, signals, limits, accounts; never two of them.
 * There is no lock over all tasks: fork, exit and wait in different families
 * write no common line. Each of the lists above is short-lived property of one
 * object, and what is global (this table, the counts) is per CPU or read-only.
 *
 * Rejected: one tasklist lock (law 1); a hash table of pids (process_next()
 * needs order); finding members of a group by walking all processes (each
 * exit of a shell's job asks whether its group is orphaned).
 */
#include "kernel/task/pid_impl.h"

#include "kernel/log.h"
#include "kernel/task/task_impl.h"
#include "lib/errno.h"
#include "mm/fail.h"
#include "mm/slab.h"
#include "percpu/cpumask.h"
#include "percpu/idpool.h"

#define LEAF_SHIFT 9
#define MID_SHIFT 8
#define LEAF_SLOTS (1u << LEAF_SHIFT)
#define MID_SLOTS (1u << MID_SHIFT)
#define ROOT_SLOTS (PID_LIMIT >> (LEAF_SHIFT + MID_SHIFT))
#define POOLS_MAX 8
#define POOL_CHUNK 64

struct pid_leaf {
	struct pid __rcu *slot[LEAF_SLOTS];
};

struct pid_mid {
	struct pid_leaf __rcu *leaf[MID_SLOTS];
};

/* r  nodes are added by compare-and-exchange and never removed */
static struct pid_mid __rcu *root[ROOT_SLOTS];
static struct slab_cache *pid_cache;

/* Pools cover [0, covered); pid_max may be lower. Added to under pool_mutex. */
static LOCK_CLASS(pid_pool_class, RANK_PROCESS);
static struct mutex pool_mutex;
static struct {
	struct idpool *pool;
	u32 first, last;
} pools[POOLS_MAX] __read_mostly;
static u32 nr_pools __read_mostly;
static u32 covered __read_mostly;
static s32 pid_max __read_mostly;
/* a  where the search starts while pid_max is below what the pools cover */
static u32 search_cursor;

/* a  numbers 1 and 2 wait for init and kthreadd, which are not the first to be made */
static u32 boot_numbers = BIT(1) | BIT(2);

/* o  the number given out last by this CPU, and when */
struct last_pid {
	u64 when;
	s32 nr;
};
static DEFINE_PERCPU(struct last_pid, last_pid);

static struct idpool *
pool_of(u32 nr)
{
	for (u32 i = 0; i < smp_load_acquire(&nr_pools); i++)
		if (nr >= pools[i].first && nr <= pools[i].last)
			return pools[i].pool;
	return NULL;
}

/* Covers numbers up to max - 1. pool_mutex is held or nobody else runs. */
static int
pools_extend(u32 max)
{
	struct idpool *p;

	if (max <= covered)
		return 0;
	if (nr_pools == POOLS_MAX)
		return -EINVAL;
	p = idpool_create(covered, max - 1, POOL_CHUNK);
	if (!p)
		return -ENOMEM;
	pools[nr_pools].pool = p;
	pools[nr_pools].first = covered;
	pools[nr_pools].last = max - 1;
	smp_store_release(&nr_pools, nr_pools + 1);
	WRITE_ONCE(covered, max);
	return 0;
}

void
pid_init(void)
{
	u32 max = clamp(nr_cpus * 1024u, 32768u, (u32)PID_LIMIT);

	mutex_init(&pool_mutex, &pid_pool_class);
	pid_cache = slab_cache_create("pid", sizeof(struct pid), 0, 0);
	if (pools_extend(max) || idpool_take(pools[0].pool, 0) || idpool_take(pools[0].pool, 1) ||
	    idpool_take(pools[0].pool, 2))
		panic("no memory for the pid table");
	pid_max = max;
}

s32
pid_max_get(void)
{
	return READ_ONCE(pid_max);
}

int
pid_max_set(s32 max)
{
	int err;

	if (max < PID_RESERVED + 1 || max > PID_LIMIT)
		return -EINVAL;
	mutex_lock(&pool_mutex);
	err = pools_extend(max);
	if (!err)
		WRITE_ONCE(pid_max, max);
	mutex_unlock(&pool_mutex);
	return err;
}

s32
pid_last(void)
{
	u64 when = 0;
	s32 nr = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		const struct last_pid *l = &cpu_of(last_pid, cpu);

		if (READ_ONCE(l->when) >= when) {
			when = READ_ONCE(l->when);
			nr = READ_ONCE(l->nr);
		}
	}
	return nr;
}

/* The node that *link points to, made if there is none and it shall; NULL: none, or no memory. */
static void *
node_of(void *link, size_t size, bool make)
{
	void **p = link;
	void *node = smp_load_acquire(p), *found;

	if (likely(node) || !make)
		return node;
	node = kzalloc(size, GFP_KERNEL);
	if (!node)
		return NULL;
	found = atomic_cmpxchg(p, NULL, node);
	if (!found)
		return node;
	kfree(node);
	return found;
}

/* The slot of a number; NULL: no node there (and none was to be made, or no memory). */
static struct pid __rcu **
slot_of(u32 nr, bool make)
{
	struct pid_mid *mid = node_of(&root[nr >> (LEAF_SHIFT + MID_SHIFT)], sizeof(*mid), make);
	struct pid_leaf *leaf;

	if (!mid)
		return NULL;
	leaf = node_of(&mid->leaf[nr >> LEAF_SHIFT & (MID_SLOTS - 1)], sizeof(*leaf), make);
	return leaf ? &leaf->slot[nr & (LEAF_SLOTS - 1)] : NULL;
}

/* While pid_max lies below what the pools cover: the next free number in turn. */
static s64
number_search(void)
{
	u32 max = READ_ONCE(pid_max);
	u32 start = atomic_read(&search_cursor);

	for (u32 i = 0; i < max; i++) {
		u32 nr = start + i;

		if (nr >= max || nr < PID_RESERVED) {
			nr = nr >= max ? PID_RESERVED + (nr - max) : PID_RESERVED + nr;
			if (nr >= max)
				break;
		}
		if (idpool_take(pool_of(nr), nr) == 0) {
			atomic_set(&search_cursor, nr + 1);
			return nr;
		}
	}
	return -EAGAIN;
}

static s64
number_alloc(void)
{
	s64 nr = -EAGAIN;

	if (fail_alloc(GFP_KERNEL))
		return -EAGAIN;
	if (unlikely(READ_ONCE(pid_max) < READ_ONCE(covered)))
		return number_search();
	for (u32 i = 0; nr == -EAGAIN && i < smp_load_acquire(&nr_pools); i++)
		nr = idpool_alloc(pools[i].pool);
	return nr;
}

static s64
number_take(s32 want)
{
	int err;

	if (want < 1 || want >= READ_ONCE(pid_max))
		return -EINVAL;
	if (want <= 2 && atomic_fetch_and(&boot_numbers, ~(u32)BIT(want)) & BIT(want))
		return want;
	err = idpool_take(pool_of(want), want);
	return err ? err : want;
}

static struct pid *
pid_make(s32 nr)
{
	struct pid *p = slab_alloc(pid_cache, GFP_KERNEL);

	if (!p)
		return NULL;
	p->refs = 1;
	p->uses = 1;
	p->nr = nr;
	p->task = NULL;
	p->process = NULL;
	p->group = NULL;
	p->session = NULL;
	waitq_init(&p->exit_wait);
	return p;
}

struct pid *
pid_alloc_zero(void)
{
	struct pid *p = pid_make(0);

	if (!p)
		panic("no memory for the pid table");
	return p;
}

int
pid_alloc(struct pid **out, s32 want)
{
	struct pid *p;
	s64 nr = want ? number_take(want) : number_alloc();

	/* Groups and sessions that have emptied give their numbers back late. */
	if (unlikely(nr == -EAGAIN) && pgroups_reclaim())
		nr = number_alloc();
	if (nr < 0)
		return nr;
	p = pid_make(nr);
	if (!p || !slot_of(nr, true)) {
		slab_free(pid_cache, p);
		idpool_free(pool_of(nr), nr);
		return -ENOMEM;
	}
	*out = p;
	return 0;
}

void
pid_publish(struct pid *p)
{
	struct last_pid *last;

	rcu_publish(*slot_of(p->nr, false), p);
	pin();
	last = &this_cpu(last_pid);
	last->nr = p->nr;
	last->when = ktime_get();
	unpin();
}

static void
pid_free_rcu(struct rcu_head *h)
{
	slab_free(pid_cache, container_of(h, struct pid, rcu));
}

void
pid_unuse(struct pid *p)
{
	struct pid __rcu **slot;

	if (!atomic_dec_and_test(&p->uses))
		return;
	/* Empty if the task was never published. */
	slot = slot_of(p->nr, false);
	if (rcu_locked(*slot) == p)
		rcu_publish(*slot, NULL);
	idpool_free(pool_of(p->nr), p->nr);
	pid_put(p);
}

struct pid *
pid_get(struct pid *p)
{
	atomic_inc(&p->refs);
	return p;
}

void
pid_put(struct pid *p)
{
	if (p && atomic_dec_and_test(&p->refs))
		rcu_call(&p->rcu, pid_free_rcu);
}

struct pid *
pid_find(s32 nr)
{
	struct pid __rcu **slot;

	if (nr < 0 || nr >= PID_LIMIT)
		return NULL;
	slot = slot_of(nr, false);
	return slot ? rcu_load(*slot) : NULL;
}

/* The last reference may be gone though the number is still in the table. */
struct pid *
pid_find_get(s32 nr)
{
	struct pid *p;

	rcu_read_lock();
	p = pid_find(nr);
	if (p && !atomic_inc_not_zero(&p->refs))
		p = NULL;
	rcu_read_unlock();
	return p;
}

struct task *
task_find(s32 tid)
{
	struct pid *p = pid_find(tid);

	return p ? rcu_load(p->task) : NULL;
}

struct task *
task_find_get(s32 tid)
{
	struct task *t;

	rcu_read_lock();
	t = task_find(tid);
	if (t && !atomic_inc_not_zero(&t->refs))
		t = NULL;
	rcu_read_unlock();
	return t;
}

struct process *
process_find(s32 tgid)
{
	struct pid *p = pid_find(tgid);

	return p ? rcu_load(p->process) : NULL;
}

struct process *
process_find_get(s32 tgid)
{
	struct process *p;

	rcu_read_lock();
	p = process_find(tgid);
	if (p && !atomic_inc_not_zero(&p->refs))
		p = NULL;
	rcu_read_unlock();
	return p;
}

/* The first process in a leaf at or behind slot i. */
static struct process *
leaf_next(struct pid_leaf *leaf, u32 i)
{
	for (; i < LEAF_SLOTS; i++) {
		struct pid *p = rcu_load(leaf->slot[i]);
		struct process *proc = p ? rcu_load(p->process) : NULL;

		if (proc)
			return proc;
	}
	return NULL;
}

struct process *
process_next(s32 from_tgid)
{
	u32 nr = max(from_tgid, 0);
	u32 end = READ_ONCE(covered);

	while (nr < end) {
		struct pid_mid *mid = rcu_load(root[nr >> (LEAF_SHIFT + MID_SHIFT)]);
		struct pid_leaf *leaf;
		struct process *p;

		if (!mid) {
			nr = align_down(nr, LEAF_SLOTS * MID_SLOTS) + LEAF_SLOTS * MID_SLOTS;
			continue;
		}
		leaf = rcu_load(mid->leaf[nr >> LEAF_SHIFT & (MID_SLOTS - 1)]);
		p = leaf ? leaf_next(leaf, nr & (LEAF_SLOTS - 1)) : NULL;
		if (p)
			return p;
		nr = align_down(nr, LEAF_SLOTS) + LEAF_SLOTS;
	}
	return NULL;
}
