/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vDSO: clocks and the CPU number without entering the kernel. This code
 * runs in user mode, position-independent, with nothing else linked to it.
 *
 * Reads retry while the sequence count is odd or changed: pairs with
 * clock_vdso_update() in the kernel.
 */
#include "arch/x86_64/vdso/data.h"

#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_MONOTONIC_RAW 4
#define CLOCK_REALTIME_COARSE 5
#define CLOCK_MONOTONIC_COARSE 6
#define CLOCK_BOOTTIME 7
#define CLOCK_TAI 11
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

	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return ret;
}

static inline uint64_t
rdtsc(void)
{
	uint32_t lo, hi;

	/* Ordered behind earlier loads, so that time does not seem to run back between CPUs. */
	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return lo | (uint64_t)hi << 32;
}

/* Monotonic ns; *offset to real time of the same moment. */
static inline uint64_t
clock_read(int64_t *offset)
{
	uint64_t ns;
	uint32_t seq;

	do {
		while ((seq = vdso_data.seq) & 1)
			__asm__ volatile("pause");
		__asm__ volatile("" ::: "memory");
		ns = (uint64_t)(((unsigned __int128)(rdtsc() - vdso_data.base) * vdso_data.mult) >> 32);
		*offset = vdso_data.real_offset;
		__asm__ volatile("" ::: "memory");
	} while (vdso_data.seq != seq);
	return ns;
}

static inline void
split(uint64_t ns, struct timespec *ts)
{
	ts->sec = (int64_t)(ns / NSEC_PER_SEC);
	ts->nsec = (int64_t)(ns % NSEC_PER_SEC);
}

int
__vdso_clock_gettime(int clock, struct timespec *ts)
{
	uint32_t real = 1u << CLOCK_REALTIME | 1u << CLOCK_REALTIME_COARSE | 1u << CLOCK_TAI;
	uint32_t mono = 1u << CLOCK_MONOTONIC | 1u << CLOCK_MONOTONIC_RAW | 1u << CLOCK_MONOTONIC_COARSE |
			1u << CLOCK_BOOTTIME;
	int64_t offset;
	uint64_t ns;

	if (!vdso_data.tsc || (unsigned int)clock > CLOCK_TAI || !((real | mono) >> clock & 1))
		return (int)syscall3(SYS_clock_gettime, clock, (long)ts, 0);
	ns = clock_read(&offset);
	split(real >> clock & 1 ? ns + (uint64_t)offset : ns, ts);
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
	int64_t offset;
	uint64_t ns;

	if (!vdso_data.tsc || tz)
		return (int)syscall3(SYS_gettimeofday, (long)tv, (long)tz, 0);
	if (tv) {
		ns = clock_read(&offset) + (uint64_t)offset;
		tv->sec = (int64_t)(ns / NSEC_PER_SEC);
		tv->usec = (int64_t)(ns % NSEC_PER_SEC / 1000);
	}
	return 0;
}

int64_t
__vdso_time(int64_t *t)
{
	struct timespec ts;

	if (__vdso_clock_gettime(CLOCK_REALTIME, &ts))
		return syscall3(SYS_time, (long)t, 0, 0);
	if (t)
		*t = ts.sec;
	return ts.sec;
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
