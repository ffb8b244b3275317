/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scheduler torture: threads that change one another's policies, priorities and
 * affinities while they wait for each other.
 *
 * Model: as many tokens as threads. A thread sleeps until it has one, does
 * something random, and gives the token to a random other one. A wakeup that is
 * lost shows as a thread that does not get its share of turns; a token that is
 * counted twice or lost shows at the end.
 *
 * A thread's affinity is set by others, one at a time (player.lock), who then
 * write down the mask, with a sequence count. When sched_set_affinity() has
 * returned the thread runs only there: it looks where it is, pinned, and in
 * which mask that must be.
 *
 * Broken variant: whoever sets an affinity writes it down and tells nobody.
 */
#include "kernel/sched/sched.h"

#include "kernel/sched/priority.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "lib/test.h"
#include "percpu/counter.h"
#include "percpu/pin.h"
#include "sync/mutex.h"
#include "sync/seq.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"
#include "sync/waitq.h"

/* CPUs beyond are not chosen. */
#define CPUS_MAX 64u

static LOCK_CLASS(player_class, RANK_EXEC);

struct player {
	/* a  NULL before it runs and after its end */
	struct task *task;
	/* sets task, and sets its affinity */
	struct mutex lock;
	/* a */
	u32 tokens;
	struct waitq wait;
	/* s  where it may run, bit n: CPU n; how many CPUs had left when it was set */
	struct seqcount seq;
	u64 mask;
	s64 lost;
} __cacheline_aligned;

struct sched_torture {
	struct torture t;
	struct player players[TORTURE_THREADS];
	bool broken;
	/* a  what was done */
	u64 changes, moves, looks;
};

static struct sched_torture torture;

/* A policy, nice value and priority; seldom a real-time one. */
static void
change_policy(struct task *t, u64 r)
{
	static const u32 policies[] = {SCHED_OTHER, SCHED_BATCH, SCHED_IDLE,  SCHED_OTHER,
				       SCHED_FIFO,  SCHED_RR,	 SCHED_OTHER, SCHED_BATCH};
	u32 policy = policies[r & 7];
	bool rt = policy == SCHED_FIFO || policy == SCHED_RR;

	EXPECT_EQ(sched_set_policy(t, policy, (s32)(r >> 8 & 31) - 16,
				   rt ? 1 + (u32)(r >> 16) % 99 : 0),
		  0);
	atomic_inc(&torture.changes);
}

static void
change_affinity(struct player *p, u64 r)
{
	struct cpumask mask;
	u64 bits = 0;
	s64 lost = counter_sum(sched_affinity_lost);
	unsigned int cpu;

	cpumask_zero(&mask);
	for (cpu = 0; cpu < min(nr_cpus, CPUS_MAX); cpu++)
		if (cpu_active(cpu) && r >> cpu & 1) {
			cpumask_set(&mask, cpu);
			bits |= BIT(cpu);
		}
	/* All may have left meanwhile. */
	if (bits == 0 || (!torture.broken && sched_set_affinity(p->task, &mask)))
		return;
	pin();
	seq_write_begin(&p->seq);
	WRITE_ONCE(p->mask, bits);
	WRITE_ONCE(p->lost, lost);
	seq_write_end(&p->seq);
	unpin();
	atomic_inc(&torture.moves);
}

/* Before an affinity changes: the thread may be anywhere until the new one is written down. */
static void
anywhere(struct player *p)
{
	pin();
	seq_write_begin(&p->seq);
	WRITE_ONCE(p->mask, ~0UL);
	seq_write_end(&p->seq);
	unpin();
}

static void
meddle(struct player *p, u64 r)
{
	mutex_lock(&p->lock);
	if (p->task) {
		if (r & 1) {
			anywhere(p);
			change_affinity(p, r >> 1);
		} else {
			change_policy(p->task, r >> 1);
		}
	}
	mutex_unlock(&p->lock);
}

/* Is this thread where it may be? 1 if not. */
static u64
look_around(struct player *p)
{
	unsigned int cpu;
	u64 mask;
	s64 lost;
	u32 seq;

	pin();
	seq = seq_read_begin(&p->seq);
	mask = READ_ONCE(p->mask);
	lost = READ_ONCE(p->lost);
	cpu = cpu_id();
	/* Who is about to change it waits until we have left its way: mask is anywhere by then. */
	mask = seq_read_retry(&p->seq, seq) ? ~0UL : mask;
	unpin();
	atomic_inc(&torture.looks);
	if (cpu >= CPUS_MAX || mask & BIT(cpu))
		return 0;
	/* Where none of its CPUs was left it may run everywhere. */
	return counter_sum(sched_affinity_lost) == lost;
}

static void
give(struct player *to)
{
	atomic_inc(&to->tokens);
	waitq_wake(&to->wait, 1, 0);
}

static void
enter_game(struct player *p, bool in)
{
	mutex_lock(&p->lock);
	p->task = in ? current : NULL;
	mutex_unlock(&p->lock);
	if (in)
		current->sched.bound = false;
	else
		EXPECT_EQ(sched_set_policy(current, SCHED_OTHER, 0, 0), 0);
}

static void
player_run(struct torture_thread *th)
{
	struct sched_torture *s = &torture;
	struct player *p = &s->players[th->index];

	enter_game(p, true);
	for (;;) {
		u64 r = test_rand(&th->seed);

		wait_event(&p->wait, atomic_read(&p->tokens) != 0 || torture_over(th));
		th->result += look_around(p);
		if (th->result && s->broken)
			torture_stop(th);
		if (torture_over(th))
			break;
		atomic_dec(&p->tokens);
		meddle(&s->players[r % s->t.nr], test_rand(&th->seed));
		if ((r >> 32 & 7) == 0)
			test_sleep((r >> 40) % (200 * NSEC_PER_USEC));
		th->result += look_around(p);
		torture_turn(th);
		give(&s->players[(r >> 16) % s->t.nr]);
	}
	for (unsigned int i = 0; i < s->t.nr; i++)
		waitq_wake(&s->players[i].wait, 0, 0);
	enter_game(p, false);
}

/* How often a thread was where it may not be. */
static u64
run(bool broken)
{
	struct sched_torture *s = &torture;
	struct torture_plan plan = {.fn = player_run,
				    .threads = min(2 * test_cpus() + 1, TORTURE_THREADS),
				    .share = 4,
				    .work = broken ? TORTURE_UNTIL_FOUND : 20000};
	u64 wrong, tokens = 0;

	s->broken = broken;
	s->changes = s->moves = s->looks = 0;
	for (unsigned int i = 0; i < plan.threads; i++) {
		struct player *p = &s->players[i];

		*p = (struct player){.tokens = 1, .mask = ~0UL};
		mutex_init(&p->lock, &player_class);
		waitq_init(&p->wait);
	}
	wrong = torture_run(&s->t, &plan);
	for (unsigned int i = 0; i < plan.threads; i++)
		tokens += s->players[i].tokens;
	EXPECT_EQ(tokens, plan.threads);
	return wrong;
}

TEST(sched_torture)
{
	EXPECT_EQ(run(false), 0);
	EXPECT_GT(torture.changes, 0);
	EXPECT_GT(torture.moves, 0);
	test_printf("# %lu policies, %lu affinities, %lu looks\n", torture.changes, torture.moves,
		    torture.looks);
}

TEST(sched_torture_finds_broken)
{
	u64 wrong = 0;

	if (test_cpus() < 2)
		TEST_SKIP("needs two CPUs");
	for (int i = 0; i < TORTURE_TRIES && !wrong; i++)
		wrong = run(true);
	EXPECT_GT(wrong, 0);
}
