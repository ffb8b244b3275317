/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vDSO: clocks and the CPU number without entering the kernel. This code
 * runs in user mode, position-independent, with nothing else linked to it.
 *
 * A read that meets a writer, or a clock that is not ours, makes the system
 * call; else the sequence count must be the same before and after. Pairs with
 * clock_vdso_update() in the kernel.
 */
#include "arch/x86_64/vdso/data.h"

#define CLOCK_REALTIME 0
#define SYS_gettimeofday 96
#define SYS_time 201
#define SYS_clock_gettime 228
#define SYS_clock_getres 229
#define SYS_getcpu 309
#define NSEC_PER_SEC 1000000000UL

struct timespec {
	int64_t sec;
	int64_t nsec;
};

struct timeval {
	int64_t sec;
	int64_t usec;
};

int __vdso_clock_gettime(int clock, struct timespec *ts);
int __vdso_clock_getres(int clock, struct timespec *ts);
int __vdso_gettimeofday(struct timeval *tv, void *tz);
int64_t __vdso_time(int64_t *t);
int __vdso_getcpu(unsigned int *cpu, unsigned int *node, void *unused);

extern const volatile struct vdso_data vdso_data __attribute__((visibility("hidden")));

static inline long
syscall3(long nr, long a, long b, long c)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return ret;
}

/* Ordered behind earlier loads, so that time does not seem to run back between CPUs. */
static inline uint64_t
rdtsc(void)
{
	uint64_t lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return lo | hi << 32;
}

/* ns of a clock below VDSO_CLOCKS; VDSO_NO_CLOCK set: ask the kernel. */
static inline uint64_t
clock_read(unsigned int clock)
{
	uint64_t ns;
	uint32_t seq;

	do {
		seq = vdso_data.seq;
		if (__builtin_expect(seq & 1, 0))
			return VDSO_NO_CLOCK;
		ns = (uint64_t)((unsigned __int128)rdtsc() * vdso_data.mult >> 32) +
		     vdso_data.offset[clock];
	} while (__builtin_expect(vdso_data.seq != seq, 0));
	return ns;
}

int
__vdso_clock_gettime(int clock, struct timespec *ts)
{
	uint64_t ns;

	if (__builtin_expect((unsigned int)clock >= VDSO_CLOCKS, 0))
		return (int)syscall3(SYS_clock_gettime, clock, (long)ts, 0);
	ns = clock_read((unsigned int)clock);
	if (__builtin_expect((int64_t)ns < 0, 0))
		return (int)syscall3(SYS_clock_gettime, clock, (long)ts, 0);
	ts->sec = (int64_t)(ns / NSEC_PER_SEC);
	ts->nsec = (int64_t)(ns % NSEC_PER_SEC);
	return 0;
}

int
__vdso_clock_getres(int clock, struct timespec *ts)
{
	return (int)syscall3(SYS_clock_getres, clock, (long)ts, 0);
}

int
__vdso_gettimeofday(struct timeval *tv, void *tz)
{
	uint64_t ns = tz ? VDSO_NO_CLOCK : clock_read(CLOCK_REALTIME);

	if ((int64_t)ns < 0)
		return (int)syscall3(SYS_gettimeofday, (long)tv, (long)tz, 0);
	if (tv) {
		tv->sec = (int64_t)(ns / NSEC_PER_SEC);
		tv->usec = (int64_t)(ns % NSEC_PER_SEC / 1000);
	}
	return 0;
}

int64_t
__vdso_time(int64_t *t)
{
	uint64_t ns = clock_read(CLOCK_REALTIME);

	if ((int64_t)ns < 0)
		return syscall3(SYS_time, (long)t, 0, 0);
	if (t)
		*t = (int64_t)(ns / NSEC_PER_SEC);
	return (int64_t)(ns / NSEC_PER_SEC);
}

int
__vdso_getcpu(unsigned int *cpu, unsigned int *node, void *unused)
{
	uint32_t lo, hi, aux;

	(void)unused;
	if (!vdso_data.rdtscp)
		return (int)syscall3(SYS_getcpu, (long)cpu, (long)node, 0);
	__asm__ volatile("rdtscp" : "=a"(lo), "=d"(hi), "=c"(aux));
	/* Bits 0-11 the CPU, the node above: written by cpu_init_oncpu(). */
	if (cpu)
		*cpu = aux & 0xfff;
	if (node)
		*node = aux >> 12;
	return 0;
}

#define ALIAS(name, of) __typeof__(of) name __attribute__((weak, alias(#of)))
ALIAS(clock_gettime, __vdso_clock_gettime);
ALIAS(clock_getres, __vdso_clock_getres);
ALIAS(gettimeofday, __vdso_gettimeofday);
ALIAS(time, __vdso_time);
ALIAS(getcpu, __vdso_getcpu);
