/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets get boxes while their handles get ready: no event is lost, and what was ready keeps
 * its order. Callbacks that do not look whether the item has moved must be found out.
 */
#include "kernel/handle/epoll_impl.h"
#include "lib/list.h"
#include "lib/test.h"
#include "mm/slab.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define SETS 48
#define HANDLES 16u

/* A handle that is ready once it was told to be. */
struct signal {
	struct file file;
	struct waitq wait;
	bool ready;
};

struct boxes_torture {
	struct torture t;
	struct epoll *set[SETS];
	struct signal *signals[SETS];
	/* NULL: as it is */
	int (*wake)(struct waiter *w, unsigned long key);
	/* a  sets that may be worked on */
	u32 begun;
};

static struct boxes_torture boxes_torture;

static u32
signal_poll(struct file *f, struct poll_table *pt)
{
	struct signal *s = container_of(f, struct signal, file);

	poll_wait(f, &s->wait, pt);
	return READ_ONCE(s->ready) ? POLLIN : 0;
}

static const struct file_ops signal_ops = {
	.name = "signal",
	.poll = signal_poll,
};

static void
signal_init(struct signal *s)
{
	*s = (struct signal){.file = {.ops = &signal_ops, .mode = FMODE_READ}};
	list_init(&s->file.epoll_links);
	waitq_init(&s->wait);
}

static void
signal_raise(struct signal *s)
{
	WRITE_ONCE(s->ready, true);
	waitq_wake(&s->wait, 0, POLLIN);
}

/* Puts the item on the list of the box that it saw it in. */
static int
wake_blind(struct waiter *w, unsigned long key)
{
	struct item *it = container_of(w, struct item_wait, waiter)->item;
	struct epoll_box *box = READ_ONCE(it->box);

	/* Gives whoever moves it a chance, but not for ever. */
	for (u32 i = 0; i < 20000 && READ_ONCE(it->box) == box; i++)
		cpu_relax();
	spin_lock(&box->lock);
	if (list_empty(&it->ready_link))
		list_add_tail(&it->ready_link, &box->ready);
	spin_unlock(&box->lock);
	return 0;
}

/* A set that watches the signals, in their order. */
static struct epoll *
set_of(struct signal *s, u32 n)
{
	struct epoll *ep = epoll_alloc();
	struct epoll_event ev = {.events = POLLIN};

	for (u32 i = 0; ep && i < n; i++) {
		struct epoll_box *box = epoll_box_lock(ep, &s[i].file);

		EXPECT_EQ(item_add(ep, box, &s[i].file, i, &ev), 0);
		mutex_unlock(&box->mutex);
	}
	return ep;
}

static void
make_boxes(struct epoll *ep, struct signal *s)
{
	/* As if somebody elsewhere had changed the first, often enough. */
	ep->last_file = &s[0].file;
	ep->last_cpu = 0xffff;
	ep->turns = 1000;
	epoll_note_change(ep, &s[1].file);
	EXPECT(ep->boxes != NULL);
}

static void
set_free(struct epoll *ep)
{
	struct epoll_box *box;

	for (u32 i = 0; (box = epoll_box_nth(ep, i)) != NULL; i++) {
		mutex_lock(&box->mutex);
		while (!rb_empty(&box->items))
			item_free(rb_entry(rb_first(&box->items), struct item, node));
		mutex_unlock(&box->mutex);
	}
	epoll_put(ep);
}

/* Items on the ready lists that a wait looks at. */
static u32
count_ready(struct epoll *ep)
{
	struct epoll_box *box;
	struct item *it;
	u32 n = 0;

	for (u32 i = 0; (box = epoll_box_nth(ep, i)) != NULL; i++)
		list_for_each_entry(it, &box->ready, ready_link)
			n++;
	return n;
}

static void
boxes_thread(struct torture_thread *th)
{
	struct boxes_torture *s = container_of(th->torture, struct boxes_torture, t);
	u32 wakers = th->torture->nr - 1;

	for (u32 n = 0; n < SETS; n++) {
		torture_turn(th);
		if (th->index == 0) {
			smp_store_release(&s->begun, n + 1);
			for (u64 i = test_rand(&th->seed) & 7; i > 0; i--)
				cpu_relax();
			make_boxes(s->set[n], s->signals[n]);
			continue;
		}
		while (smp_load_acquire(&s->begun) <= n)
			test_yield();
		for (u32 i = th->index - 1; i < HANDLES; i += wakers)
			signal_raise(&s->signals[n][i]);
	}
}

/* What was lost. */
static u32
boxes_run(int (*wake)(struct waiter *w, unsigned long key))
{
	struct boxes_torture *s = &boxes_torture;
	struct torture_plan plan = {
		.fn = boxes_thread,
		.threads = clamp(test_cpus(), 2u, HANDLES),
		.share = SETS,
	};
	u32 lost = 0;

	s->begun = 0;
	for (u32 n = 0; n < SETS; n++) {
		s->signals[n] = kcalloc(HANDLES, sizeof(struct signal), GFP_KERNEL);
		for (u32 i = 0; s->signals[n] && i < HANDLES; i++)
			signal_init(&s->signals[n][i]);
		s->set[n] = s->signals[n] ? set_of(s->signals[n], HANDLES) : NULL;
		if (!s->set[n]) {
			test_note_failure();
			return 0;
		}
		for (u32 i = 0; wake && i < HANDLES; i++)
			list_first(&s->signals[n][i].wait.waiters, struct waiter, link)->wake =
				wake;
	}
	torture_run(&s->t, &plan);
	for (u32 n = 0; n < SETS; n++) {
		lost += HANDLES - count_ready(s->set[n]);
		set_free(s->set[n]);
		kfree(s->signals[n]);
	}
	return lost;
}

TEST(epoll_boxes_torture)
{
	EXPECT_EQ(boxes_run(NULL), 0);
}

TEST(epoll_boxes_torture_finds_blind)
{
	u32 lost = 0;

	if (test_cpus() < 2)
		TEST_SKIP("one CPU");
	for (int i = 0; i < TORTURE_TRIES && lost == 0; i++)
		lost = boxes_run(wake_blind);
	EXPECT_GT(lost, 0);
}

/* The two that met are apart; what was ready comes in its order, before all that comes later. */
TEST(epoll_boxes_order)
{
	static struct signal s[HANDLES];
	struct epoll_box *box;
	struct item *it;
	struct epoll *ep;
	u64 last;
	u32 n = 0;

	for (u32 i = 0; i < HANDLES; i++)
		signal_init(&s[i]);
	ep = set_of(s, HANDLES);
	ASSERT_TRUE(ep != NULL);
	for (u32 i = HANDLES - 1; i >= HANDLES / 2; i--)
		signal_raise(&s[i]);
	make_boxes(ep, s);
	for (u32 i = 0; i < HANDLES / 2; i++)
		signal_raise(&s[i]);
	box = epoll_box_lock(ep, &s[0].file);
	EXPECT(item_find(box, &s[0].file, 0) != NULL);
	EXPECT(item_find(box, &s[1].file, 1) == NULL);
	mutex_unlock(&box->mutex);
	for (u32 i = 0; (box = epoll_box_nth(ep, i)) != NULL; i++) {
		last = 0;
		list_for_each_entry(it, &box->ready, ready_link) {
			EXPECT_GT(it->stamp, last);
			if (it->fd >= HANDLES / 2)
				EXPECT_EQ(it->stamp, HANDLES - it->fd);
			else
				EXPECT_GT(it->stamp, HANDLES);
			last = it->stamp;
			n++;
		}
	}
	EXPECT_EQ(n, HANDLES);
	set_free(ep);
}
