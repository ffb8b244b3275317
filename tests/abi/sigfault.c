/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals made by the processor: si_code and si_addr of each, resuming after
 * them, registers and vector state across a handler, limits of the frame.
 */
#include "tests/abi/abi.h"

#include <setjmp.h>
#include <ucontext.h>

static sigjmp_buf back;
static volatile siginfo_t last;
static volatile long trapno, error_code, rip;
static volatile int count;

static void
fault(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;

	(void)sig;
	last = *si;
	trapno = uc->uc_mcontext.gregs[REG_TRAPNO];
	error_code = uc->uc_mcontext.gregs[REG_ERR];
	rip = uc->uc_mcontext.gregs[REG_RIP];
	count++;
	siglongjmp(back, 1);
}

static void
catch(int sig)
{
	struct sigaction sa = { .sa_sigaction = fault,
				.sa_flags = SA_SIGINFO | SA_NODEFER };

	sigaction(sig, &sa, NULL);
}

/* True if the statement raised a signal; details are in last and others. */
#define raises(statement) ({						\
	int n_ = count;							\
	if (!sigsetjmp(back, 1)) {					\
		statement;						\
	}								\
	count == n_ + 1; })

static volatile char sink;

TEST(page_faults)
{
	char *m = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	catch(SIGSEGV);
	check(raises(sink = *(volatile char *)BAD));
	is(last.si_signo, SIGSEGV);
	is(last.si_code, SEGV_MAPERR);
	is(last.si_addr, 8);
	is(trapno, 14);
	is(error_code, 4);
	check(raises(*(volatile char *)BAD = 1));
	is(error_code, 6);
	m[0] = 1;
	mprotect(m, 4096, PROT_READ);
	check(!raises(sink = m[0]));
	check(raises(m[5] = 1));
	is(last.si_code, SEGV_ACCERR);
	is(last.si_addr, m + 5);
	is(error_code, 7);
	mprotect(m, 4096, PROT_NONE);
	check(raises(sink = m[7]));
	is(last.si_code, SEGV_ACCERR);
	munmap(m + 4096, 4096);
	check(raises(sink = m[4096 + 9]));
	is(last.si_code, SEGV_MAPERR);
	is(last.si_addr, m + 4096 + 9);
	check(!raises(m[8192] = 1));
	/* Execution of data. */
	check(raises(((void (*)(void))(m + 8192))()));
	is(last.si_code, SEGV_ACCERR);
	is(last.si_addr, m + 8192);
	is(rip, m + 8192);
	check(error_code & 16);
	/* The kernel half is a page fault with MAPERR... */
	check(raises(sink = *(volatile char *)0xffffffff80000000));
	is(last.si_signo, SIGSEGV);
	is(last.si_addr, 0xffffffff80000000);
	/* ... and no canonical address at all has no address. */
	check(raises(sink = *(volatile char *)0x8000000000000000));
	is(last.si_code, SI_KERNEL);
	is(last.si_addr, 0);
	is(trapno, 13);
}

TEST(privileged)
{
	catch(SIGSEGV);
	check(raises(asm volatile("hlt")));
	is(last.si_code, SI_KERNEL);
	is(trapno, 13);
	check(raises(asm volatile("cli")));
	check(raises(asm volatile("mov %%cr0, %%rax" ::: "rax")));
	check(raises(asm volatile("inb $0x80, %%al" ::: "rax")));
	check(raises(asm volatile("lgdt (%%rsp)" ::: "memory")));
	check(raises(asm volatile("int $0x77")));
	check(error_code & 2);
	check(raises(asm volatile("wrmsr" :: "a"(0), "d"(0), "c"(0x10))));
	check(raises(asm volatile("movaps 1(%%rsp), %%xmm0" ::: "xmm0")));
}

TEST(arithmetic)
{
	int zero = 0;
	int ones = -1;

	catch(SIGFPE);
	check(raises(asm volatile("mov $5, %%eax; cltd; idivl %0"
				  :: "m"(zero) : "rax", "rdx", "cc")));
	is(last.si_signo, SIGFPE);
	is(last.si_code, FPE_INTDIV);
	is(last.si_addr, rip);
	is(trapno, 0);
	check(raises(asm volatile("mov $0x80000000, %%eax; cltd; idivl %0"
				  :: "m"(ones) : "rax", "rdx", "cc")));
	is(last.si_code, FPE_INTDIV);
}

TEST(floating_point)
{
	static const struct {
		unsigned int mask;
		double a, b;
		int code;
	} rows[] = {
		{ 1 << 9, 1.0, 0.0, FPE_FLTDIV },
		{ 1 << 7, 0.0, 0.0, FPE_FLTINV },
		{ 1 << 10, 1e308, 1e-308, FPE_FLTOVF },
		{ 1 << 11, 1e-308, 1e308, FPE_FLTUND },
		{ 1 << 12, 1.0, 3.0, FPE_FLTRES },
	};

	catch(SIGFPE);
	for (volatile int i = 0; i < 5; i++) {
		unsigned int mxcsr = 0x1f80 & ~rows[i].mask;
		unsigned int normal = 0x1f80;
		double r = rows[i].a;
		bool raised = raises(asm volatile(
			"ldmxcsr %1; divsd %2, %0" : "+x"(r)
			: "m"(mxcsr), "m"(rows[i].b)));

		asm volatile("ldmxcsr %0" :: "m"(normal));
		/* QEMU's emulated CPU never raises these. */
		if (!raised && i == 0) {
			skip("the CPU does not raise SIMD exceptions");
			return;
		}
		check(raised);
		is(last.si_code, rows[i].code);
		is(trapno, 19);
	}
}

TEST(floating_point_x87)
{
	unsigned short cw = 0x37f & ~4;

	catch(SIGFPE);
	check(raises(({
		asm volatile("fldcw %0; fld1; fldz; fdivrp; fwait" :: "m"(cw));
	})));
	is(last.si_code, FPE_FLTDIV);
	is(trapno, 16);
	asm volatile("fninit");
}

TEST(illegal_and_traps)
{
	catch(SIGILL);
	catch(SIGTRAP);
	check(raises(asm volatile("ud2")));
	is(last.si_signo, SIGILL);
	is(last.si_code, ILL_ILLOPN);
	is(last.si_addr, rip);
	is(trapno, 6);
	check(raises(asm volatile("int3")));
	is(last.si_signo, SIGTRAP);
	is(last.si_code, SI_KERNEL);
	is(trapno, 3);
	/* Single step by the trap flag. */
	check(raises(asm volatile("pushfq; orl $0x100, (%%rsp); popfq; nop; nop"
				  ::: "memory", "cc")));
	is(last.si_signo, SIGTRAP);
	is(last.si_code, TRAP_TRACE);
	is(trapno, 1);
}

TEST(bus_error)
{
	int fd = works(open("f", O_CREAT | O_RDWR, 0600));
	char *m;

	ftruncate(fd, 4096);
	m = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	catch(SIGBUS);
	catch(SIGSEGV);
	check(!raises(m[10] = 1));
	check(raises(m[4096] = 1));
	is(last.si_signo, SIGBUS);
	is(last.si_code, BUS_ADRERR);
	is(last.si_addr, m + 4096);
	ftruncate(fd, 0);
	check(raises(sink = m[10]));
	is(last.si_signo, SIGBUS);
	ftruncate(fd, 8192);
	check(!raises(m[4096] = 1));
}

/* Alignment checking by EFLAGS.AC. */
TEST(alignment_check)
{
	static char area[32] __attribute__((aligned(16)));

	catch(SIGBUS);
	if (!raises(asm volatile(
		"pushfq; orl $0x40000, (%%rsp); popfq;"
		"movl 1(%0), %%eax;"
		"pushfq; andl $~0x40000, (%%rsp); popfq"
		:: "r"(area) : "rax", "memory", "cc"))) {
		skip("no alignment check on this CPU");
		return;
	}
	is(last.si_signo, SIGBUS);
	is(last.si_code, BUS_ADRALN);
	is(trapno, 17);
}

static pid_t
dies(void (*fn)(void))
{
	pid_t c = fork();

	if (!c) {
		fn();
		_exit(1);
	}
	return c;
}

static void
plain_fault(void)
{
	*(volatile int *)BAD = 1;
}

static void
blocked_fault(void)
{
	sigset_t s = sigs(SIGSEGV, 0);

	catch(SIGSEGV);
	sigprocmask(SIG_BLOCK, &s, NULL);
	plain_fault();
}

static void
ignored_fault(void)
{
	signal(SIGSEGV, SIG_IGN);
	plain_fault();
}

static void
no_stack(void)
{
	handle(SIGUSR1, SIG_DFL, 0);
	catch(SIGSEGV);
	asm volatile("mov $16, %%rsp; movl $1, 8" ::: "memory");
}

static void
nested_fault(int sig)
{
	(void)sig;
	plain_fault();
}

static void
fault_in_handler(void)
{
	handle(SIGSEGV, nested_fault, 0);
	plain_fault();
}

TEST(forced)
{
	is(reap(dies(plain_fault)), -SIGSEGV);
	is(reap(dies(blocked_fault)), -SIGSEGV);
	is(reap(dies(ignored_fault)), -SIGSEGV);
	is(reap(dies(no_stack)), -SIGSEGV);
	is(reap(dies(fault_in_handler)), -SIGSEGV);
}

static void
overflows(void)
{
	volatile char big[65536];

	big[0] = 1;
	if (big[0])
		overflows();
	big[1] = big[0];
}

static void
on_overflow(int sig, siginfo_t *si, void *ctx)
{
	(void)ctx;
	_exit(sig == SIGSEGV && si->si_code == SEGV_MAPERR ? 7 : 2);
}

/* A full stack is reported on the alternate one. */
static void
full_stack(void)
{
	static char alt[65536];
	stack_t ss = { .ss_sp = alt, .ss_size = sizeof(alt) };
	struct sigaction sa = { .sa_sigaction = on_overflow,
				.sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigaltstack(&ss, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	overflows();
}

TEST(stack_overflow)
{
	is(reap(dies(full_stack)), 7);
	is(reap(dies(overflows)), -SIGSEGV);
}

static void
bad_return(int sig)
{
	(void)sig;
	/* A frame that is not one. */
	asm volatile("mov $15, %%eax; mov $64, %%rsp; syscall" ::: "memory");
}

static void
bad_sigreturn(void)
{
	bad_return(0);
}

static void
bad_selector(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;

	(void)sig;
	(void)si;
	/* No user may get out with kernel segments or I/O rights. */
	uc->uc_mcontext.gregs[REG_CSGSFS] = 0x10;
	uc->uc_mcontext.gregs[REG_EFL] |= 0x3000;
	uc->uc_mcontext.gregs[REG_RIP] = 0xffffffff81000000;
}

static void
selector_return(void)
{
	struct sigaction sa = { .sa_sigaction = bad_selector,
				.sa_flags = SA_SIGINFO };

	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
}

TEST(bad_frames)
{
	is(reap(dies(bad_sigreturn)), -SIGSEGV);
	is(reap(dies(selector_return)), -SIGSEGV);
}

/* Canonical with no number of levels. */
#define NO_ADDRESS (1L << 62)

static sigjmp_buf from_nowhere;
static volatile long seen_rip, seen_code;

static void
go_nowhere(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;

	(void)sig;
	(void)si;
	uc->uc_mcontext.gregs[REG_RIP] = NO_ADDRESS;
}

static void
was_nowhere(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;

	(void)sig;
	seen_rip = uc->uc_mcontext.gregs[REG_RIP];
	seen_code = si->si_code;
	siglongjmp(from_nowhere, 1);
}

/* The registers are those of the frame when the fault is told. */
TEST(frame_to_nowhere)
{
	struct sigaction go = { .sa_sigaction = go_nowhere, .sa_flags = SA_SIGINFO };
	struct sigaction was = { .sa_sigaction = was_nowhere, .sa_flags = SA_SIGINFO };

	is(sigaction(SIGUSR1, &go, NULL), 0);
	is(sigaction(SIGSEGV, &was, NULL), 0);
	if (!sigsetjmp(from_nowhere, 1))
		raise(SIGUSR1);
	is(seen_rip, NO_ADDRESS);
	is(seen_code, SI_KERNEL);
}

static void
clobbers(int sig)
{
	(void)sig;
	count++;
	asm volatile(
		"pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm7, %%xmm7;"
		"pcmpeqd %%xmm15, %%xmm15; fninit; fldpi"
		::: "xmm0", "xmm7", "xmm15", "memory");
}

static void
clobbers_ymm(int sig)
{
	(void)sig;
	count++;
	asm volatile("vzeroall" ::: "memory", "xmm0", "xmm1", "xmm2", "xmm3",
		     "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm15");
}

TEST(xmm_restored)
{
	static const uint64_t in[6] = { 1, 2, 3, 4, 5, 6 };
	uint64_t out[6] = { 0 };
	long rax = SYS_kill;

	handle(SIGUSR1, clobbers, 0);
	asm volatile(
		"movdqu (%3), %%xmm0; movdqu 16(%3), %%xmm7;"
		"movdqu 32(%3), %%xmm15;"
		"syscall;"
		"movdqu %%xmm0, (%4); movdqu %%xmm7, 16(%4);"
		"movdqu %%xmm15, 32(%4)"
		: "+a"(rax)
		: "D"(getpid()), "S"(SIGUSR1), "r"(in), "r"(out)
		: "rcx", "r11", "xmm0", "xmm7", "xmm15", "memory");
	is(rax, 0);
	is(count, 1);
	is(memcmp(in, out, sizeof(in)), 0);
}

TEST(x87_restored)
{
	double v = 0;
	long rax = SYS_kill;

	handle(SIGUSR1, clobbers, 0);
	asm volatile("fninit; fld1; fld1; faddp; syscall; fstpl %1"
		     : "+a"(rax), "=m"(v)
		     : "D"(getpid()), "S"(SIGUSR1)
		     : "rcx", "r11", "memory");
	is(count, 1);
	check(v == 2.0);
}

TEST(ymm_restored)
{
	static uint64_t in[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	uint64_t out[8] = { 0 };
	long rax = SYS_kill;

	if (!__builtin_cpu_supports("avx")) {
		skip("no AVX");
		return;
	}
	handle(SIGUSR1, clobbers_ymm, 0);
	asm volatile(
		"vmovdqu (%3), %%ymm1; vmovdqu 32(%3), %%ymm15;"
		"syscall;"
		"vmovdqu %%ymm1, (%4); vmovdqu %%ymm15, 32(%4); vzeroupper"
		: "+a"(rax)
		: "D"(getpid()), "S"(SIGUSR1), "r"(in), "r"(out)
		: "rcx", "r11", "xmm1", "xmm15", "memory");
	is(rax, 0);
	is(count, 1);
	is(memcmp(in, out, sizeof(in)), 0);
}

/* Vector registers of two processes on one CPU stay apart. */
TEST(ymm_switched)
{
	cpu_set_t one;

	if (!__builtin_cpu_supports("avx")) {
		skip("no AVX");
		return;
	}
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	for (long i = 0; i < 3; i++) {
		if (!fork()) {
			uint64_t in[4] = { i, i * 3, ~i, i << 40 };
			uint64_t out[4];

			sched_setaffinity(0, sizeof(one), &one);
			for (int n = 0; n < 300; n++) {
				long rax = SYS_sched_yield;

				asm volatile(
					"vmovdqu (%1), %%ymm9; syscall;"
					"vmovdqu %%ymm9, (%2); vzeroupper"
					: "+a"(rax) : "r"(in), "r"(out)
					: "rcx", "r11", "xmm9", "memory");
				if (memcmp(in, out, sizeof(in)))
					_exit(1);
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 3; i++)
		is(reap(-1), 0);
}

/* mxcsr and the control word are the program's own as well. */
TEST(control_words)
{
	unsigned int set = 0x7f80, got = 0;
	unsigned short cw = 0xf7f, cw2 = 0;

	handle(SIGUSR1, clobbers, 0);
	asm volatile("ldmxcsr %0; fldcw %1" :: "m"(set), "m"(cw));
	raise(SIGUSR1);
	asm volatile("stmxcsr %0; fnstcw %1" : "=m"(got), "=m"(cw2));
	is(got, 0x7f80);
	is(cw2, 0xf7f);
	in_child {
		asm volatile("stmxcsr %0; fnstcw %1" : "=m"(got), "=m"(cw2));
		is(got, 0x7f80);
		is(cw2, 0xf7f);
	}
}

/* The handler's frame leaves the red zone below the stack pointer alone. */
TEST(red_zone)
{
	unsigned long got = 0;
	long rax = SYS_kill;

	handle(SIGUSR1, clobbers, 0);
	asm volatile(
		"mov $0x5a5a1234, %%r9; mov %%r9, -120(%%rsp);"
		"syscall; mov -120(%%rsp), %1"
		: "+a"(rax), "=r"(got)
		: "D"(getpid()), "S"(SIGUSR1)
		: "rcx", "r9", "r11", "memory");
	is(got, 0x5a5a1234);
}

static volatile long seen_df, seen_align;

static void
looks_at_flags(int sig)
{
	unsigned long fl;

	(void)sig;
	asm volatile("pushfq; pop %0" : "=r"(fl));
	seen_df = fl & 0x400;
	seen_align = (long)__builtin_frame_address(0) & 15;
}

TEST(entry_state)
{
	unsigned long fl = 0;
	long rax = SYS_kill;

	handle(SIGUSR1, looks_at_flags, 0);
	asm volatile("std; syscall; pushfq; pop %1; cld"
		     : "+a"(rax), "=r"(fl)
		     : "D"(getpid()), "S"(SIGUSR1)
		     : "rcx", "r11", "memory", "cc");
	is(seen_df, 0);
	is(seen_align, 0);
	check(fl & 0x400);
}
