/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a file's pages to the tables that show them.
 *
 * Model: a page cache knows the regions that map it, in lists by the CPU that
 * made them, so that mapping one file on two CPUs touches no common line. An
 * entry of a page cache's page holds no reference. Instead a page is removed in
 * this order:
 *
 *      pagecache_remove                fault
 *      page leaves the tree            table is locked
 *      each table that may show it     page is found in the tree
 *        is locked, the entry goes     entry is written
 *      TLBs are flushed                table is unlocked
 *      page is put
 *
 * A fault that held the lock before we did has written its entry, which we
 * take out; one that comes after us finds no page. A table made later is empty,
 * and a space that fork makes later starts without entries of this kind.
 *
 * Tables of a space that is being torn down are left out: no CPU uses them, and
 * the entries are forgotten without a look at the page.
 *
 * Locking: each list has its lock; a walker pins the region that it stands on,
 * takes a user reference on the space, and lets the list go before it touches
 * tables.
 */
#include "lib/errno.h"
#include "mm/pagecache.h"
#include "mm/slab.h"
#include "mm/space_impl.h"
#include "percpu/percpu.h"

static LOCK_CLASS(mapper_class, RANK_PAGE);

struct mapper_list {
	struct spinlock lock;
	/* l */
	struct list regions;
} __cacheline_aligned;

/* pc->mappers: one pointer a CPU; lists come with the first mapping there. */

static struct mapper_list **
lists_get(struct pagecache *pc)
{
	struct mapper_list **a = smp_load_acquire((struct mapper_list ***)&pc->mappers);
	void *none = NULL;

	if (likely(a))
		return a;
	a = kcalloc(nr_cpus, sizeof(*a), GFP_KERNEL);
	if (!a)
		return NULL;
	if (atomic_try_cmpxchg(&pc->mappers, &none, (void *)a))
		return a;
	kfree(a);
	return none;
}

static struct mapper_list *
list_get(struct pagecache *pc, unsigned int cpu)
{
	struct mapper_list **a = lists_get(pc), *l, *none = NULL;

	if (!a)
		return NULL;
	l = smp_load_acquire(&a[cpu]);
	if (likely(l))
		return l;
	l = kmalloc(sizeof(*l), GFP_KERNEL);
	if (!l)
		return NULL;
	spin_init(&l->lock, &mapper_class);
	list_init(&l->regions);
	if (atomic_try_cmpxchg(&a[cpu], &none, l))
		return l;
	kfree(l);
	return none;
}

int
mapper_add(struct pagecache *pc, struct region *r)
{
	struct mapper_list *l;

	r->mapper_cpu = cpu_id();
	l = list_get(pc, r->mapper_cpu);
	if (!l)
		return -ENOMEM;
	spin_lock(&l->lock);
	list_add_tail(&r->mapper_link, &l->regions);
	spin_unlock(&l->lock);
	return 0;
}

bool
mapper_del(struct pagecache *pc, struct region *r)
{
	struct mapper_list *l = ((struct mapper_list **)pc->mappers)[r->mapper_cpu];
	bool free;

	spin_lock(&l->lock);
	free = r->mapper_pins == 0;
	if (free)
		list_del(&r->mapper_link);
	else
		r->mapper_dead = true;
	spin_unlock(&l->lock);
	return free;
}

void
mappers_free(struct pagecache *pc)
{
	struct mapper_list **a = pc->mappers;
	unsigned int cpu;

	if (!a)
		return;
	for_each_possible_cpu(cpu)
		kfree(a[cpu]);
	kfree(a);
	pc->mappers = NULL;
}

/*
 * The region behind `prev` in the list, pinned; unpins prev. A reference would
 * not do: the region's last one may be gone and its release on the way.
 */
static struct region *
next_region(struct mapper_list *l, struct region *prev)
{
	struct region *r = NULL;
	struct list *pos;
	bool dead = false;

	spin_lock(&l->lock);
	pos = prev ? prev->mapper_link.next : l->regions.next;
	if (pos != &l->regions) {
		r = list_entry(pos, struct region, mapper_link);
		r->mapper_pins++;
	}
	if (prev && --prev->mapper_pins == 0 && prev->mapper_dead) {
		dead = true;
		list_del(&prev->mapper_link);
	}
	spin_unlock(&l->lock);
	if (dead)
		region_free(prev);
	return r;
}

/* Addresses at which r would show pages [first, last]; false: none. */
static bool
region_range(const struct region *r, u64 first, u64 last, unsigned long *start, unsigned long *end)
{
	u64 low = r->offset >> PAGE_SHIFT, room = (USER_END - r->base) >> PAGE_SHIFT;

	if (last < low || (first > low && first - low >= room))
		return false;
	*start = r->base + (first > low ? (first - low) << PAGE_SHIFT : 0);
	*end = last - low >= room ? USER_END : r->base + ((last - low + 1) << PAGE_SHIFT);
	return *start < *end;
}

typedef void (*visit_fn)(struct space *s, const struct region *r, unsigned long start,
			 unsigned long end, void *arg);

/* Calls fn for each space and range that may show pages [first, last]. */
static void
for_each_mapping(struct pagecache *pc, u64 first, u64 last, visit_fn fn, void *arg)
{
	struct mapper_list **a = READ_ONCE(pc->mappers), *l;
	unsigned long start, end;
	struct region *r;
	struct space *s;
	unsigned int cpu;

	if (!a)
		return;
	for_each_possible_cpu(cpu) {
		l = smp_load_acquire(&a[cpu]);
		for (r = l ? next_region(l, NULL) : NULL; r; r = next_region(l, r)) {
			if (!region_range(r, first, last, &start, &end))
				continue;
			for (s = family_next(r->family, NULL); s; s = family_next(r->family, s))
				fn(s, r, start, end, arg);
		}
	}
}

static void
zap(struct space *s, const struct region *r, unsigned long start, unsigned long end,
    void *keep_anon)
{
	struct range op = {.op = RANGE_ZAP, .only = r, .keep_anon = keep_anon != NULL};

	/* A zap makes no tables and wants no memory, but for a large page, which no file has. */
	(void)!range_apply(s, start, end, &op);
}

void
pagecache_unmap(struct pagecache *pc, u64 first, u64 last)
{
	for_each_mapping(pc, first, last, zap, pc);
}

void
pagecache_unmap_copies(struct pagecache *pc, u64 first, u64 last)
{
	for_each_mapping(pc, first, last, zap, NULL);
}

struct count {
	u64 first;
	unsigned int n;
	u16 *counts;
};

static void
count(struct space *s, const struct region *r, unsigned long start, unsigned long end, void *arg)
{
	struct count *c = arg;
	unsigned long va = start;

	while (va < end) {
		struct pt *t = pt_lock_walk(s, va, 0);
		unsigned long stop =
			min(end, t->level ? (va | (slot_size(t->level) - 1)) + 1 : pt_end(t));
		unsigned int i, from = slot_index(va, 0),
				to = from + (unsigned int)((stop - va) >> PAGE_SHIFT);

		if (t->level)
			to = from;
		for_each_present(i, t, from, to) {
			const struct run *run = runs_find(t, slot_base(t, i));
			u64 k = region_index(r, slot_base(t, i)) - c->first;

			if (t->table[i] & PTE_FILE && run &&
			    region_plain(meta_region(run->meta)) == r && k < c->n)
				c->counts[k]++;
		}
		pt_unlock(t);
		va = stop;
	}
}

void
rmap_count(struct pagecache *pc, u64 first, unsigned int n, u16 *counts)
{
	struct count c = {first, n, counts};

	for_each_mapping(pc, first, first + n - 1, count, &c);
}
