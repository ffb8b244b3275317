/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What debug kernels check of objects.
 *
 * A SLOT OF A DEBUG KERNEL
 * OFFSET     SIZE              MEANING
 * 0          asked             the object; free: POISON_FREE, new: POISON_NEW
 * asked      up to link        red zone: RED_USED, RED_FREE while free
 * link       sizeof slab_meta  links, callers, state, size asked for, guard
 *
 * Caught: writes behind an object (red zone, found when it is freed) and before
 * one (the neighbour's guard), writes to a free object (poison, found when it is
 * handed out again), a second free, a free into the wrong cache, a pointer into
 * the middle, objects left in use (the report names who allocated them).
 *
 * Free objects of SLAB_TYPESAFE_RCU caches keep their content: no poison there.
 *
 * Locking: a slot's bytes are its holder's; the reports walk slabs under
 * slab_node.lock and read the states of others' objects racily.
 */
#include "arch/x86_64/asm/irqflags.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/kasan.h"
#include "mm/port.h"
#include "mm/slab_impl.h"

#define POISON_FREE 0x6b
#define POISON_NEW 0x5a
#define RED_FREE 0xbb
#define RED_USED 0xcc
#define SLOT_FREE 0x46524545u
#define SLOT_USED 0x55534544u
#define GUARD 0x7e55e7a0900dbeefUL

static struct slab_meta *
meta_of(const struct slab_cache *c, const void *obj)
{
	return (struct slab_meta *)((char *)obj + c->link);
}

u32
slab_debug_room(void)
{
	return sizeof(struct slab_meta);
}

static void __noreturn
broken(const struct slab_cache *c, const void *obj, const char *what, const void *where)
{
	const struct slab_meta *m = meta_of(c, obj);

	mm_port_panic("slab %s: %s: object %p size %u at %p (offset %ld); allocated by %pS, "
		      "freed by %pS, state %x",
		      c->name, what, obj, m->asked, where,
		      (long)((const char *)where - (const char *)obj), (void *)m->alloc_caller,
		      (void *)m->free_caller, m->state);
}

/* The first of n bytes that is not `byte`, or NULL. */
static const void *
stray(const void *from, int byte, size_t n)
{
	return n == 0 ? NULL : memchr_inv(from, byte, n);
}

static void
expect_none(const struct slab_cache *c, const void *obj, const void *bad, const char *what)
{
	if (bad != NULL)
		broken(c, obj, what, bad);
}

static size_t
poisoned(const struct slab_cache *c)
{
	return c->flags & SLAB_TYPESAFE_RCU ? 0 : c->size;
}

void
slab_debug_new(struct slab_cache *c, struct page *slab)
{
	char *base = page_to_virt(slab);

	memset(base, RED_FREE, slab->slab_offset);
	for (u32 i = 0; i < c->per_slab; i++) {
		char *obj = base + slab->slab_offset + i * c->slot;
		struct slab_meta *m = meta_of(c, obj);

		memset(obj, POISON_FREE, c->size);
		memset(obj + c->size, RED_FREE, c->link - c->size);
		*m = (struct slab_meta){.state = SLOT_FREE, .guard = GUARD};
	}
	kasan_poison(base, PAGE_SIZE << c->order, KASAN_SLAB_REDZONE);
}

void
slab_debug_alloc(struct slab_cache *c, void *obj, size_t asked, const void *caller)
{
	struct slab_meta *m = meta_of(c, obj);

	if (m->guard != GUARD)
		broken(c, obj, "written before the next object", &m->guard);
	if (m->state != SLOT_FREE)
		broken(c, obj, "handed out while in use", obj);
	kasan_unpoison(obj, c->link);
	expect_none(c, obj, stray(obj, POISON_FREE, poisoned(c)), "written after it was freed");
	expect_none(c, obj, stray((char *)obj + c->size, RED_FREE, c->link - c->size),
		    "written behind, after it was freed");
	m->state = SLOT_USED;
	m->asked = (u32)asked;
	m->alloc_caller = (unsigned long)caller;
	memset(obj, POISON_NEW, poisoned(c));
	memset((char *)obj + asked, RED_USED, c->link - asked);
	kasan_poison(obj, c->link, KASAN_SLAB_REDZONE);
	kasan_unpoison(obj, asked);
}

void
slab_debug_free(struct slab_cache *c, void *obj, const void *caller)
{
	const struct page *slab = slab_page(obj);
	struct slab_meta *m = meta_of(c, obj);

	if (slab->type != PAGE_SLAB || slab->slab != c)
		mm_port_panic("slab %s: %p freed here by %pS belongs to %s", c->name, obj, caller,
			      slab->type == PAGE_SLAB ? slab->slab->name : "no cache");
	if (slab_object_of(slab, obj) != obj)
		mm_port_panic("slab %s: %p freed by %pS is inside an object", c->name, obj, caller);
	if (m->guard != GUARD)
		broken(c, obj, "written before the next object", &m->guard);
	if (m->state != SLOT_USED)
		broken(c, obj, "freed twice", caller);
	kasan_unpoison(obj, c->link);
	expect_none(c, obj, stray((char *)obj + m->asked, RED_USED, c->link - m->asked),
		    "written behind its end");
	m->state = SLOT_FREE;
	m->free_caller = (unsigned long)caller;
	memset(obj, POISON_FREE, poisoned(c));
	memset((char *)obj + c->size, RED_FREE, c->link - c->size);
	kasan_poison(obj, c->link, KASAN_SLAB_REDZONE);
	if (c->flags & SLAB_TYPESAFE_RCU)
		kasan_unpoison(obj, c->size);
	else
		kasan_poison(obj, c->size, KASAN_SLAB_FREE);
}

void
slab_debug_describe(const struct page *slab, const void *p)
{
	const struct slab_cache *c = slab->slab;
	const void *obj = slab_object_of(slab, p);
	const struct slab_meta *m = meta_of(c, obj);

	mm_port_log(0, "offset %ld of object %p, size %u, of slab %s",
		    (const char *)p - (const char *)obj, obj, m->asked, c->name);
	mm_port_log(0, "allocated by %pS, freed by %pS", (void *)m->alloc_caller,
		    (void *)m->free_caller);
}

size_t
slab_debug_size(const struct slab_cache *c, const void *obj)
{
	return meta_of(c, obj)->asked;
}

/* Calls fn for each used object of a slab. */
static void
for_used(struct slab_cache *c, struct page *slab, void (*fn)(struct slab_cache *, void *, void *),
	 void *ctx)
{
	char *base = (char *)page_to_virt(slab) + slab->slab_offset;

	for (u32 i = 0; i < slab->slab_fresh; i++) {
		if (meta_of(c, base + i * c->slot)->state == SLOT_USED)
			fn(c, base + i * c->slot, ctx);
	}
}

static void
for_used_in_cache(struct slab_cache *c, void (*fn)(struct slab_cache *, void *, void *), void *ctx)
{
	for (unsigned int n = 0; n < slab_nodes; n++) {
		struct slab_node *sn = &c->node[n];
		unsigned long flags = spin_lock_irq(&sn->lock);
		struct page *slab;

		list_for_each_entry(slab, &sn->partial, link)
			for_used(c, slab, fn, ctx);
		list_for_each_entry(slab, &sn->full, link)
			for_used(c, slab, fn, ctx);
		spin_unlock_irq(&sn->lock, flags);
	}
}

struct leaks {
	u64 n;
	u64 max;
};

static void
log_leak(struct slab_cache *c, void *obj, void *ctx)
{
	struct leaks *l = ctx;

	if (l->n++ < l->max)
		mm_port_log(3, "slab %s: object %p allocated by %pS", c->name, obj,
			    (void *)meta_of(c, obj)->alloc_caller);
}

u64
slab_debug_leaks(struct slab_cache *c, u64 max)
{
	struct leaks l = {.max = max};

	for_used_in_cache(c, log_leak, &l);
	return l.n;
}

/* Objects in use by the place that allocated them. */
#define USERS_MAX 256
struct users {
	unsigned int n;
	/* objects whose place found no room */
	u64 other;
	struct user {
		unsigned long caller;
		u64 count;
	} at[USERS_MAX];
};

static void
count_user(struct slab_cache *c, void *obj, void *ctx)
{
	unsigned long caller = meta_of(c, obj)->alloc_caller;
	struct users *u = ctx;

	for (unsigned int i = 0; i < u->n; i++) {
		if (u->at[i].caller == caller) {
			u->at[i].count++;
			return;
		}
	}
	if (u->n == USERS_MAX)
		u->other++;
	else
		u->at[u->n++] = (struct user){.caller = caller, .count = 1};
}

struct report {
	struct slab_cache *only;
	const struct sink *out;
	struct users *users;
};

static int
report_cache(struct slab_cache *c, void *ctx)
{
	const struct report *r = ctx;
	char line[192];
	int ret = 0, n;

	if (r->only != NULL && r->only != c)
		return 0;
	memset(r->users, 0, sizeof(*r->users));
	for_used_in_cache(c, count_user, r->users);
	for (unsigned int i = 0; i < r->users->n && ret == 0; i++) {
		n = scnprintf(line, sizeof(line), "%-20s %8lu %pS\n", c->name,
			      r->users->at[i].count, (void *)r->users->at[i].caller);
		ret = r->out->emit(r->out->ctx, line, (size_t)n);
	}
	if (r->users->other != 0 && ret == 0) {
		n = scnprintf(line, sizeof(line), "%-20s %8lu elsewhere\n", c->name,
			      r->users->other);
		ret = r->out->emit(r->out->ctx, line, (size_t)n);
	}
	return ret;
}

int
slab_report_users(struct slab_cache *c, const struct sink *out)
{
	struct report r = {.only = c, .out = out};
	int ret;

	if (!CONFIG_DEBUG)
		return -ENOSYS;
	r.users = kvmalloc(sizeof(*r.users), GFP_KERNEL);
	if (r.users == NULL)
		return -ENOMEM;
	ret = slab_for_each_cache(report_cache, &r);
	kvfree(r.users);
	return ret;
}
