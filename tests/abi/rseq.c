/* SPDX-License-Identifier: BSD-2-Clause */
/* Restartable sequences: registration, CPU number, aborts. */
#include "tests/abi/abi.h"

#include <linux/rseq.h>
#include <sys/auxv.h>

#define SIG 0x53053053

/* Where the C library has put its own area, relative to the thread pointer. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

static __thread struct rseq mine __attribute__((aligned(32)));

static long
rseq_call(void *area, uint32_t len, int flags, uint32_t sig)
{
	return syscall(SYS_rseq, area, len, flags, sig);
}

static struct rseq *
libc_area(void)
{
	unsigned long fs;

	asm("mov %%fs:0, %0" : "=r"(fs));
	return (struct rseq *)(fs + __rseq_offset);
}

/* A child without the C library's registration. */
static void
unregister(void)
{
	if (&__rseq_size && __rseq_size)
		is(rseq_call(libc_area(), 32, RSEQ_FLAG_UNREGISTER, SIG), 0);
}

TEST(registration)
{
	unregister();
	mine.cpu_id = RSEQ_CPU_ID_UNINITIALIZED;
	fails(rseq_call(&mine, 31, 0, SIG), EINVAL);
	fails(rseq_call((char *)&mine + 4, 32, 0, SIG), EINVAL);
	fails(rseq_call(&mine, 32, 4, SIG), EINVAL);
	fails(rseq_call(&mine, 32, RSEQ_FLAG_UNREGISTER, SIG), EINVAL);
	is(rseq_call(&mine, 32, 0, SIG), 0);
	check(mine.cpu_id == (uint32_t)sched_getcpu());
	is(mine.cpu_id_start, mine.cpu_id);
	fails(rseq_call(&mine, 32, 0, SIG), EBUSY);
	fails(rseq_call(&mine, 32, 0, SIG + 1), EPERM);
	fails(rseq_call(&mine + 1, 32, 0, SIG), EINVAL);
	fails(rseq_call(&mine, 32, RSEQ_FLAG_UNREGISTER, SIG + 1), EPERM);
	is(rseq_call(&mine, 32, RSEQ_FLAG_UNREGISTER, SIG), 0);
	is((int)mine.cpu_id, RSEQ_CPU_ID_UNINITIALIZED);
	is(mine.cpu_id_start, 0);
}

TEST(library_area)
{
	if (!&__rseq_size || !__rseq_size) {
		skip("the C library has not registered");
		return;
	}
	check(libc_area()->cpu_id == (uint32_t)sched_getcpu());
	in_child {
		check(libc_area()->cpu_id < 4096);
	}
}

TEST(follows_migration)
{
	long ncpu = sysconf(_SC_NPROCESSORS_ONLN);

	unregister();
	is(rseq_call(&mine, 32, 0, SIG), 0);
	for (int i = 0; i < ncpu && i < 8; i++) {
		cpu_set_t s;

		CPU_ZERO(&s);
		CPU_SET(i, &s);
		sched_setaffinity(0, sizeof(s), &s);
		is(*(volatile uint32_t *)&mine.cpu_id, i);
	}
}

/*
 * A critical section that spins until it is aborted: a signal or preemption
 * must send it to its abort handler and clear the pointer.
 */
static long
spin_section(volatile long *spins)
{
	long aborted = 0;

	asm volatile(
		".pushsection __rseq_cs, \"aw\"\n"
		".balign 32\n"
		"3: .long 0, 0\n"
		".quad 1f, 2f - 1f, 4f\n"
		".popsection\n"
		"leaq 3b(%%rip), %%rax\n"
		"movq %%rax, %1\n"
		"1:\n"
		"incq %2\n"
		"jmp 1b\n"
		"2:\n"
		"jmp 5f\n"
		".byte 0x0f, 0xb9, 0x3d\n"
		".long 0x53053053\n"
		"4:\n"
		"movq $1, %0\n"
		"5:\n"
		: "+r"(aborted), "+m"(mine.rseq_cs), "+m"(*spins)
		:: "rax", "memory", "cc");
	return aborted;
}

static void
nothing(int sig)
{
	(void)sig;
}

TEST(abort_by_signal)
{
	volatile long *spins = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t me = getpid();
	pid_t c;

	unregister();
	is(rseq_call(&mine, 32, 0, SIG), 0);
	handle(SIGUSR1, nothing, 0);
	c = fork();
	if (!c) {
		while (*spins < 1000)
			sched_yield();
		kill(me, SIGUSR1);
		_exit(0);
	}
	is(spin_section(spins), 1);
	check(*spins > 0);
	is(mine.rseq_cs, 0);
	is(reap(c), 0);
}

/* Preemption aborts as well: two spinners on one CPU. */
TEST(abort_by_preemption)
{
	volatile long *spins = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cpu_set_t s;
	pid_t c;

	CPU_ZERO(&s);
	CPU_SET(0, &s);
	sched_setaffinity(0, sizeof(s), &s);
	unregister();
	is(rseq_call(&mine, 32, 0, SIG), 0);
	c = fork();
	if (!c) {
		for (;;)
			;
	}
	is(spin_section(spins), 1);
	kill(c, SIGKILL);
	reap(c);
}

static void
spin_with_bad_area(int how)
{
	volatile long spins = 0;

	mine.rseq_cs = 0;
	rseq_call(&mine, 32, 0, how ? SIG : SIG + 1);
	handle(SIGALRM, nothing, 0);
	alarm(1);
	if (how) {
		mine.rseq_cs = 1UL << 62;
		asm volatile("" ::: "memory");
		for (;;)
			spins++;
	}
	spin_section(&spins);
}

TEST(bad_sections)
{
	for (int how = 0; how < 2; how++) {
		pid_t c = fork();

		if (!c) {
			unregister();
			spin_with_bad_area(how);
			_exit(1);
		}
		is(reap(c), -SIGSEGV);
	}
}

TEST(forgotten_by_exec)
{
	pid_t c = fork();

	if (!c) {
		unregister();
		rseq_call(&mine, 32, 0, SIG);
		execv("/proc/self/exe", (char *[]){ "x", "@again", NULL });
	}
	is(reap(c), 7);
}

HELPER(again)
{
	if (&__rseq_size && __rseq_size &&
	    rseq_call(libc_area(), 32, RSEQ_FLAG_UNREGISTER, SIG))
		return 1;
	return rseq_call(&mine, 32, 0, SIG) ? 2 : 7;
}
