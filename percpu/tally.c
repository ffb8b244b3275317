/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tallies: exact reference counts in parts.
 *
 * Model: each CPU has a small table of slots (object, n). A get adds 1 to a slot of
 * this CPU, a put takes 1 from one, whoever put it there; what finds no slot changes
 * the object's own word. The references of an object are the count in its word plus
 * the n of all its slots. References are alike: a put may take what another get
 * added, so a task may get on one CPU and put on another.
 *
 * Invariant: the count in the word of a living object is 1 at least. So a put that
 * finds a slot, or a count above 1, is not the last and looks no further. A put
 * that would take the count to 0 folds instead:
 *
 *      count 1 -> FOLDING      in one step; that is this put's own reference
 *      empties the object's slots, one CPU after the other
 *      count += what was in them, FOLDING is taken out again
 *      a count of 0 now is the end of the object
 *
 * While FOLDING is in the word, gets count in the word alone.
 *
 * Word: bits 0-39 count, FOLDING being bit 34 of it; bits 40-63 which CPUs (their
 * number modulo 24) ever had a slot of the object: a fold looks at no others, and
 * an object that only its owner ever used has a word of 1 and needs no fold.
 *
 * Why a fold that ends with a count of 0 has seen all: a reference that it missed is
 * in a slot that it had emptied before, or whose CPU it did not look at. Who added
 * to that slot did so after FOLDING was set, and reads the word afterwards, so he
 * has not read it yet (else he would have moved on to the word, which would count
 * 1). Such a get is not finished, and its caller has another reference. As many
 * references as there are unfinished gets can be missed, no more; all the others,
 * those that the callers have among them, are in the word, which is not 0. Without
 * another reference (tally_try_get) the get reads a count of 0 and gives up.
 *
 * Room: a get that finds no free slot on its line moves what another object has in
 * its favourite slot to that object's word. The slot is marked LOCKED meanwhile,
 * and a fold waits.
 *
 * Ordering: all changes of words and slots are locked instructions.
 *      tally_get                       fold
 *      slot + 1                        FOLDING is set
 *      word: FOLDING?                  slot is read
 *
 * Contexts: not in interrupts, which could find a slot LOCKED by their own CPU.
 *
 * Rejected: signed parts, so that a put never looks for what a get added: their sum
 * can be known only when no CPU adds to it. A switch to one count by a grace period
 * (Linux's percpu_ref): the last put would be late.
 */
#include "percpu/tally.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/insn.h"
#include "lib/assert.h"
#include "percpu/cpumask.h"
#include "percpu/percpu.h"
#include "percpu/pin.h"
#include "percpu/tally_impl.h"

#define COUNT_BITS 40
#define COUNT_MASK (BIT(COUNT_BITS) - 1)
#define CPU_BITS (64 - COUNT_BITS)
#define FOLDING BIT(34)

/* A slot: bits 0-14 n, bit 15 LOCKED, above that the low bits of the object's address. */
#define SLOT_N 0x7fffu
#define SLOT_LOCKED 0x8000u
#define SLOT_SHIFT 16

/* Slots that an object can have: those of one line, which its address chooses. */
#define WAYS (CONFIG_DEBUG ? 2u : 8u)
#define LINES_LOG2 3
#define LINES (1u << LINES_LOG2)

struct tally_line {
	/* a  changed by their own CPU; others take things out only */
	u64 slot[8];
};

static DEFINE_PERCPU_ALIGNED(struct tally_line, tally_lines[LINES]);

u32 tally_windows;

/* In debug kernels, where the test says so: now and then others get in between here. */
static void
window(void)
{
	static u64 seed;
	u64 r;

	if (!CONFIG_DEBUG || !READ_ONCE(tally_windows))
		return;
	r = READ_ONCE(seed) * 6364136223846793005UL + 1442695040888963407UL;
	WRITE_ONCE(seed, r);
	if ((r >> 33 & 15) == 0)
		for (unsigned int i = r >> 37 & 1023; i > 0; i--)
			cpu_relax();
}

static u64
count_of(u64 word)
{
	return word & COUNT_MASK;
}

/* Others' references may make the count fall below FOLDING before theirs are added. */
static bool
folding(u64 word)
{
	return count_of(word) >= FOLDING / 2;
}

static u64
cpu_bit(unsigned int cpu)
{
	return BIT(COUNT_BITS + cpu % CPU_BITS);
}

static u64
slot_of(const struct tally *t, u64 n)
{
	return (u64)t << SLOT_SHIFT | n;
}

static bool
slot_is(u64 slot, const struct tally *t)
{
	return (slot ^ slot_of(t, 0)) >> SLOT_SHIFT == 0;
}

/* The object of a slot that has n: as all of the kernel's, in the upper half. */
static struct tally *
slot_object(u64 slot)
{
	return (struct tally *)((s64)slot >> SLOT_SHIFT);
}

static u64
hash(const struct tally *t)
{
	return (u64)t * 0x9e3779b97f4a7c15UL >> 58;
}

static struct tally_line *
line_of(const struct tally *t, unsigned int cpu)
{
	return &cpu_ptr(&tally_lines[0], cpu)[hash(t) % LINES];
}

static unsigned int
favourite(const struct tally *t)
{
	return hash(t) / LINES % WAYS;
}

/* Gives the slot to t after moving what it has to the word of the other. False: it changed. */
static bool
slot_evict(u64 *slot, struct tally *t)
{
	u64 old = READ_ONCE(*slot);

	if (!(old & SLOT_N) || !atomic_try_cmpxchg(slot, &old, old | SLOT_LOCKED))
		return false;
	atomic_add(&slot_object(old)->word, old & SLOT_N);
	smp_store_release(slot, slot_of(t, 1));
	return true;
}

/* Adds 1 to a slot of this CPU. Pinned. */
static bool
slot_add(struct tally *t, unsigned int cpu)
{
	struct tally_line *line = line_of(t, cpu);
	unsigned int first = favourite(t), i;

	for (i = 0; i < WAYS; i++) {
		u64 *slot = &line->slot[(first + i) % WAYS];
		u64 old = READ_ONCE(*slot);

		while (!(old & SLOT_N) || (slot_is(old, t) && (old & SLOT_N) < SLOT_N))
			if (atomic_try_cmpxchg(slot, &old, slot_of(t, (old & SLOT_N) + 1)))
				return true;
	}
	return slot_evict(&line->slot[first], t);
}

/* Takes 1 from a slot of this CPU. Pinned. */
static bool
slot_sub(struct tally *t, unsigned int cpu)
{
	struct tally_line *line = line_of(t, cpu);
	unsigned int first = favourite(t), i;

	for (i = 0; i < WAYS; i++) {
		u64 *slot = &line->slot[(first + i) % WAYS];
		u64 old = READ_ONCE(*slot);

		while (slot_is(old, t) && old & SLOT_N)
			if (atomic_try_cmpxchg(slot, &old, old - 1))
				return true;
	}
	return false;
}

/* Takes all that a CPU's slot has for t. */
static u64
slot_take(u64 *slot, struct tally *t)
{
	u64 old = READ_ONCE(*slot);

	while (slot_is(old, t) && old & SLOT_N) {
		if (old & SLOT_LOCKED) {
			cpu_relax();
			old = READ_ONCE(*slot);
		} else if (atomic_try_cmpxchg(slot, &old, slot_of(t, 0))) {
			return old & SLOT_N;
		}
	}
	return 0;
}

/* Takes what the CPUs of the word have for t. */
static u64
slots_take(struct tally *t, u64 word)
{
	unsigned int cpu, i;
	u64 n = 0;

	for_each_possible_cpu(cpu) {
		if (!(word & cpu_bit(cpu)))
			continue;
		for (i = 0; i < WAYS; i++)
			n += slot_take(&line_of(t, cpu)->slot[i], t);
		window();
	}
	return n;
}

/* The word, with this CPU's bit set. */
static u64
word_mark(struct tally *t, unsigned int cpu)
{
	u64 word = READ_ONCE(t->word);

	if (!(word & cpu_bit(cpu)))
		word = atomic_fetch_or(&t->word, cpu_bit(cpu));
	return word;
}

/* Adds 1 to the count unless it is 0. */
static bool
word_add(struct tally *t)
{
	u64 word = READ_ONCE(t->word);

	do {
		if (count_of(word) == 0)
			return false;
	} while (!atomic_try_cmpxchg(&t->word, &word, word + 1));
	return true;
}

/*
 * A get that met a fold counts in the word instead; what it put into the slot may
 * have been taken already, and is in the word then. False: no object any more.
 */
static bool
get_moves(struct tally *t, unsigned int cpu)
{
	bool alive = word_add(t), found = slot_sub(t, cpu);

	DEBUG_ASSERT(alive || found);
	if (!found)
		atomic_dec(&t->word);
	return alive;
}

static bool
get(struct tally *t, unsigned int cpu)
{
	u64 word = word_mark(t, cpu);

	if (count_of(word) == 0)
		return false;
	window();
	if (folding(word) || !slot_add(t, cpu))
		return word_add(t);
	window();
	word = READ_ONCE(t->word);
	if (likely(count_of(word) != 0 && !folding(word)))
		return true;
	return get_moves(t, cpu);
}

void
tally_init(struct tally *t, u32 n)
{
	WRITE_ONCE(t->word, n);
}

bool
tally_try_get(struct tally *t)
{
	bool got;

	pin();
	got = get(t, cpu_id());
	unpin();
	return got;
}

void
tally_get(struct tally *t)
{
	bool got = tally_try_get(t);

	ASSERT(got);
}

/* FOLDING is in the word; what else is there now, without it. */
static u64
fold(struct tally *t, u64 word)
{
	u64 n;

	window();
	n = slots_take(t, word);
	window();
	return count_of(atomic_sub_return(&t->word, FOLDING - n));
}

/* A put that found no slot. */
static bool
put_word(struct tally *t)
{
	u64 word = READ_ONCE(t->word), next;

	window();
	do {
		DEBUG_ASSERT(count_of(word) != 0);
		next = count_of(word) == 1 ? word - 1 + FOLDING : word - 1;
	} while (!atomic_try_cmpxchg(&t->word, &word, next));
	return count_of(word) == 1 && fold(t, word) == 0;
}

bool
tally_put(struct tally *t)
{
	u64 word = READ_ONCE(t->word);
	unsigned int cpu;
	bool found;

	if (word == 1 && atomic_try_cmpxchg(&t->word, &word, 0))
		return true;
	pin();
	cpu = cpu_id();
	found = word & cpu_bit(cpu) && slot_sub(t, cpu);
	unpin();
	return !found && put_word(t);
}

u64
tally_sum(struct tally *t)
{
	return fold(t, atomic_fetch_add(&t->word, FOLDING));
}
