/* SPDX-License-Identifier: BSD-2-Clause */
/* ptrace(2): registers, single steps, system calls, hardware breakpoints. */
#include "ptrace.h"

#include <cpuid.h>
#include <linux/ptrace.h>
#include <sys/prctl.h>
#include <sys/rseq.h>

#define DEBUGREG(n) (offsetof(struct user, u_debugreg) + 8 * (n))

static volatile long watched;
static volatile long around[3];
static volatile int caught;

static void
count(int sig)
{
	caught += sig;
}

static int
step(pid_t pid)
{
	return go(PTRACE_SINGLESTEP, pid, 0);
}

static int
si_code_of(pid_t pid)
{
	siginfo_t si = {};

	pt(PTRACE_GETSIGINFO, pid, 0, (long)&si);
	return si.si_code;
}

/* --- registers --- */

TEST(general_registers)
{
	struct user_regs_struct r;
	struct iovec iov = { &r, sizeof(r) };

	tracee(pid) {
		long a = 1, b = 2;

		asm volatile("int3" : "+a"(a), "+b"(b));
		_exit(a == 30 && b == 40 ? 0 : 1);
	}
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, 0));
	is(si_code_of(pid), SI_KERNEL);
	r = regs_of(pid);
	is(r.rax, 1);
	is(r.rbx, 2);
	is(r.cs, 0x33);
	is(r.ss, 0x2b);
	is(r.ds, 0);
	is(r.orig_rax, -1);
	is(peek(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.rbx)), 2);
	is(pt(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rbx), 40), 0);
	memset(&r, 0, sizeof(r));
	is(pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)&iov), 0);
	is(iov.iov_len, sizeof(r));
	is(r.rbx, 40);
	r.rax = 30;
	iov.iov_len = 1000;
	is(pt(PTRACE_SETREGSET, pid, NT_PRSTATUS, (long)&iov), 0);
	is(iov.iov_len, sizeof(r));
	iov.iov_len = 7;
	fails(pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)&iov), EINVAL);
	iov.iov_len = 16;
	is(pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)&iov), 0);
	is(iov.iov_len, 16);
	fails(pt(PTRACE_GETREGSET, pid, 0x999, (long)&iov), EINVAL);
	is(go(PTRACE_CONT, pid, 0), 0);
}

TEST(user_area)
{
	tracee(pid) {
		_exit(0);
	}
	fails(pt(PTRACE_PEEKUSER, pid, 4, (long)&caught), EIO);
	fails(pt(PTRACE_PEEKUSER, pid, 928, (long)&caught), EIO);
	is(peek(PTRACE_PEEKUSER, pid, 920), 0);
	is(peek(PTRACE_PEEKUSER, pid, offsetof(struct user, u_tsize)), 0);
	fails(pt(PTRACE_POKEUSER, pid, offsetof(struct user, u_tsize), 1), EIO);
	fails(pt(PTRACE_POKEUSER, pid, offsetof(struct user, regs.cs), 0), EIO);
	fails(pt(PTRACE_POKEUSER, pid, offsetof(struct user, regs.ss), 8), EIO);
	fails(pt(PTRACE_POKEUSER, pid, offsetof(struct user, regs.fs_base), -1), EIO);
	end(pid);
}

TEST(bases)
{
	struct user_regs_struct r;
	unsigned long own;

	asm("mov %%fs:0, %0" : "=r"(own));
	tracee(pid) {
		syscall(SYS_arch_prctl, 0x1001, 0x12345);
		raise(SIGUSR1);
		unsigned long gs = 0;

		syscall(SYS_arch_prctl, 0x1004, &gs);
		_exit(gs == 0x6789 ? 0 : 1);
	}
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGUSR1, 0));
	r = regs_of(pid);
	is(r.fs_base, own);
	is(r.gs_base, 0x12345);
	is(pt(30, pid, (long)&own, 0x1004), 0);
	is(own, 0x12345);
	r.gs_base = 0x6789;
	is(pt(PTRACE_SETREGS, pid, 0, (long)&r), 0);
	is(go(PTRACE_CONT, pid, 0), 0);
}

TEST(floating_point)
{
	struct user_fpregs_struct f;
	double d;

	tracee(pid) {
		double x = 1.5;

		asm volatile("int3" : "+x"(x));
		_exit(x == 2.5 ? 0 : 1);
	}
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, 0));
	is(pt(PTRACE_GETFPREGS, pid, 0, (long)&f), 0);
	is(f.cwd, 0x37f);
	is(f.mxcsr & 0x1f80, 0x1f80);
	for (int i = 0; i < 16; i++) {
		memcpy(&d, &f.xmm_space[4 * i], 8);
		if (d == 1.5) {
			d = 2.5;
			memcpy(&f.xmm_space[4 * i], &d, 8);
		}
	}
	is(pt(PTRACE_SETFPREGS, pid, 0, (long)&f), 0);
	f.mxcsr = 0xffffffff;
	fails(pt(PTRACE_SETFPREGS, pid, 0, (long)&f), EINVAL);
	is(go(PTRACE_CONT, pid, 0), 0);
}

TEST(extended_state)
{
	static unsigned char area[16384] __attribute__((aligned(64))), again[16384];
	struct iovec iov = { area, sizeof(area) };
	unsigned int a, b, c, d;
	unsigned long bv, have;

	__cpuid(1, a, b, c, d);
	if (!(c & (1 << 27))) {
		skip("no XSAVE");
		return;
	}
	__cpuid_count(0xd, 0, a, b, c, d);
	tracee(pid) {
		double x = 1.5;

		asm volatile("int3" : "+x"(x));
		_exit(x == 2.5 ? 0 : 1);
	}
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, 0));
	is(pt(PTRACE_GETREGSET, pid, NT_X86_XSTATE, (long)&iov), 0);
	is(iov.iov_len, b);
	memcpy(&have, area + 464, 8);
	memcpy(&bv, area + 512, 8);
	is(have & 3, 3);
	check(bv & 2);
	is(bv & ~have, 0);
	for (int i = 0; i < 16; i++) {
		double v;

		memcpy(&v, area + 160 + 16 * i, 8);
		if (v == 1.5) {
			v = 2.5;
			memcpy(area + 160 + 16 * i, &v, 8);
		}
	}
	is(pt(PTRACE_SETREGSET, pid, NT_X86_XSTATE, (long)&iov), 0);
	iov.iov_base = again;
	is(pt(PTRACE_GETREGSET, pid, NT_X86_XSTATE, (long)&iov), 0);
	is(memcmp(area, again, b), 0);
	iov.iov_len = b - 8;
	fails(pt(PTRACE_SETREGSET, pid, NT_X86_XSTATE, (long)&iov), EFAULT);
	iov.iov_len = b;
	again[512 + 8] = 1;
	fails(pt(PTRACE_SETREGSET, pid, NT_X86_XSTATE, (long)&iov), EINVAL);
	is(go(PTRACE_CONT, pid, 0), 0);
}

/* A wild address is the tracee's fault, and nobody else's. */
TEST(wild_registers)
{
	tracee(pid) {
		_exit(0);
	}
	is(pt(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rip), 0x8000000000000000), 0);
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGSEGV, 0));
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGSEGV, 0));
	is(go(PTRACE_CONT, pid, SIGSEGV), SIGSEGV);
}

/* --- single steps --- */

TEST(steps)
{
	unsigned long rip;

	tracee(pid) {
		asm volatile("int3; nop; nop; nop; pushfq; popq %%rax; mov %%rax, %0"
			     : "=m"(around[0]) :: "rax");
		_exit(around[0] & 0x100 ? 1 : 0);
	}
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, 0));
	rip = regs_of(pid).rip;
	for (int i = 1; i <= 3; i++) {
		is(step(pid), STOPPED(SIGTRAP, 0));
		is(regs_of(pid).rip - rip, i);
	}
	is(si_code_of(pid), TRAP_TRACE);
	/* The flag is not the program's. */
	is(regs_of(pid).eflags & 0x100, 0);
	is(peek(PTRACE_PEEKUSER, pid, DEBUGREG(6)) & 0x4000, 0x4000);
	is(go(PTRACE_CONT, pid, 0), 0);
}

/* A program that sets the flag itself keeps it. */
TEST(own_trap_flag)
{
	tracee(pid) {
		handle(SIGTRAP, count, 0);
		asm volatile("int3; pushfq; orl $0x100, (%%rsp); popfq; nop;"
			     "pushfq; andl $~0x100, (%%rsp); popfq" ::: "memory", "cc");
		_exit(caught ? 0 : 1);
	}
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, 0));
	/* pushfq, orl, popfq, nop */
	for (int i = 0; i < 4; i++)
		is(step(pid), STOPPED(SIGTRAP, 0));
	is(regs_of(pid).eflags & 0x100, 0x100);
	is(go(PTRACE_CONT, pid, SIGTRAP), STOPPED(SIGTRAP, 0));
	end(pid);
}

TEST(step_over_a_call)
{
	struct user_regs_struct r;

	tracee(pid) {
		long ret = SYS_getppid;

		asm volatile("int3; syscall; nop" : "+a"(ret) :: "rcx", "r11", "memory");
		_exit(ret == getppid() ? 0 : 1);
	}
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, 0));
	r = regs_of(pid);
	is(step(pid), STOPPED(SIGTRAP, 0));
	is(regs_of(pid).rip - r.rip, 2);
	is(regs_of(pid).rax, getpid());
	is(si_code_of(pid), TRAP_BRKPT);
	is(step(pid), STOPPED(SIGTRAP, 0));
	is(regs_of(pid).rip - r.rip, 3);
	is(si_code_of(pid), TRAP_TRACE);
	is(go(PTRACE_CONT, pid, 0), 0);
}

static volatile unsigned long frame_flags;

static void
look_at_frame(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)si;
	frame_flags = uc->uc_mcontext.gregs[REG_EFL];
}

TEST(step_into_a_handler)
{
	tracee(pid) {
		struct sigaction sa = { .sa_sigaction = look_at_frame, .sa_flags = SA_SIGINFO };

		sigaction(SIGUSR1, &sa, NULL);
		raise(SIGUSR1);
		_exit(frame_flags && !(frame_flags & 0x100) ? 0 : 1);
	}
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGUSR1, 0));
	is(go(PTRACE_SINGLESTEP, pid, SIGUSR1), STOPPED(SIGTRAP, 0));
	is(regs_of(pid).rip, (long)look_at_frame);
	is(si_code_of(pid), SIGTRAP);
	is(step(pid), STOPPED(SIGTRAP, 0));
	is(go(PTRACE_CONT, pid, 0), 0);
}

/* The child of who is stepped is not. */
TEST(step_over_fork)
{
	int st = 0, i;

	tracee(pid) {
		pid_t p = fork();

		if (!p)
			_exit(3);
		_exit(reap(p) == 3 ? 0 : 1);
	}
	for (i = 0; i < 200000; i++) {
		st = step(pid);
		if (st != STOPPED(SIGTRAP, 0))
			break;
	}
	while (WIFSTOPPED(st))
		st = go(PTRACE_CONT, pid, 0);
	is(st, 0);
	check(i > 10);
}

/* --- system calls --- */

TEST(syscall_stops)
{
	struct __ptrace_syscall_info info;
	unsigned long message = 0;
	siginfo_t si;

	tracee(pid) {
		syscall(SYS_getppid, 1, 2, 3, 4, 5, 6);
		syscall(SYS_close, -1);
		_exit(5);
	}
	is(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
	memset(&info, 0xff, sizeof(info));
	is(pt(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), (long)&info), 24);
	is(info.op, PTRACE_SYSCALL_INFO_NONE);
	is(info.arch, 0xc000003e);
	/* The end of the kill that stopped it comes first: it was under way. */
	is(go(PTRACE_SYSCALL, pid, 0), STOPPED(SIGTRAP | 0x80, 0));
	while (regs_of(pid).orig_rax != SYS_getppid)
		go(PTRACE_SYSCALL, pid, 0);
	is(regs_of(pid).rax, -ENOSYS);
	is(pt(PTRACE_GETSIGINFO, pid, 0, (long)&si), 0);
	is(si.si_code, SIGTRAP | 0x80);
	is(pt(PTRACE_GETEVENTMSG, pid, 0, (long)&message), 0);
	is(message, PTRACE_EVENTMSG_SYSCALL_ENTRY);
	is(pt(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), (long)&info), 80);
	is(info.op, PTRACE_SYSCALL_INFO_ENTRY);
	is(info.entry.nr, SYS_getppid);
	for (int i = 0; i < 6; i++)
		is(info.entry.args[i], i + 1);
	is(info.instruction_pointer, regs_of(pid).rip);
	is(go(PTRACE_SYSCALL, pid, 0), STOPPED(SIGTRAP | 0x80, 0));
	is(regs_of(pid).rax, getpid());
	is(pt(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), (long)&info), 33);
	is(info.op, PTRACE_SYSCALL_INFO_EXIT);
	is(info.exit.rval, getpid());
	is(info.exit.is_error, 0);
	go(PTRACE_SYSCALL, pid, 0);
	go(PTRACE_SYSCALL, pid, 0);
	is(pt(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), (long)&info), 33);
	is(info.exit.rval, -EBADF);
	is(info.exit.is_error, 1);
	/* Without the option only SIGTRAP. */
	pt(PTRACE_SETOPTIONS, pid, 0, 0);
	is(go(PTRACE_SYSCALL, pid, 0), STOPPED(SIGTRAP, 0));
	is(pt(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), (long)&info), 24);
	is(go(PTRACE_SYSCALL, pid, 0), 5 << 8);
}

TEST(syscall_changed)
{
	struct user_regs_struct r;

	tracee(pid) {
		long a = syscall(SYS_getppid);
		long b = syscall(SYS_getppid);
		long c = syscall(SYS_getppid);

		_exit(a == getpid() && b == 77 && c == -1 && errno == EPERM ? 0 : 1);
	}
	do
		go(PTRACE_SYSCALL, pid, 0);
	while (regs_of(pid).orig_rax != SYS_getppid);
	/* Another call, */
	is(pt(PTRACE_POKEUSER, pid, offsetof(struct user, regs.orig_rax), SYS_getpid), 0);
	go(PTRACE_SYSCALL, pid, 0);
	is(regs_of(pid).rax, pid);
	go(PTRACE_SYSCALL, pid, 0);
	/* none, its result as the tracer says, */
	r = regs_of(pid);
	r.orig_rax = -1;
	r.rax = 77;
	is(pt(PTRACE_SETREGS, pid, 0, (long)&r), 0);
	go(PTRACE_SYSCALL, pid, 0);
	is(regs_of(pid).rax, 77);
	/* and another result. */
	go(PTRACE_SYSCALL, pid, 0);
	go(PTRACE_SYSCALL, pid, 0);
	is(pt(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), -EPERM), 0);
	is(go(PTRACE_CONT, pid, 0), 0);
}

/* A call that goes on with C's registers changed while it stood. */
TEST(syscall_preserved_registers)
{
	tracee(pid) {
		register long r12 asm("r12") = 5;
		long ret = SYS_getppid;

		asm volatile("syscall" : "+a"(ret), "+r"(r12) :: "rcx", "r11", "memory");
		_exit(r12 == 6 ? 0 : 1);
	}
	do
		go(PTRACE_SYSCALL, pid, 0);
	while (regs_of(pid).orig_rax != SYS_getppid);
	is(regs_of(pid).r12, 5);
	is(pt(PTRACE_POKEUSER, pid, offsetof(struct user, regs.r12), 6), 0);
	is(go(PTRACE_CONT, pid, 0), 0);
}

TEST(restart_after_a_stop)
{
	int fd[2];

	pipe(fd);
	tracee(pid) {
		char c = 0;

		_exit(read(fd[0], &c, 1) == 1 && c == 'x' ? 0 : 1);
	}
	pt(PTRACE_CONT, pid, 0, 0);
	until_asleep(pid);
	kill(pid, SIGUSR1);
	is(stop(pid), STOPPED(SIGUSR1, 0));
	is(regs_of(pid).orig_rax, SYS_read);
	is(regs_of(pid).rax, -512);
	pt(PTRACE_CONT, pid, 0, 0);
	until_asleep(pid);
	/* With orig_rax gone there is nothing to restart. */
	kill(pid, SIGUSR1);
	is(stop(pid), STOPPED(SIGUSR1, 0));
	is(pt(PTRACE_POKEUSER, pid, offsetof(struct user, regs.orig_rax), -1), 0);
	is(pt(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), 1), 0);
	is(go(PTRACE_CONT, pid, 0), 1 << 8);
}

TEST(sysemu)
{
	tracee(pid) {
		_exit(syscall(SYS_getppid) == 99 ? 0 : 1);
	}
	is(go(31, pid, 0), STOPPED(SIGTRAP, 0));
	while (regs_of(pid).orig_rax != SYS_getppid) {
		go(PTRACE_SYSCALL, pid, 0);
	}
	end(pid);
	tracee(other) {
		asm volatile("int3");
		_exit(syscall(SYS_getppid) == 99 ? 0 : 1);
	}
	is(go(PTRACE_CONT, other, 0), STOPPED(SIGTRAP, 0));
	is(go(31, other, 0), STOPPED(SIGTRAP, 0));
	is(regs_of(other).orig_rax, SYS_getppid);
	is(pt(PTRACE_POKEUSER, other, offsetof(struct user, regs.rax), 99), 0);
	is(go(PTRACE_CONT, other, 0), 0);
}

TEST(rseq_configuration)
{
	struct ptrace_rseq_configuration c = {};

	tracee(pid) {
		_exit(0);
	}
	is(pt(PTRACE_GET_RSEQ_CONFIGURATION, pid, sizeof(c), (long)&c), 24);
	is(c.signature, RSEQ_SIG);
	is(c.rseq_abi_size, 32);
	check(c.rseq_abi_pointer);
	end(pid);
}

/* --- hardware breakpoints --- */

#define DR7(n, type, len) (1UL << (2 * (n)) | (unsigned long)((type) | (len) << 2) << (16 + 4 * (n)))
#define RW_EXEC 0
#define RW_WRITE 1
#define RW_BOTH 3
#define LEN1 0
#define LEN4 3
#define LEN8 2

static int
arm(pid_t pid, int n, volatile void *addr, unsigned long dr7)
{
	return pt(PTRACE_POKEUSER, pid, DEBUGREG(n), (long)addr) ?:
	       pt(PTRACE_POKEUSER, pid, DEBUGREG(7), dr7);
}

static void __attribute__((noinline))
landmark(void)
{
	asm volatile("nop");
}

TEST(watch_write)
{
	unsigned long rip;

	tracee(pid) {
		around[0] = 1;
		watched = 5;
		around[0] = watched;
		watched = 6;
		_exit(0);
	}
	is(arm(pid, 0, &watched, DR7(0, RW_WRITE, LEN8)), 0);
	is(peek(PTRACE_PEEKUSER, pid, DEBUGREG(0)), (long)&watched);
	is(peek(PTRACE_PEEKUSER, pid, DEBUGREG(7)), DR7(0, RW_WRITE, LEN8));
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, 0));
	is(si_code_of(pid), 4);
	is(peek(PTRACE_PEEKDATA, pid, (long)&watched), 5);
	is(peek(PTRACE_PEEKUSER, pid, DEBUGREG(6)) & 15, 1);
	rip = regs_of(pid).rip;
	is(pt(PTRACE_POKEUSER, pid, DEBUGREG(6), 0), 0);
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, 0));
	check(regs_of(pid).rip != rip);
	is(peek(PTRACE_PEEKDATA, pid, (long)&watched), 6);
	is(go(PTRACE_CONT, pid, 0), 0);
}

TEST(watch_read)
{
	tracee(pid) {
		around[1] = watched;
		around[0] = 1;
		_exit(0);
	}
	is(arm(pid, 2, &watched, DR7(2, RW_BOTH, LEN4)), 0);
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, 0));
	is(peek(PTRACE_PEEKUSER, pid, DEBUGREG(6)) & 15, 4);
	is(arm(pid, 2, &watched, 0), 0);
	is(go(PTRACE_CONT, pid, 0), 0);
}

TEST(break_on_execution)
{
	tracee(pid) {
		landmark();
		landmark();
		_exit(0);
	}
	is(arm(pid, 3, landmark, DR7(3, RW_EXEC, LEN1)), 0);
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, 0));
	is(regs_of(pid).rip, (long)landmark);
	is(peek(PTRACE_PEEKUSER, pid, DEBUGREG(6)) & 15, 8);
	/* It gets over it. */
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, 0));
	is(regs_of(pid).rip, (long)landmark);
	is(go(PTRACE_CONT, pid, 0), 0);
}

/* Others run in between, on the same CPU. */
TEST(breakpoints_are_a_tasks_own)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	tracee(pid) {
		pid_t child;

		sched_yield();
		watched = 1;
		sched_yield();
		watched = 2;
		/* The child does not have them. */
		child = fork();
		if (!child) {
			watched = 3;
			_exit(0);
		}
		if (reap(child))
			_exit(1);
		_exit(0);
	}
	is(arm(pid, 0, &watched, DR7(0, RW_WRITE, LEN8)), 0);
	in_child {
		for (int i = 0; i < 100; i++) {
			watched = i;
			sched_yield();
		}
	}
	pt(PTRACE_CONT, pid, 0, 0);
	for (int i = 0; i < 100; i++) {
		watched = i;
		sched_yield();
	}
	is(stop(pid), STOPPED(SIGTRAP, 0));
	pt(PTRACE_CONT, pid, 0, 0);
	for (int i = 0; i < 100; i++) {
		watched = i;
		sched_yield();
	}
	is(stop(pid), STOPPED(SIGTRAP, 0));
	is(peek(PTRACE_PEEKDATA, pid, (long)&watched), 2);
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGCHLD, 0));
	is(go(PTRACE_CONT, pid, 0), 0);
}

/* What the kernel writes for the program is not reported, and harms nobody. */
TEST(watch_and_system_calls)
{
	int fd[2];

	pipe(fd);
	tracee(pid) {
		long v = 12345;

		write(fd[1], &v, sizeof(v));
		if (read(fd[0], (void *)&watched, sizeof(v)) != sizeof(v))
			_exit(1);
		_exit(watched == 12345 ? 0 : 2);
	}
	is(arm(pid, 0, &watched, DR7(0, RW_WRITE, LEN8)), 0);
	is(go(PTRACE_CONT, pid, 0), 0);
}

TEST(bad_breakpoints)
{
	tracee(pid) {
		_exit(0);
	}
	is(peek(PTRACE_PEEKUSER, pid, DEBUGREG(6)), 0xffff0ff0);
	is(peek(PTRACE_PEEKUSER, pid, DEBUGREG(7)), 0);
	fails(pt(PTRACE_POKEUSER, pid, DEBUGREG(0), 0xffffffff81000000), EINVAL);
	fails(pt(PTRACE_POKEUSER, pid, DEBUGREG(4), 1), EIO);
	fails(arm(pid, 0, (char *)&watched + 1, DR7(0, RW_WRITE, LEN8)), EINVAL);
	fails(arm(pid, 0, &watched, DR7(0, 2, LEN1)), EINVAL);
	fails(arm(pid, 0, landmark, DR7(0, RW_EXEC, LEN4)), EINVAL);
	is(peek(PTRACE_PEEKUSER, pid, DEBUGREG(7)), 0);
	end(pid);
}

HELPER(after_exec)
{
	watched = 9;
	return 0;
}

TEST(exec_drops_breakpoints)
{
	tracee(pid) {
		execl("/proc/self/exe", "ptraceregs", "@after_exec", NULL);
	}
	is(arm(pid, 0, &watched, DR7(0, RW_WRITE, LEN8)), 0);
	is(go(PTRACE_CONT, pid, 0), STOPPED(SIGTRAP, 0));
	is(peek(PTRACE_PEEKUSER, pid, DEBUGREG(7)), 0);
	is(go(PTRACE_CONT, pid, 0), 0);
}
