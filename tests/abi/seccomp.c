/* SPDX-License-Identifier: BSD-2-Clause */
/* seccomp(2): errors, programs that are taken, what they compute, actions. */
#include "seccomp.h"

#include <sys/resource.h>
#include <ucontext.h>

/* --- calls and their errors --- */

TEST(nothing)
{
	is(prctl(PR_GET_SECCOMP), 0);
	is(field("/proc/self/status", "Seccomp"), 0);
	is(field("/proc/self/status", "Seccomp_filters"), 0);
}

TEST(errors)
{
	struct sock_filter f[] = { RET(ALLOW) };
	struct sock_fprog none = { .len = 1 };
	struct sock_fprog away = { .len = 1, .filter = BAD };
	struct sock_fprog empty = { .len = 0, .filter = f };
	struct sock_fprog large = { .len = 4097, .filter = BAD };

	fails(sec(4, 0, NULL), EINVAL);
	fails(sec(~0U, 0, NULL), EINVAL);
	fails(sec(SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
	fails(sec(SECCOMP_SET_MODE_STRICT, 0, f), EINVAL);
	fails(sec(SECCOMP_GET_ACTION_AVAIL, 1, f), EINVAL);
	fails(sec(SECCOMP_GET_ACTION_AVAIL, 0, BAD), EFAULT);
	fails(sec(SECCOMP_GET_NOTIF_SIZES, 1, f), EINVAL);
	fails(sec(SECCOMP_GET_NOTIF_SIZES, 0, BAD), EFAULT);
	fails(sec(SECCOMP_SET_MODE_FILTER, 0, NULL), EFAULT);
	fails(sec(SECCOMP_SET_MODE_FILTER, 0, BAD), EFAULT);
	fails(sec(SECCOMP_SET_MODE_FILTER, 0, &none), EINVAL);
	fails(sec(SECCOMP_SET_MODE_FILTER, 0, &away), EFAULT);
	fails(sec(SECCOMP_SET_MODE_FILTER, 0, &empty), EINVAL);
	fails(sec(SECCOMP_SET_MODE_FILTER, 0, &large), EINVAL);
	fails(sec(SECCOMP_SET_MODE_FILTER, 0x40, f), EINVAL);
	fails(sec(SECCOMP_SET_MODE_FILTER, 0x80000000, f), EINVAL);
	fails(install(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_NEW_LISTENER, f), EINVAL);
	fails(install(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, f), EINVAL);
	fails(prctl(PR_SET_SECCOMP, 0, 0), EINVAL);
	fails(prctl(PR_SET_SECCOMP, 3, 0), EINVAL);
	fails(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL), EFAULT);
	fails(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &empty), EINVAL);
	is(prctl(PR_GET_SECCOMP), 0);
}

TEST(flags)
{
	struct sock_filter f[] = { RET(ALLOW) };

	for (unsigned int flags = 0; flags < 8; flags++) {
		in_child {
			is(install(flags, f), 0);
			is(prctl(PR_GET_SECCOMP), SECCOMP_MODE_FILTER);
		}
	}
	in_child {
		is(install(SECCOMP_FILTER_FLAG_TSYNC_ESRCH, f), 0);
		is(install(SECCOMP_FILTER_FLAG_TSYNC_ESRCH | SECCOMP_FILTER_FLAG_TSYNC, f), 0);
		is(field("/proc/self/status", "Seccomp_filters"), 2);
		is(field("/proc/self/status", "Seccomp"), 2);
	}
}

TEST(actions_there)
{
	static const struct {
		unsigned int action;
		int err;
	} rows[] = {
		{ SECCOMP_RET_KILL_PROCESS, 0 }, { SECCOMP_RET_KILL_THREAD, 0 },
		{ SECCOMP_RET_TRAP, 0 }, { SECCOMP_RET_ERRNO, 0 },
		{ SECCOMP_RET_USER_NOTIF, 0 }, { SECCOMP_RET_TRACE, 0 },
		{ SECCOMP_RET_LOG, 0 }, { SECCOMP_RET_ALLOW, 0 },
		{ SECCOMP_RET_TRAP + 1, EOPNOTSUPP }, { 0x10000, EOPNOTSUPP },
		{ 0xffff0000, EOPNOTSUPP }, { 1, EOPNOTSUPP },
	};

	for (unsigned int i = 0; i < LEN(rows); i++) {
		errno = 0;
		sec(SECCOMP_GET_ACTION_AVAIL, 0, &rows[i].action);
		ok(errno == rows[i].err, "action %#x", rows[i].action);
	}
}

TEST(sizes)
{
	struct seccomp_notif_sizes s = {};

	is(sec(SECCOMP_GET_NOTIF_SIZES, 0, &s), 0);
	is(s.seccomp_notif, 80);
	is(s.seccomp_notif_resp, 24);
	is(s.seccomp_data, 64);
}

TEST(rights)
{
	in_child {
		drop(USER);
		fails(filter_call(0, CALL, ERR(7)), EACCES);
		/* Of the program nothing is looked at before that. */
		fails(install_n(0, BAD, 1), EACCES);
		fails(install_n(0, BAD, 0), EINVAL);
		is(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
		is(filter_call(0, CALL, ERR(7)), 0);
		fails(syscall(CALL), 7);
	}
	in_child {
		is(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
		is(filter_call(0, CALL, ERR(7)), 0);
		is(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	}
}

/* --- which programs are taken --- */

#define A(op) (BPF_ALU | (op))
#define END RET(ALLOW)

static const struct {
	const char *what;
	int err;
	struct sock_filter f[7];
	unsigned short len;
} programs[] = {
#define ROW(what, err, ...) \
	{ what, err, { __VA_ARGS__ }, LEN(((struct sock_filter[]){ __VA_ARGS__ })) }
	ROW("a constant", 0, END),
	ROW("the size in A", 0, S(BPF_LD | BPF_W | BPF_LEN, 9), END),
	ROW("the size in X", 0, S(BPF_LDX | BPF_W | BPF_LEN, 9), END),
	ROW("the last word", 0, S(BPF_LD | BPF_W | BPF_ABS, 60), END),
	ROW("behind the last word", EINVAL, S(BPF_LD | BPF_W | BPF_ABS, 64), END),
	ROW("a word not aligned", EINVAL, S(BPF_LD | BPF_W | BPF_ABS, 2), END),
	ROW("a word at 2^32 - 4", EINVAL, S(BPF_LD | BPF_W | BPF_ABS, -4), END),
	ROW("ancillary data", EINVAL, S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF), END),
	ROW("a half", EINVAL, S(BPF_LD | BPF_H | BPF_ABS, 0), END),
	ROW("a byte", EINVAL, S(BPF_LD | BPF_B | BPF_ABS, 0), END),
	ROW("a word at X", EINVAL, S(BPF_LD | BPF_W | BPF_IND, 0), END),
	ROW("a word to X", EINVAL, S(BPF_LDX | BPF_W | BPF_ABS, 0), END),
	ROW("a header's length", EINVAL, S(BPF_LDX | BPF_B | BPF_MSH, 0), END),
	ROW("constants", 0, S(BPF_LD | BPF_IMM, 5), S(BPF_LDX | BPF_IMM, 5), END),
	ROW("from A to X to A", 0, S(BPF_MISC | BPF_TAX, 0), S(BPF_MISC | BPF_TXA, 0), END),
	ROW("another MISC", EINVAL, S(BPF_MISC | 0x40, 0), END),
	ROW("add, sub, mul", 0, S(A(BPF_ADD), 0), S(A(BPF_SUB), 0), S(A(BPF_MUL), 0), END),
	ROW("by X", 0, S(A(BPF_ADD | BPF_X), 0), S(A(BPF_SUB | BPF_X), 0),
	    S(A(BPF_MUL | BPF_X), 0), END),
	ROW("and, or, xor", 0, S(A(BPF_AND), 0), S(A(BPF_OR), 0), S(A(BPF_XOR), 0), END),
	ROW("and, or, xor by X", 0, S(A(BPF_AND | BPF_X), 0), S(A(BPF_OR | BPF_X), 0),
	    S(A(BPF_XOR | BPF_X), 0), END),
	ROW("neg", 0, S(A(BPF_NEG), 0), END),
	ROW("neg of X", EINVAL, S(A(BPF_NEG | BPF_X), 0), END),
	ROW("mod", EINVAL, S(A(BPF_MOD), 3), END),
	ROW("mod by X", EINVAL, S(A(BPF_MOD | BPF_X), 3), END),
	ROW("division", 0, S(A(BPF_DIV), 3), END),
	ROW("division by X", 0, S(BPF_LDX | BPF_IMM, 1), S(A(BPF_DIV | BPF_X), 0), END),
	ROW("division by 0", EINVAL, S(A(BPF_DIV), 0), END),
	ROW("shifts", 0, S(A(BPF_LSH), 31), S(A(BPF_RSH), 31), END),
	ROW("shifts by X", 0, S(A(BPF_LSH | BPF_X), 32), S(A(BPF_RSH | BPF_X), 32), END),
	ROW("a shift by 32", EINVAL, S(A(BPF_LSH), 32), END),
	ROW("a shift to the right by 32", EINVAL, S(A(BPF_RSH), 32), END),
	ROW("an arithmetic shift", EINVAL, S(A(0xc0), 1), END),
	ROW("cells", 0, S(BPF_ST, 15), S(BPF_STX, 0), S(BPF_LD | BPF_MEM, 0),
	    S(BPF_LDX | BPF_MEM, 15), END),
	ROW("cell 16 from A", EINVAL, S(BPF_ST, 16), END),
	ROW("cell 16 from X", EINVAL, S(BPF_STX, 16), END),
	ROW("from cell 16", EINVAL, S(BPF_LD | BPF_MEM, 16), END),
	ROW("X from cell 16", EINVAL, S(BPF_LDX | BPF_MEM, 16), END),
	ROW("a cell that was not written", EINVAL, S(BPF_LD | BPF_MEM, 0), END),
	ROW("X of a cell that was not written", EINVAL, S(BPF_ST, 1), S(BPF_LDX | BPF_MEM, 0), END),
	ROW("a cell written on one way", EINVAL, J(BPF_JMP | BPF_JEQ, 0, 0, 1), S(BPF_ST, 0),
	    S(BPF_LD | BPF_MEM, 0), END),
	ROW("a cell written on both ways", 0, J(BPF_JMP | BPF_JEQ, 0, 0, 2), S(BPF_ST, 0),
	    S(BPF_JMP | BPF_JA, 1), S(BPF_STX, 0), S(BPF_LD | BPF_MEM, 0), END),
	ROW("a cell where no way leads", 0, S(BPF_JMP | BPF_JA, 1), S(BPF_LD | BPF_MEM, 0), END),
	ROW("a cell behind a return", EINVAL, END, S(BPF_LD | BPF_MEM, 0), END),
	ROW("no return", EINVAL, S(BPF_LD | BPF_IMM, 0)),
	ROW("a jump at the end", EINVAL, END, S(BPF_JMP | BPF_JA, 0)),
	ROW("a jump to the last", 0, S(BPF_JMP | BPF_JA, 1), RET(0), END),
	ROW("a jump behind the last", EINVAL, S(BPF_JMP | BPF_JA, 1), END),
	ROW("a jump back", EINVAL, S(BPF_JMP | BPF_JA, -1), END),
	ROW("branches", 0, J(BPF_JMP | BPF_JEQ, 0, 0, 0), J(BPF_JMP | BPF_JGT, 0, 0, 0),
	    J(BPF_JMP | BPF_JGE, 0, 0, 0), J(BPF_JMP | BPF_JSET, 0, 0, 0), END),
	ROW("branches by X", 0, J(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 0),
	    J(BPF_JMP | BPF_JGT | BPF_X, 0, 0, 0), J(BPF_JMP | BPF_JGE | BPF_X, 0, 0, 0),
	    J(BPF_JMP | BPF_JSET | BPF_X, 0, 0, 0), END),
	ROW("another branch", EINVAL, J(BPF_JMP | 0x50, 0, 0, 0), END),
	ROW("a branch behind the last", EINVAL, J(BPF_JMP | BPF_JEQ, 0, 1, 0), END),
	ROW("else behind the last", EINVAL, J(BPF_JMP | BPF_JEQ, 0, 0, 1), END),
	ROW("a return of X", EINVAL, S(BPF_RET | BPF_X, 0)),
	ROW("a return of A", 0, S(BPF_LD | BPF_IMM, ALLOW), S(BPF_RET | BPF_A, 0)),
	ROW("a code of 16 bits", EINVAL, S(0x100 | BPF_LD | BPF_IMM, 0), END),
	ROW("a code that is none", EINVAL, S(0xff, 0), END),
};

TEST(checks)
{
	for (unsigned int i = 0; i < LEN(programs); i++) {
		int r = reap(({
			pid_t p = fork();

			if (!p)
				_exit(install_n(0, programs[i].f, programs[i].len) ? errno : 0);
			p;
		}));
		ok(r == programs[i].err, "%s: %s", programs[i].what,
		   abi_errname(programs[i].err));
	}
}

/* --- what they compute --- */

/* The call returns 12 bits of what op makes of its first argument and its second, or of k. */
static long
computed(unsigned short op, unsigned int a, unsigned int x)
{
	struct sock_filter f[] = {
		LOAD(nr),
		J(BPF_JMP | BPF_JEQ | BPF_K, CALL, 0, 8),
		LOAD_ARG(1),
		S(BPF_MISC | BPF_TAX, 0),
		LOAD_ARG(0),
		S(A(op), x),
		S(BPF_MISC | BPF_TAX, 0),
		S(A(BPF_AND | BPF_K), 0x7ff),
		S(A(BPF_OR | BPF_K), SECCOMP_RET_ERRNO),
		S(BPF_RET | BPF_A, 0),
		RET(ALLOW),
	};
	int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long v;

	in_child {
		if (install(0, f))
			_exit(1);
		errno = 0;
		syscall(CALL, (unsigned long)a, (unsigned long)x);
		*shared = errno;
	}
	v = *shared;
	munmap(shared, 4096);
	return v;
}

TEST(arithmetic)
{
	static const unsigned int v[] = { 0x7fffffff, 1, 33, 0x80000003, 0xfffffff0 };

	for (unsigned int i = 0; i < LEN(v); i++) {
		for (unsigned int j = 0; j < LEN(v); j++) {
			unsigned int a = v[i], x = v[j];

			ok(computed(BPF_ADD | BPF_X, a, x) == ((a + x) & 0x7ff), "%#x + %#x", a, x);
			ok(computed(BPF_DIV | BPF_X, a, x) == (a / x & 0x7ff), "%#x / %#x", a, x);
			ok(computed(BPF_LSH | BPF_X, a, x) == (a << x % 32 & 0x7ff), "%#x << %#x", a,
			   x);
			ok(computed(BPF_RSH | BPF_X, a, x) == (a >> x % 32 & 0x7ff), "%#x >> %#x", a,
			   x);
			ok(computed(BPF_SUB | BPF_K, a, x) == ((a - x) & 0x7ff), "%#x - %#x", a, x);
			ok(computed(BPF_MUL | BPF_K, a, x) == (a * x & 0x7ff), "%#x * %#x", a, x);
			ok(computed(BPF_XOR | BPF_X, a, x) == ((a ^ x) & 0x7ff), "%#x ^ %#x", a, x);
		}
	}
}

TEST(division_by_zero)
{
	struct sock_filter f[] = {
		LOAD(nr),
		J(BPF_JMP | BPF_JEQ | BPF_K, CALL, 0, 1),
		S(A(BPF_DIV | BPF_X), 0),
		RET(ALLOW),
	};

	/* The program gives 0, which kills. */
	is(ends_by(install(0, f)), -SIGSYS);
}

/* Is what a filter sees at @off of the call @v? */
static bool
sees(unsigned int off, unsigned int v)
{
	struct sock_filter f[] = {
		LOAD(nr),
		J(BPF_JMP | BPF_JEQ | BPF_K, CALL, 0, 3),
		S(BPF_LD | BPF_W | BPF_ABS, off),
		J(BPF_JMP | BPF_JEQ | BPF_K, v, 0, 1),
		RET(ERR(77)),
		RET(ALLOW),
	};
	pid_t p = fork();

	if (!p) {
		if (install(0, f))
			_exit(1);
		errno = 0;
		syscall(CALL, 0x1111111122222222, 0x3333333344444444, 0x5555555566666666,
			0x7777777788888888, 0x99999999aaaaaaaa, 0xbbbbbbbbcccccccc);
		_exit(errno == 77 ? 2 : 3);
	}
	return reap(p) == 2;
}

TEST(data)
{
	check(sees(0, CALL));
	check(sees(4, AUDIT_ARCH_X86_64));
	for (unsigned int i = 0; i < 12; i++)
		ok(sees(16 + 4 * (i ^ 1), 0x11111111 * (i + 1)), "half %u of the arguments", i);
	check(!sees(16, 1));
}

/* syscall; ret */
static const unsigned char calls_here[] = { 0x0f, 0x05, 0xc3 };

/* The address is that behind the instruction. */
TEST(instruction_pointer)
{
	char *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long at = (unsigned long)code + 2;
	struct sock_filter f[] = {
		S(BPF_LD | BPF_W | BPF_ABS, 8),
		J(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)at, 0, 3),
		S(BPF_LD | BPF_W | BPF_ABS, 12),
		J(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)(at >> 32), 0, 1),
		RET(ERR(99)),
		RET(ALLOW),
	};
	long ret;

	memcpy(code, calls_here, sizeof(calls_here));
	is(install(0, f), 0);
	__asm__ volatile("call *%1" : "=a"(ret) : "r"(code), "0"(CALL) : "rcx", "r11", "memory");
	is(ret, -99);
	is(syscall(CALL) > 0, true);
}

/* --- actions --- */

TEST(errno_values)
{
	in_child {
		filter_call(0, CALL, ERR(0));
		is(syscall(CALL), 0);
	}
	in_child {
		filter_call(0, CALL, ERR(1));
		fails(syscall(CALL), 1);
	}
	in_child {
		filter_call(0, CALL, ERR(4095));
		fails(syscall(CALL), 4095);
	}
	in_child {
		filter_call(0, CALL, ERR(0xffff));
		fails(syscall(CALL), 4095);
	}
	in_child {
		filter_call(0, CALL, ERR(EINTR));
		fails(syscall(CALL), EINTR);
	}
}

TEST(log_and_trace_and_listener)
{
	pid_t me = getppid();

	in_child {
		is(filter_call(0, CALL, SECCOMP_RET_LOG | 5), 0);
		is(syscall(CALL) > 0, true);
	}
	in_child {
		is(filter_call(0, CALL, SECCOMP_RET_TRACE | 5), 0);
		fails(syscall(CALL), ENOSYS);
	}
	in_child {
		is(filter_call(0, CALL, SECCOMP_RET_USER_NOTIF), 0);
		fails(syscall(CALL), ENOSYS);
	}
	in_child {
		is(filter_call(0, CALL, SECCOMP_RET_ALLOW | 0x1234), 0);
		is(syscall(CALL) > 0, true);
	}
	is(getppid(), me);
}

static void
nop(int sig)
{
	(void)sig;
}

TEST(kills)
{
	static const unsigned int fatal[] = {
		SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, 0x00010000, 0x7fff0000 - 0x10000,
		0xffff0000, 0x90000000, SECCOMP_RET_KILL_PROCESS | 0xffff,
	};

	for (unsigned int i = 0; i < LEN(fatal); i++)
		ok(ends_by(filter_call(0, CALL, fatal[i])) == -SIGSYS, "%#x kills", fatal[i]);
	is(ends_by(({ signal(SIGSYS, SIG_IGN); filter_call(0, CALL, 0); })), -SIGSYS);
	is(ends_by(({ signal(SIGSYS, nop); filter_call(0, CALL, 0); })), -SIGSYS);
	is(ends_by(({
		   sigset_t s = sigs(SIGSYS, 0);
		   sigprocmask(SIG_BLOCK, &s, NULL);
		   filter_call(0, CALL, SECCOMP_RET_KILL_PROCESS);
	   })), -SIGSYS);
}

/* The wait status of a child with this filter that makes the call, which may leave a core. */
static int
status_with_core(unsigned int ret)
{
	struct rlimit r = { RLIM_INFINITY, RLIM_INFINITY };
	int st = -1;
	pid_t p = fork();

	if (!p) {
		setrlimit(RLIMIT_CORE, &r);
		filter_call(0, CALL, ret);
		syscall(CALL);
		_exit(1);
	}
	waitpid(p, &st, 0);
	return st;
}

TEST(cores)
{
	static const unsigned int fatal[] = {
		SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP,
	};
	struct stat st;

	for (unsigned int i = 0; i < LEN(fatal); i++) {
		is(status_with_core(fatal[i]), SIGSYS | 0x80);
		is(stat("core", &st), 0);
		check(st.st_size > 4096);
		unlink("core");
	}
}

/* A zombie shows what it died of. */
TEST(dead_mode)
{
	char path[64];
	pid_t p = fork();

	if (!p) {
		filter_call(0, CALL, 0);
		syscall(CALL);
	}
	until_state(p, 'Z');
	snprintf(path, sizeof(path), "/proc/%d/status", p);
	is(field(path, "Seccomp"), 3);
	is(field(path, "Seccomp_filters"), 1);
	is(reap(p), -SIGSYS);
}

/* --- traps --- */

static siginfo_t got;
static long got_rax, set_rax;
static volatile int traps;

static void
on_trap(int sig, siginfo_t *info, void *uc)
{
	ucontext_t *u = uc;

	(void)sig;
	got = *info;
	got_rax = u->uc_mcontext.gregs[REG_RAX];
	if (set_rax)
		u->uc_mcontext.gregs[REG_RAX] = set_rax;
	traps++;
}

TEST(trap)
{
	struct sigaction sa = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };

	sigaction(SIGSYS, &sa, NULL);
	is(filter_call(0, CALL, SECCOMP_RET_TRAP | 0xabcd), 0);
	is(syscall(CALL), CALL);
	is(traps, 1);
	is(got.si_signo, SIGSYS);
	is(got.si_code, 1);
	is(got.si_errno, 0xabcd);
	is(got.si_syscall, CALL);
	is(got.si_arch, AUDIT_ARCH_X86_64);
	check(got.si_call_addr != NULL);
	is(((unsigned char *)got.si_call_addr)[-1], 0x05);
	is(got_rax, CALL);
	set_rax = 4711;
	is(syscall(CALL), 4711);
	is(traps, 2);
	set_rax = -ENOTTY;
	fails(syscall(CALL), ENOTTY);
}

TEST(trap_kills)
{
	is(ends_by(filter_call(0, CALL, SECCOMP_RET_TRAP)), -SIGSYS);
	is(ends_by(({ signal(SIGSYS, SIG_IGN); filter_call(0, CALL, SECCOMP_RET_TRAP); })),
	   -SIGSYS);
	is(ends_by(({
		   sigset_t s = sigs(SIGSYS, 0);
		   signal(SIGSYS, nop);
		   sigprocmask(SIG_BLOCK, &s, NULL);
		   filter_call(0, CALL, SECCOMP_RET_TRAP);
	   })), -SIGSYS);
	is(ends_by(({ signal(SIGSYS, nop); filter_call(0, CALL, SECCOMP_RET_TRAP); })), 200);
}

/* --- several filters --- */

/* What becomes of the call under both filters, as a number. */
static int
of_both(unsigned int first, unsigned int second)
{
	pid_t p = fork();

	if (!p) {
		struct sigaction sa = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };

		sigaction(SIGSYS, &sa, NULL);
		set_rax = -100;
		if (filter_call(0, CALL, first) || filter_call(0, CALL, second))
			_exit(1);
		errno = 0;
		syscall(CALL);
		_exit(errno);
	}
	return reap(p);
}

TEST(strictest)
{
	/* From the strictest on, and what each comes to. */
	static const struct {
		unsigned int ret;
		int end;
	} rows[] = {
		{ SECCOMP_RET_KILL_PROCESS, -SIGSYS }, { SECCOMP_RET_KILL_THREAD, -SIGSYS },
		{ SECCOMP_RET_TRAP, 100 }, { ERR(5), 5 }, { SECCOMP_RET_USER_NOTIF, ENOSYS },
		{ SECCOMP_RET_TRACE, ENOSYS }, { SECCOMP_RET_LOG, 0 }, { SECCOMP_RET_ALLOW, 0 },
	};

	for (unsigned int i = 0; i < LEN(rows); i++) {
		for (unsigned int j = 0; j < LEN(rows); j++) {
			int want = rows[i < j ? i : j].end;

			ok(of_both(rows[i].ret, rows[j].ret) == want, "%#x and %#x", rows[i].ret,
			   rows[j].ret);
		}
	}
	is(of_both(ERR(5), ERR(6)), 6);
	is(of_both(ERR(6), ERR(5)), 5);
}
