/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a mapping goes when the caller leaves it open.
 *
 * Model: an arena hands out addresses top-down within its chunk [floor, ceil):
 * `cursor` is the lowest given out. A range that is unmapped at the cursor moves
 * it up; others are remembered, the last few of them, and given out next. So
 * loops of mmap and munmap use the same addresses, tables and cache lines, and
 * libraries lie next to one another. A chunk that is used up is searched for
 * gaps (in the page table, which knows), then the next one is taken.
 *
 * The main arena belongs to the space: its chunks follow one another down from
 * mmap_top. While a second task uses the space, each CPU has an arena of its
 * own with chunks of 1 GiB from further down, so that mappings made on two CPUs
 * share neither a lock nor a table. Large ranges come from the main arena.
 *
 * Nothing here says that an address is free: the mapping itself is exclusive
 * (RANGE_MAP with -EEXIST), so a mapping at a fixed address that got in between
 * only makes the arena look further.
 *
 * Ownership: arenas of CPUs live as long as the space. A range is remembered by
 * the arena of the CPU that unmaps it, if it lies in that one's chunk; else a
 * search finds it later.
 *
 * Locking: arena->lock (RANK_ARENA), from the choice until the range is mapped.
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/space_impl.h"

/* vm.mmap_min_addr */
#define MMAP_MIN 0x10000UL
#define CHUNK HUGE_SIZE
/* From here on ranges come from the main arena. */
#define LARGE_RANGE (CHUNK / 8)
/* Chunks of CPUs begin so far below mmap_top. */
#define CHUNKS_BELOW (1UL << 41)
#define FREED_MAX 6
#define STACK_GUARD (256UL << PAGE_SHIFT)
#define STACK_RANDOM (1UL << 34)
#define RANDOM_MASK 0xfffffffUL
#define MAP_32BIT_LOW 0x40000000UL
#define MAP_32BIT_HIGH 0x80000000UL
#define RLIMIT_STACK 3
/* Mapped pages that a CPU's arena holds back from space->total. */
#define COUNT_FOLD 256
/* The same of locked pages, from space->locked. */
#define LOCKED_FOLD 16
#define TRIES 64

struct span {
	unsigned long start, end;
};

/* All fields: l, but for what is I. */
struct arena {
	struct spinlock lock;
	/* I */
	bool main;
	/* ranges below ceil were unmapped and forgotten */
	bool lost;
	u8 nr_freed;
	unsigned long floor, cursor, ceil;
	/* a  pages mapped, locked, that the space does not know of yet */
	s64 unfolded, locked;
	/* the last one was freed last */
	struct span freed[FREED_MAX];
} __cacheline_aligned;

static LOCK_CLASS(arena_class, RANK_ARENA);
static struct slab_cache *arena_cache __read_mostly;

void
arena_init(void)
{
	arena_cache = slab_cache_create("arena", sizeof(struct arena), 64, SLAB_ZERO);
}

/* --- layout --- */

static unsigned long
choose_top(void)
{
	u64 gap = clamp(mm_port_rlimit(RLIMIT_STACK), 128UL << 20, (u64)USER_END / 6 * 5);
	u64 rnd = mm_port_no_random() ? 0 : (mm_port_random() & RANDOM_MASK) << PAGE_SHIFT;

	return (USER_END - gap - STACK_GUARD - STACK_RANDOM - rnd) & ~(PAGE_SIZE - 1);
}

static void
main_copy(struct arena *b, struct arena *a)
{
	spin_lock(&a->lock);
	b->floor = a->floor;
	b->cursor = a->cursor;
	b->ceil = a->ceil;
	b->lost = a->lost;
	b->nr_freed = a->nr_freed;
	memcpy(b->freed, a->freed, a->nr_freed * sizeof(struct span));
	spin_unlock(&a->lock);
}

int
arena_setup(struct space *s, const struct space *parent)
{
	struct arena *a = slab_alloc(arena_cache, GFP_KERNEL);

	if (!a)
		return -ENOMEM;
	spin_init(&a->lock, &arena_class);
	a->main = true;
	s->main_arena = a;
	if (parent) {
		s->mmap_top = parent->mmap_top;
		/* The chunks of the parent's CPUs hold what its other threads had mapped. */
		s->next_chunk = atomic_read(&parent->next_chunk);
		main_copy(a, parent->main_arena);
		return 0;
	}
	s->mmap_top = choose_top();
	s->next_chunk = align_down(s->mmap_top - CHUNKS_BELOW, CHUNK);
	a->cursor = a->ceil = s->mmap_top;
	a->floor = align_down(s->mmap_top - 1, CHUNK);
	return 0;
}

void
arena_free(struct space *s)
{
	unsigned int cpu;

	if (s->cpu_arenas)
		for_each_possible_cpu(cpu)
			slab_free(arena_cache, s->cpu_arenas[cpu]);
	kfree(s->cpu_arenas);
	slab_free(arena_cache, s->main_arena);
}

/* --- arenas of CPUs --- */

/* The table of arenas and this CPU's, made if there is memory. */
static struct arena *
cpu_arena_make(struct space *s, unsigned int cpu)
{
	struct arena **all = smp_load_acquire(&s->cpu_arenas), **none = NULL, *a, *no = NULL;

	if (!all) {
		all = kcalloc(nr_cpus, sizeof(*all), GFP_ATOMIC | GFP_NOWARN);
		if (!all)
			return NULL;
		if (!atomic_try_cmpxchg(&s->cpu_arenas, &none, all)) {
			kfree(all);
			all = none;
		}
	}
	a = smp_load_acquire(&all[cpu]);
	if (a)
		return a;
	a = slab_alloc(arena_cache, GFP_ATOMIC | GFP_NOWARN);
	if (!a)
		return NULL;
	spin_init(&a->lock, &arena_class);
	if (atomic_try_cmpxchg(&all[cpu], &no, a))
		return a;
	slab_free(arena_cache, a);
	return no;
}

/* This CPU's arena if it has one. */
static struct arena *
arena_here(const struct space *s)
{
	struct arena **all = smp_load_acquire(&s->cpu_arenas);
	struct arena *a = all ? smp_load_acquire(&all[cpu_id()]) : NULL;

	return a ? a : s->main_arena;
}

/* The same, made if it is missing while others use the space too. Never sleeps. */
static struct arena *
arena_own(struct space *s)
{
	struct arena *a;

	if (atomic_read(&s->users) < 2)
		return s->main_arena;
	a = arena_here(s);
	if (!a->main)
		return a;
	a = cpu_arena_make(s, cpu_id());
	return a ? a : s->main_arena;
}

/* The arena for a new range of len bytes. */
static struct arena *
arena_for(struct space *s, size_t len)
{
	return len >= LARGE_RANGE ? s->main_arena : arena_own(s);
}

/* --- figures --- */

/* Adds n to a CPU's part of a figure; what must be handed in, which is all or nothing. */
static s64
part_add(s64 *part, s64 n, s64 most)
{
	n = atomic_add_return(part, n);
	/* Whoever takes it hands it in. */
	return n <= most && n >= -most ? 0 : atomic_xchg(part, 0L);
}

void
arena_count(struct space *s, s64 n)
{
	struct arena *a = arena_own(s);
	s64 sum;

	if (!a->main) {
		n = part_add(&a->unfolded, n, COUNT_FOLD);
		if (!n)
			return;
	}
	sum = atomic_add_return(&s->total, n);
	if (sum > (s64)READ_ONCE(s->peak_total))
		WRITE_ONCE(s->peak_total, (u64)sum);
}

void
arena_count_locked(struct space *s, s64 n)
{
	struct arena *a = arena_own(s);

	if (!a->main)
		n = part_add(&a->locked, n, LOCKED_FOLD);
	if (n)
		atomic_add(&s->locked, n);
}

s64
arena_total(const struct space *s)
{
	struct arena **all = smp_load_acquire(&s->cpu_arenas);
	s64 sum = atomic_read(&s->total);
	unsigned int cpu;

	if (all)
		for_each_possible_cpu(cpu) {
			const struct arena *a = smp_load_acquire(&all[cpu]);

			if (a)
				sum += READ_ONCE(a->unfolded);
		}
	return sum;
}

s64
arena_locked(const struct space *s)
{
	struct arena **all = smp_load_acquire(&s->cpu_arenas);
	s64 sum = atomic_read(&s->locked);
	unsigned int cpu;

	if (all)
		for_each_possible_cpu(cpu) {
			const struct arena *a = smp_load_acquire(&all[cpu]);

			if (a)
				sum += READ_ONCE(a->locked);
		}
	return max(sum, 0L);
}

u64
arena_locked_most(const struct space *s)
{
	s64 parts = smp_load_acquire(&s->cpu_arenas) ? (s64)nr_cpus * LOCKED_FOLD : 0;

	return (u64)max(atomic_read(&s->locked) + parts, 0L);
}

/* --- gaps --- */

/*
 * The highest place of len bytes in [low, high) with nothing mapped; 0: none.
 * Stays away from stacks, which may grow down.
 */
static unsigned long
gap_search(struct space *s, unsigned long low, unsigned long high, size_t len)
{
	unsigned long va = low, best = 0, stop;
	struct run r;

	while (va < high && high - va >= len) {
		bool used = space_next_run(s, va, high, &r, false);

		stop = used ? r.start : high;
		if (used && r.meta & META_GROWSDOWN)
			stop = stop - va > STACK_GUARD ? stop - STACK_GUARD : va;
		if (stop - va >= len)
			best = stop - len;
		if (!used)
			break;
		va = r.end;
	}
	return best;
}

/* --- remembered ranges --- */

static void
freed_remove(struct arena *a, unsigned int i)
{
	a->nr_freed--;
	memmove(&a->freed[i], &a->freed[i + 1], (a->nr_freed - i) * sizeof(struct span));
}

/* Takes len bytes off a remembered range; 0: none fits. */
static unsigned long
freed_take(struct arena *a, size_t len)
{
	unsigned int i;

	for (i = a->nr_freed; i-- > 0;) {
		struct span *f = &a->freed[i];

		if (f->end - f->start < len)
			continue;
		f->end -= len;
		if (f->end == f->start) {
			unsigned long va = f->start;

			freed_remove(a, i);
			return va;
		}
		return f->end;
	}
	return 0;
}

/* [start, end) of a's chunk is free. Lock held. */
static void
freed_add(struct arena *a, unsigned long start, unsigned long end)
{
	unsigned int i = 0;

	while (i < a->nr_freed) {
		struct span f = a->freed[i];

		if (f.end < start || f.start > end) {
			i++;
			continue;
		}
		start = min(start, f.start);
		end = max(end, f.end);
		freed_remove(a, i);
		i = 0;
	}
	if (start <= a->cursor && end >= a->cursor) {
		a->cursor = end;
		return;
	}
	if (a->nr_freed == FREED_MAX) {
		a->lost = true;
		freed_remove(a, 0);
	}
	a->freed[a->nr_freed++] = (struct span){start, end};
}

void
arena_released(struct space *s, unsigned long start, unsigned long end)
{
	struct arena *a = arena_here(s);

	if (start < a->cursor || end > a->ceil) {
		/* Not ours; the main arena's may be worth to remember. */
		a = s->main_arena;
		if (start < a->cursor || end > a->ceil)
			return;
	}
	spin_lock(&a->lock);
	if (start >= a->cursor && end <= a->ceil)
		freed_add(a, start, end);
	spin_unlock(&a->lock);
}

/* --- choosing --- */

/* The next chunk of the main arena, below the last. False: the bottom is reached. */
static bool
main_extend(struct arena *a, size_t len)
{
	size_t more = align_up(len, CHUNK);

	if (a->cursor < MMAP_MIN + more)
		return false;
	/* Ranges between cursor and the new floor go on from the cursor. */
	a->floor = max(align_down(a->cursor - len, CHUNK), MMAP_MIN);
	return true;
}

/* A new chunk for a CPU's arena: what is left of the old one is forgotten. */
static bool
cpu_chunk(struct space *s, struct arena *a)
{
	unsigned long at;
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		at = atomic_sub_return(&s->next_chunk, CHUNK);
		if (at < CHUNK || at > s->mmap_top)
			return false;
		if (!range_is_free(s, at, at + CHUNK))
			continue;
		a->floor = at;
		a->cursor = a->ceil = at + CHUNK;
		a->nr_freed = 0;
		a->lost = false;
		return true;
	}
	return false;
}

/*
 * An address to try; 0: this arena has none. `again`: how often that has failed,
 * since something else was there.
 */
static unsigned long
choose(struct space *s, struct arena *a, size_t len, int again)
{
	unsigned long va = again ? 0 : freed_take(a, len);

	if (va)
		return va;
	if (a->cursor - a->floor >= len && again < 2) {
		a->cursor -= len;
		return a->cursor;
	}
	if (a->lost || again) {
		va = gap_search(s, a->floor, a->ceil, len);
		if (va) {
			a->cursor = min(a->cursor, va);
			return va;
		}
		a->lost = false;
	}
	if (a->main ? !main_extend(a, len) : !cpu_chunk(s, a))
		return 0;
	if (a->cursor - a->floor < len)
		return 0;
	a->cursor -= len;
	return a->cursor;
}

/* Maps at va if that is free: 0, -EEXIST, -ENOMEM; -EAGAIN: after the fork. Under a lock, too. */
static int
map_at(struct space *s, unsigned long va, const struct placement *p)
{
	struct range op = {
		.op = RANGE_MAP, .exclusive = true, .meta = meta_make(p->region, p->bits)};

	if (!(p->region->flags & REGION_STATIC))
		p->region->base = va;
	return range_try(s, va, va + p->len, &op);
}

/* Anywhere at all, from the top: when arenas have failed. */
static long
map_anywhere(struct space *s, unsigned long low, unsigned long high, const struct placement *p)
{
	unsigned long va;
	int err, tries;

	for (tries = 0; tries < TRIES; tries++) {
		va = gap_search(s, low, high, p->len);
		if (!va)
			return -ENOMEM;
		err = map_at(s, va, p);
		if (!err)
			return (long)va;
		if (err == -EAGAIN) {
			space_wait_fork(s);
			tries--;
		} else if (err == -ENOMEM && range_wait_memory(s)) {
			return -ENOMEM;
		}
	}
	return -ENOMEM;
}

static long
map_in_arena(struct space *s, const struct placement *p)
{
	size_t len = p->len;
	struct arena *a = arena_for(s, len);
	unsigned long va;
	int err = -EEXIST, tries;

	spin_lock(&a->lock);
	for (tries = 0; tries < TRIES && err; tries++) {
		va = choose(s, a, len, err == -EEXIST ? tries : 0);
		if (!va)
			break;
		err = map_at(s, va, p);
		if (err != -ENOMEM && err != -EAGAIN)
			continue;
		freed_add(a, va, va + len);
		spin_unlock(&a->lock);
		if (err == -EAGAIN) {
			space_wait_fork(s);
			tries--;
		} else if (range_wait_memory(s)) {
			return -ENOMEM;
		}
		spin_lock(&a->lock);
	}
	spin_unlock(&a->lock);
	return err ? -EEXIST : (long)va;
}

long
arena_map(struct space *s, const struct placement *p)
{
	unsigned long hint = align_down(p->hint, PAGE_SIZE);
	size_t len = p->len;
	long at;
	int err, tries = 0;

	if (len > USER_END - MMAP_MIN)
		return -ENOMEM;
	if (hint >= MMAP_MIN && hint < USER_END && len <= USER_END - hint) {
		while ((err = map_at(s, hint, p)) == -EAGAIN ||
		       (err == -ENOMEM && tries++ < TRIES && !range_wait_memory(s)))
			if (err == -EAGAIN)
				space_wait_fork(s);
		if (!err)
			return (long)hint;
	}
	if (p->map_flags & MAP_32BIT)
		return map_anywhere(s, MAP_32BIT_LOW, MAP_32BIT_HIGH, p);
	at = map_in_arena(s, p);
	if (at == -EEXIST)
		at = map_anywhere(s, MMAP_MIN, s->mmap_top, p);
	if (at == -ENOMEM)
		at = map_anywhere(s, s->mmap_top, USER_END, p);
	return at;
}
