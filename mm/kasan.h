/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The compiler's address checks (KASAN kernels; mm/kasan.c tells the model).
 * In other kernels all of this is nothing.
 */
#ifndef MM_KASAN_H
#define MM_KASAN_H

#include "config/config.h"
#include "lib/types.h"

/* What a granule's shadow byte says; 0: all 8 bytes may be used, 1 to 7: the first so many. */
#define KASAN_PAGE_FREE 0xff
#define KASAN_SLAB_REDZONE 0xfc
#define KASAN_SLAB_FREE 0xfb
#define KASAN_GLOBAL 0xf9
/* The compiler's (gcc/asan.h). */
#define KASAN_STACK_SCOPE 0xf8
#define KASAN_STACK_LEFT 0xf1
#define KASAN_STACK_MIDDLE 0xf2
#define KASAN_STACK_RIGHT 0xf3

struct slab_cache;

struct kasan_report {
	unsigned long addr;
	size_t size;
	bool write;
	/* The shadow byte behind the complaint: KASAN_*. */
	u8 why;
	/* Who did it. */
	unsigned long pc;
};

/* mm/kasan.c.  p: a multiple of 8. */
void kasan_mark(const void *p, size_t size, u8 why);
/* The first `size` bytes may be used; the rest of the last granule may not. */
void kasan_allow(const void *p, size_t size);
/*
 * Tests: reports of this CPU are kept, not written, from begin to end. end
 * returns how many there were, and the first one in *r. The caller is pinned.
 */
void kasan_catch_begin(void);
u32 kasan_catch_end(struct kasan_report *r);

/* mm/kasan_map.c */
/* kmap_init(): the shadow of RAM and of the image, before the tables are used. */
void kasan_map_init(void);
/* kmap_init(), with the tables in use: checks begin. */
void kasan_start(void);
/* Shadow for n pages of the vmalloc area; false: no memory. May sleep. */
bool kasan_map_area(unsigned long va, size_t n);

/* mm/kasan_slab.c: freed objects that wait a while. */
/*
 * *obj of *c is free: it waits, and the one that has waited longest comes out
 * in its place. False: none does.
 */
bool kasan_delay(struct slab_cache **c, void **obj);
/* Gives those of c (NULL: all) that wait here, or on a dead CPU, to their slabs; interrupts off. */
void kasan_delay_end(struct slab_cache *c, unsigned int cpu);
/* How many objects of c wait. Racy while others free. */
u64 kasan_delayed(const struct slab_cache *c);

static inline void
kasan_poison(const void *p, size_t size, u8 why)
{
	if (CONFIG_KASAN)
		kasan_mark(p, size, why);
}

static inline void
kasan_unpoison(const void *p, size_t size)
{
	if (CONFIG_KASAN)
		kasan_allow(p, size);
}

#endif
