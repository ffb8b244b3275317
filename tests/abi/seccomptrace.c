/* SPDX-License-Identifier: BSD-2-Clause */
/* seccomp(2) and ptrace(2): who comes first, tracers that decide, filters read by a tracer. */
#include "ptrace.h"
#include "seccomp.h"

#include <pthread.h>

#define EVENT STOPPED(SIGTRAP, PTRACE_EVENT_SECCOMP)
#define SYSCALL_STOP STOPPED(SIGTRAP | 0x80, 0)
#define TRACESECCOMP PTRACE_O_TRACESECCOMP
#define AT_RAX offsetof(struct user_regs_struct, rax)
#define AT_CALL offsetof(struct user_regs_struct, orig_rax)

#ifndef PTRACE_SYSCALL_INFO_SECCOMP
#define PTRACE_SYSCALL_INFO_SECCOMP 3
#endif

/* A tracee that has made ready by @prepare and then ends with what the call gives, or 100 + errno. */
#define traced(var, options, prepare)					\
	tracee(var) {							\
		long t_r;						\
		prepare;						\
		raise(SIGUSR2);						\
		errno = 0;						\
		t_r = syscall(CALL, 1, 2, 3, 4, 5, 6);			\
		_exit(t_r == -1 ? 100 + errno : t_r & 0x7f);		\
	}								\
	is(pt(PTRACE_SETOPTIONS, var, 0, options), 0);			\
	is(go(PTRACE_CONT, var, 0), STOPPED(SIGUSR2, 0))

static int
ended(int code)
{
	return code << 8;
}

static unsigned long
message(pid_t p)
{
	unsigned long m = 0x5a5a5a5a;

	pt(PTRACE_GETEVENTMSG, p, 0, (unsigned long)&m);
	return m;
}

static void
set(pid_t p, unsigned long reg, long v)
{
	if (pt(PTRACE_POKEUSER, p, reg, v))
		ok(false, "POKEUSER: %s", abi_errname(errno));
}

TEST(event)
{
	traced(p, TRACESECCOMP, filter_call(0, CALL, SECCOMP_RET_TRACE | 0xfedc));

	is(go(PTRACE_CONT, p, 0), EVENT);
	is(message(p), 0xfedc);
	is(peek(PTRACE_PEEKUSER, p, AT_CALL), CALL);
	is(peek(PTRACE_PEEKUSER, p, AT_RAX), -ENOSYS);
	is(go(PTRACE_CONT, p, 0), ended(getpid() & 0x7f));
}

TEST(event_not_wanted)
{
	traced(p, PTRACE_O_TRACESYSGOOD, filter_call(0, CALL, SECCOMP_RET_TRACE | 1));

	is(go(PTRACE_CONT, p, 0), ended(100 + ENOSYS));
}

TEST(event_changes_result)
{
	traced(p, TRACESECCOMP, filter_call(0, CALL, SECCOMP_RET_TRACE));

	is(go(PTRACE_CONT, p, 0), EVENT);
	set(p, AT_CALL, -1);
	set(p, AT_RAX, 44);
	is(go(PTRACE_CONT, p, 0), ended(44));
}

TEST(event_forbids)
{
	traced(p, TRACESECCOMP, filter_call(0, CALL, SECCOMP_RET_TRACE));

	is(go(PTRACE_CONT, p, 0), EVENT);
	set(p, AT_CALL, -1);
	is(go(PTRACE_CONT, p, 0), ended(100 + ENOSYS));
}

/* The call that the tracer makes of it is looked at; that it is the tracer's is known. */
TEST(event_changes_call)
{
	static const struct {
		unsigned int ret;
		int nr;
		int end;
	} rows[] = {
		{ ERR(33), SYS_getpgid, 133 << 8 },
		{ ALLOW, SYS_getegid, 0 },
		{ SECCOMP_RET_TRACE, SYS_getegid, 0 },
		{ SECCOMP_RET_KILL_PROCESS, SYS_getegid, SIGSYS },
		{ ERR(0), SYS_getegid, 0 },
		{ ALLOW, 9999, (100 + ENOSYS) << 8 },
	};

	for (unsigned int i = 0; i < LEN(rows); i++) {
		int st;

		traced(p, TRACESECCOMP, ({
			       filter_call(0, CALL, SECCOMP_RET_TRACE);
			       filter_call(0, rows[i].nr, rows[i].ret);
		       }));
		is(go(PTRACE_CONT, p, 0), EVENT);
		set(p, AT_CALL, rows[i].nr);
		st = go(PTRACE_CONT, p, 0);
		ok((st & ~0x80) == rows[i].end, "row %u ends with %#x", i, st);
	}
}

TEST(event_killed)
{
	traced(p, TRACESECCOMP, filter_call(0, CALL, SECCOMP_RET_TRACE));

	is(go(PTRACE_CONT, p, 0), EVENT);
	kill(p, SIGKILL);
	is(stop(p), SIGKILL);
}

/* The tracer goes meanwhile: the call is made. */
TEST(event_detached)
{
	int st;

	traced(p, TRACESECCOMP, filter_call(0, CALL, SECCOMP_RET_TRACE));
	is(go(PTRACE_CONT, p, 0), EVENT);
	is(pt(PTRACE_DETACH, p, 0, 0), 0);
	is(waitpid(p, &st, 0), p);
	is(st, ended(getpid() & 0x7f));
}

/* --- order --- */

TEST(order)
{
	traced(p, TRACESECCOMP | PTRACE_O_TRACESYSGOOD,
	       filter_call(0, CALL, SECCOMP_RET_TRACE | 3));

	is(go(PTRACE_SYSCALL, p, 0), SYSCALL_STOP);
	/* The end of the signal that it stood in. */
	while (peek(PTRACE_PEEKUSER, p, AT_CALL) != CALL)
		is(go(PTRACE_SYSCALL, p, 0), SYSCALL_STOP);
	is(message(p), 1);
	is(go(PTRACE_SYSCALL, p, 0), EVENT);
	is(message(p), 3);
	is(go(PTRACE_SYSCALL, p, 0), SYSCALL_STOP);
	is(message(p), 2);
	is(peek(PTRACE_PEEKUSER, p, AT_RAX), getpid());
	is(go(PTRACE_SYSCALL, p, 0), SYSCALL_STOP);
	is(go(PTRACE_CONT, p, 0), ended(getpid() & 0x7f));
}

/* To the stop before the call, from that of the signal. */
static void
to_call(pid_t p)
{
	do {
		if (go(PTRACE_SYSCALL, p, 0) != SYSCALL_STOP) {
			ok(false, "a stop before the call");
			break;
		}
	} while (peek(PTRACE_PEEKUSER, p, AT_CALL) != CALL);
}

/* What the filter decides shows at the end of the call. */
TEST(order_errno)
{
	traced(p, PTRACE_O_TRACESYSGOOD, filter_call(0, CALL, ERR(27)));

	to_call(p);
	is(go(PTRACE_SYSCALL, p, 0), SYSCALL_STOP);
	is(peek(PTRACE_PEEKUSER, p, AT_RAX), -27);
	is(go(PTRACE_CONT, p, 0), ended(127));
}

/* The filter sees what the tracer has made of it. */
TEST(order_changed)
{
	{
		traced(p, PTRACE_O_TRACESYSGOOD, filter_call(0, SYS_getpgid, ERR(28)));
		to_call(p);
		set(p, AT_CALL, SYS_getpgid);
		is(go(PTRACE_CONT, p, 0), ended(128));
	}
	{
		traced(p, PTRACE_O_TRACESYSGOOD, filter_call(0, CALL, ERR(28)));
		to_call(p);
		set(p, AT_CALL, SYS_getegid);
		is(go(PTRACE_CONT, p, 0), ended(0));
	}
	/* Also that it shall be none. */
	{
		traced(p, PTRACE_O_TRACESYSGOOD, filter_call(0, -1, ERR(29)));
		to_call(p);
		set(p, AT_CALL, -1);
		is(go(PTRACE_CONT, p, 0), ended(129));
	}
	{
		traced(p, PTRACE_O_TRACESYSGOOD, filter_call(0, CALL, ERR(29)));
		to_call(p);
		set(p, AT_CALL, -1);
		set(p, AT_RAX, 17);
		is(go(PTRACE_CONT, p, 0), ended(17));
	}
	{
		traced(p, PTRACE_O_TRACESYSGOOD, filter_call(0, -1, SECCOMP_RET_KILL_PROCESS));
		to_call(p);
		set(p, AT_CALL, -1);
		is(go(PTRACE_CONT, p, 0) & ~0x80, SIGSYS);
	}
}

TEST(no_number)
{
	in_child {
		is(filter_call(0, -1, ERR(31)), 0);
		fails(syscall(-1), 31);
		fails(syscall(0xffffffff), 31);
		fails(syscall(9999), ENOSYS);
	}
	in_child {
		is(filter_call(0, 9999, ERR(31)), 0);
		fails(syscall(9999), 31);
		fails(syscall(-1), ENOSYS);
		fails(syscall(0x100000000 + 9999), 31);
	}
	/* The numbers of the x32 ABI are numbers. */
	in_child {
		is(filter_call(0, 0x40000000 + CALL, ERR(31)), 0);
		fails(syscall(0x40000000 + CALL), 31);
		is(syscall(CALL) > 0, true);
	}
}

/* A call that a tracer emulates does not come to the filters. */
TEST(emulated)
{
	traced(p, PTRACE_O_TRACESYSGOOD, filter_call(0, CALL, SECCOMP_RET_KILL_PROCESS));

	do
		is(go(PTRACE_SYSEMU, p, 0), SYSCALL_STOP);
	while (peek(PTRACE_PEEKUSER, p, AT_CALL) != CALL);
	set(p, AT_RAX, 19);
	is(go(PTRACE_CONT, p, 0), ended(19));
}

/* --- ends --- */

/* The signal that kills is no signal of the tracer's. */
TEST(kill_is_not_shown)
{
	{
		traced(p, 0, ({ signal(SIGSYS, SIG_IGN); filter_call(0, CALL, 0x80000000); }));
		is(go(PTRACE_CONT, p, 0) & ~0x80, SIGSYS);
	}
	{
		traced(p, PTRACE_O_TRACEEXIT, filter_call(0, CALL, 0));
		is(go(PTRACE_CONT, p, 0), STOPPED(SIGTRAP, PTRACE_EVENT_EXIT));
		is(message(p) & ~0x80, SIGSYS);
		is(go(PTRACE_CONT, p, 0) & ~0x80, SIGSYS);
	}
}

TEST(trap_is_shown)
{
	siginfo_t info;

	traced(p, 0, filter_call(0, CALL, SECCOMP_RET_TRAP | 21));
	is(go(PTRACE_CONT, p, 0), STOPPED(SIGSYS, 0));
	memset(&info, 0, sizeof(info));
	is(pt(PTRACE_GETSIGINFO, p, 0, (unsigned long)&info), 0);
	is(info.si_code, 1);
	is(info.si_errno, 21);
	is(info.si_syscall, CALL);
	is(peek(PTRACE_PEEKUSER, p, AT_RAX), CALL);
	/* Without the signal it goes on as if the call had returned its number. */
	is(go(PTRACE_CONT, p, 0), ended(CALL));
}

static void *
thread_killed(void *arg)
{
	(void)arg;
	filter_call(0, CALL, SECCOMP_RET_KILL_THREAD);
	syscall(CALL);
	return NULL;
}

TEST(thread_exit_event)
{
	unsigned long tid;

	tracee(p) {
		pthread_t t;

		pthread_create(&t, NULL, thread_killed, NULL);
		pause();
	}
	is(pt(PTRACE_SETOPTIONS, p, 0, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT), 0);
	is(go(PTRACE_CONT, p, 0), STOPPED(SIGTRAP, PTRACE_EVENT_CLONE));
	tid = message(p);
	is(stop(tid), STOPPED(SIGSTOP, 0));
	is(pt(PTRACE_CONT, p, 0, 0), 0);
	is(go(PTRACE_CONT, tid, 0), STOPPED(SIGTRAP, PTRACE_EVENT_EXIT));
	is(message(tid), SIGSYS);
	is(go(PTRACE_CONT, tid, 0), SIGSYS);
	is(quiet(p), true);
	kill(p, SIGKILL);
	is(stop(p), STOPPED(SIGTRAP, PTRACE_EVENT_EXIT));
	is(go(PTRACE_CONT, p, 0), SIGKILL);
}

/* --- what a tracer learns --- */

TEST(syscall_info)
{
	struct __ptrace_syscall_info i;

	traced(p, TRACESECCOMP, filter_call(0, CALL, SECCOMP_RET_TRACE | 0x777));
	is(go(PTRACE_CONT, p, 0), EVENT);
	memset(&i, 0x5a, sizeof(i));
	is(pt(PTRACE_GET_SYSCALL_INFO, p, sizeof(i), (unsigned long)&i), 84);
	is(i.op, PTRACE_SYSCALL_INFO_SECCOMP);
	is(i.arch, AUDIT_ARCH_X86_64);
	is(i.seccomp.nr, CALL);
	for (int n = 0; n < 6; n++)
		is(i.seccomp.args[n], n + 1);
	is(i.seccomp.ret_data, 0x777);
	is(pt(PTRACE_GET_SYSCALL_INFO, p, 0, 0), 84);
	end(p);
}

TEST(filters_read)
{
	struct sock_filter f[8], one[] = { RET(ALLOW) };
	struct sock_filter two[] = { LOAD(nr), S(BPF_LD | BPF_W | BPF_LEN, 7), RET(ALLOW) };
	struct {
		unsigned long off, flags;
	} m = {};

	traced(p, 0, ({ install(0, one); install(SECCOMP_FILTER_FLAG_LOG, two); }));
	is(pt(PTRACE_SECCOMP_GET_FILTER, p, 0, 0), 1);
	is(pt(PTRACE_SECCOMP_GET_FILTER, p, 1, 0), 3);
	fails(pt(PTRACE_SECCOMP_GET_FILTER, p, 2, 0), ENOENT);
	fails(pt(PTRACE_SECCOMP_GET_FILTER, p, -1, 0), ENOENT);
	fails(pt(PTRACE_SECCOMP_GET_FILTER, p, 1, 8), EFAULT);
	memset(f, 0x5a, sizeof(f));
	is(pt(PTRACE_SECCOMP_GET_FILTER, p, 1, (unsigned long)f), 3);
	is(memcmp(f, two, sizeof(two)), 0);
	is(f[3].k, 0x5a5a5a5a);
	is(pt(PTRACE_SECCOMP_GET_FILTER, p, 0, (unsigned long)f), 1);
	is(memcmp(f, one, sizeof(one)), 0);
	is(pt(PTRACE_SECCOMP_GET_METADATA, p, sizeof(m), (unsigned long)&m), 16);
	is(m.flags, 0);
	m.off = 1;
	is(pt(PTRACE_SECCOMP_GET_METADATA, p, 4096, (unsigned long)&m), 16);
	is(m.flags, SECCOMP_FILTER_FLAG_LOG);
	is(m.off, 1);
	is(pt(PTRACE_SECCOMP_GET_METADATA, p, 8, (unsigned long)&m), 8);
	fails(pt(PTRACE_SECCOMP_GET_METADATA, p, 7, (unsigned long)&m), EINVAL);
	fails(pt(PTRACE_SECCOMP_GET_METADATA, p, 16, 8), EFAULT);
	m.off = 2;
	fails(pt(PTRACE_SECCOMP_GET_METADATA, p, 16, (unsigned long)&m), ENOENT);
	end(p);
}

TEST(filters_read_errors)
{
	unsigned long m[2] = {};

	{
		traced(p, 0, (void)0);
		fails(pt(PTRACE_SECCOMP_GET_FILTER, p, 0, 0), EINVAL);
		fails(pt(PTRACE_SECCOMP_GET_METADATA, p, 16, (unsigned long)m), EINVAL);
		end(p);
	}
	in_child {
		drop(USER);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		traced(p, 0, filter_call(0, CALL, ALLOW));
		fails(pt(PTRACE_SECCOMP_GET_FILTER, p, 0, 0), EACCES);
		fails(pt(PTRACE_SECCOMP_GET_METADATA, p, 16, (unsigned long)m), EACCES);
		end(p);
	}
	in_child {
		filter_call(0, CALL, ALLOW);
		traced(p, 0, (void)0);
		fails(pt(PTRACE_SECCOMP_GET_FILTER, p, 0, 0), EACCES);
		fails(pt(PTRACE_SECCOMP_GET_METADATA, p, 16, (unsigned long)m), EACCES);
		end(p);
	}
}

/* --- suspended --- */

TEST(suspended)
{
	{
		traced(p, PTRACE_O_SUSPEND_SECCOMP, filter_call(0, CALL, 0));
		is(go(PTRACE_CONT, p, 0), ended(getpid() & 0x7f));
	}
	{
		traced(p, PTRACE_O_SUSPEND_SECCOMP, filter_call(0, CALL, 0));
		is(pt(PTRACE_SETOPTIONS, p, 0, 0), 0);
		is(go(PTRACE_CONT, p, 0) & ~0x80, SIGSYS);
	}
	{
		int st;

		traced(p, PTRACE_O_SUSPEND_SECCOMP, prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
		is(pt(PTRACE_DETACH, p, 0, 0), 0);
		is(waitpid(p, &st, 0), p);
		is(st, SIGKILL);
	}
}

TEST(suspend_refused)
{
	in_child {
		drop(USER);
		tracee(p) {
			_exit(0);
		}
		fails(pt(PTRACE_SETOPTIONS, p, 0, PTRACE_O_SUSPEND_SECCOMP), EPERM);
		end(p);
	}
	in_child {
		filter_call(0, CALL, ALLOW);
		tracee(p) {
			_exit(0);
		}
		fails(pt(PTRACE_SETOPTIONS, p, 0, PTRACE_O_SUSPEND_SECCOMP), EPERM);
		is(pt(PTRACE_SETOPTIONS, p, 0, TRACESECCOMP), 0);
		end(p);
	}
}
