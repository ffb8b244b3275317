/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AVX-512: the 32 registers of 512 bits and the eight masks stay a thread's own
 * over system calls, switches, signals and fork, and are in a handler's frame.
 *
 * Model: across() loads all of them, makes a system call or counts down for a
 * while, and stores them again. What happens in between must not be seen.
 */
#include "tests/abi/abi.h"

#include <cpuid.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <ucontext.h>

#define AVX512 __attribute__((noinline, target("avx512f,avx512bw")))
#define EIGHT "0,1,2,3,4,5,6,7"
#define THIRTY_TWO EIGHT ",8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31"

/* k0 means "no mask" as an operand, but it can be loaded like the others. */
struct vectors {
	uint64_t zmm[32][8];
	uint64_t k[8];
};

/* Instead of a system call: count down from the first argument. */
#define COUNT_DOWN (-1L)

/* XSAVE's components (SDM vol. 1, 13.1). */
enum { X_AVX = 2, X_OPMASK = 5, X_ZMM_HI256 = 6, X_HI16_ZMM = 7 };

static bool
avx512(void)
{
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
		return true;
	skip("no AVX-512");
	return false;
}

/* All different, and different for each seed. */
static void
fill(struct vectors *v, uint64_t seed)
{
	uint64_t *word = (uint64_t *)v;

	for (size_t i = 0; i < sizeof(*v) / 8; i++)
		word[i] = (seed << 32 | (i + 1)) * 0x9e3779b97f4a7c15UL;
}

static AVX512 long
across(const struct vectors *in, struct vectors *out, long nr, long a, long b)
{
	asm volatile(
		".irp n," THIRTY_TWO "\n"
		"vmovdqu64 \\n*64(%[in]), %%zmm\\n\n"
		".endr\n"
		".irp n," EIGHT "\n"
		"kmovq 2048+\\n*8(%[in]), %%k\\n\n"
		".endr\n"
		"cmp $-1, %%rax\n"
		"je 1f\n"
		"syscall\n"
		"jmp 2f\n"
		"1: dec %%rdi\n"
		"jnz 1b\n"
		"2:\n"
		".irp n," THIRTY_TWO "\n"
		"vmovdqu64 %%zmm\\n, \\n*64(%[out])\n"
		".endr\n"
		".irp n," EIGHT "\n"
		"kmovq %%k\\n, 2048+\\n*8(%[out])\n"
		".endr\n"
		"vzeroupper"
		: "+a"(nr), "+D"(a)
		: "S"(b), [in] "r"(in), [out] "r"(out)
		: "rcx", "r11", "memory", "cc", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7",
		  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
		  "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18",
		  "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",
		  "xmm28", "xmm29", "xmm30", "xmm31");
	return nr;
}

/* How many of the 264 words came out changed. */
static long
changed(const struct vectors *in, const struct vectors *out)
{
	const uint64_t *a = (const uint64_t *)in, *b = (const uint64_t *)out;
	long n = 0;

	for (size_t i = 0; i < sizeof(*in) / 8; i++)
		n += a[i] != b[i];
	return n;
}

static void
stay_on_cpu_0(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	works(sched_setaffinity(0, sizeof(one), &one));
}

TEST(named)
{
	char flags[4096] = "";
	FILE *f;

	if (!avx512())
		return;
	f = fopen("/proc/cpuinfo", "r");
	while (f && fgets(flags, sizeof(flags), f) && strncmp(flags, "flags", 5))
		;
	check(strstr(flags, " avx512f "));
	check(strstr(flags, " avx512bw "));
}

TEST(over_system_calls)
{
	struct vectors in, out;
	int fd;

	if (!avx512())
		return;
	fill(&in, 1);
	is(across(&in, &out, SYS_getpid, 0, 0), getpid());
	is(changed(&in, &out), 0);
	/* One that fails. */
	fd = works(open("/dev/null", O_RDONLY));
	is(across(&in, &out, SYS_fchdir, fd, 0), -ENOTDIR);
	is(changed(&in, &out), 0);
	/* One that sleeps. */
	is(across(&in, &out, SYS_nanosleep, (long)&(struct timespec){ 0, 5000000 }, 0), 0);
	is(changed(&in, &out), 0);
}

/* Processes on one CPU, which give it up, or have it taken from them in the midst of a loop. */
static void
switched(long nr, long a, int rounds)
{
	for (int i = 0; i < 3; i++) {
		if (!fork()) {
			struct vectors in, out;

			stay_on_cpu_0();
			fill(&in, i + 10);
			for (int n = 0; n < rounds; n++) {
				across(&in, &out, nr, a, 0);
				if (changed(&in, &out))
					_exit(1);
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 3; i++)
		is(reap(-1), 0);
}

TEST(over_switches)
{
	if (avx512())
		switched(SYS_sched_yield, 0, 100);
}

TEST(over_preemption)
{
	if (avx512())
		switched(COUNT_DOWN, 1000000, 6);
}

static void *
yields(void *arg)
{
	struct vectors in, out;
	long bad = 0;

	stay_on_cpu_0();
	fill(&in, (uintptr_t)arg);
	for (int n = 0; n < 100; n++) {
		across(&in, &out, SYS_sched_yield, 0, 0);
		bad += changed(&in, &out);
	}
	return (void *)bad;
}

TEST(of_threads)
{
	pthread_t t[3];
	void *bad;

	if (!avx512())
		return;
	for (long i = 0; i < 3; i++)
		is(pthread_create(&t[i], NULL, yields, (void *)(i + 20)), 0);
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], &bad);
		is((long)bad, 0);
	}
}

TEST(over_fork)
{
	struct vectors in, out;
	long pid;

	if (!avx512())
		return;
	fill(&in, 30);
	pid = across(&in, &out, SYS_fork, 0, 0);
	is(changed(&in, &out), 0);
	if (pid == 0)
		_exit(0);
	is(reap(pid), 0);
}

static const struct vectors *frame_wanted, *frame_new;
static long frame_wrong, frame_size;
static int count;

static unsigned int
component(unsigned int n)
{
	unsigned int a, b, c, d;

	__cpuid_count(0xd, n, a, b, c, d);
	return b;
}

/* Compares with the frame, or writes into it, what the frame has of v's registers. */
static long
frame_registers(char *area, const struct vectors *v, bool write)
{
	long wrong = 0;

#define PART(at, what)                                                                             \
	do {                                                                                       \
		wrong += memcmp(area + (at), (what), sizeof(what)) != 0;                           \
		if (write)                                                                         \
			memcpy(area + (at), (what), sizeof(what));                                 \
	} while (0)
	for (int i = 0; i < 16; i++) {
		uint64_t low[2] = { v->zmm[i][0], v->zmm[i][1] };
		uint64_t mid[2] = { v->zmm[i][2], v->zmm[i][3] };
		uint64_t high[4] = { v->zmm[i][4], v->zmm[i][5], v->zmm[i][6], v->zmm[i][7] };

		PART(160 + 16 * i, low);
		PART(component(X_AVX) + 16 * i, mid);
		PART(component(X_ZMM_HI256) + 32 * i, high);
		PART(component(X_HI16_ZMM) + 64 * i, v->zmm[16 + i]);
	}
	PART(component(X_OPMASK), v->k);
#undef PART
	return wrong;
}

static void
looks_at_frame(int sig, siginfo_t *si, void *ctx)
{
	char *area = (char *)((ucontext_t *)ctx)->uc_mcontext.fpregs;
	/* struct _fpx_sw_bytes: magic, size with it all, components, XSAVE's size; magic behind. */
	uint32_t sw[5], magic2;
	uint64_t components, present;
	static struct vectors junk, out;

	memcpy(sw, area + 464, sizeof(sw));
	memcpy(&components, area + 464 + 8, 8);
	memcpy(&present, area + 512, 8);
	memcpy(&magic2, area + sw[4], 4);
	is(sw[0], 0x46505853);
	is(magic2, 0x46505845);
	is(components & 0xe7, 0xe7);
	is(present & 0xe6, 0xe6);
	check(sw[4] >= component(X_HI16_ZMM) + 1024);
	is(sw[1], sw[4] + 4);
	frame_size = area + sw[1] - (char *)__builtin_frame_address(0);
	frame_wrong = frame_registers(area, frame_wanted, false);
	if (frame_new)
		frame_registers(area, frame_new, true);
	/* The handler's own are lost. */
	fill(&junk, 99);
	across(&junk, &out, SYS_getpid, 0, 0);
	count++;
}

static void
signalled(int flags)
{
	static struct vectors in, out, other;
	struct sigaction sa = { .sa_sigaction = looks_at_frame, .sa_flags = SA_SIGINFO | flags };

	fill(&in, 40);
	fill(&other, 41);
	works(sigaction(SIGUSR1, &sa, NULL));
	frame_wanted = &in;
	is(across(&in, &out, SYS_kill, getpid(), SIGUSR1), 0);
	is(count, 1);
	is(frame_wrong, 0);
	is(changed(&in, &out), 0);
	frame_new = &other;
	is(across(&in, &out, SYS_kill, getpid(), SIGUSR1), 0);
	is(count, 2);
	is(frame_wrong, 0);
	is(changed(&other, &out), 0);
}

TEST(over_signals)
{
	if (avx512())
		signalled(0);
}

/* AT_MINSIGSTKSZ is what the frame needs, and a stack of little more than that will do. */
TEST(over_signals_on_small_stack)
{
	stack_t ss = { .ss_size = getauxval(AT_MINSIGSTKSZ) + 4096 };

	if (!avx512())
		return;
	ss.ss_sp = mmap(NULL, ss.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			0);
	works(sigaltstack(&ss, NULL));
	signalled(SA_ONSTACK);
	check(frame_size > 2048);
	check(frame_size <= (long)getauxval(AT_MINSIGSTKSZ));
}

/* What a program had in them does not reach the next: upper halves that no library touches. */
static AVX512 long
left_over(void)
{
	static struct vectors v;
	long n = 0;

	asm volatile(".irp n," THIRTY_TWO "\n"
		     "vmovdqu64 %%zmm\\n, \\n*64(%0)\n"
		     ".endr\n"
		     "vzeroupper" : : "r"(&v) : "memory");
	for (int i = 8; i < 32; i++)
		for (int j = 4; i != 16 && j < 8; j++)
			n += v.zmm[i][j] != 0;
	return n;
}

HELPER(left_over)
{
	return left_over() ? 1 : 7;
}

TEST(gone_after_exec)
{
	struct vectors in, out;
	char *argv[] = { "x", "@left_over", NULL };

	if (!avx512())
		return;
	fill(&in, 50);
	in_child {
		across(&in, &out, SYS_getpid, 0, 0);
		/* vzeroupper has cleared some; the sixteen upper registers are as they were. */
		check(left_over() > 0);
	}
	if (!fork()) {
		across(&in, &out, SYS_getpid, 0, 0);
		execv("/proc/self/exe", argv);
		_exit(2);
	}
	is(reap(-1), 7);
}
