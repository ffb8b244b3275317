/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Object caches as a whole: creation, draining, figures.
 *
 * Model: the list of caches holds all that exist. A cache's per-CPU part lies in
 * the template of the areas (the first STATIC_CPUS caches, which exist before
 * percpu_alloc() works) or comes from percpu_alloc().
 *
 * Draining: a magazine is emptied by its own CPU, asked by a call; one that was in
 * use just then is asked again. Depots are emptied by the caller.
 *
 * Ending: a CPU that leaves answers no more, and what its magazines hold comes back
 * only when it is dead. So a destroyed cache is `dying` until all its objects are in
 * slabs: slab_cpu_dead() looks again, and so does the end of the next cache.
 *
 * Locking: caches_lock (sleeping, the last of its kind: reclaim tries it under
 * any other). CPUs that are asked to drain walk the list under the caller's lock.
 *
 * Contexts: may sleep.
 */
#include "arch/x86_64/asm/irqflags.h"
#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "mm/kasan.h"
#include "mm/port.h"
#include "mm/slab_impl.h"
#include "percpu/cpumask.h"
#include "percpu/mailbox.h"
#include "percpu/pin.h"
#include "sync/mutex.h"

#define STATIC_CPUS 48
#define DRAIN_TRIES 16

static LOCK_CLASS(slab_node_class, RANK_SLAB);
static __maybe_unused LOCK_CLASS(slab_caches_class, RANK_SLEEPING_LAST);

static DEFINE_PERCPU(struct slab_cpu[STATIC_CPUS], static_cpus);
/* (caches_lock) */
static u64 static_used;
static struct mutex caches_lock = MUTEX_INIT(caches_lock, slab_caches_class);
static struct list caches = LIST_INIT(caches);
unsigned int slab_nodes __read_mostly = 1;

/* Empties the magazine of c of this CPU, or of one that is dead; interrupts off. */
static void
magazine_empty(struct slab_cache *c, unsigned int cpu)
{
	struct slab_cpu *m = cpu_ptr(c->cpu, cpu);
	void *head = m->head, *spare = m->spare;

	if (CONFIG_KASAN)
		kasan_delay_end(c, cpu);
	m->head = NULL;
	m->n = 0;
	m->spare = NULL;
	m->spare_n = 0;
	m->limit = 0;
	slab_give_chain(c, head);
	slab_give_chain(c, spare);
}

/* True: it was in use. */
static bool
magazine_drain_oncpu(struct slab_cache *c)
{
	if (this_cpu_ptr(c->cpu)->busy)
		return true;
	magazine_empty(c, cpu_id());
	return false;
}

struct drain {
	/* NULL: all caches */
	struct slab_cache *only;
	/* a  magazines that were in use */
	u32 missed;
};

static void
drain_oncpu(void *arg)
{
	struct drain *d = arg;
	struct slab_cache *c;

	list_for_each_entry(c, &caches, all) {
		if ((d->only == NULL || d->only == c) && magazine_drain_oncpu(c))
			atomic_inc(&d->missed);
	}
}

/* Empties the magazines of all CPUs. The caller holds caches_lock. */
static void
drain_magazines(struct slab_cache *only)
{
	struct drain d = {.only = only};
	unsigned long flags = irq_save();

	drain_oncpu(&d);
	irq_restore(flags);
	if (!may_sleep() || cpumask_weight(&cpu_online_mask) < 2)
		return;
	for (unsigned int i = 0; i < DRAIN_TRIES; i++) {
		d.missed = 0;
		cpu_call_mask(&cpu_online_mask, drain_oncpu, &d);
		if (d.missed == 0)
			break;
	}
}

static void
drain_depot(struct slab_cache *c, struct slab_node *sn)
{
	for (;;) {
		unsigned long flags = spin_lock_irq(&sn->lock);
		void *chain = NULL;

		slab_depot_get(c, sn, &chain);
		spin_unlock_irq(&sn->lock, flags);
		if (chain == NULL)
			break;
		slab_give_chain(c, chain);
	}
}

/* Depots and empty slabs; returns pages freed. */
static u64
cache_shrink(struct slab_cache *c)
{
	u64 freed = 0;

	/* A depot holds objects of any node's slabs: all depots first. */
	for (unsigned int n = 0; n < slab_nodes; n++)
		drain_depot(c, &c->node[n]);
	for (unsigned int n = 0; n < slab_nodes; n++)
		freed += slab_trim(c, &c->node[n], 0);
	return freed;
}

/* --- caches that end --- */

/* Takes caches that were destroyed and are empty off the list. The caller holds caches_lock. */
static void
reap(struct list *gone)
{
	struct slab_cache *c, *next;
	u64 cached, used, slabs;

	list_init(gone);
	list_for_each_entry_safe(c, next, &caches, all) {
		if (!c->dying)
			continue;
		cache_shrink(c);
		slab_count(c, &cached, &used, &slabs);
		if (cached == 0) {
			list_del(&c->all);
			list_add(&c->all, gone);
			static_used &= c->static_cpu < 0 ? U64_MAX : ~BIT(c->static_cpu);
		}
	}
}

static void
free_gone(struct list *gone)
{
	while (!list_empty(gone)) {
		struct slab_cache *c = list_first(gone, struct slab_cache, all);

		list_del(&c->all);
		if (c->static_cpu < 0)
			percpu_free(c->cpu);
		kfree(c);
	}
}

void
slab_cpu_dead(unsigned int cpu)
{
	struct slab_cache *c;
	unsigned long flags;
	struct list gone;

	mutex_lock(&caches_lock);
	list_for_each_entry(c, &caches, all) {
		flags = irq_save();
		magazine_empty(c, cpu);
		irq_restore(flags);
	}
	reap(&gone);
	mutex_unlock(&caches_lock);
	free_gone(&gone);
}

u64
slab_shrink(void)
{
	struct slab_cache *c;
	u64 before, after;

	/* Reclaim may run under an allocation of whoever holds it. */
	if (!mutex_try_lock(&caches_lock))
		return 0;
	before = pages_free();
	drain_magazines(NULL);
	list_for_each_entry(c, &caches, all)
		cache_shrink(c);
	after = pages_free();
	mutex_unlock(&caches_lock);
	return after > before ? after - before : 0;
}

/* --- caches --- */

void
slab_cache_set_up(struct slab_cache *c, const char *name, size_t size, size_t align, u32 flags)
{
	c->name = name;
	c->flags = flags;
	c->zero = flags & SLAB_ZERO ? GFP_ZERO : (gfp_t __force)0;
	slab_layout(c, size, align);
	c->depot_max = 8 + nr_cpus / 4;
	for (unsigned int n = 0; n < slab_nodes; n++) {
		spin_init(&c->node[n].lock, &slab_node_class);
		list_init(&c->node[n].partial);
		list_init(&c->node[n].full);
	}
	mutex_lock(&caches_lock);
	list_add_tail(&c->all, &caches);
	mutex_unlock(&caches_lock);
}

/* Gives c a per-CPU part. */
static int
cache_add_cpus(struct slab_cache *c)
{
	c->static_cpu = -1;
	mutex_lock(&caches_lock);
	if (~static_used << (64 - STATIC_CPUS) != 0) {
		c->static_cpu = (s32)ctz64(~static_used);
		static_used |= BIT(c->static_cpu);
	}
	mutex_unlock(&caches_lock);
	c->cpu = c->static_cpu >= 0 ? &static_cpus[c->static_cpu]
				    : percpu_alloc(sizeof(struct slab_cpu), 32);
	return c->cpu == NULL ? -ENOMEM : 0;
}

struct slab_cache *
slab_cache_create(const char *name, size_t size, size_t align, u32 flags)
{
	struct slab_cache *c;

	if (WARN_ON(size == 0 || size > SLAB_MAX || (align & (align - 1)) != 0 ||
		    align > PAGE_SIZE))
		return NULL;
	c = kzalloc(sizeof(*c) + slab_nodes * sizeof(struct slab_node), GFP_KERNEL);
	if (c == NULL)
		return NULL;
	if (cache_add_cpus(c) != 0) {
		kfree(c);
		return NULL;
	}
	slab_cache_set_up(c, name, size, align, flags);
	return c;
}

void
slab_cache_destroy(struct slab_cache *c)
{
	u64 cached, used, slabs;
	struct list gone;

	mutex_lock(&caches_lock);
	drain_magazines(c);
	cache_shrink(c);
	slab_count(c, &cached, &used, &slabs);
	if (used != 0)
		list_del(&c->all);
	else
		c->dying = true;
	reap(&gone);
	mutex_unlock(&caches_lock);
	free_gone(&gone);
	if (used != 0) {
		mm_port_log(3, "slab %s destroyed with %lu objects in use", c->name, used);
		if (SLAB_HOOKS)
			slab_debug_leaks(c, 16);
		/* Their pages still point at the cache: it stays. */
	}
}

/* --- figures --- */

void
slab_count(const struct slab_cache *c, u64 *cached, u64 *used, u64 *slabs)
{
	u64 in_chains = 0, free = 0, total = 0;
	unsigned int cpu;

	for (unsigned int n = 0; n < slab_nodes; n++) {
		in_chains += READ_ONCE(c->node[n].depot_objects);
		free += READ_ONCE(c->node[n].free_objects);
		total += READ_ONCE(c->node[n].slabs);
	}
	for_each_possible_cpu(cpu) {
		const struct slab_cpu *m = cpu_ptr(c->cpu, cpu);

		in_chains += READ_ONCE(m->n) + READ_ONCE(m->spare_n);
	}
	if (CONFIG_KASAN)
		in_chains += kasan_delayed(c);
	*cached = in_chains;
	*slabs = total;
	total *= c->per_slab;
	*used = total > free + in_chains ? total - free - in_chains : 0;
}

int
slab_for_each_cache(int (*fn)(struct slab_cache *c, void *ctx), void *ctx)
{
	struct slab_cache *c;
	int ret = 0;

	mutex_lock(&caches_lock);
	list_for_each_entry(c, &caches, all) {
		ret = c->dying ? 0 : fn(c, ctx);
		if (ret != 0)
			break;
	}
	mutex_unlock(&caches_lock);
	return ret;
}

static int
add_used(struct slab_cache *c, void *ctx)
{
	u64 cached, used, slabs;

	slab_count(c, &cached, &used, &slabs);
	*(u64 *)ctx += used;
	return 0;
}

u64
slab_objects(void)
{
	u64 sum = 0;

	slab_for_each_cache(add_used, &sum);
	return sum;
}

struct info_walk {
	int (*fn)(const struct slab_info *si, void *ctx);
	void *ctx;
};

static int
info_of(struct slab_cache *c, void *ctx)
{
	const struct info_walk *w = ctx;
	struct slab_info si = {
		.name = c->name,
		.object_size = c->size,
		.slot_size = c->slot,
		.objects_per_slab = c->per_slab,
		.pages_per_slab = 1u << c->order,
	};
	unsigned int cpu;

	slab_count(c, &si.cached, &si.objects_used, &si.slabs);
	si.objects = si.slabs * c->per_slab;
	for_each_possible_cpu(cpu)
		si.limit = max(si.limit, READ_ONCE(cpu_ptr(c->cpu, cpu)->limit));
	return w->fn(&si, w->ctx);
}

int
slab_for_each(int (*fn)(const struct slab_info *si, void *ctx), void *ctx)
{
	struct info_walk w = {.fn = fn, .ctx = ctx};

	return slab_for_each_cache(info_of, &w);
}

/* --- boot --- */

void
slab_init(void)
{
	static const u16 sizes[KMALLOC_CLASSES] = {16,	32,  64,   96,	 128,  192,
						   256, 512, 1024, 2048, 4096, 8192};
	static const char *const names[KMALLOC_CLASSES] = {
		"kmalloc-16",  "kmalloc-32",  "kmalloc-64",  "kmalloc-96",
		"kmalloc-128", "kmalloc-192", "kmalloc-256", "kmalloc-512",
		"kmalloc-1k",  "kmalloc-2k",  "kmalloc-4k",  "kmalloc-8k"};
	size_t bytes;
	char *mem;

	for (unsigned int i = 0; i < ZONES_MAX; i++) {
		if (zones[i].total != 0)
			slab_nodes = zones[i].node + 1u;
	}
	bytes = sizeof(struct slab_cache) + slab_nodes * sizeof(struct slab_node);
	mem = page_to_virt(page_alloc(ilog2_up(div_round_up(bytes * KMALLOC_CLASSES, PAGE_SIZE)),
				      GFP_KERNEL | GFP_ZERO));
	for (unsigned int i = 0; i < KMALLOC_CLASSES; i++) {
		struct slab_cache *c = (struct slab_cache *)(mem + i * bytes);
		size_t align = sizes[i] >= CACHE_LINE ? CACHE_LINE : 16;

		cache_add_cpus(c);
		kmalloc_caches[i] = c;
		slab_cache_set_up(c, names[i], sizes[i], sizes[i] == 96 ? 32 : align, 0);
	}
}
