/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory by size: classes of objects for small sizes, whole pages above, mapped
 * single pages for what need not be contiguous.
 *
 * Model: what lies at an address is found from its struct page: PAGE_SLAB leads
 * to the cache, any other type is a block of its own. Addresses in the vmalloc
 * area are vmalloc()'s; only kvfree() takes them.
 *
 * Contexts: as slab_alloc() and slab_free(); the kv functions may sleep.
 */
#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "mm/slab_impl.h"
#include "mm/vmalloc.h"

#undef kmalloc
#undef kzalloc

/* Contiguous up to here, else vmalloc. */
#define KVMALLOC_CONTIGUOUS (2 * PAGE_SIZE)
#define SIZE_MAX_BLOCK (PAGE_SIZE << PAGE_MAX_ORDER)

struct slab_cache *kmalloc_caches[KMALLOC_CLASSES] __read_mostly;

static void *
alloc_pages(size_t size, gfp_t gfp)
{
	struct page *p;

	if (size > SIZE_MAX_BLOCK)
		return NULL;
	p = page_alloc(ilog2_up(div_round_up(size, PAGE_SIZE)), gfp);
	return p == NULL ? NULL : page_to_virt(p);
}

static __always_inline void *
alloc_from(size_t size, gfp_t gfp, const void *caller)
{
	if (unlikely(size > KMALLOC_MAX))
		return alloc_pages(size, gfp);
	return slab_alloc_from(kmalloc_caches[kmalloc_class(size)], gfp, size, caller);
}

void *
kmalloc(size_t size, gfp_t gfp)
{
	return alloc_from(size, gfp, __builtin_return_address(0));
}

void *
kzalloc(size_t size, gfp_t gfp)
{
	return alloc_from(size, gfp | GFP_ZERO, __builtin_return_address(0));
}

void *
kcalloc(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return alloc_from(bytes, gfp | GFP_ZERO, __builtin_return_address(0));
}

size_t
kmalloc_size(const void *p)
{
	const struct page *page = page_head(virt_to_page(p));

	if (page->type != PAGE_SLAB)
		return PAGE_SIZE << page->order;
	return SLAB_HOOKS ? slab_debug_size(page->slab, p) : page->slab->size;
}

void *
krealloc(void *p, size_t size, gfp_t gfp)
{
	size_t old = p == NULL ? 0 : kmalloc_size(p);
	void *q;

	if (p != NULL && size <= old && size > old / 4)
		return p;
	q = alloc_from(size, gfp, __builtin_return_address(0));
	if (q == NULL || p == NULL)
		return q;
	memcpy(q, p, min(size, old));
	kfree(p);
	return q;
}

void *
kmemdup(const void *p, size_t n, gfp_t gfp)
{
	void *q = alloc_from(n, gfp, __builtin_return_address(0));

	return q == NULL ? NULL : memcpy(q, p, n);
}

char *
kstrdup(const char *s, gfp_t gfp)
{
	size_t n = strlen(s) + 1;
	char *q = alloc_from(n, gfp, __builtin_return_address(0));

	return q == NULL ? NULL : memcpy(q, s, n);
}

void *
kvmalloc(size_t size, gfp_t gfp)
{
	if (size <= KVMALLOC_CONTIGUOUS)
		return alloc_from(size, gfp, __builtin_return_address(0));
	return vmalloc(size, gfp);
}

void
kvfree(const void *p)
{
	if (is_vmalloc(p))
		vfree(p);
	else
		kfree(p);
}

/* The head may lie anywhere in the object: the page knows where that starts. */
static void
kfree_rcu_cb(struct rcu_head *h)
{
	struct page *page = page_head(virt_to_page(h));

	kfree(page->type == PAGE_SLAB ? slab_object_of(page, h) : page_to_virt(page));
}

void
kfree_rcu_at(void *p, struct rcu_head *h)
{
	DEBUG_ASSERT(!is_vmalloc(p));
	rcu_call(h, kfree_rcu_cb);
}
