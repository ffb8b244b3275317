/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System V messages: queues, sending and receiving. (msg_ctl.c is msgctl(2).)
 *
 * Model: a message is copied in before its queue is locked and copied out after
 * that. A sender hands a message to the oldest receiver that wants it; else it goes
 * to the end of the queue. A receiver that takes one lets in, oldest first, those
 * who wait to send and whose message fits now. So who is woken has what it wanted.
 *
 * Ownership: a message belongs to its sender, the queue, or a receiver. Waiters
 * lie on their tasks' stacks; who takes one out of its list stores the result as
 * the last thing. A sleeper holds a reference of the queue.
 *
 * Locking: the queue's lock. Queues have nothing in common but the table.
 */
#include "ipc/msg_impl.h"

#include "fs/proc/proc.h"
#include "kernel/seq.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/sysctl.h"
#include "kernel/task/task.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/uaccess.h"
#include "sync/port.h"

#define MSGMNI 32000
#define MSGMNB 16384
#define MSGMAX 8192

__maybe_unused static LOCK_CLASS(msg_ids_class, RANK_IPC_IDS);
struct ipc_ids msg_ids = {
	.mutex = MUTEX_INIT(msg_ids.mutex, msg_ids_class),
	.limit = MSGMNI,
	.next_id = -1,
	.last_index = U32_MAX,
};
u32 msg_limit_size = MSGMAX, msg_limit_queue = MSGMNB;

/* --- queues --- */

static void
msg_free(struct ipc_object *o)
{
	kfree(msg_of(o));
}

static struct ipc_object *
msg_make(const struct ipc_request *r)
{
	struct msg_queue *q = kzalloc(sizeof(*q), GFP_KERNEL);

	if (!q)
		return err_ptr(-ENOMEM);
	ipc_init(&q->ipc, r);
	q->ipc.free = msg_free;
	q->ctime = ipc_now();
	q->most = READ_ONCE(msg_limit_queue);
	list_init(&q->messages);
	list_init(&q->senders);
	list_init(&q->receivers);
	return &q->ipc;
}

long
sys_msgget(int key, int flags)
{
	struct ipc_request r = {
		.ids = &msg_ids,
		.key = key,
		.flags = (u32)flags,
		.make = msg_make,
		.drop = ipc_put,
	};

	return ipc_get(&r);
}

/* Takes w out of its list; it is its owner's again. */
static void
finish(struct msg_wait *w, int result)
{
	struct task *t = w->task;

	list_del(&w->link);
	/* Pairs with the load in msg_sleep(): nothing of w is touched behind it. */
	smp_store_release(&w->result, result);
	unpark(t);
}

static void
finish_all(struct list *waiters, int result)
{
	struct msg_wait *w, *tmp;

	list_for_each_entry_safe(w, tmp, waiters, link)
		finish(w, result);
}

void
msg_look_again(struct msg_queue *q)
{
	finish_all(&q->receivers, MSG_AGAIN);
	finish_all(&q->senders, MSG_AGAIN);
}

int
msg_remove(s32 id)
{
	struct list gone = LIST_INIT(gone);
	struct message *m, *tmp;
	struct ipc_object *o;

	mutex_lock(&msg_ids.mutex);
	o = ipc_lock_owned(&msg_ids, id);
	if (!is_err(o)) {
		ipc_remove(&msg_ids, o);
		finish_all(&msg_of(o)->receivers, -EIDRM);
		finish_all(&msg_of(o)->senders, -EIDRM);
		list_splice_tail_init(&msg_of(o)->messages, &gone);
		ipc_unlock(o);
	}
	mutex_unlock(&msg_ids.mutex);
	if (is_err(o))
		return (int)ptr_err(o);
	list_for_each_entry_safe(m, tmp, &gone, link)
		message_free(m);
	ipc_put(o);
	return 0;
}

/* Until somebody has done it for us: 0, MSG_AGAIN, -EIDRM, -E2BIG, or a signal came. */
static int
sleep(struct ipc_object *o, struct msg_wait *w)
{
	int err = 0;

	while (!err && smp_load_acquire(&w->result) == MSG_WAITING) {
		err = park(NO_DEADLINE);
		park_prepare(PARK_INTERRUPTIBLE);
	}
	park_cancel();
	if (!err)
		return w->result;
	spin_lock(&o->lock);
	if (w->result == MSG_WAITING)
		list_del(&w->link);
	else
		err = w->result;
	spin_unlock(&o->lock);
	return err == -ERESTARTSYS ? -ERESTARTNOHAND : err;
}

/* Queues w, which is sleeping then; unlocks. */
static int
wait_in(struct ipc_object *o, struct list *waiters, struct msg_wait *w)
{
	int ret;

	w->task = current;
	w->pid = ipc_pid();
	w->result = MSG_WAITING;
	list_add_tail(&w->link, waiters);
	ipc_hold(o);
	park_prepare(PARK_INTERRUPTIBLE);
	ipc_unlock(o);
	ret = sleep(o, w);
	ipc_put(o);
	return ret;
}

/* --- which message --- */

static bool
wants(const struct msg_wait *w, const struct message *m)
{
	switch (w->mode) {
	case MSG_FIRST:
		return true;
	case MSG_TYPE:
		return m->type == w->type;
	case MSG_OTHER:
		return m->type != w->type;
	case MSG_LOWEST:
		return m->type <= w->type;
	default:
		return false;
	}
}

static struct message *
search(const struct msg_queue *q, const struct msg_wait *w)
{
	struct message *m, *best = NULL;
	s64 n = 0;

	list_for_each_entry(m, &q->messages, link) {
		if (w->mode == MSG_NUMBER && n++ == w->type)
			return m;
		if (!wants(w, m) || (best && m->type >= best->type))
			continue;
		best = m;
		if (w->mode != MSG_LOWEST)
			break;
	}
	return best;
}

/* --- sending --- */

static bool
fits(const struct msg_queue *q, const struct message *m)
{
	return m->size + q->bytes <= q->most && q->count + 1 <= q->most;
}

/* To a receiver, or to the end. */
static void
deliver(struct msg_queue *q, struct message *m, s32 pid)
{
	struct msg_wait *w, *tmp;

	q->last_sender = pid;
	q->stime = ipc_now();
	list_for_each_entry_safe(w, tmp, &q->receivers, link) {
		if (!wants(w, m))
			continue;
		if (w->room < m->size) {
			finish(w, -E2BIG);
			continue;
		}
		q->last_receiver = w->pid;
		q->rtime = ipc_now();
		w->message = m;
		finish(w, 0);
		return;
	}
	list_add_tail(&m->link, &q->messages);
	q->bytes += m->size;
	q->count++;
}

/* There is room: for whom is it enough? */
static void
admit(struct msg_queue *q)
{
	struct msg_wait *w, *tmp;

	list_for_each_entry_safe(w, tmp, &q->senders, link)
		if (fits(q, w->message)) {
			deliver(q, w->message, w->pid);
			finish(w, 0);
		}
}

/* Sends m, which is the queue's then, unless it fails. */
static int
send(s32 id, struct message *m, int flags)
{
	struct msg_wait w = {.message = m};
	struct ipc_object *o;
	int ret;

	do {
		o = ipc_lock(&msg_ids, id, IPC_WRITE);
		if (is_err(o))
			return w.task && ptr_err(o) == -EINVAL ? -EIDRM : (int)ptr_err(o);
		if (fits(msg_of(o), m)) {
			deliver(msg_of(o), m, ipc_pid());
			ipc_unlock(o);
			return 0;
		}
		if (flags & IPC_NOWAIT) {
			ipc_unlock(o);
			return -EAGAIN;
		}
		ret = wait_in(o, &msg_of(o)->senders, &w);
	} while (ret == MSG_AGAIN);
	return ret;
}

long
sys_msgsnd(int id, const s64 __user *buf, size_t n, int flags)
{
	struct message *m;
	s64 type;
	int err;

	if (get_user(type, buf))
		return -EFAULT;
	if (n > READ_ONCE(msg_limit_size) || id < 0 || type < 1)
		return -EINVAL;
	m = message_load(buf + 1, n);
	if (is_err(m))
		return ptr_err(m);
	m->type = type;
	err = send(id, m, flags);
	if (err)
		message_free(m);
	return err;
}

/* --- receiving --- */

static enum msg_mode
mode_of(s64 *type, int flags)
{
	if (flags & MSG_COPY)
		return MSG_NUMBER;
	if (*type == 0)
		return MSG_FIRST;
	if (*type < 0) {
		*type = *type == INT64_MIN ? INT64_MAX : -*type;
		return MSG_LOWEST;
	}
	return flags & MSG_EXCEPT ? MSG_OTHER : MSG_TYPE;
}

/* m leaves the queue. */
static void
take(struct msg_queue *q, struct message *m)
{
	list_del(&m->link);
	q->count--;
	q->bytes -= m->size;
	q->rtime = ipc_now();
	q->last_receiver = ipc_pid();
	admit(q);
}

/* What is there, taken or copied; NULL: to be waited for. The queue is locked. */
static struct message *
receive_now(struct msg_queue *q, const struct msg_wait *w, struct message *copy)
{
	struct message *m = search(q, w);

	if (!m)
		return NULL;
	if (m->size > w->room)
		return err_ptr(-E2BIG);
	if (!copy) {
		take(q, m);
		return m;
	}
	return message_copy(copy, m);
}

static struct message *
receive(s32 id, struct msg_wait *w, int flags, struct message *copy)
{
	struct ipc_object *o;
	struct message *m;
	int ret;

	do {
		o = ipc_lock(&msg_ids, id, IPC_READ);
		if (is_err(o))
			return w->task && ptr_err(o) == -EINVAL ? err_ptr(-EIDRM)
								: err_ptr(ptr_err(o));
		m = receive_now(msg_of(o), w, copy);
		if (!m && flags & IPC_NOWAIT)
			m = err_ptr(-ENOMSG);
		if (m) {
			ipc_unlock(o);
			return m;
		}
		ret = wait_in(o, &msg_of(o)->receivers, w);
	} while (ret == MSG_AGAIN);
	return ret ? err_ptr(ret) : w->message;
}

long
sys_msgrcv(int id, s64 __user *buf, size_t n, s64 type, int flags)
{
	struct msg_wait w = {.type = type, .room = flags & MSG_NOERROR ? U64_MAX : n};
	struct message *m, *copy = NULL;
	long ret;

	if (id < 0 || (s64)n < 0)
		return -EINVAL;
	if (flags & MSG_COPY) {
		if (flags & MSG_EXCEPT || !(flags & IPC_NOWAIT))
			return -EINVAL;
		copy = message_alloc(min(n, (size_t)READ_ONCE(msg_limit_size)));
		if (!copy)
			return -ENOMEM;
	}
	w.mode = mode_of(&w.type, flags);
	m = receive(id, &w, flags, copy);
	if (is_err(m)) {
		if (copy)
			message_free(copy);
		return ptr_err(m);
	}
	ret = (long)min((u64)n, m->size);
	if (put_user(m->type, buf) || copy_to_user(buf + 1, m->text, (size_t)ret))
		ret = -EFAULT;
	message_free(m);
	return ret;
}

/* --- /proc --- */

static void
show_one(struct ipc_object *o, struct seq *s)
{
	const struct msg_queue *q = msg_of(o);

	seq_printf(s, "%10d %10d  %4o  %10lu %10lu %5u %5u %5u %5u %5u %5u %10ld %10ld %10ld\n",
		   o->key, o->id, o->mode, q->bytes, q->count, q->last_sender, q->last_receiver,
		   o->uid, o->gid, o->cuid, o->cgid, q->stime, q->rtime, q->ctime);
}

static int
show_all(struct seq *s)
{
	seq_puts(
		s,
		"       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  "
		"cgid      stime      rtime      ctime\n");
	return ipc_show_all(&msg_ids, s, show_one);
}
PROC_FILE(sysvipc_msg, "sysvipc/msg", 0444, show_all);

SYSCTL_U32(msgmax, "kernel/msgmax", &msg_limit_size, 0, IPC_INT_MAX);
SYSCTL_U32(msgmnb, "kernel/msgmnb", &msg_limit_queue, 0, IPC_INT_MAX);
SYSCTL_U32(msgmni, "kernel/msgmni", &msg_ids.limit, 0, IPC_INDEX_MAX);

static int
show_next(struct seq *s)
{
	return ipc_show_next(&msg_ids, s);
}

static int
store_next(char *text)
{
	return ipc_store_next(&msg_ids, text);
}
SYSCTL_RW(msg_next_id, "kernel/msg_next_id", show_next, store_next);
