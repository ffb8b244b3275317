/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Users: what the tasks of one uid have together.
 *
 * Model: a count is a global number and a part a CPU keeps to itself, at most
 * USER_COUNT_BATCH either way; so processes of one user that fork on many CPUs
 * write no common line. A limit is looked at from afar through the global
 * number, and exactly, by a sum over the CPUs, when it is near.
 *
 * Ownership: credentials hold references. What is counted (a process, a
 * pending signal) holds none: a user without references stays in the table
 * while one of its counts is not zero, and is freed when another user of its
 * bucket is looked for.
 *
 * Locking: one lock for changes of the table; lookups and counts run under RCU.
 */
#include "kernel/cred_impl.h"

#include "arch/x86_64/asm/atomic.h"
#include "kernel/log.h"
#include "lib/hash.h"
#include "mm/slab.h"
#include "percpu/cpumask.h"
#include "percpu/percpu.h"
#include "sync/spinlock.h"

#define USER_HASH_BITS 8

static LOCK_CLASS(user_table_class, RANK_CRED);
static struct spinlock table_lock = SPINLOCK_INIT(user_table_class);
static struct hlist table[1 << USER_HASH_BITS];
/* Not counted, as it never goes. */
struct user root_user = {.refs = 1};

static struct hlist *
bucket_of(u32 uid)
{
	return &table[hash_bits(uid, USER_HASH_BITS)];
}

void __init
user_init(void)
{
	root_user.counts = percpu_alloc(sizeof(struct user_counts), CACHE_LINE);
	if (!root_user.counts)
		panic("no memory for the counts of root");
	hlist_add_rcu(&root_user.link, bucket_of(0));
}

/* --- counts --- */

/*
 * Adds n to a word that only this CPU writes; the value before. One
 * instruction without a lock prefix, so that an interrupt's add is not lost.
 */
static s64
xadd_local(s64 *word, s64 n)
{
	__asm__ volatile("xadd %0, %1" : "+r"(n), "+m"(*word)::"cc");
	return n;
}

void
user_count_add(struct user *u, enum user_count c, s64 n)
{
	s64 *delta;

	pin();
	delta = &this_cpu_ptr(u->counts)->delta[c];
	n += xadd_local(delta, n);
	if (unlikely(n > USER_COUNT_BATCH || n < -USER_COUNT_BATCH)) {
		xadd_local(delta, -n);
		atomic_add(&u->global[c], n);
	}
	unpin();
}

s64
user_count_sum(const struct user *u, enum user_count c)
{
	s64 sum = atomic_read(&u->global[c]);
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(cpu_ptr(u->counts, cpu)->delta[c]);
	return sum;
}

bool
user_count_try_add(struct user *u, enum user_count c, s64 n, u64 limit)
{
	s64 max = limit > S64_MAX ? S64_MAX : (s64)limit;
	s64 slack = (s64)nr_cpus * USER_COUNT_BATCH;

	if (max == S64_MAX || atomic_read(&u->global[c]) + slack + n <= max) {
		user_count_add(u, c, n);
		return true;
	}
	/* Near the limit: add where all see it, then look; two that race may both fail. */
	atomic_add(&u->global[c], n);
	if (user_count_sum(u, c) <= max)
		return true;
	atomic_sub(&u->global[c], n);
	return false;
}

/* --- table --- */

static struct user *
find(u32 uid)
{
	struct user *u;

	hlist_for_each_entry_rcu(u, bucket_of(uid), link)
		if (u->uid == uid)
			return u;
	return NULL;
}

static void
user_free(struct user *u)
{
	percpu_free(u->counts);
	kfree(u);
}

static void
free_work(struct work *w)
{
	user_free(container_of(w, struct user, work));
}

/* Areas of CPUs are under a sleeping lock. */
static void
free_rcu(struct rcu_head *h)
{
	struct user *u = container_of(h, struct user, rcu);

	work_init(&u->work, free_work);
	work_post_here(&u->work);
}

static bool
unused(const struct user *u)
{
	if (atomic_read(&u->refs))
		return false;
	for (unsigned int c = 0; c < USER_COUNTS; c++)
		if (user_count_sum(u, c))
			return false;
	return true;
}

/* Frees users of the bucket that nobody needs. table_lock is held. */
static void
sweep(struct hlist *bucket)
{
	struct hnode *tmp;
	struct user *u;

	hlist_for_each_entry_safe(u, tmp, bucket, link) {
		if (!unused(u))
			continue;
		hlist_del_rcu(&u->link);
		rcu_call(&u->rcu, free_rcu);
	}
}

struct user *
user_get(struct user *u)
{
	if (u != &root_user)
		atomic_inc(&u->refs);
	return u;
}

void
user_put(struct user *u)
{
	if (u != &root_user)
		atomic_dec(&u->refs);
}

static struct user *
user_alloc(u32 uid)
{
	struct user *u = kzalloc(sizeof(*u), GFP_KERNEL);

	if (!u)
		return NULL;
	u->counts = percpu_alloc(sizeof(struct user_counts), CACHE_LINE);
	if (!u->counts) {
		kfree(u);
		return NULL;
	}
	u->uid = uid;
	return u;
}

struct user *
user_get_uid(u32 uid)
{
	struct user *u, *new = NULL;

	for (;;) {
		spin_lock(&table_lock);
		u = find(uid);
		if (!u && new) {
			sweep(bucket_of(uid));
			hlist_add_rcu(&new->link, bucket_of(uid));
			u = new;
			new = NULL;
		}
		if (u)
			user_get(u);
		spin_unlock(&table_lock);
		if (u)
			break;
		new = user_alloc(uid);
		if (!new)
			return NULL;
	}
	if (new)
		user_free(new);
	return u;
}
