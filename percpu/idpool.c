/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools of ids.
 *
 * Model: the ids are cut into chunks, each with a bitmap on cache lines of its
 * own. Chunks are made by banks, a page of them, when the first of a bank is
 * used. A CPU owns one chunk at a time and takes its free ids in ascending
 * order. At the end of the chunk it goes on to the next chunk that has no owner
 * and a free id, in one circle for all CPUs (`cursor`); so an id comes back only
 * after the circle has gone round.
 *
 * When no such chunk is left, all ids that are free lie in chunks that other
 * CPUs own: they are taken from there, one by one. Bits are set and cleared
 * with locked instructions, so ownership is a matter of speed alone.
 *
 * Ownership: the pool's creator destroys it, when no id is in use or wanted.
 *
 * Locking: none. Banks are published with a compare-and-exchange and stay.
 *
 * Ordering:
 *      bank_make                       chunk_of
 *      bitmaps are written             pointer is read (acquire)
 *      pointer is set (full barrier)   a bitmap is used
 *
 * Rejected: giving empty banks back (they are few, and the circle comes round
 * again); an object for each chunk (small ones of several CPUs share a line, and
 * a pool that has gone round looks like hundreds of lost objects).
 */
#include "percpu/idpool.h"

#include "arch/x86_64/asm/atomic.h"
#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "percpu/cpumask.h"
#include "percpu/percpu.h"
#include "percpu/pin.h"
#include "percpu/port.h"

#define CHUNK_MIN_LOG2 6
#define CHUNKS_MAX 16384
#define BANK_BYTES 4096UL

struct idchunk {
	/* a  1: some CPU's cursor is on it */
	u32 owned;
	/* a  a bit for each id, set: in use (or behind the end of the pool) */
	unsigned long map[];
};

/* o  where this CPU looks next: [pos, end), offsets from the pool's first id */
struct idcursor {
	u64 pos;
	u64 end;
	struct idchunk *chunk;
};

struct idpool {
	/* I */
	u32 first;
	u32 shift;
	u64 count;
	u32 nr_chunks;
	/* bytes of a chunk, a multiple of CACHE_LINE */
	u32 stride;
	u32 bank_shift;
	struct idcursor __percpu *cpu;
	/* a  next chunk of the circle, modulo nr_chunks */
	u64 cursor;
	/* a  1 << bank_shift chunks each, the last may have fewer; NULL: not used yet */
	char *banks[];
};

static u32
nr_banks(const struct idpool *p)
{
	return (p->nr_chunks + (1u << p->bank_shift) - 1) >> p->bank_shift;
}

struct idpool *
idpool_create(u32 first, u32 last, u32 chunk)
{
	u64 count = (u64)last - first + 1;
	u32 shift = max((u32)CHUNK_MIN_LOG2, chunk > 1 ? (u32)ilog2_up(chunk) : 0);
	u32 nr, stride, bank_shift;
	struct idpool *p;

	ASSERT(first <= last);
	while (div_round_up(count, 1UL << shift) > CHUNKS_MAX)
		shift++;
	nr = (u32)div_round_up(count, 1UL << shift);
	stride = (u32)align_up(sizeof(struct idchunk) + (1UL << shift) / 8, CACHE_LINE);
	bank_shift = BANK_BYTES > stride ? (u32)ilog2(BANK_BYTES / stride) : 0;
	p = percpu_port_alloc(sizeof(*p) +
			      div_round_up(nr, 1UL << bank_shift) * sizeof(p->banks[0]));
	if (p == NULL)
		return NULL;
	p->first = first;
	p->count = count;
	p->shift = shift;
	p->nr_chunks = nr;
	p->stride = stride;
	p->bank_shift = bank_shift;
	p->cpu = percpu_alloc(sizeof(struct idcursor), sizeof(u64));
	if (p->cpu == NULL) {
		percpu_port_free(p);
		return NULL;
	}
	return p;
}

void
idpool_destroy(struct idpool *p)
{
	if (p == NULL)
		return;
	for (u32 i = 0; i < nr_banks(p); i++)
		percpu_port_free(p->banks[i]);
	percpu_free(p->cpu);
	percpu_port_free(p);
}

/* Ids of chunk nr; the last may be short. */
static u64
chunk_len(const struct idpool *p, u32 nr)
{
	return min(1UL << p->shift, p->count - ((u64)nr << p->shift));
}

/* NULL: its bank is not made. */
static struct idchunk *
chunk_of(const struct idpool *p, u32 nr)
{
	char *bank = smp_load_acquire(&p->banks[nr >> p->bank_shift]);
	u32 at = nr & ((1u << p->bank_shift) - 1);

	return bank == NULL ? NULL : (struct idchunk *)(bank + (size_t)at * p->stride);
}

/* Marks the ids behind the end of the pool, all in the last chunk. */
static void
mark_end(const struct idpool *p, struct idchunk *last)
{
	for (u64 i = chunk_len(p, p->nr_chunks - 1); i < 1UL << p->shift; i++)
		last->map[i / BITS_PER_LONG] |= BIT(i % BITS_PER_LONG);
}

/* Makes bank nr unless another does. 0 or -ENOMEM. May sleep. */
static int
bank_make(struct idpool *p, u32 nr)
{
	u32 chunks = min(1u << p->bank_shift, p->nr_chunks - (nr << p->bank_shift));
	char *bank = percpu_port_alloc((size_t)chunks * p->stride), *old = NULL;

	if (bank == NULL)
		return -ENOMEM;
	if (nr == nr_banks(p) - 1)
		mark_end(p, (struct idchunk *)(bank + (chunks - 1) * p->stride));
	if (!atomic_try_cmpxchg(&p->banks[nr], &old, bank))
		percpu_port_free(bank);
	return 0;
}

/* The chunk, made if need be; NULL: no memory. May sleep. */
static struct idchunk *
chunk_make(struct idpool *p, u32 nr)
{
	struct idchunk *c = chunk_of(p, nr);

	if (likely(c != NULL))
		return c;
	return bank_make(p, nr >> p->bank_shift) == 0 ? chunk_of(p, nr) : NULL;
}

/* Takes the first free id of c in [from, to), offsets in the chunk; to: there is none. */
static u64
chunk_take(struct idchunk *c, u64 from, u64 to)
{
	while (from < to) {
		u64 word =
			READ_ONCE(c->map[from / BITS_PER_LONG]) | (BIT(from % BITS_PER_LONG) - 1);

		if (word == ~0UL) {
			from = align_down(from, BITS_PER_LONG) + BITS_PER_LONG;
			continue;
		}
		from = align_down(from, BITS_PER_LONG) + ctz64(~word);
		if (from < to && !atomic_test_and_set_bit((unsigned int)from, c->map))
			return from;
	}
	return to;
}

static bool
chunk_has_free(const struct idchunk *c, const struct idpool *p)
{
	for (u64 i = 0; i < 1UL << (p->shift - CHUNK_MIN_LOG2); i++)
		if (READ_ONCE(c->map[i]) != ~0UL)
			return true;
	return false;
}

/*
 * Makes chunk nr this CPU's if no other owns it and it has a free id. Its own
 * chunk it may begin anew. Pinned.
 */
static bool
chunk_own(struct idpool *p, struct idchunk *c, u32 nr)
{
	struct idcursor *cur = this_cpu_ptr(p->cpu);
	u32 none = 0;

	if (!chunk_has_free(c, p))
		return false;
	if (c != cur->chunk) {
		if (READ_ONCE(c->owned) != 0 || !atomic_try_cmpxchg(&c->owned, &none, 1))
			return false;
		if (cur->chunk != NULL)
			smp_store_release(&cur->chunk->owned, 0);
	}
	cur->chunk = c;
	cur->pos = (u64)nr << p->shift;
	cur->end = cur->pos + chunk_len(p, nr);
	return true;
}

/* The next chunk of the circle for this CPU: 0, -EAGAIN (there is none), -ENOMEM. */
static int
refill(struct idpool *p)
{
	int err = -EAGAIN;

	for (u32 i = 0; i < p->nr_chunks; i++) {
		u32 nr = (u32)(atomic_fetch_add(&p->cursor, 1) % p->nr_chunks);
		struct idchunk *c = chunk_make(p, nr);
		bool mine;

		if (c == NULL) {
			err = -ENOMEM;
			continue;
		}
		pin();
		mine = chunk_own(p, c, nr);
		unpin();
		if (mine)
			return 0;
	}
	return err;
}

/* The next free id of this CPU's own chunk, as an offset; -EAGAIN: none left. */
static s64
take_own(struct idpool *p)
{
	struct idcursor *cur;
	u64 base, at;
	s64 id = -EAGAIN;

	pin();
	cur = this_cpu_ptr(p->cpu);
	if (cur->pos < cur->end) {
		base = align_down(cur->pos, 1UL << p->shift);
		at = base + chunk_take(cur->chunk, cur->pos - base, cur->end - base);
		cur->pos = at + 1;
		if (at < cur->end)
			id = (s64)at;
	}
	unpin();
	return id;
}

/* Any free id of any chunk. */
static s64
take_any(struct idpool *p)
{
	for (u32 nr = 0; nr < p->nr_chunks; nr++) {
		struct idchunk *c = chunk_of(p, nr);
		u64 len = chunk_len(p, nr), at;

		if (c == NULL)
			continue;
		at = chunk_take(c, 0, len);
		if (at < len)
			return (s64)(((u64)nr << p->shift) + at);
	}
	return -EAGAIN;
}

s64
idpool_alloc(struct idpool *p)
{
	s64 id;
	int err;

	for (;;) {
		id = take_own(p);
		if (likely(id >= 0))
			return p->first + id;
		err = refill(p);
		if (err == 0)
			continue;
		id = take_any(p);
		if (id >= 0)
			return p->first + id;
		/* Freed behind our back while we looked: then there is one. */
		if (err == -ENOMEM || idpool_used(p) >= p->count)
			return err;
	}
}

int
idpool_take(struct idpool *p, u32 id)
{
	u64 at = (u64)id - p->first;
	struct idchunk *c;

	if (id < p->first || at >= p->count)
		return -EINVAL;
	c = chunk_make(p, (u32)(at >> p->shift));
	if (c == NULL)
		return -ENOMEM;
	at &= (1UL << p->shift) - 1;
	return atomic_test_and_set_bit((unsigned int)at, c->map) ? -EEXIST : 0;
}

void
idpool_free(struct idpool *p, u32 id)
{
	u64 at = (u64)id - p->first;
	struct idchunk *c;
	bool was;

	ASSERT(id >= p->first && at < p->count);
	c = chunk_of(p, (u32)(at >> p->shift));
	ASSERT(c != NULL);
	was = atomic_test_and_clear_bit((unsigned int)(at & ((1UL << p->shift) - 1)), c->map);
	ASSERT(was);
}

u64
idpool_used(const struct idpool *p)
{
	u64 used = 0;

	for (u32 nr = 0; nr < p->nr_chunks; nr++) {
		const struct idchunk *c = chunk_of(p, nr);

		if (c == NULL)
			continue;
		for (u64 i = 0; i < 1UL << (p->shift - CHUNK_MIN_LOG2); i++)
			used += popcount64(READ_ONCE(c->map[i]));
		used -= (1UL << p->shift) - chunk_len(p, nr);
	}
	return used;
}
