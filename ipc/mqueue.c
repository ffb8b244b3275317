/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * POSIX message queues: what is in them and who waits. (mqueue_fs.c has their names
 * and handles, mqueue_sys.c the calls.)
 *
 * Model: a message goes to the most urgent task that waits for one, else into the
 * queue, by its priority. Who takes one out lets the most urgent waiting sender in.
 * So a queue with receivers waiting is empty, and one with senders waiting is full.
 *
 * Ownership: `uses` counts the name and the handles; the last one frees messages and
 * charge at once, while the inode, which the struct belongs to, may live on for
 * some milliseconds. A waiter lies on its task's stack; who takes it out of the list
 * stores the result as the last thing.
 *
 * Locking: the queue's lock, then that of a process (a signal).
 */
#include "ipc/mqueue_impl.h"

#include "arch/x86_64/asm/atomic.h"
#include "kernel/cred.h"
#include "kernel/handle/handle.h"
#include "kernel/signal/signal.h"
#include "kernel/sysctl.h"
#include "kernel/task/task.h"
#include "kernel/uapi/capability.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "sync/port.h"

#define HARD_MSG_MAX 65536u
#define HARD_MSGSIZE_MAX (16u << 20)
#define MSGSIZE_MIN 128u
/* What Linux counts for the struct of a message, and of a priority. */
#define MESSAGE_COST 48u
#define PRIORITY_COST 48u
#define WAITING 1

/* sysctl fs.mqueue */
static u32 queues_max = 256, msg_max = 10, msgsize_max = 8192;
static u32 msg_default = 10, msgsize_default = 8192;
/* a  queues; written by those who make and remove some */
static u32 queues;

__maybe_unused static LOCK_CLASS(mqueue_class, RANK_IPC);

/* On the stack of who sends or receives. */
struct mq_wait {
	/* (queue's lock) */
	struct list link;
	struct task *task;
	s32 prio;
	/* senders: theirs; receivers: what they got */
	struct message *message;
	/* a  WAITING while in a list */
	int result;
};

/* --- life --- */

static bool
count_queue(void)
{
	u32 n = atomic_add_return(&queues, 1);

	if (n <= READ_ONCE(queues_max) || capable(CAP_SYS_RESOURCE))
		return true;
	atomic_dec(&queues);
	return false;
}

static int
check_attr(const struct mq_attr *a)
{
	bool any = capable(CAP_SYS_RESOURCE);

	if (a->maxmsg <= 0 || a->msgsize <= 0 ||
	    a->maxmsg > (any ? HARD_MSG_MAX : READ_ONCE(msg_max)) ||
	    a->msgsize > (any ? HARD_MSGSIZE_MAX : READ_ONCE(msgsize_max)))
		return -EINVAL;
	return 0;
}

static int
charge(struct mqueue *q)
{
	q->charge = q->maxmsg * (q->msgsize + MESSAGE_COST) +
		    min(q->maxmsg, MQ_PRIO_MAX) * (u64)PRIORITY_COST;
	q->user = user_get(current_cred()->user);
	if (user_count_try_add(q->user, USER_MQUEUE_BYTES, (s64)q->charge, rlimit(RLIMIT_MSGQUEUE)))
		return 0;
	user_put(q->user);
	return -EMFILE;
}

struct mqueue *
mqueue_create(const struct mq_attr *a)
{
	struct mq_attr usual = {.maxmsg = min(READ_ONCE(msg_max), READ_ONCE(msg_default)),
				.msgsize = min(READ_ONCE(msgsize_max), READ_ONCE(msgsize_default))};
	struct mqueue *q;
	int err;

	if (!count_queue())
		return err_ptr(-ENOSPC);
	if (!a)
		a = &usual;
	err = check_attr(a);
	q = err ? NULL : kzalloc(sizeof(*q), GFP_KERNEL);
	if (!q) {
		atomic_dec(&queues);
		return err_ptr(err ? err : -ENOMEM);
	}
	spin_init(&q->lock, &mqueue_class);
	waitq_init(&q->poll);
	list_init(&q->messages);
	list_init(&q->senders);
	list_init(&q->receivers);
	q->maxmsg = (u32)a->maxmsg;
	q->msgsize = (u64)a->msgsize;
	q->uses = 1;
	err = charge(q);
	if (!err)
		return q;
	atomic_dec(&queues);
	kfree(q);
	return err_ptr(err);
}

bool
mqueue_try_get(struct mqueue *q)
{
	return atomic_inc_not_zero(&q->uses);
}

void
mqueue_put(struct mqueue *q)
{
	struct message *m, *tmp;

	if (!atomic_dec_and_test(&q->uses))
		return;
	list_for_each_entry_safe(m, tmp, &q->messages, link)
		message_free(m);
	list_init(&q->messages);
	user_count_add(q->user, USER_MQUEUE_BYTES, -(s64)q->charge);
	user_put(q->user);
	if (q->notify)
		process_put(q->notify);
	q->notify = NULL;
	atomic_dec(&queues);
}

/* --- waiting --- */

static s32
urgency(const struct task *t)
{
	return t->sched.rt_priority ? 99 - (s32)t->sched.rt_priority : 120 + t->sched.nice;
}

static void
enqueue(struct list *waiters, struct mq_wait *w)
{
	struct mq_wait *other;

	w->task = current;
	w->prio = urgency(current);
	w->result = WAITING;
	list_for_each_entry(other, waiters, link)
		if (other->prio > w->prio)
			break;
	list_add_tail(&w->link, &other->link);
}

/* Takes w out of its list; it is its owner's again. */
static void
finish(struct mq_wait *w)
{
	struct task *t = w->task;

	list_del(&w->link);
	/* Pairs with the load in wait_in(): nothing of w is touched behind it. */
	smp_store_release(&w->result, 0);
	unpark(t);
}

/* Queues w and sleeps; unlocks. 0, -ETIMEDOUT, -ERESTARTSYS. */
static int
wait_in(struct mqueue *q, struct list *waiters, struct mq_wait *w, u64 deadline)
{
	int err = 0;

	enqueue(waiters, w);
	park_prepare(PARK_INTERRUPTIBLE);
	spin_unlock(&q->lock);
	while (!err && smp_load_acquire(&w->result) == WAITING) {
		err = park(deadline);
		park_prepare(PARK_INTERRUPTIBLE);
	}
	park_cancel();
	if (!err)
		return 0;
	spin_lock(&q->lock);
	if (w->result == WAITING)
		list_del(&w->link);
	else
		err = 0;
	spin_unlock(&q->lock);
	return err;
}

/* --- messages --- */

static void
insert(struct mqueue *q, struct message *m)
{
	struct list *at = q->messages.prev;

	while (at != &q->messages && list_entry(at, struct message, link)->type < m->type)
		at = at->prev;
	list_add(&m->link, at);
	q->count++;
	q->bytes += m->size;
}

/* The queue was empty and is not: whom to put a reference of, or NULL. */
static struct process *
tell(struct mqueue *q)
{
	struct siginfo info = {.signo = q->event.signo, .code = SI_MESGQ};
	struct process *p = q->notify;

	if (!p || q->count != 1)
		return NULL;
	if (q->event.notify == SIGEV_SIGNAL && q->event.signo) {
		info.pid = current->process->tgid;
		info.uid = current_cred()->uid;
		info.value = q->event.value;
		(void)signal_send_process(p, q->event.signo, &info);
	}
	q->notify = NULL;
	return p;
}

int
mqueue_send(struct mqueue *q, struct message *m, u64 deadline)
{
	struct mq_wait w = {.message = m}, *r;
	struct process *told = NULL;

	spin_lock(&q->lock);
	if (q->count == q->maxmsg) {
		if (deadline)
			return wait_in(q, &q->senders, &w, deadline);
		spin_unlock(&q->lock);
		return -EAGAIN;
	}
	if (!list_empty(&q->receivers)) {
		r = list_first(&q->receivers, struct mq_wait, link);
		r->message = m;
		finish(r);
	} else {
		insert(q, m);
		told = tell(q);
		waitq_wake(&q->poll, 0, POLLIN | POLLRDNORM);
	}
	spin_unlock(&q->lock);
	if (told)
		process_put(told);
	return 0;
}

struct message *
mqueue_receive(struct mqueue *q, u64 deadline)
{
	struct mq_wait w = {.message = NULL}, *s;
	struct message *m;
	int err;

	spin_lock(&q->lock);
	if (!q->count) {
		if (deadline) {
			err = wait_in(q, &q->receivers, &w, deadline);
			return err ? err_ptr(err) : w.message;
		}
		spin_unlock(&q->lock);
		return err_ptr(-EAGAIN);
	}
	m = list_first(&q->messages, struct message, link);
	list_del(&m->link);
	q->count--;
	q->bytes -= m->size;
	if (!list_empty(&q->senders)) {
		s = list_first(&q->senders, struct mq_wait, link);
		insert(q, s->message);
		finish(s);
	} else {
		waitq_wake(&q->poll, 0, POLLOUT | POLLWRNORM);
	}
	spin_unlock(&q->lock);
	return m;
}

int
mqueue_notify(struct mqueue *q, const struct sigevent *ev)
{
	struct process *p = current->process, *gone = NULL;
	int err = 0;

	spin_lock(&q->lock);
	if (!ev && q->notify == p) {
		gone = p;
		q->notify = NULL;
	} else if (ev && q->notify) {
		err = -EBUSY;
	} else if (ev) {
		q->notify = process_get(p);
		q->event = *ev;
	}
	spin_unlock(&q->lock);
	if (gone)
		process_put(gone);
	return err;
}

SYSCTL_U32(mq_queues_max, "fs/mqueue/queues_max", &queues_max, 0, 0x7fffffff);
SYSCTL_U32(mq_msg_max, "fs/mqueue/msg_max", &msg_max, 1, HARD_MSG_MAX);
SYSCTL_U32(mq_msgsize_max, "fs/mqueue/msgsize_max", &msgsize_max, MSGSIZE_MIN, HARD_MSGSIZE_MAX);
SYSCTL_U32(mq_msg_default, "fs/mqueue/msg_default", &msg_default, 1, HARD_MSG_MAX);
SYSCTL_U32(mq_msgsize_default, "fs/mqueue/msgsize_default", &msgsize_default, MSGSIZE_MIN,
	   HARD_MSGSIZE_MAX);
