/* SPDX-License-Identifier: BSD-2-Clause */
/* Signal frames: alternate stacks, and a context that the handler changes. */
#include "tests/abi/abi.h"

#include <ucontext.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

static volatile int hits[65];

static bool
blocked(int sig)
{
	sigset_t s;

	sigprocmask(SIG_BLOCK, NULL, &s);
	return sigismember(&s, sig);
}

static volatile long handler_sp;
static volatile int handler_ss;

static void
on_stack(int sig)
{
	char here;
	stack_t ss;

	handler_sp = (long)&here;
	sigaltstack(NULL, &ss);
	handler_ss = ss.ss_flags;
	hits[sig]++;
}

TEST(alternate_stack)
{
	static char alt[65536];
	stack_t ss = { .ss_sp = alt, .ss_size = sizeof(alt) };
	stack_t old;

	is(sigaltstack(NULL, &old), 0);
	is(old.ss_flags, SS_DISABLE);
	is(sigaltstack(&ss, NULL), 0);
	handle(SIGUSR1, on_stack, 0);
	raise(SIGUSR1);
	check(handler_sp < (long)alt || handler_sp > (long)alt + 65536);
	handle(SIGUSR1, on_stack, SA_ONSTACK);
	raise(SIGUSR1);
	check(handler_sp > (long)alt && handler_sp < (long)alt + 65536);
	is(handler_ss, SS_ONSTACK);
	is(sigaltstack(NULL, &old), 0);
	is(old.ss_flags, 0);
	is(old.ss_sp, alt);
	is(old.ss_size, sizeof(alt));
	ss.ss_size = 100;
	fails(sigaltstack(&ss, NULL), ENOMEM);
	ss.ss_size = sizeof(alt);
	ss.ss_flags = 0x1234;
	fails(sigaltstack(&ss, NULL), EINVAL);
	fails(sigaltstack(BAD, NULL), EFAULT);
	ss.ss_flags = SS_DISABLE;
	is(sigaltstack(&ss, NULL), 0);
	raise(SIGUSR1);
	check(handler_sp < (long)alt || handler_sp > (long)alt + 65536);
	ss.ss_flags = SS_ONSTACK;
	is(sigaltstack(&ss, NULL), 0);
	raise(SIGUSR1);
	check(handler_sp > (long)alt && handler_sp < (long)alt + 65536);
	ss.ss_flags = (int)SS_AUTODISARM;
	is(sigaltstack(&ss, NULL), 0);
	raise(SIGUSR1);
	is(handler_ss, SS_DISABLE);
	sigaltstack(NULL, &old);
	is((unsigned int)old.ss_flags, SS_AUTODISARM);
}

static volatile long alt_change;

static void
changes_stack(int sig)
{
	static char other[65536];
	stack_t ss = { .ss_sp = other, .ss_size = sizeof(other) };

	(void)sig;
	alt_change = sigaltstack(&ss, NULL) ? -errno : 0;
}

TEST(no_change_while_on_it)
{
	static char alt[65536];
	stack_t ss = { .ss_sp = alt, .ss_size = sizeof(alt) };

	sigaltstack(&ss, NULL);
	handle(SIGUSR1, changes_stack, SA_ONSTACK);
	raise(SIGUSR1);
	is(alt_change, -EPERM);
}

static void
jumps(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;

	(void)si;
	hits[sig]++;
	/* Steps over the two-byte instruction and changes the mask. */
	uc->uc_mcontext.gregs[REG_RIP] += 2;
	uc->uc_mcontext.gregs[REG_RBX] = 0x1234;
	sigaddset(&uc->uc_sigmask, SIGHUP);
}

TEST(context_is_used)
{
	struct sigaction sa = { .sa_sigaction = jumps, .sa_flags = SA_SIGINFO };
	unsigned long rbx = 0;

	sigaction(SIGILL, &sa, NULL);
	asm volatile("ud2" : "+b"(rbx));
	is(hits[SIGILL], 1);
	is(rbx, 0x1234);
	check(blocked(SIGHUP));
}

static volatile int wrecked, faults, blocked_in_fault;

static void
wreck(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;
	char *fp = (char *)uc->uc_mcontext.fpregs;

	(void)sig;
	(void)si;
	/* Reserved bytes of XSAVE's header. */
	if (uc->uc_flags & 1)
		*(unsigned long *)(fp + 512 + 16) = 0xfffffff;
	sigaddset(&uc->uc_sigmask, SIGUSR2);
	wrecked++;
}

static void
on_wreck(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;

	(void)sig;
	faults++;
	blocked_in_fault = sigismember(&uc->uc_sigmask, SIGUSR2);
	if (si->si_code != SI_KERNEL)
		_exit(50);
}

/* The fault of a wrong extended state comes where the frame goes back to. */
TEST(wrong_extended_state)
{
	struct sigaction sa = { .sa_sigaction = wreck, .sa_flags = SA_SIGINFO };
	sigset_t now;

	sigaction(SIGUSR1, &sa, NULL);
	sa.sa_sigaction = on_wreck;
	sigaction(SIGSEGV, &sa, NULL);
	for (int i = 1; i < 4; i++) {
		raise(SIGUSR1);
		is(wrecked, i);
		is(faults, i);
	}
	is(blocked_in_fault, 1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	is(sigismember(&now, SIGUSR2), 1);
	in_child {
		is(wrecked, 3);
	}
}
