/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of /proc/tessera/frames: what the machine's page frames are used for, for tools
 * that see physical addresses only (tools/conflicts/). Numbers but SLOT in hex:
 *
 *	FIRST COUNT KIND			frames FIRST ... FIRST + COUNT - 1
 *	FIRST COUNT slab CACHE SLOT OBJECTS	a slab, its objects being at a physical address
 *						OBJECTS, SLOT bytes each
 *
 * Model: frames that lie side by side and are of one kind make a run; a slab has its own.
 * Frames that were never handed out are left out. All of it is a hint: others allocate and
 * free meanwhile, thus a slab's cache is believed only when it is one of those that exist.
 *
 * Contexts: may sleep.
 */
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/memblock.h"
#include "mm/meminfo.h"
#include "mm/page.h"
#include "mm/slab_impl.h"

static const char *const kinds[PAGE_TYPES] = {
	[PAGE_RESERVED] = "reserved", [PAGE_FREE] = "free",   [PAGE_KERNEL] = "kernel",
	[PAGE_SLAB] = "slab",	      [PAGE_TABLE] = "table", [PAGE_ANON] = "anon",
	[PAGE_CACHE] = "cache",	      [PAGE_SHMEM] = "shmem", [PAGE_TAIL] = "tail",
};

/* Frames [first, end) are of one kind; NULL: nothing yet. */
struct run {
	const struct sink *out;
	u64 first;
	u64 end;
	const char *kind;
};

/* A slab that was seen: of `cache`, if that is in the list. */
struct slab_line {
	const struct sink *out;
	const struct slab_cache *cache;
	u64 first;
	phys_t objects;
};

static int
run_print(struct run *r)
{
	char line[80];

	if (r->kind == NULL)
		return 0;
	snprintf(line, sizeof(line), "%lx %lx %s\n", r->first, r->end - r->first, r->kind);
	r->kind = NULL;
	return r->out->emit(r->out->ctx, line, strlen(line));
}

/* 0: another cache; 1: printed; else what the sink returned. */
static int
slab_print(struct slab_cache *c, void *ctx)
{
	const struct slab_line *l = ctx;
	char line[120];
	int ret;

	if (c != l->cache)
		return 0;
	snprintf(line, sizeof(line), "%lx %lx slab %s %u %lx\n", l->first, 1UL << c->order, c->name,
		 c->slot, l->objects);
	ret = l->out->emit(l->out->ctx, line, strlen(line));
	return ret != 0 ? ret : 1;
}

static int
add_slab(struct run *r, u64 pfn, const struct page *p)
{
	struct slab_line l = {
		.out = r->out,
		.cache = READ_ONCE(p->slab),
		.first = pfn,
		.objects = (pfn << PAGE_SHIFT) + READ_ONCE(p->slab_offset),
	};
	int ret = run_print(r);

	if (ret != 0)
		return ret;
	ret = slab_for_each_cache(slab_print, &l);
	return ret == 1 ? 0 : ret;
}

/* The type of a frame's block. Its head is believed only where one can be. */
static unsigned int
type_of(const struct page *p)
{
	unsigned int type = READ_ONCE(p->type);
	const struct page *head = type == PAGE_TAIL ? READ_ONCE(p->head) : p;

	if ((unsigned long)p - (unsigned long)head >= sizeof(*p) << PAGE_MAX_ORDER)
		return type;
	return READ_ONCE(head->refs) == 0 ? PAGE_FREE : READ_ONCE(head->type);
}

static int
add_frame(struct run *r, u64 pfn, const struct page *p)
{
	unsigned int type = type_of(p);
	const char *kind = type < PAGE_TYPES ? kinds[type] : "unknown";
	int ret = 0;

	/* A slab's frames behind the first go with that. */
	if (type == PAGE_SLAB)
		return READ_ONCE(p->type) == PAGE_TAIL ? 0 : add_slab(r, pfn, p);
	if (r->kind != kind || r->end != pfn)
		ret = run_print(r);
	if (r->kind == NULL)
		r->first = pfn;
	r->kind = kind;
	r->end = pfn + 1;
	return ret;
}

int
frames_print(const struct sink *out)
{
	struct run r = {.out = out};
	u64 end = memblock_top() >> PAGE_SHIFT;
	const struct page *p;
	int ret = 0;

	for (u64 pfn = 0; pfn < end && ret == 0; pfn++) {
		p = page_lookup(pfn);
		if (p != NULL)
			ret = add_frame(&r, pfn, p);
	}
	return ret != 0 ? ret : run_print(&r);
}
