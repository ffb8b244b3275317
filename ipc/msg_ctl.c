/* SPDX-License-Identifier: BSD-2-Clause */
/* msgctl(2). */
#include "ipc/msg_impl.h"

#include "kernel/syscall/syscalls.h"
#include "kernel/uapi/capability.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"

/* What IPC_INFO says of things that have no limit here. */
#define MSGPOOL 512000
#define MSGMAP 16384
#define MSGTQL 16384
#define MSGSSZ 16
#define MSGSEG 0xffff

/* Sums over all queues: MSG_INFO. */
static void
count(struct msginfo *info)
{
	u64 bytes = 0, messages = 0;
	struct ipc_object *o;
	u32 index = 0;

	rcu_read_lock();
	while ((o = ipc_next(&msg_ids, &index)) != NULL) {
		bytes += READ_ONCE(msg_of(o)->bytes);
		messages += READ_ONCE(msg_of(o)->count);
	}
	rcu_read_unlock();
	info->msgpool = (s32)ipc_used(&msg_ids);
	info->msgmap = (s32)min(messages, (u64)IPC_INT_MAX);
	info->msgtql = (s32)min(bytes, (u64)IPC_INT_MAX);
}

static long
info(int cmd, void __user *buf)
{
	struct msginfo i;

	memset(&i, 0, sizeof(i));
	i.msgpool = MSGPOOL;
	i.msgmap = MSGMAP;
	i.msgtql = MSGTQL;
	i.msgmax = (s32)READ_ONCE(msg_limit_size);
	i.msgmnb = (s32)READ_ONCE(msg_limit_queue);
	i.msgmni = (s32)READ_ONCE(msg_ids.limit);
	i.msgssz = MSGSSZ;
	i.msgseg = MSGSEG;
	if (cmd == MSG_INFO)
		count(&i);
	return copy_to_user(buf, &i, sizeof(i)) ? -EFAULT : ipc_highest(&msg_ids);
}

static long
status(s32 id, int cmd, void __user *buf)
{
	struct ipc_object *o = ipc_lock_status(&msg_ids, id, cmd == IPC_STAT, cmd != MSG_STAT_ANY);
	const struct msg_queue *q;
	struct msqid64_ds ds;

	if (is_err(o))
		return ptr_err(o);
	memset(&ds, 0, sizeof(ds));
	q = msg_of(o);
	ipc_show_perm(o, &ds.perm);
	ds.stime = q->stime;
	ds.rtime = q->rtime;
	ds.ctime = q->ctime;
	ds.cbytes = q->bytes;
	ds.qnum = q->count;
	ds.qbytes = q->most;
	ds.lspid = q->last_sender;
	ds.lrpid = q->last_receiver;
	id = o->id;
	ipc_unlock(o);
	if (copy_to_user(buf, &ds, sizeof(ds)))
		return -EFAULT;
	return cmd == IPC_STAT ? 0 : id;
}

static long
set(s32 id, const void __user *buf)
{
	struct msqid64_ds ds;
	struct ipc_object *o;
	int err;

	if (copy_from_user(&ds, buf, sizeof(ds)))
		return -EFAULT;
	o = ipc_lock_owned(&msg_ids, id);
	if (is_err(o))
		return ptr_err(o);
	err = ds.qbytes > READ_ONCE(msg_limit_queue) && !capable(CAP_SYS_RESOURCE) ? -EPERM : 0;
	if (!err)
		err = ipc_set_owner(o, &ds.perm);
	if (!err) {
		msg_of(o)->most = ds.qbytes;
		msg_of(o)->ctime = ipc_now();
		msg_look_again(msg_of(o));
	}
	ipc_unlock(o);
	return err;
}

long
sys_msgctl(int id, int cmd, void __user *buf)
{
	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case MSG_INFO:
		return info(cmd, buf);
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		return status(id, cmd, buf);
	case IPC_SET:
		return set(id, buf);
	case IPC_RMID:
		return msg_remove(id);
	default:
		return -EINVAL;
	}
}
