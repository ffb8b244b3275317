/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pipes: a writer and a reader with locks of their own, and somebody who changes the
 * number of slots meanwhile. All bytes arrive, in their order, and nobody sleeps on.
 * A reader that drops the newest slot without the writers' lock must be found to lose
 * bytes, one that trusts an old position of the writer to leave it asleep.
 */
#include "kernel/handle/pipe.h"

#include "arch/x86_64/asm/atomic.h"
#include "kernel/handle/handle.h"
#include "kernel/port_fs.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/test.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define GROUPS 16
/* Threads of a group: writer, reader, resizer. */
#define ROLES 3
#define CHUNK 6000u
#define KEPT 512u
/* A writer that sleeps so long beside free slots was forgotten, ns. */
#define LOST 100000000UL

struct pipe_group {
	struct pipe *pipe;
	/* ends, as handles are */
	struct file reads, writes;
	/* a  the writer has ended */
	bool ended;
	/* bytes written, bytes read */
	u64 written, read;
	/* since when the writer has slept beside free slots, ns; 0: it has not */
	u64 forgotten;
	char out[CHUNK], in[CHUNK];
};

struct pipe_torture {
	struct torture t;
	struct pipe_group group[GROUPS];
	/* What the reader does with a slot at its end; NULL: reads by pipe_ops. */
	void (*used_up)(struct pipe_torture *s, struct pipe *p);
	/* a  pages of slots that were dropped wrongly: the writer may be at them */
	u32 nr_kept;
	struct page *kept[KEPT];
	/* a  bytes that were wrong; writers that were left asleep */
	u32 wrong, lost;
};

static struct pipe_torture pipe_torture;

static char
byte_at(u64 pos)
{
	return (char)(pos % 251);
}

static void
group_write(struct pipe_group *g, u32 n)
{
	struct iter it;
	u64 pos = 0;

	for (u32 i = 0; i < n; i++)
		g->out[i] = byte_at(g->written + i);
	iter_init_kernel(&it, g->out, n);
	if (pipe_ops.write(&g->writes, &it, &pos) == (s64)n)
		g->written += n;
}

/* As pipe_ops.read, but never sleeps, and by s->used_up: what one slot has, or 0. */
static s64
read_by_hand(struct pipe_torture *s, struct pipe_group *g, u32 n)
{
	struct pipe *p = g->pipe;
	bool room;

	mutex_lock(&p->r.lock);
	n = pipe_readable(p) ? min(n, p->r.end - p->r.at) : 0;
	if (n != 0) {
		memcpy(g->in, (char *)page_to_virt(p->r.page) + p->r.at, n);
		p->r.at += n;
		if (p->r.at == p->r.end)
			s->used_up(s, p);
	}
	room = pipe_made_room(p);
	mutex_unlock(&p->r.lock);
	if (room)
		pipe_wake_writers(p);
	return n;
}

/* Forgets the newest slot while the writer adds to it. */
static void
used_up_alone(struct pipe_torture *s, struct pipe *p)
{
	struct pipe_reader *r = &p->r;
	u32 kept;

	if (READ_ONCE(pipe_at(p, r->tail)->end) != r->at) {
		r->end = READ_ONCE(pipe_at(p, r->tail)->end);
		return;
	}
	torture_nap();
	WRITE_ONCE(p->w.merge, false);
	kept = atomic_fetch_add(&s->nr_kept, 1);
	if (kept < KEPT)
		s->kept[kept] = r->page;
	r->page = NULL;
	r->head = READ_ONCE(p->w.head);
	atomic_xchg(&r->tail, r->tail + 1);
	r->made_room = true;
}

/* Judges by the writer's position that was seen last whether the ring was full. */
static void
used_up_blind(struct pipe_torture *s, struct pipe *p)
{
	u32 used = p->r.head - p->r.tail;

	torture_window();
	pipe_used_up(p);
	p->r.made_room = used >= p->nr_slots;
}

/* Does the writer sleep although it need not? It is woken then. */
static void
look_after_writer(struct torture_thread *th, struct pipe_group *g)
{
	struct pipe_torture *s = container_of(th->torture, struct pipe_torture, t);
	u64 now = ktime_get();

	if (!READ_ONCE(g->pipe->w.sleeping) || pipe_full(g->pipe))
		g->forgotten = 0;
	else if (g->forgotten == 0)
		g->forgotten = now;
	else if (now - g->forgotten > LOST) {
		atomic_inc(&s->lost);
		torture_stop(th);
		waitq_wake_all(&g->pipe->write_wait);
	}
}

/* False at the end of file. */
static bool
group_read(struct torture_thread *th, struct pipe_group *g, u32 n)
{
	struct pipe_torture *s = container_of(th->torture, struct pipe_torture, t);
	bool ended = smp_load_acquire(&g->ended);
	struct iter it;
	u64 pos = 0;
	s64 got;

	iter_init_kernel(&it, g->in, n);
	got = s->used_up ? read_by_hand(s, g, n) : pipe_ops.read(&g->reads, &it, &pos);
	for (s64 i = 0; i < got; i++) {
		if (g->in[i] == byte_at(g->read + (u64)i))
			continue;
		atomic_inc(&s->wrong);
		torture_stop(th);
		break;
	}
	g->read += (u64)max(got, 0L);
	if (got <= 0 && s->used_up && !ended) {
		look_after_writer(th, g);
		test_yield();
		return true;
	}
	return got > 0;
}

static void
pipe_thread(struct torture_thread *th)
{
	struct pipe_torture *s = container_of(th->torture, struct pipe_torture, t);
	struct pipe_group *g = &s->group[th->index / ROLES];
	bool more = true;

	while (more) {
		u64 r = test_rand(&th->seed);
		/* Most are small, so that they meet in one page. */
		u32 n = (u32)(r >> 32) % (r & 7 ? 32 : CHUNK) + 1;

		torture_turn(th);
		switch (th->index % ROLES) {
		case 0:
			group_write(g, n);
			more = !torture_over(th);
			break;
		case 1:
			more = group_read(th, g, n);
			break;
		default:
			if (!s->used_up)
				(void)pipe_fcntl(&g->reads, F_SETPIPE_SZ, (r >> 8 & 7) * PAGE_SIZE);
			test_yield();
			more = !torture_over(th);
		}
	}
	if (th->index % ROLES == 0) {
		smp_store_release(&g->ended, true);
		pipe_ops.release(&g->writes);
	}
}

static void
pipe_run(struct pipe_torture *s, void (*used_up)(struct pipe_torture *s, struct pipe *p))
{
	struct torture_plan plan = {.fn = pipe_thread,
				    .threads = ROLES * clamp(test_cpus() / 2, 1u, (u32)GROUPS),
				    .share = 4,
				    .work = used_up ? TORTURE_UNTIL_FOUND : 20000};
	u32 groups = plan.threads / ROLES;

	memset(s, 0, sizeof(*s));
	s->used_up = used_up;
	for (u32 i = 0; i < groups; i++) {
		struct pipe_group *g = &s->group[i];

		g->pipe = pipe_alloc();
		ASSERT_TRUE(g->pipe != NULL);
		g->pipe->readers = g->pipe->writers = 1;
		g->reads = (struct file){.ops = &pipe_ops, .mode = FMODE_READ, .private = g->pipe};
		g->writes =
			(struct file){.ops = &pipe_ops, .mode = FMODE_WRITE, .private = g->pipe};
		if (used_up)
			EXPECT_EQ(pipe_fcntl(&g->reads, F_SETPIPE_SZ, 2 * PAGE_SIZE),
				  2 * PAGE_SIZE);
	}
	torture_run(&s->t, &plan);
	for (u32 i = 0; i < groups; i++) {
		if (!used_up)
			EXPECT_EQ(s->group[i].read, s->group[i].written);
		pipe_ops.release(&s->group[i].reads);
	}
	for (u32 i = 0; i < min(s->nr_kept, KEPT); i++)
		page_put(s->kept[i]);
}

/* A lost wakeup would hang it. */
TEST(pipe_torture)
{
	pipe_run(&pipe_torture, NULL);
	EXPECT_EQ(pipe_torture.wrong, 0);
}

TEST(pipe_torture_finds_lost_byte)
{
	u32 wrong = 0;

	if (test_cpus() < 2)
		TEST_SKIP("one CPU");
	for (int i = 0; i < TORTURE_TRIES && wrong == 0; i++) {
		pipe_run(&pipe_torture, used_up_alone);
		wrong = pipe_torture.wrong;
	}
	EXPECT_GT(wrong, 0);
}

TEST(pipe_torture_finds_lost_wakeup)
{
	u32 lost = 0;

	for (int i = 0; i < TORTURE_TRIES && lost == 0; i++) {
		pipe_run(&pipe_torture, used_up_blind);
		EXPECT_EQ(pipe_torture.wrong, 0);
		lost = pipe_torture.lost;
	}
	EXPECT_GT(lost, 0);
}
