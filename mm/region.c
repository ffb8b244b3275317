/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Regions: what a file mapping shows; families: who may show it.
 *
 * Model: a region ties an address to an offset of a file and never changes, so
 * runs of many tables, and of many spaces, can name the same one: fork copies
 * the name only. The spaces that fork made of one another are a family, and a
 * region belongs to the family of the space that made it; from a file's pages
 * one gets to tables through its regions, their families and the spaces of
 * those (rmap.c). exec begins a new family. Its spaces are in one list until several
 * CPUs fork; then each CPU, or each sixteenth, has one.
 *
 * Ownership: regions are counted by the runs that hold them, with drained
 * references, so that operations on disjoint parts of one mapping write no
 * common line. The file is put a few milliseconds after the last run went.
 */
#include "lib/errno.h"
#include "mm/pagecache.h"
#include "mm/slab.h"
#include "mm/uffd_impl.h"

static struct slab_cache *region_cache __read_mostly;
static struct slab_cache *family_cache __read_mostly;
static LOCK_CLASS(family_class, RANK_PT);

/* Anonymous memory: nothing to know but what the runs say. */
struct region anon_region = {
	.flags = REGION_STATIC | REGION_ANON,
	.max_prot = PROT_READ | PROT_WRITE | PROT_EXEC,
};

void
region_init(void)
{
	region_cache = slab_cache_create("region", sizeof(struct region), 64, SLAB_ZERO);
	family_cache = slab_cache_create("family", sizeof(struct family), 64, 0);
}

void
region_free(struct region *r)
{
	if (r->flags & REGION_WRITER)
		pagecache_put_writer(r->cache);
	if (r->file)
		mm_port_file_put(r->file);
	if (r->family)
		family_put(r->family);
	if (r->flags & REGION_UFFD) {
		uffd_put(r->uffd);
		region_put(r->plain);
	}
	slab_free(region_cache, r);
}

static void
region_release(struct ref *ref)
{
	struct region *r = container_of(ref, struct region, ref);

	if (!r->cache || r->flags & REGION_UFFD || mapper_del(r->cache, r))
		region_free(r);
}

/* Fills in what the region shows, and enters it where it is looked for. */
static struct region *
region_finish(struct region *r, struct space *s, struct file *f, struct pagecache *cache, u32 flags)
{
	r->flags = flags;
	if (f) {
		mm_port_file_get(f);
		r->file = f;
	}
	if (!cache)
		return r;
	family_get(s->family);
	r->family = s->family;
	if (mapper_add(cache, r)) {
		r->flags &= ~REGION_WRITER;
		ref_put(&r->ref);
		return err_ptr(-ENOMEM);
	}
	r->cache = cache;
	if (flags & REGION_WRITER)
		tally_get(&cache->writable_maps);
	return r;
}

static struct region *
region_alloc(unsigned long base)
{
	struct region *r = slab_alloc(region_cache, GFP_KERNEL);

	if (!r)
		return NULL;
	ref_init(&r->ref, region_release);
	r->base = base;
	return r;
}

struct region *
region_create(struct space *s, unsigned long base, const struct map_backing *b,
	      const struct map_ask *ask)
{
	struct region *r = region_alloc(base);
	u32 flags = 0;

	if (!r)
		return err_ptr(-ENOMEM);
	r->offset = b->offset;
	r->name = b->name;
	r->pages = b->pages ? b->pages : ask->pages;
	r->max_prot = ask->max_prot;
	if (r->pages)
		flags |= REGION_SPECIAL;
	if (ask->cache && !(ask->cache->ops && ask->cache->ops->read_page))
		flags |= REGION_SHMEM;
	if (ask->cache && (ask->flags & MAP_TYPE) != MAP_PRIVATE && ask->max_prot & PROT_WRITE)
		flags |= REGION_WRITER;
	return region_finish(r, s, b->file, r->pages ? NULL : ask->cache, flags);
}

struct region *
region_move(struct space *s, const struct region *from, unsigned long base, u64 offset)
{
	struct region *r = region_alloc(base);

	if (!r)
		return err_ptr(-ENOMEM);
	r->offset = offset;
	r->name = from->name;
	r->pages = from->pages;
	r->max_prot = from->max_prot;
	return region_finish(r, s, from->file, from->cache, from->flags);
}

struct region *
region_create_uffd(struct region *plain, struct uffd *u, u32 modes)
{
	struct region *r = region_alloc(plain->base);

	if (!r)
		return err_ptr(-ENOMEM);
	r->offset = plain->offset;
	r->cache = plain->cache;
	r->name = plain->name;
	r->max_prot = plain->max_prot;
	r->flags = (plain->flags & (REGION_ANON | REGION_SHMEM)) | modes;
	if (plain->file) {
		mm_port_file_get(plain->file);
		r->file = plain->file;
	}
	region_get(plain);
	r->plain = plain;
	uffd_get(u);
	r->uffd = u;
	return r;
}

/* --- families --- */

/* Lists that the spaces of one family are in, when several CPUs fork. */
#define KIN_MAX 16u
/* So often must the CPU that joins change. */
#define KIN_MOVES 4

static unsigned int
kin_lists(void)
{
	return min(nr_cpus, KIN_MAX);
}

static void
kin_init(struct kin *k)
{
	spin_init(&k->lock, &family_class);
	list_init(&k->spaces);
	k->last_cpu = cpu_id();
	k->moves = 0;
}

static void
family_release(struct ref *r)
{
	struct family *f = container_of(r, struct family, ref);

	kfree(f->more);
	slab_free(family_cache, f);
}

struct family *
family_create(void)
{
	struct family *f = slab_alloc(family_cache, GFP_KERNEL);

	if (!f)
		return NULL;
	ref_init(&f->ref, family_release);
	f->more = NULL;
	kin_init(&f->first);
	return f;
}

void
family_get(struct family *f)
{
	ref_get(&f->ref);
}

void
family_put(struct family *f)
{
	ref_put(&f->ref);
}

/* From now on spaces join by CPU, if there is memory. */
static void
family_spread(struct family *f)
{
	struct kin *more = kmalloc(kin_lists() * sizeof(*more), GFP_KERNEL | GFP_NORETRY),
		   *none = NULL;

	if (!more)
		return;
	for (unsigned int i = 0; i < kin_lists(); i++)
		kin_init(&more[i]);
	if (!atomic_try_cmpxchg(&f->more, &none, more))
		kfree(more);
}

void
family_join(struct family *f, struct space *s)
{
	struct kin *more = smp_load_acquire(&f->more);
	struct kin *k = more ? &more[cpu_id() % kin_lists()] : &f->first;
	bool spread;

	s->kin = k;
	spin_lock(&k->lock);
	list_add_tail(&s->family_link, &k->spaces);
	if (k->last_cpu != cpu_id()) {
		k->last_cpu = cpu_id();
		k->moves++;
	}
	spread = !more && k->moves >= KIN_MOVES;
	spin_unlock(&k->lock);
	if (unlikely(spread))
		family_spread(f);
}

void
family_leave(struct space *s)
{
	spin_lock(&s->kin->lock);
	list_del(&s->family_link);
	spin_unlock(&s->kin->lock);
}

/* The member behind `prev` in k (NULL: the first), with a user reference. */
static struct space *
kin_next(struct kin *k, struct space *prev)
{
	struct space *s = NULL;
	struct list *pos;

	spin_lock(&k->lock);
	/* A member that somebody uses stays in the list. */
	for (pos = prev ? prev->family_link.next : k->spaces.next; pos != &k->spaces;
	     pos = pos->next) {
		s = list_entry(pos, struct space, family_link);
		if (space_try_get_user(s))
			break;
		s = NULL;
	}
	spin_unlock(&k->lock);
	return s;
}

struct space *
family_next(struct family *f, struct space *prev)
{
	struct kin *k = prev ? prev->kin : &f->first, *more;
	struct space *s = kin_next(k, prev);
	unsigned int i = 0;

	/* Behind the lock of the first list: see the opening comment. */
	more = READ_ONCE(f->more);
	if (more && k != &f->first)
		i = (unsigned int)(k - more) + 1;
	for (; !s && more && i < kin_lists(); i++)
		s = kin_next(&more[i], NULL);
	if (prev)
		space_put_user(prev);
	return s;
}
