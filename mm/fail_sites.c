/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocations that fail by place: each place once.
 *
 * Model: a place (site) is the innermost return addresses of an allocation, the
 * allocator's own first; the same allocation for two callers is two places, since
 * it is the callers that have to cope. Places are noted in a table as they are
 * reached, found by a hash of their addresses, and numbered by where they lie in
 * it. Two that share a hash of 64 bits would be one.
 *
 * In mode EACH a place fails the first time that it is reached by a task which is
 * not spared (mm_port_fail_spared()), so that a program which is run again and
 * again gets a step further each time, and all places that it comes by have failed
 * once in the end.
 *
 * Ordering:
 *      site_find                       fail_site_get
 *      pcs are written                 ready is loaded (acquire)
 *      ready is stored (release)       pcs are read
 *
 * Contexts: as allocations, any but NMI. Nothing is locked; a place stays for ever.
 */
#include "mm/fail.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/errno.h"
#include "mm/port.h"

#define SITES 8192u
#define NOBODY U32_MAX

struct site {
	/* a  hash of pcs; 0: free */
	u64 key;
	/* a */
	u64 hits;
	u32 failed;
	/* a  in EACH it has had its turn */
	u32 done;
	/* a  pcs can be read */
	u32 ready;
	/* I */
	unsigned long pcs[FAIL_SITE_DEPTH];
};

static struct site sites[SITES];
static u32 mode __read_mostly;
/* a  the place that fails next by number, or NOBODY */
static u32 armed = NOBODY;
/* a */
static u64 lost;

void
fail_sites_set(enum fail_mode m)
{
	WRITE_ONCE(mode, (u32)m);
}

enum fail_mode
fail_sites_get(void)
{
	return (enum fail_mode)READ_ONCE(mode);
}

void
fail_sites_again(void)
{
	for (u32 i = 0; i < SITES; i++)
		WRITE_ONCE(sites[i].done, 0);
}

u32
fail_sites_max(void)
{
	return SITES;
}

u64
fail_sites_lost(void)
{
	return READ_ONCE(lost);
}

bool
fail_site_get(u32 number, struct fail_site *s)
{
	const struct site *t;

	if (number >= SITES)
		return false;
	t = &sites[number];
	if (!smp_load_acquire(&t->ready))
		return false;
	s->hits = READ_ONCE(t->hits);
	s->failed = READ_ONCE(t->failed);
	for (u32 i = 0; i < FAIL_SITE_DEPTH; i++)
		s->pcs[i] = t->pcs[i];
	return true;
}

int
fail_site_arm(u32 number)
{
	struct fail_site s;

	if (!fail_site_get(number, &s))
		return -EINVAL;
	atomic_xchg(&armed, number);
	return 0;
}

static u64
hash_of(const unsigned long *pcs, u32 n)
{
	u64 h = 0x9e3779b97f4a7c15UL;

	for (u32 i = 0; i < n; i++) {
		h = (h ^ pcs[i]) * 0xff51afd7ed558ccdUL;
		h ^= h >> 32;
	}
	return h | 1;
}

/* The place of these addresses, noted if it is new; NULL: no room. */
static struct site *
site_find(const unsigned long *pcs, u32 n)
{
	u64 key = hash_of(pcs, n);

	for (u32 i = 0; i < SITES; i++) {
		struct site *s = &sites[(key / 2 + i) % SITES];
		u64 none = 0;

		if (READ_ONCE(s->key) == key)
			return s;
		if (READ_ONCE(s->key) != 0)
			continue;
		if (atomic_try_cmpxchg(&s->key, &none, key)) {
			for (u32 k = 0; k < n; k++)
				s->pcs[k] = pcs[k];
			smp_store_release(&s->ready, 1u);
			return s;
		}
		if (none == key)
			return s;
	}
	return NULL;
}

bool
fail_site_reached(void)
{
	/* The first is in fail_alloc_roll() always. */
	unsigned long pcs[1 + FAIL_SITE_DEPTH];
	u32 n = mm_port_callers(pcs, 1 + FAIL_SITE_DEPTH), number;
	struct site *s = site_find(pcs + 1, n > 0 ? n - 1 : 0);
	bool fails;

	if (s == NULL) {
		atomic_inc(&lost);
		return false;
	}
	atomic_inc(&s->hits);
	number = (u32)(s - sites);
	fails = READ_ONCE(armed) == number && atomic_try_cmpxchg(&armed, &number, NOBODY);
	if (!fails && READ_ONCE(mode) == FAIL_SITES_EACH && !READ_ONCE(s->done))
		fails = !mm_port_fail_spared() && atomic_xchg(&s->done, 1u) == 0;
	if (fails)
		atomic_inc(&s->failed);
	return fails;
}
