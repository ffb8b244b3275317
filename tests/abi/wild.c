/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that do to the processor what they may not, or may but never do:
 * instructions of the kernel, every interrupt number, system calls with odd
 * flags and stacks, selectors, returns from signals to anywhere. Each ends in a
 * signal or has no effect; all CPUs do it at once.
 */
#include "tests/abi/abi.h"

#include <setjmp.h>
#include <sys/auxv.h>
#include <ucontext.h>

#define ROUNDS 20
#define FLAGS_TF 0x100UL
#define FLAGS_DF 0x400UL
#define FLAGS_NT 0x4000UL
#define FLAGS_AC 0x40000UL
#define FLAGS_ID 0x200000UL

static sigjmp_buf back;
static volatile int got_sig, got_code;
static volatile long got_error, got_trap;

static void
fault(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;

	got_sig = sig;
	got_code = si->si_code;
	got_error = uc->uc_mcontext.gregs[REG_ERR];
	got_trap = uc->uc_mcontext.gregs[REG_TRAPNO];
	siglongjmp(back, 1);
}

/* Handlers on a stack of their own: the program's may be anywhere. */
static void
catch_all(void)
{
	static const int sigs[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE };
	static char stack[65536];
	stack_t st = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction sa = { .sa_sigaction = fault,
				.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };

	sigaltstack(&st, NULL);
	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		sigaction(sigs[i], &sa, NULL);
}

/* The signal of running fn(arg), 0 for none. */
static int
try(void (*fn)(long), long arg)
{
	got_sig = got_code = 0;
	if (!sigsetjmp(back, 1))
		fn(arg);
	/* What a case may have left set. */
	asm volatile("pushq $0x202; popfq" ::: "cc", "memory");
	return got_sig;
}

/* On each CPU at once: fn in a child; all must end with 0. */
static void
on_all_cpus(void (*fn)(void))
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	int good = 0;

	for (long i = 0; i < n; i++) {
		pid_t pid = fork();

		if (!pid) {
			cpu_set_t one;

			CPU_ZERO(&one);
			CPU_SET(i, &one);
			sched_setaffinity(0, sizeof(one), &one);
			catch_all();
			fn();
			_exit(0);
		}
	}
	for (long i = 0; i < n; i++)
		good += reap(-1) == 0;
	is(good, n);
}

/* Says what is wrong, once, and ends the child. */
#define must(e, what) do {						\
	if (!(e)) {							\
		diag("%s %ld: signal %d, code %d, error %#lx, trap %ld",	\
		     #e, (long)(what), got_sig, got_code, got_error,	\
		     got_trap);						\
		_exit(1);						\
	}								\
} while (0)

/* --- instructions --- */

#define INSN(name, text) static void name(long a) { asm volatile(text :: "a"(a), "d"(0L), "c"(0L) : "memory"); }
INSN(do_hlt, "hlt")
INSN(do_cli, "cli")
INSN(do_sti, "sti")
INSN(do_in, "inb $0x60, %%al")
INSN(do_out, "outb %%al, $0x80")
INSN(do_outs, "outsb")
INSN(do_lgdt, "lgdt (%%rsp)")
INSN(do_lidt, "lidt (%%rsp)")
INSN(do_lldt, "lldt %%ax")
INSN(do_ltr, "ltr %%ax")
INSN(do_cr0, "mov %%cr0, %%rax")
INSN(do_cr3, "mov %%rax, %%cr3")
INSN(do_cr8, "mov %%rax, %%cr8")
INSN(do_dr7, "mov %%rax, %%dr7")
INSN(do_clts, "clts")
INSN(do_invd, "invd")
INSN(do_wbinvd, "wbinvd")
INSN(do_invlpg, "invlpg (%%rsp)")
INSN(do_rdmsr, "rdmsr")
INSN(do_wrmsr, "wrmsr")
INSN(do_swapgs, "swapgs")
INSN(do_sysret, "sysretq")
INSN(do_xsetbv, "xsetbv")
INSN(do_lmsw, "lmsw %%ax")
INSN(do_noncanonical, "movabs $0x8000000000000000, %%rdx; mov (%%rdx), %%al")
INSN(do_kernel, "movabs $0xffffffff81000000, %%rdx; mov (%%rdx), %%al")
INSN(do_jump_kernel, "movabs $0xffffffff81000000, %%rdx; jmp *%%rdx")
INSN(do_jump_noncanonical, "movabs $0x8000000000000000, %%rdx; jmp *%%rdx")
INSN(do_ud2, "ud2")
INSN(do_ud1, ".byte 0x0f, 0xb9, 0xc0")
INSN(do_int3, "int3")

static const struct {
	void (*fn)(long);
	int sig, code;
} insns[] = {
	{ do_hlt, SIGSEGV, SI_KERNEL }, { do_cli, SIGSEGV, SI_KERNEL },
	{ do_sti, SIGSEGV, SI_KERNEL }, { do_in, SIGSEGV, SI_KERNEL },
	{ do_out, SIGSEGV, SI_KERNEL }, { do_outs, SIGSEGV, SI_KERNEL },
	{ do_lgdt, SIGSEGV, SI_KERNEL }, { do_lidt, SIGSEGV, SI_KERNEL },
	{ do_lldt, SIGSEGV, SI_KERNEL }, { do_ltr, SIGSEGV, SI_KERNEL },
	{ do_cr0, SIGSEGV, SI_KERNEL }, { do_cr3, SIGSEGV, SI_KERNEL },
	{ do_cr8, SIGSEGV, SI_KERNEL }, { do_dr7, SIGSEGV, SI_KERNEL },
	{ do_clts, SIGSEGV, SI_KERNEL }, { do_invd, SIGSEGV, SI_KERNEL },
	{ do_wbinvd, SIGSEGV, SI_KERNEL }, { do_invlpg, SIGSEGV, SI_KERNEL },
	{ do_rdmsr, SIGSEGV, SI_KERNEL }, { do_wrmsr, SIGSEGV, SI_KERNEL },
	{ do_swapgs, SIGSEGV, SI_KERNEL }, { do_sysret, SIGSEGV, SI_KERNEL },
	{ do_xsetbv, SIGSEGV, SI_KERNEL }, { do_lmsw, SIGSEGV, SI_KERNEL },
	{ do_noncanonical, SIGSEGV, SI_KERNEL },
	{ do_kernel, SIGSEGV, SEGV_MAPERR },
	{ do_jump_kernel, SIGSEGV, SEGV_MAPERR },
	{ do_jump_noncanonical, SIGSEGV, SI_KERNEL },
	{ do_ud2, SIGILL, ILL_ILLOPN }, { do_ud1, SIGILL, ILL_ILLOPN },
	{ do_int3, SIGTRAP, SI_KERNEL },
};

static void
all_insns(void)
{
	for (int r = 0; r < ROUNDS; r++) {
		for (size_t i = 0; i < sizeof(insns) / sizeof(insns[0]); i++) {
			must(try(insns[i].fn, 0) == insns[i].sig, i);
			must(got_code == insns[i].code, i);
		}
	}
}

TEST(instructions)
{
	on_all_cpus(all_insns);
}

/* --- interrupts by number --- */

static unsigned char *code_page;

static void
run_page(long arg)
{
	((void (*)(long))code_page)(arg);
}

static void
all_interrupts(void)
{
	code_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int n = 0; n < 256; n++) {
		/* 32-bit calls may exist. */
		if (n == 0x80)
			continue;
		memcpy(code_page, (unsigned char[]){ 0xcd, n, 0xc3 }, 3);
		if (n == 3) {
			must(try(run_page, 0) == SIGTRAP, n);
			continue;
		}
		must(try(run_page, 0) == SIGSEGV, n);
		must(got_code == SI_KERNEL, n);
		/* 8 times the number by the manual; QEMU's TCG says 16. */
		if (n != 4)
			must((got_error & 7) == 2, n);
	}
}

TEST(interrupts)
{
	on_all_cpus(all_interrupts);
}

/* --- system calls in odd states --- */

/* getpid() with more flags set and rsp as it is given; what rsp was afterwards. */
static long
odd_call(unsigned long flags, unsigned long rsp, long *pid)
{
	unsigned long after;
	long ret = SYS_getpid;

	asm volatile("mov %%rsp, %%r12\n\t"
		     "pushfq; orq %[f], (%%rsp); popfq\n\t"
		     "mov %[s], %%rsp\n\t"
		     "syscall\n\t"
		     "mov %%rsp, %%r13\n\t"
		     "mov %%r12, %%rsp\n\t"
		     "pushq $0x202; popfq\n\t"
		     "mov %%r13, %[o]"
		     : "+a"(ret), [o] "=r"(after)
		     : [f] "r"(flags), [s] "r"(rsp)
		     : "rcx", "r11", "r12", "r13", "memory", "cc");
	*pid = ret;
	return after;
}

static void
all_states(void)
{
	static const unsigned long flags[] = { 0, FLAGS_DF, FLAGS_NT, FLAGS_AC, FLAGS_ID,
					       FLAGS_DF | FLAGS_NT | FLAGS_AC | FLAGS_ID };
	static const unsigned long stacks[] = { 0, 8, 1UL << 47, 1UL << 63, ~0UL, 0xffffffff81000000,
						0x7ffffffff000, 0x12345 };
	long pid, me = getpid();

	for (int r = 0; r < ROUNDS; r++) {
		for (int f = 0; f < 6; f++) {
			for (int s = 0; s < 8; s++) {
				long rsp = odd_call(flags[f], stacks[s], &pid);

				must(pid == me, f * 10 + s);
				must(rsp == (long)stacks[s], f * 10 + s);
			}
		}
	}
}

TEST(calls)
{
	on_all_cpus(all_states);
}

/* A trap behind each instruction, system calls too, on any stack. */
static void
step(long arg)
{
	asm volatile("pushfq; orq $0x100, (%%rsp); popfq\n\t"
		     "mov $39, %%eax\n\tsyscall\n\t"
		     "pushq $0x202; popfq" ::: "rax", "rcx", "r11", "memory", "cc");
}

static void
step_call(long arg)
{
	asm volatile("mov $39, %%eax\n\t"
		     "pushfq; orq $0x100, (%%rsp); popfq; syscall\n\t"
		     "nop; pushq $0x202; popfq" ::: "rax", "rcx", "r11", "memory", "cc");
}

static void
all_steps(void)
{
	for (int r = 0; r < ROUNDS; r++) {
		must(try(step, 0) == SIGTRAP && got_code == TRAP_TRACE, r);
		must(try(step_call, 0) == SIGTRAP && got_code == TRAP_TRACE, r);
	}
}

TEST(single_steps)
{
	on_all_cpus(all_steps);
}

/* No stack for the handler either: the end by SIGSEGV, not by more. */
static void
no_stack(unsigned long rsp)
{
	pid_t pid = fork();

	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGTRAP, (void (*)(int))1234);
		asm volatile("mov %0, %%rsp; int3" :: "r"(rsp));
	}
	must(reap(pid) == -SIGSEGV, rsp);
}

static void
all_no_stacks(void)
{
	static const unsigned long stacks[] = { 0, 100, 1UL << 47, 1UL << 63, ~0UL, 0xffffffff81000000 };

	for (int s = 0; s < 6; s++)
		no_stack(stacks[s]);
}

TEST(no_stacks)
{
	on_all_cpus(all_no_stacks);
}

/* --- selectors --- */

static void load_ds(long s) { asm volatile("mov %0, %%ds" :: "r"((int)s)); }
static void load_es(long s) { asm volatile("mov %0, %%es" :: "r"((int)s)); }
static void load_gs(long s) { asm volatile("mov %0, %%gs" :: "r"((int)s)); }

static void
all_selectors(void)
{
	for (long s = 0; s < 65536; s += s < 1024 ? 1 : 61) {
		/* The null selectors may be loaded, those of the kernel may not. */
		int d = try(load_ds, s), e = try(load_es, s), g = try(load_gs, s);

		must(d == e && d == g, s);
		must(d == 0 || (d == SIGSEGV && got_code == SI_KERNEL), s);
		must(s >= 4 || d == 0, s);
		/* The kernel's code and data, the TSS, beyond the table, no local table. */
		must((s != 0x10 && s != 0x18 && s != 0x40 && s < 128 && !(s & 4)) || d == SIGSEGV, s);
		if (!(s & 63))
			sched_yield();
		asm volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%gs" :: "r"(0));
	}
}

TEST(selectors)
{
	on_all_cpus(all_selectors);
}

/* --- returns from signals --- */

static int bad_field;
static long bad_value;

static void
spoil(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;

	if (bad_field == REG_CSGSFS)
		uc->uc_mcontext.gregs[REG_CSGSFS] = bad_value;
	else if (bad_field >= 0)
		uc->uc_mcontext.gregs[bad_field] = bad_value;
	else
		uc->uc_mcontext.fpregs = (void *)bad_value;
}

/* How a child ends that returns from a signal with the field so. */
static int
returns(int field, long value)
{
	pid_t pid = fork();

	if (!pid) {
		struct sigaction sa = { .sa_sigaction = spoil, .sa_flags = SA_SIGINFO };

		signal(SIGSEGV, SIG_DFL);
		signal(SIGTRAP, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		sigaction(SIGUSR1, &sa, NULL);
		bad_field = field;
		bad_value = value;
		raise(SIGUSR1);
		/* Flags as they are must not matter from here on. */
		asm volatile("pushq $0x202; popfq" ::: "cc", "memory");
		_exit(getpid() > 0 ? 5 : 6);
	}
	return reap(pid);
}

static void
all_returns(void)
{
	must(returns(REG_RAX, 0) == 5, 0);
	must(returns(REG_RIP, 1L << 47) == -SIGSEGV, 1);
	must(returns(REG_RIP, 1L << 63) == -SIGSEGV, 2);
	must(returns(REG_RIP, -1) == -SIGSEGV, 3);
	must(returns(REG_RIP, 0xffffffff81000000) == -SIGSEGV, 4);
	must(returns(REG_RSP, 1L << 63) == -SIGSEGV, 5);
	must(returns(REG_EFL, 0x202 | FLAGS_NT) == 5, 6);
	/* I/O privilege, virtual-8086 mode, interrupts off: not given. */
	must(returns(REG_EFL, 0x3000) == 5, 7);
	must(returns(REG_EFL, 0x20000) == 5, 8);
	must(returns(REG_EFL, 0) == 5, 9);
	must(returns(REG_EFL, 0x202 | FLAGS_TF) == -SIGTRAP, 10);
	must(returns(-1, 8) == -SIGSEGV, 11);
	must(returns(-1, 0xffffffff81000000) == -SIGSEGV, 12);
	must(returns(-1, 1L << 63) == -SIGSEGV, 13);
	must(returns(-1, 0) == 5, 14);
}

TEST(signal_returns)
{
	on_all_cpus(all_returns);
}

/* --- extended state --- */

static void
restore_state(long header)
{
	static char area[8192] __attribute__((aligned(64)));

	memset(area, 0, sizeof(area));
	memcpy(area + 512, &header, 8);
	asm volatile("xrstor (%0)" :: "r"(area), "a"(-1), "d"(-1) : "memory");
}

static void
all_state(void)
{
	bool has_xsave = __builtin_cpu_supports("avx");

	for (int r = 0; r < ROUNDS; r++) {
		if (!has_xsave)
			continue;
		must(try(restore_state, 1L << 62) == SIGSEGV, 2);
		must(try(restore_state, 0) == 0, 3);
		sched_yield();
	}
}

TEST(extended_state)
{
	on_all_cpus(all_state);
}
