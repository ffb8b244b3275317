/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random numbers.
 *
 * Model: a pool (a BLAKE2s state) takes in what is hard to guess: the CPU's own
 * generators, the time stamp counter at interrupts and its jitter over memory
 * accesses. From the pool comes a base key, at boot and then once a minute.
 * Each CPU has a key of its own, made from the base key and its number, and
 * hands out ChaCha20 key stream. With each request the first half of a block
 * becomes the CPU's next key (fast key erasure), so that what was handed out
 * cannot be computed again from a later state.
 *
 * Ownership: a CPU's key and buffer are its own, used with interrupts off.
 *
 * Locking: pool_lock covers the pool and the base key.
 *
 * See: RFC 8439, RFC 7693, Bernstein, "Fast-key-erasure random-number
 * generators", 2017.
 */
#include "kernel/random.h"

#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/irqflags.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/system.h"
#include "lib/blake2s.h"
#include "lib/chacha.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"
#include "percpu/percpu.h"
#include "percpu/pin.h"
#include "sync/spinlock.h"

#define KEY_SIZE CHACHA_KEY_SIZE
#define RESEED_NS (60 * NSEC_PER_SEC)
#define JITTER_ROUNDS 512
#define HW_WORDS 8
/* Interrupts between two hand-overs from a CPU to the pool. */
#define FAST_COUNT 64
#define BATCH_WORDS 4

struct random_cpu {
	/* o  all, interrupts off */
	u8 key[KEY_SIZE];
	/* of the base key that ours came from; 0: none */
	u64 generation;
	/* words for random_u64(), used from the end */
	u64 batch[BATCH_WORDS];
	u32 batch_left;
	/* what interrupts left */
	u32 fast_n;
	u64 fast[4];
};

static LOCK_CLASS(pool_class, RANK_LEAF);
static struct spinlock pool_lock = SPINLOCK_INIT(pool_class);
/* (pool_lock)  out_len 0: not begun */
static struct blake2s pool;
static u8 base_key[KEY_SIZE];
/* a  0: no key yet */
static u64 base_generation;
static u64 base_time;

static DEFINE_PERCPU_ALIGNED(struct random_cpu, random_cpu);

/* --- sources --- */

#define CPUID1_C_RDRAND BIT(30)
#define CPUID7_B_RDSEED BIT(18)

static bool
hw_word(u64 *v)
{
	bool ok = false;
	int tries;

	if (cpuid(7, 0).b & CPUID7_B_RDSEED)
		for (tries = 0; tries < 8 && !ok; tries++)
			__asm__ volatile("rdseed %0" : "=r"(*v), "=@ccc"(ok)::"cc");
	if (!ok && (cpuid(1, 0).c & CPUID1_C_RDRAND))
		for (tries = 0; tries < 8 && !ok; tries++)
			__asm__ volatile("rdrand %0" : "=r"(*v), "=@ccc"(ok)::"cc");
	return ok;
}

static void
mix_hardware(void)
{
	u64 w[HW_WORDS];

	for (unsigned int i = 0; i < HW_WORDS; i++)
		if (!hw_word(&w[i]))
			w[i] = rdtsc();
	blake2s_update(&pool, w, sizeof(w));
	mem_wipe(w, sizeof(w));
}

/* How long accesses take depends on caches, refresh and the host. */
static void
mix_jitter(void)
{
	volatile u8 scratch[1024];
	u64 sum = rdtsc();

	for (unsigned int i = 0; i < JITTER_ROUNDS; i++) {
		scratch[(sum ^ i * 67) % sizeof(scratch)] += (u8)sum;
		sum = (sum << 7 | sum >> 57) ^ rdtsc();
	}
	blake2s_update(&pool, &sum, sizeof(sum));
}

static void
pool_begin(void)
{
	if (pool.out_len)
		return;
	blake2s_init(&pool, BLAKE2S_HASH_SIZE, NULL, 0);
	mix_jitter();
	mix_hardware();
}

void
random_add(const void *data, size_t n)
{
	u64 now = rdtsc();
	unsigned long flags = spin_lock_irq(&pool_lock);

	pool_begin();
	blake2s_update(&pool, &now, sizeof(now));
	blake2s_update(&pool, data, n);
	spin_unlock_irq(&pool_lock, flags);
}

void
random_interrupt_oncpu(u64 what)
{
	struct random_cpu *c = &this_cpu(random_cpu);
	u64 *f = c->fast;

	f[0] += rdtsc();
	f[1] ^= what;
	f[2] += f[0] ^ (f[1] << 13 | f[1] >> 51);
	f[3] ^= f[2] << 32 | f[2] >> 32;
	if (++c->fast_n < FAST_COUNT)
		return;
	c->fast_n = 0;
	if (!spin_try_lock(&pool_lock))
		return;
	pool_begin();
	blake2s_update(&pool, f, sizeof(c->fast));
	spin_unlock(&pool_lock);
}

/* --- keys --- */

/* Makes a new base key from the pool and feeds it back. pool_lock is held. */
static void
base_refresh(void)
{
	u8 digest[BLAKE2S_HASH_SIZE];
	struct blake2s b;

	pool_begin();
	mix_hardware();
	blake2s_final(&pool, digest);
	/* The key and what the pool goes on with are different hashes of the digest. */
	blake2s_init(&b, KEY_SIZE, digest, sizeof(digest));
	blake2s_update(&b, base_key, KEY_SIZE);
	blake2s_final(&b, base_key);
	blake2s_init(&pool, BLAKE2S_HASH_SIZE, digest, sizeof(digest));
	mem_wipe(digest, sizeof(digest));
	base_time = ktime_get();
	atomic_set(&base_generation, base_generation + 1);
}

/* Interrupts are off. */
static void
cpu_reseed(struct random_cpu *c)
{
	struct blake2s b;
	struct {
		u64 tsc;
		u32 cpu;
		u8 old[KEY_SIZE];
	} salt = {.tsc = rdtsc(), .cpu = cpu_id()};

	memcpy(salt.old, c->key, KEY_SIZE);
	spin_lock(&pool_lock);
	if (!base_generation || ktime_get() - base_time >= RESEED_NS)
		base_refresh();
	blake2s_init(&b, KEY_SIZE, base_key, KEY_SIZE);
	c->generation = base_generation;
	spin_unlock(&pool_lock);
	blake2s_update(&b, &salt, sizeof(salt));
	blake2s_final(&b, c->key);
	mem_wipe(&salt, sizeof(salt));
	c->batch_left = 0;
}

/* One block of key stream: 32 bytes for the caller; the key moves on. Interrupts are off. */
static void
cpu_draw(struct random_cpu *c, u8 out[KEY_SIZE])
{
	u8 block[CHACHA_BLOCK_SIZE];
	struct chacha s;

	if (unlikely(c->generation != atomic_read(&base_generation) || !c->generation ||
		     ktime_get() - READ_ONCE(base_time) >= RESEED_NS))
		cpu_reseed(c);
	chacha_init(&s, c->key, 0, 0);
	chacha_block(&s, block);
	memcpy(c->key, block, KEY_SIZE);
	memcpy(out, block + KEY_SIZE, KEY_SIZE);
	mem_wipe(block, sizeof(block));
	mem_wipe(&s, sizeof(s));
}

static void
draw(u8 out[KEY_SIZE])
{
	unsigned long flags = irq_save();

	cpu_draw(&this_cpu(random_cpu), out);
	irq_restore(flags);
}

/* --- handing out --- */

void
random_bytes(void *buf, size_t n)
{
	struct chacha s;
	u8 out[KEY_SIZE];

	draw(out);
	if (n <= sizeof(out)) {
		memcpy(buf, out, n);
	} else {
		/* Longer requests have a stream of their own. */
		chacha_init(&s, out, 0, 0);
		chacha_stream(&s, buf, n);
		mem_wipe(&s, sizeof(s));
	}
	mem_wipe(out, sizeof(out));
}

u64
random_u64(void)
{
	unsigned long flags = irq_save();
	struct random_cpu *c = &this_cpu(random_cpu);
	u64 v;

	if (!c->batch_left) {
		cpu_draw(c, (u8 *)c->batch);
		c->batch_left = BATCH_WORDS;
	}
	v = c->batch[--c->batch_left];
	c->batch[c->batch_left] = 0;
	irq_restore(flags);
	return v;
}

u64
random_below(u64 n)
{
	/* The last, incomplete range of n values would be more likely: draw again. */
	u64 limit = U64_MAX - (U64_MAX % n + 1) % n;
	u64 v;

	do {
		v = random_u64();
	} while (v > limit);
	return v % n;
}

s64
random_fill_user(void __user *buf, size_t n)
{
	struct chacha s;
	u8 out[256];
	size_t done = 0;

	draw(out);
	chacha_init(&s, out, 0, 0);
	while (done < n) {
		size_t part = min(n - done, sizeof(out));
		size_t left;

		chacha_stream(&s, out, part);
		left = copy_to_user_partial((u8 __user *)buf + done, out, part);
		done += part - left;
		if (left)
			break;
		if (!(done % PAGE_SIZE)) {
			if (signal_pending())
				break;
			cond_resched();
		}
	}
	mem_wipe(out, sizeof(out));
	mem_wipe(&s, sizeof(s));
	return done || !n ? (s64)done : -EFAULT;
}

long
sys_getrandom(char __user *buf, size_t n, unsigned int flags)
{
	if (flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	if ((flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	/* The generator is seeded before the first program runs, so nobody ever waits. */
	return random_fill_user(buf, min(n, (size_t)INT32_MAX));
}
