/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Regions: what a file mapping shows; families: who may show it.
 *
 * Model: a region ties an address to an offset of a file and never changes, so
 * runs of many tables, and of many spaces, can name the same one: fork copies
 * the name only. The spaces that fork made of one another are a family, and a
 * region belongs to the family of the space that made it; from a file's pages
 * one gets to tables through its regions, their families and the spaces of
 * those (rmap.c). exec begins a new family.
 *
 * Ownership: regions are counted by the runs that hold them, with drained
 * references, so that operations on disjoint parts of one mapping write no
 * common line. The file is put a few milliseconds after the last run went.
 */
#include "lib/errno.h"
#include "mm/pagecache.h"
#include "mm/slab.h"
#include "mm/space_impl.h"

static struct slab_cache *region_cache __read_mostly;
static LOCK_CLASS(family_class, RANK_PT);

/* Anonymous memory: nothing to know but what the runs say. */
struct region anon_region = {
	.flags = REGION_STATIC,
	.max_prot = PROT_READ | PROT_WRITE | PROT_EXEC,
};

void
region_init(void)
{
	region_cache = slab_cache_create("region", sizeof(struct region), 64, SLAB_ZERO);
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
	slab_free(region_cache, r);
}

static void
region_release(struct ref *ref)
{
	struct region *r = container_of(ref, struct region, ref);

	if (!r->cache || mapper_del(r->cache, r))
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

/* --- families --- */

static void
family_release(struct ref *r)
{
	kfree(container_of(r, struct family, ref));
}

struct family *
family_create(void)
{
	struct family *f = kmalloc(sizeof(*f), GFP_KERNEL);

	if (!f)
		return NULL;
	ref_init(&f->ref, family_release);
	spin_init(&f->lock, &family_class);
	list_init(&f->spaces);
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

void
family_join(struct family *f, struct space *s)
{
	spin_lock(&f->lock);
	list_add_tail(&s->family_link, &f->spaces);
	spin_unlock(&f->lock);
}

void
family_leave(struct space *s)
{
	spin_lock(&s->family->lock);
	list_del(&s->family_link);
	spin_unlock(&s->family->lock);
}

struct space *
family_next(struct family *f, struct space *prev)
{
	struct space *s = NULL;
	struct list *pos;

	spin_lock(&f->lock);
	/* A member that somebody uses stays in the list. */
	for (pos = prev ? prev->family_link.next : f->spaces.next; pos != &f->spaces;
	     pos = pos->next) {
		s = list_entry(pos, struct space, family_link);
		if (space_try_get_user(s))
			break;
		s = NULL;
	}
	spin_unlock(&f->lock);
	if (prev)
		space_put_user(prev);
	return s;
}
