/* SPDX-License-Identifier: BSD-2-Clause */
/* Queues of signals, dispositions and masks, on kernel threads. */
#include "kernel/signal/signal_impl.h"

#include "kernel/task/task_impl.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/test.h"
#include "sync/completion.h"

static struct sigqueue *
queued(struct sigpending *p, int sig, s32 mark)
{
	struct sigqueue *q = sigqueue_alloc(current, U64_MAX);

	if (!q)
		return NULL;
	memset(&q->info, 0, sizeof(q->info));
	q->info.signo = sig;
	q->info.code = SI_QUEUE;
	q->info.pid = mark;
	list_add_tail(&q->link, &p->list);
	p->set |= sigmask(sig);
	return q;
}

TEST(queue_order)
{
	struct sigpending p;
	struct siginfo info;
	bool timer = false;

	signal_pending_init(&p);
	EXPECT_EQ(signal_next(&p, 0), 0);
	ASSERT_TRUE(queued(&p, 40, 1));
	ASSERT_TRUE(queued(&p, 40, 2));
	ASSERT_TRUE(queued(&p, SIGTERM, 3));
	ASSERT_TRUE(queued(&p, SIGSEGV, 4));
	/* Faults first, then the lowest number. */
	EXPECT_EQ(signal_next(&p, 0), SIGSEGV);
	EXPECT_EQ(signal_next(&p, sigmask(SIGSEGV)), SIGTERM);
	EXPECT_EQ(signal_next(&p, sigmask(SIGSEGV) | sigmask(SIGTERM)), 40);
	EXPECT_EQ(signal_next(&p, ~0UL), 0);
	signal_collect(&p, 40, &info, &timer);
	EXPECT_EQ(info.pid, 1);
	EXPECT(p.set & sigmask(40));
	signal_collect(&p, 40, &info, &timer);
	EXPECT_EQ(info.pid, 2);
	EXPECT(!(p.set & sigmask(40)));
	EXPECT(!timer);
	signal_flush_mask(&p, sigmask(SIGTERM));
	EXPECT_EQ(signal_next(&p, 0), SIGSEGV);
	signal_flush(&p);
	EXPECT(list_empty(&p.list));
	EXPECT_EQ(p.set, 0UL);
}

/* A bit without an entry: the sender had no memory. */
TEST(queue_without_entry)
{
	struct sigpending p;
	struct siginfo info;
	bool timer = false;

	signal_pending_init(&p);
	p.set = sigmask(SIGINT);
	signal_collect(&p, SIGINT, &info, &timer);
	EXPECT_EQ(info.signo, SIGINT);
	EXPECT_EQ(info.code, SI_USER);
	EXPECT_EQ(p.set, 0UL);
}

TEST(queue_limit)
{
	struct user *u = rcu_locked(current->cred)->user;
	s64 before = user_count_sum(u, USER_SIGPENDING);
	struct sigqueue *q[4];

	for (unsigned int i = 0; i < 4; i++) {
		q[i] = sigqueue_alloc(current, before + 3);
		EXPECT_EQ(q[i] != NULL, i < 3);
	}
	EXPECT_EQ(user_count_sum(u, USER_SIGPENDING), before + 3);
	for (unsigned int i = 0; i < 3; i++)
		sigqueue_free(q[i]);
	EXPECT_EQ(user_count_sum(u, USER_SIGPENDING), before);
}

TEST(sighand_reset_keeps_ignored)
{
	struct sighand *s = sighand_alloc();

	ASSERT_TRUE(s != NULL);
	s->action[SIGHUP - 1].handler = (void __user __force *)SIG_IGN;
	s->action[SIGINT - 1].handler = (void __user __force *)0x1000UL;
	s->action[SIGINT - 1].mask = 1;
	sighand_reset(s, false);
	EXPECT((unsigned long __force)s->action[SIGHUP - 1].handler == SIG_IGN);
	EXPECT((unsigned long __force)s->action[SIGINT - 1].handler == SIG_DFL);
	EXPECT_EQ(s->action[SIGINT - 1].mask, 0UL);
	sighand_reset(s, true);
	EXPECT((unsigned long __force)s->action[SIGHUP - 1].handler == SIG_DFL);
	sighand_put(s);
}

static int
sleeper(void *arg)
{
	complete(arg);
	while (!kthread_should_stop()) {
		park_prepare(PARK_INTERRUPTIBLE);
		if (kthread_should_stop())
			park_cancel();
		else
			park(NO_DEADLINE);
	}
	return signal_pending();
}

/* Kernel threads ignore everything, SIGKILL included. */
TEST(kthread_ignores)
{
	struct completion begun;
	struct task *t;

	completion_init(&begun);
	t = kthread_create(-1, sleeper, &begun, "sleeper");
	ASSERT_TRUE(!is_err(t));
	completion_wait(&begun);
	EXPECT_EQ(signal_send_task(t, SIGTERM, NULL), 0);
	EXPECT_EQ(signal_send_process(t->process, SIGSTOP, NULL), 0);
	EXPECT_EQ(signal_send_process(t->process, SIGKILL, NULL), 0);
	EXPECT_EQ(t->signals.pending.set | t->process->signals.pending.set, 0UL);
	EXPECT_EQ(kthread_stop(t), 0);
}

TEST(blocked_mask)
{
	sigset_t was = current->signals.blocked;

	signal_set_blocked(~0UL);
	EXPECT_EQ(current->signals.blocked, ~SIG_UNBLOCKABLE);
	EXPECT(signal_ignored_or_blocked(SIGTTOU));
	signal_set_blocked(was);
	EXPECT_EQ(current->signals.blocked, was);
}
