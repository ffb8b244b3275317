/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks by system call and by the vDSO, whose ELF image is read here. */
#include "tests/abi/abi.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/times.h>

typedef int (*gettime_fn)(clockid_t, struct timespec *);
typedef int (*tod_fn)(struct timeval *, struct timezone *);
typedef long (*time_fn)(long *);
typedef long (*getcpu_fn)(unsigned int *, unsigned int *, void *);

struct vdso {
	uintptr_t base;
	uintptr_t bias;
	const Elf64_Sym *sym;
	const char *str;
	const uint32_t *hash;
	const uint16_t *versym;
};

static bool
vdso_find(struct vdso *v)
{
	const Elf64_Ehdr *e;
	const Elf64_Phdr *ph;
	const Elf64_Dyn *d = NULL;

	v->base = getauxval(AT_SYSINFO_EHDR);
	if (!v->base)
		return false;
	e = (const Elf64_Ehdr *)v->base;
	ph = (const Elf64_Phdr *)(v->base + e->e_phoff);
	for (int i = 0; i < e->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD)
			v->bias = v->base + ph[i].p_offset - ph[i].p_vaddr;
		if (ph[i].p_type == PT_DYNAMIC)
			d = (const Elf64_Dyn *)(v->base + ph[i].p_offset);
	}
	for (; d && d->d_tag; d++) {
		uintptr_t p = v->bias + d->d_un.d_ptr;

		if (d->d_tag == DT_SYMTAB)
			v->sym = (const Elf64_Sym *)p;
		else if (d->d_tag == DT_STRTAB)
			v->str = (const char *)p;
		else if (d->d_tag == DT_HASH)
			v->hash = (const uint32_t *)p;
		else if (d->d_tag == DT_VERSYM)
			v->versym = (const uint16_t *)p;
	}
	return v->sym && v->str && v->hash;
}

static void *
vdso_sym(struct vdso *v, const char *name)
{
	for (uint32_t i = 0; i < v->hash[1]; i++) {
		if (!strcmp(v->str + v->sym[i].st_name, name) &&
		    v->sym[i].st_shndx != SHN_UNDEF)
			return (void *)(v->bias + v->sym[i].st_value);
	}
	return NULL;
}

static long
ns(struct timespec t)
{
	return t.tv_sec * NSEC + t.tv_nsec;
}

static long
by_syscall(clockid_t id)
{
	struct timespec ts;

	return syscall(SYS_clock_gettime, id, &ts) ? -1 : ns(ts);
}

TEST(vdso_image)
{
	struct vdso v = { 0 };
	const Elf64_Ehdr *e;

	check(vdso_find(&v));
	e = (const Elf64_Ehdr *)v.base;
	is(memcmp(e->e_ident, ELFMAG, 4), 0);
	is(e->e_type, ET_DYN);
	is(e->e_machine, EM_X86_64);
	is(v.base % 4096, 0);
	check(vdso_sym(&v, "__vdso_clock_gettime") != NULL);
	check(vdso_sym(&v, "__vdso_gettimeofday") != NULL);
	check(vdso_sym(&v, "__vdso_time") != NULL);
	check(vdso_sym(&v, "__vdso_getcpu") != NULL);
	check(vdso_sym(&v, "__vdso_clock_getres") != NULL);
	check(vdso_sym(&v, "clock_gettime") != NULL);
	check(v.versym != NULL);
}

TEST(vdso_clocks)
{
	static const clockid_t ids[] = {
		CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,
		CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME,
		CLOCK_TAI, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
	};
	struct vdso v = { 0 };
	struct timespec ts;
	gettime_fn get_time;

	vdso_find(&v);
	get_time = (gettime_fn)vdso_sym(&v, "__vdso_clock_gettime");
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		bool order = true;

		for (int n = 0; n < 200; n++) {
			long a = by_syscall(ids[i]);
			long b, c;

			order &= !get_time(ids[i], &ts);
			b = ns(ts);
			c = by_syscall(ids[i]);
			order &= a <= b && b <= c && ts.tv_nsec < NSEC;
		}
		ok(order, "clock %d: vDSO lies between two calls", ids[i]);
	}
	is(get_time(99, &ts), -EINVAL);
}

TEST(vdso_others)
{
	struct vdso v = { 0 };
	struct timezone tz = { 1, 1 };
	struct timeval tv, tv2;
	unsigned int cpu = 99, node = 99, cpu2;
	cpu_set_t one;
	time_t t = 0;

	vdso_find(&v);
	is(((tod_fn)vdso_sym(&v, "__vdso_gettimeofday"))(&tv, &tz), 0);
	is(syscall(SYS_gettimeofday, &tv2, NULL), 0);
	check(tv2.tv_sec - tv.tv_sec <= 1 && tv2.tv_sec >= tv.tv_sec);
	is(tz.tz_minuteswest, 0);
	is(((time_fn)vdso_sym(&v, "__vdso_time"))(&t), t);
	check(tv2.tv_sec - t <= 1 && t - tv2.tv_sec <= 1);
	CPU_ZERO(&one);
	CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &one);
	is(sched_setaffinity(0, sizeof(one), &one), 0);
	is(((getcpu_fn)vdso_sym(&v, "__vdso_getcpu"))(&cpu, &node, NULL), 0);
	is(cpu, sysconf(_SC_NPROCESSORS_ONLN) - 1);
	is(node, 0);
	is(syscall(SYS_getcpu, &cpu2, NULL, NULL), 0);
	is(cpu2, cpu);
	is(sched_getcpu(), cpu);
}

TEST(errors)
{
	struct timespec ts;

	fails(clock_gettime(99, &ts), EINVAL);
	fails(syscall(SYS_clock_gettime, -1, &ts), EINVAL);
	fails(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, BAD), EFAULT);
	fails(clock_getres(99, &ts), EINVAL);
	is(clock_getres(CLOCK_MONOTONIC, NULL), 0);
	is(clock_getres(CLOCK_MONOTONIC, &ts), 0);
	check(ts.tv_sec == 0 && ts.tv_nsec == 1);
	is(clock_getres(CLOCK_MONOTONIC_COARSE, &ts), 0);
	check(ts.tv_nsec > 1 && ts.tv_nsec <= 10000000);
	fails(clock_settime(CLOCK_MONOTONIC, &ts), EINVAL);
	fails(clock_settime(CLOCK_PROCESS_CPUTIME_ID, &ts), EINVAL);
	ts.tv_nsec = NSEC;
	fails(clock_settime(CLOCK_REALTIME, &ts), EINVAL);
	ts = (struct timespec){ -1, 0 };
	fails(clock_settime(CLOCK_REALTIME, &ts), EINVAL);
	in_child {
		drop(USER);
		clock_gettime(CLOCK_REALTIME, &ts);
		fails(clock_settime(CLOCK_REALTIME, &ts), EPERM);
	}
}

TEST(setting)
{
	struct timespec old, ts = { 1000000000, 500 };
	long mono = now_ns();

	clock_gettime(CLOCK_REALTIME, &old);
	is(clock_settime(CLOCK_REALTIME, &ts), 0);
	clock_gettime(CLOCK_REALTIME, &ts);
	check(ts.tv_sec >= 1000000000 && ts.tv_sec < 1000000010);
	check(now_ns() - mono < 10 * NSEC);
	is(time(NULL) - 1000000000 < 10, 1);
	old.tv_sec += (now_ns() - mono) / NSEC;
	is(clock_settime(CLOCK_REALTIME, &old), 0);
	clock_gettime(CLOCK_REALTIME, &ts);
	check(ts.tv_sec - old.tv_sec < 10);
}

/* No clock runs backwards between CPUs. */
TEST(monotonic_across_cpus)
{
	long *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (int i = 0; i < 4; i++) {
		if (!fork()) {
			cpu_set_t one;

			CPU_ZERO(&one);
			CPU_SET(i % sysconf(_SC_NPROCESSORS_ONLN), &one);
			sched_setaffinity(0, sizeof(one), &one);
			for (int n = 0; n < 3000; n++) {
				long seen = __atomic_load_n(shared,
							    __ATOMIC_ACQUIRE);
				long t = now_ns();

				if (t < seen)
					_exit(1);
				__atomic_store_n(shared, t, __ATOMIC_RELEASE);
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		is(reap(-1), 0);
}

TEST(rates)
{
	long m = by_syscall(CLOCK_MONOTONIC);
	long r = by_syscall(CLOCK_REALTIME);
	long w = by_syscall(CLOCK_MONOTONIC_RAW);
	long b = by_syscall(CLOCK_BOOTTIME);

	msleep(200);
	m = by_syscall(CLOCK_MONOTONIC) - m;
	r = by_syscall(CLOCK_REALTIME) - r;
	w = by_syscall(CLOCK_MONOTONIC_RAW) - w;
	b = by_syscall(CLOCK_BOOTTIME) - b;
	check(m >= 200000000);
	check(labs(m - r) < m / 2);
	check(labs(m - w) < m / 2);
	check(labs(m - b) < m / 2);
}

TEST(cpu_clocks)
{
	struct timespec ts;
	clockid_t id;
	long a, b, w;
	pid_t c;

	a = by_syscall(CLOCK_PROCESS_CPUTIME_ID);
	msleep(100);
	b = by_syscall(CLOCK_PROCESS_CPUTIME_ID);
	check(b - a < 90000000);
	w = now_ns();
	do
		b = by_syscall(CLOCK_THREAD_CPUTIME_ID);
	while (b < a + 50000000);
	check(now_ns() - w >= 30000000);
	check(by_syscall(CLOCK_PROCESS_CPUTIME_ID) >= b);
	c = fork();
	if (!c) {
		for (;;)
			pause();
	}
	is(clock_getcpuclockid(c, &id), 0);
	is(clock_gettime(id, &ts), 0);
	check(ns(ts) < NSEC);
	kill(c, SIGKILL);
	reap(c);
	fails(clock_gettime(id, &ts), EINVAL);
	is(clock_getcpuclockid(4999999, &id), ESRCH);
}

TEST(times_call)
{
	struct tms t;
	clock_t a = times(&t);
	clock_t b;

	check(a > 0);
	in_child {
		long end = now_ns() + 100000000;

		while (now_ns() < end)
			;
	}
	b = times(&t);
	check(b - a >= 9);
	check(t.tms_cutime + t.tms_cstime >= 1);
	fails(syscall(SYS_times, BAD), EFAULT);
	check(times(NULL) >= b);
}

TEST(adjtime)
{
	struct timex tx = { .modes = 0 };

	check(adjtimex(&tx) >= 0);
	is(tx.tick, 10000);
	fails(adjtimex(BAD), EFAULT);
	in_child {
		drop(USER);
		tx.modes = ADJ_FREQUENCY;
		fails(adjtimex(&tx), EPERM);
		tx.modes = 0;
		check(clock_adjtime(CLOCK_REALTIME, &tx) >= 0);
	}
}

/* What adjtimex(2) sets it tells. */
TEST(adjtime_state)
{
	struct timex tx = { .modes = ADJ_FREQUENCY, .freq = 50 << 16 };

	check(adjtimex(&tx) >= 0);
	tx = (struct timex){ .modes = 0 };
	check(adjtimex(&tx) >= 0);
	is(tx.freq, 50 << 16);
	is(tx.tolerance, 32768000);
	is(tx.precision, 1);
	tx = (struct timex){ .modes = ADJ_FREQUENCY, .freq = 900 << 16 };
	adjtimex(&tx);
	is(tx.freq, 500 << 16);
	tx = (struct timex){ .modes = ADJ_FREQUENCY, .freq = -20 * 65536 };
	adjtimex(&tx);
	is(tx.freq, -20 * 65536);
	tx = (struct timex){ .modes = ADJ_FREQUENCY };
	adjtimex(&tx);
	is(tx.freq, 0);
	tx = (struct timex){ .modes = ADJ_FREQUENCY, .freq = LONG_MAX };
	fails(adjtimex(&tx), EINVAL);
	tx = (struct timex){ .modes = ADJ_MAXERROR | ADJ_ESTERROR,
			     .maxerror = 4000, .esterror = 300 };
	check(adjtimex(&tx) >= 0);
	check(tx.maxerror >= 4000 && tx.maxerror < 10000);
	is(tx.esterror, 300);
	tx = (struct timex){ .modes = ADJ_TICK, .tick = 8999 };
	fails(adjtimex(&tx), EINVAL);
	tx.tick = 11001;
	fails(adjtimex(&tx), EINVAL);
	tx.tick = 10001;
	check(adjtimex(&tx) >= 0);
	is(tx.tick, 10001);
	tx.tick = 10000;
	check(adjtimex(&tx) >= 0);
	fails(clock_adjtime(CLOCK_MONOTONIC, &tx), EOPNOTSUPP);
	fails(clock_adjtime(99, &tx), EINVAL);
	fails(clock_adjtime(CLOCK_REALTIME, BAD), EFAULT);
}

TEST(adjtime_status)
{
	struct timex tx = { .modes = ADJ_STATUS, .status = STA_PLL };

	is(adjtimex(&tx), TIME_OK);
	is(tx.status & (STA_PLL | STA_UNSYNC), STA_PLL);
	tx = (struct timex){ .modes = ADJ_NANO };
	adjtimex(&tx);
	is(tx.status & STA_NANO, STA_NANO);
	tx = (struct timex){ .modes = ADJ_MICRO };
	adjtimex(&tx);
	is(tx.status & STA_NANO, 0);
	check(tx.time.tv_usec < 1000000);
	tx = (struct timex){ .modes = ADJ_TIMECONST, .constant = 3 };
	adjtimex(&tx);
	is(tx.constant, 7);
	tx = (struct timex){ .modes = ADJ_TIMECONST, .constant = 99 };
	adjtimex(&tx);
	is(tx.constant, 10);
	/* An offset needs the PLL; it is told as far as it is not slewed. */
	tx = (struct timex){ .modes = ADJ_OFFSET, .offset = 2000 };
	adjtimex(&tx);
	check(tx.offset > 1900 && tx.offset <= 2000);
	tx = (struct timex){ .modes = ADJ_STATUS, .status = STA_UNSYNC };
	is(adjtimex(&tx), TIME_ERROR);
	is(tx.status & STA_PLL, 0);
	tx = (struct timex){ .modes = ADJ_TAI, .constant = 37 };
	adjtimex(&tx);
	is(tx.tai, 37);
	check(labs(by_syscall(CLOCK_TAI) - by_syscall(CLOCK_REALTIME) -
		   37 * NSEC) < NSEC);
	tx.constant = 0;
	adjtimex(&tx);
	is(tx.tai, 0);
}

TEST(adjtime_slews)
{
	struct timeval d = { 0, 2000 }, old;
	struct timex tx = { .modes = ADJ_OFFSET_SS_READ };

	is(adjtime(&d, NULL), 0);
	is(adjtime(NULL, &old), 0);
	check(old.tv_sec == 0 && old.tv_usec > 0 && old.tv_usec <= 2000);
	msleep(2500);
	check(adjtimex(&tx) >= 0);
	check(tx.offset > 0 && tx.offset <= 1500);
	d = (struct timeval){ 0, 0 };
	is(adjtime(&d, &old), 0);
	check(old.tv_usec <= tx.offset);
	tx.modes = 0x8000;
	fails(adjtimex(&tx), EINVAL);
	in_child {
		drop(USER);
		tx.modes = ADJ_OFFSET_SS_READ;
		check(adjtimex(&tx) >= 0);
		tx.modes = ADJ_OFFSET_SINGLESHOT;
		fails(adjtimex(&tx), EPERM);
	}
}

/* A longer tick is a faster clock, but for CLOCK_MONOTONIC_RAW. */
TEST(adjtime_rate)
{
	struct timex tx = { .modes = ADJ_TICK, .tick = 11000 };
	struct vdso v = { 0 };
	struct timespec ts;
	gettime_fn get_time;
	long m, r, v0;

	vdso_find(&v);
	get_time = (gettime_fn)vdso_sym(&v, "__vdso_clock_gettime");
	check(adjtimex(&tx) >= 0);
	m = by_syscall(CLOCK_MONOTONIC);
	r = by_syscall(CLOCK_MONOTONIC_RAW);
	get_time(CLOCK_MONOTONIC, &ts);
	v0 = ns(ts);
	check(v0 >= m);
	msleep(1000);
	m = by_syscall(CLOCK_MONOTONIC) - m;
	r = by_syscall(CLOCK_MONOTONIC_RAW) - r;
	get_time(CLOCK_MONOTONIC, &ts);
	v0 = ns(ts) - v0;
	tx.tick = 10000;
	adjtimex(&tx);
	check(m >= NSEC);
	check(m > r + r / 20);
	check(m < r + r / 5);
	check(labs(v0 - m) < m / 20);
}

TEST(adjtime_step)
{
	struct timex tx = { .modes = ADJ_SETOFFSET | ADJ_NANO };
	long a = by_syscall(CLOCK_REALTIME) - by_syscall(CLOCK_MONOTONIC);
	long b;

	tx.time.tv_sec = 100;
	tx.time.tv_usec = 500;
	check(adjtimex(&tx) >= 0);
	b = by_syscall(CLOCK_REALTIME) - by_syscall(CLOCK_MONOTONIC);
	check(labs(b - a - 100 * NSEC) < NSEC / 2);
	tx = (struct timex){ .modes = ADJ_SETOFFSET };
	tx.time.tv_sec = -100;
	check(adjtimex(&tx) >= 0);
	b = by_syscall(CLOCK_REALTIME) - by_syscall(CLOCK_MONOTONIC);
	check(labs(b - a) < NSEC / 2);
	tx.time.tv_usec = -1;
	fails(adjtimex(&tx), EINVAL);
	tx.time.tv_usec = 1000000;
	fails(adjtimex(&tx), EINVAL);
	tx.time.tv_usec = 0;
	tx.time.tv_sec = -10000000000;
	fails(adjtimex(&tx), EINVAL);
}

TEST(timezone_calls)
{
	struct timezone tz = { 60, 0 };
	struct timeval tv;

	is(syscall(SYS_settimeofday, NULL, &tz), 0);
	is(syscall(SYS_gettimeofday, &tv, &tz), 0);
	is(tz.tz_minuteswest, 60);
	tz.tz_minuteswest = 0;
	is(syscall(SYS_settimeofday, NULL, &tz), 0);
	tz.tz_minuteswest = 10000;
	fails(syscall(SYS_settimeofday, NULL, &tz), EINVAL);
	tv.tv_usec = 1000000;
	fails(syscall(SYS_settimeofday, &tv, NULL), EINVAL);
	fails(syscall(SYS_gettimeofday, BAD, NULL), EFAULT);
}
