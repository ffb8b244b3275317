/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KCSAN: a watch for data races.
 *
 * Model: two accesses to the same bytes race when they come from two CPUs, one
 * of them writes, nothing orders them, and they are not both marked: READ_ONCE,
 * WRITE_ONCE (the compiler tells volatile accesses apart) and the atomic
 * operations. The compiler calls in here before every load and store of
 * instrumented code (-fsanitize=thread); lib/mem.c does so for its ranges.
 *
 * One access of some thousand, on each CPU by itself, is watched: it is written
 * down in a slot of the table (found by the address's page), and the CPU waits
 * for a while before it makes the access. Whoever is about to touch the same
 * bytes meanwhile finds the slot. Both are in front of their accesses then, at
 * the same time: whatever else they do, no lock, message or flag orders them,
 * so that a report is never wrong. That a value changes meanwhile without
 * anybody saying so is a race with code that is not instrumented.
 *
 *      state of a slot     next
 *      0       free        a key: by its watcher
 *      a key   watched     0: by its watcher, alone; CLAIMED: by who raced
 *      CLAIMED             FILLED: by who raced, when slot->other is written
 *      FILLED              0: by its watcher, which has copied slot->other
 *
 * A race that is meant is written data_race(x): such a read is not looked at
 * (lib/types.h). Reads in a sequence count's section are of that kind.
 *
 * Left out: what comes before kcsan_start(); assembler, hence this_cpu_read()
 * and its like, of which a CPU has its own; NMIs; this file and the ones that
 * write a report (NO_TSAN in the Makefile). An access over the border of a page
 * is looked at as if it ended there.
 *
 * Ownership: a slot is its watcher's. Per-CPU words are their CPU's.
 *
 * Contexts: any. A watcher has interrupts off, so what it waits for is another
 * CPU; one that is interrupted in the middle of a check is found `busy`.
 *
 * Rejected: shadow memory with clocks (ThreadSanitizer's own run-time): it must
 * know all that orders, costs four times the memory, and orders by accident
 * hide races. Assuming that plain writes of a word are whole: they mostly are,
 * but a reader of the code cannot see that somebody else depends on it.
 *
 * See: Erickson and others: Effective Data-Race Detection for the Kernel, OSDI
 * 2010.
 */
#include "sync/kcsan.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/irqflags.h"
#include "arch/x86_64/asm/layout.h"
#include "lib/string.h"
#include "percpu/pin.h"
#include "sync/kcsan_impl.h"

/* Slots; a page's is given by its number. */
#define SLOTS 64u
/* Larger accesses are compared with what is watched, and not watched. */
#define WATCH_MAX 64u
/* How long an access waits, in ticks of the TSC: so many, and up to as many more. */
#define DELAY_TICKS 100000u

/* Key: the low 48 bits of the address, 8 bits of size, and the kind. */
#define KEY_USED 4u
#define KEY_CLAIMED 8u
#define KEY_FILLED 16u

struct slot {
	/* a  see above */
	u64 key;
	/* who raced, from CLAIMED on */
	struct kcsan_access other;
} __cacheline_aligned;

static struct slot slots[SLOTS];
static bool on __read_mostly;
u32 kcsan_often = 1000;
/* o  accesses until one is watched */
static DEFINE_PERCPU(u32, countdown) = 1000;
static DEFINE_PERCPU(u32, random);
/* o  1: in here, or writing a report */
static DEFINE_PERCPU(u8, busy);

static u64
key_of(unsigned long addr, size_t size, u8 kind)
{
	return addr << 16 | size << 8 | KEY_USED | kind;
}

/* Does this access race with what is watched? */
static __always_inline bool
conflicts(u64 key, unsigned long addr, size_t size, u8 kind)
{
	unsigned long start = (unsigned long)((s64)key >> 16), n = key >> 8 & 0xff;

	return addr < start + n && start < addr + size && (kind | key) & KCSAN_WRITE &&
	       !(kind & key & KCSAN_MARKED) && key & KEY_USED;
}

/* Repeatable only by accident: a linear congruence per CPU. */
static u32
random_below(u32 n)
{
	u32 r = this_cpu_read(random) * 1664525u + 1013904223u + cpu_id();

	this_cpu_write(random, r);
	return (u32)((u64)r * n >> 32);
}

/* False: this CPU is in here already. Interrupts are off until the end. */
static bool
enter(unsigned long *flags)
{
	*flags = irq_save();
	if (!in_nmi() && this_cpu_xchg(busy, 1) == 0)
		return true;
	irq_restore(*flags);
	return false;
}

static void
leave(unsigned long flags)
{
	this_cpu_write(busy, 0);
	irq_restore(flags);
}

/* This access is what a watcher waits for. */
static __noinline void
found(struct slot *s, u64 key, struct kcsan_access *a)
{
	unsigned long flags;

	if (!enter(&flags))
		return;
	if (atomic_try_cmpxchg(&s->key, &key, KEY_CLAIMED)) {
		kcsan_access_fill(a);
		s->other = *a;
		smp_store_release(&s->key, KEY_FILLED);
	}
	leave(flags);
}

static u64
value_of(unsigned long addr, size_t size)
{
	switch (size) {
	case 1:
		return READ_ONCE(*(const u8 *)addr);
	case 2:
		return READ_ONCE(*(const u16 *)addr);
	case 4:
		return READ_ONCE(*(const u32 *)addr);
	case 8:
		return READ_ONCE(*(const u64 *)addr);
	default:
		return 0;
	}
}

static void
wait(void)
{
	u64 start = rdtsc();
	u32 ticks = DELAY_TICKS + random_below(DELAY_TICKS);

	while (rdtsc() - start < ticks)
		cpu_relax();
}

/* The watch is over: true if somebody raced, who is in *other. */
static bool
slot_end(struct slot *s, u64 key, struct kcsan_access *other)
{
	if (atomic_try_cmpxchg(&s->key, &key, 0))
		return false;
	while (smp_load_acquire(&s->key) != KEY_FILLED)
		cpu_relax();
	*other = s->other;
	smp_store_release(&s->key, 0);
	return true;
}

static void
watch_slot(struct slot *s, struct kcsan_access *a)
{
	/* A marked access may be to a device's register, which must not be read at will. */
	bool plain = !(a->kind & KCSAN_MARKED);
	u64 key = key_of(a->addr, a->size, a->kind), none = 0, v[2];
	struct kcsan_access other;

	if (!atomic_try_cmpxchg(&s->key, &none, key))
		return;
	v[0] = plain ? value_of(a->addr, a->size) : 0;
	wait();
	v[1] = plain ? value_of(a->addr, a->size) : 0;
	if (slot_end(s, key, &other)) {
		kcsan_access_fill(a);
		kcsan_report(a, &other, v);
	} else if (v[0] != v[1]) {
		kcsan_access_fill(a);
		kcsan_report(a, NULL, v);
	}
}

static __noinline void
watch(struct slot *s, struct kcsan_access *a)
{
	unsigned long flags;

	this_cpu_write(countdown, 1 + random_below(2 * READ_ONCE(kcsan_often)));
	if (a->size > WATCH_MAX || !enter(&flags))
		return;
	watch_slot(s, a);
	leave(flags);
}

static __always_inline void
check(unsigned long addr, size_t size, u8 kind, unsigned long pc)
{
	struct slot *s = &slots[addr / PAGE_SIZE % SLOTS];
	u64 key;

	if (unlikely(!on || size == 0))
		return;
	key = READ_ONCE(s->key);
	if (unlikely(key != 0) && conflicts(key, addr, size, kind))
		found(s, key,
		      &(struct kcsan_access){.addr = addr, .size = size, .kind = kind, .pc = pc});
	if (unlikely(arch_percpu_dec_and_test(countdown)))
		watch(s,
		      &(struct kcsan_access){.addr = addr, .size = size, .kind = kind, .pc = pc});
}

void
kcsan_check(const volatile void *p, size_t size, u8 kind, unsigned long pc)
{
	check((unsigned long)p, size, kind, pc);
}

void
kcsan_start(void)
{
	WRITE_ONCE(on, true);
}

/* Not instrumented: what data_race() reads with. */
void
data_race_read(void *to, const void *from, size_t size)
{
	mem_copy_raw(to, from, size);
}

/* --- called by instrumented code --- */

#define caller_pc() ((unsigned long)__builtin_return_address(0))

#define DEFINE_CHECK(name, size, kind)                                                             \
	void name(unsigned long addr);                                                             \
	void name(unsigned long addr)                                                              \
	{                                                                                          \
		check(addr, size, kind, caller_pc());                                              \
	}

#define DEFINE_CHECKS(n)                                                                           \
	DEFINE_CHECK(__tsan_read##n, n, 0)                                                         \
	DEFINE_CHECK(__tsan_write##n, n, KCSAN_WRITE)                                              \
	DEFINE_CHECK(__tsan_volatile_read##n, n, KCSAN_MARKED)                                     \
	DEFINE_CHECK(__tsan_volatile_write##n, n, KCSAN_WRITE | KCSAN_MARKED)

DEFINE_CHECKS(1)
DEFINE_CHECKS(2)
DEFINE_CHECKS(4)
DEFINE_CHECKS(8)
DEFINE_CHECKS(16)

void __tsan_read_range(unsigned long addr, size_t n);
void __tsan_write_range(unsigned long addr, size_t n);
void __tsan_init(void);

void
__tsan_read_range(unsigned long addr, size_t n)
{
	check(addr, n, 0, caller_pc());
}

void
__tsan_write_range(unsigned long addr, size_t n)
{
	check(addr, n, KCSAN_WRITE, caller_pc());
}

/* Each file's constructor calls it. */
void
__tsan_init(void)
{
}
