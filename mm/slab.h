/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Object caches with per-CPU magazines (Bonwick and Adams 2001) and kmalloc on
 * top. The fast path writes only this CPU's lines. See mm/slab.c for the model.
 */
#ifndef MM_SLAB_H
#define MM_SLAB_H

#include "lib/sink.h"
#include "mm/page.h"

struct slab_cache;

/* Zeroed objects, whatever was in them before. */
#define SLAB_ZERO 1u
/*
 * Objects may be read under RCU after they were freed: pages go back after a
 * grace period, and the allocator writes nothing inside a free object. An
 * object may be handed out again at once: readers check its identity.
 */
#define SLAB_TYPESAFE_RCU 2u

/*
 * A cache of objects of `size` bytes (1 to SLAB_MAX), aligned to `align` (a
 * power of two; 0: 8, or a cache line from 64 bytes on). Never fails during
 * boot; NULL without memory. name is kept. May sleep.
 */
#define SLAB_MAX 32768
struct slab_cache *slab_cache_create(const char *name, size_t size, size_t align, u32 flags);
/* All objects must be free: debug kernels list those that are not. May sleep. */
void slab_cache_destroy(struct slab_cache *c);
/* NULL without memory. GFP_KERNEL may sleep; GFP_ATOMIC: any context but NMI. */
void *slab_alloc(struct slab_cache *c, gfp_t gfp);
/* p may be NULL. Any context but NMI, any CPU. */
void slab_free(struct slab_cache *c, void *p);
size_t slab_object_size(const struct slab_cache *c);

/*
 * Any size; above KMALLOC_MAX whole pages (contiguous, up to 4 MiB). NULL
 * without memory and for larger sizes; size 0 gives a valid small object.
 * Aligned to 16 bytes, sizes that are powers of two to their size. Contexts as
 * slab_alloc().
 */
#define KMALLOC_MIN 16
#define KMALLOC_MAX 8192
void *kmalloc(size_t size, gfp_t gfp);
void *kzalloc(size_t size, gfp_t gfp);
/* n * size with overflow checked. */
void *kcalloc(size_t n, size_t size, gfp_t gfp);
/* p is kept when this fails; p NULL: kmalloc. The contents move, up to the smaller size. */
void *krealloc(void *p, size_t size, gfp_t gfp);
/* p may be NULL. Any context but NMI. */
void kfree(const void *p);
/* Bytes usable at p. */
size_t kmalloc_size(const void *p);
char *kstrdup(const char *s, gfp_t gfp);
void *kmemdup(const void *p, size_t n, gfp_t gfp);
/* kmalloc or vmalloc by size; freed with kvfree. May sleep. */
void *kvmalloc(size_t size, gfp_t gfp);
void kvfree(const void *p);
/* Frees with kfree() after a grace period; the rcu_head may lie anywhere in the object. */
void kfree_rcu_at(void *p, struct rcu_head *h);
#define kfree_rcu(p, member) kfree_rcu_at((p), &(p)->member)

/*
 * A constant size is a cache chosen by the compiler. The class of `size` is the
 * position in the list 16, 32, 64, 96, 128, 192, 256, 512 ... 8192.
 */
#define KMALLOC_CLASSES 12
extern struct slab_cache *kmalloc_caches[KMALLOC_CLASSES];

static __always_inline unsigned int
kmalloc_class(size_t size)
{
	if (size <= 16)
		return 0;
	if (size <= 32)
		return 1;
	if (size <= 64)
		return 2;
	if (size <= 96)
		return 3;
	if (size <= 128)
		return 4;
	if (size <= 192)
		return 5;
	return 64 - (unsigned int)__builtin_clzll(size - 1) - 2;
}

/* The object remembers its size in debug kernels (red zones): only kmalloc() then. */
#define kmalloc(size, gfp)                                                                         \
	(!CONFIG_DEBUG && __builtin_constant_p(size) && (size) <= KMALLOC_MAX                      \
		 ? slab_alloc(kmalloc_caches[kmalloc_class(size)], (gfp))                          \
		 : kmalloc((size), (gfp)))
#define kzalloc(size, gfp)                                                                         \
	(!CONFIG_DEBUG && __builtin_constant_p(size) && (size) <= KMALLOC_MAX                      \
		 ? slab_alloc(kmalloc_caches[kmalloc_class(size)], (gfp) | GFP_ZERO)               \
		 : kzalloc((size), (gfp)))

/* Gives cached magazines and empty slabs back; returns pages freed. May sleep. */
u64 slab_shrink(void);
/* Gives back the objects that a dead CPU kept for itself. May sleep. */
void slab_cpu_dead(unsigned int cpu);
/* Objects in use in all caches: for leak tests. */
u64 slab_objects(void);

/* What /proc/slabinfo tells about a cache. */
struct slab_info {
	const char *name;
	u64 objects_used;
	u64 objects;
	u64 slabs;
	u32 object_size;
	u32 slot_size;
	u32 objects_per_slab;
	u32 pages_per_slab;
	/* objects a CPU's magazine holds at most now (largest of all CPUs) */
	u32 limit;
	/* objects in magazines of CPUs and in the depot */
	u64 cached;
};
/* Calls fn for each cache, in order of creation, until it returns non-zero. May sleep. */
int slab_for_each(int (*fn)(const struct slab_info *si, void *ctx), void *ctx);
/*
 * Debug kernels: a line for each allocating call site with the number of its
 * live objects in c (NULL: all caches). 0 or what the sink returned. May sleep.
 */
int slab_report_users(struct slab_cache *c, const struct sink *out);

#endif
