/* SPDX-License-Identifier: BSD-2-Clause */
/* System V messages. */
#include "tests/abi/sysv.h"

#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

struct text {
	long type;
	char text[16384];
};

static int
queue(void)
{
	return msgget(IPC_PRIVATE, IPC_CREAT | 0600);
}

static int
sent(int id, long type, const char *text, int flags)
{
	struct text t = {.type = type};

	strcpy(t.text, text);
	return msgsnd(id, &t, strlen(text), flags);
}

/* The text of what is received, or the name of the error. */
static const char *
received(int id, long type, int flags)
{
	static struct text t;
	ssize_t n;

	memset(&t, 0, sizeof(t));
	n = msgrcv(id, &t, 100, type, flags | IPC_NOWAIT);
	return n < 0 ? abi_errname(errno) : t.text;
}

static void
nothing(int sig)
{
	(void)sig;
}

TEST(get)
{
	int id = works(msgget(KEY, IPC_CREAT | IPC_EXCL | 0640));

	is(msgget(KEY, 0), id);
	is(msgget(KEY, IPC_CREAT | 0640), id);
	fails(msgget(KEY, IPC_CREAT | IPC_EXCL), EEXIST);
	fails(msgget(KEY + 1, 0), ENOENT);
	is(msgctl(id, IPC_RMID, NULL), 0);
	fails(msgctl(id, IPC_RMID, NULL), EINVAL);
	fails(msgctl(-1, IPC_RMID, NULL), EINVAL);
	fails(sent(id, 1, "x", 0), EINVAL);
	same(received(id, 0, 0), "EINVAL");
}

TEST(types)
{
	int id = works(queue());

	is(sent(id, 3, "three", 0), 0);
	is(sent(id, 1, "one", 0), 0);
	is(sent(id, 2, "two", 0), 0);
	is(sent(id, 1, "uno", 0), 0);
	same(received(id, 2, 0), "two");
	same(received(id, 2, 0), "ENOMSG");
	same(received(id, -2, 0), "one");
	same(received(id, 3, MSG_EXCEPT), "uno");
	same(received(id, 3, MSG_EXCEPT), "ENOMSG");
	same(received(id, -2, 0), "ENOMSG");
	is(sent(id, 5, "five", 0), 0);
	is(sent(id, 1, "one", 0), 0);
	same(received(id, 0, 0), "three");
	same(received(id, LONG_MIN, 0), "one");
	same(received(id, -5, 0), "five");
	same(received(id, 0, 0), "ENOMSG");
	is(msgctl(id, IPC_RMID, NULL), 0);
}

TEST(sizes)
{
	static struct text t = {.type = 7}, r;
	int id = works(queue());

	memset(t.text, 'x', sizeof(t.text));
	is(msgsnd(id, &t, 8192, 0), 0);
	fails(msgsnd(id, &t, 8193, 0), EINVAL);
	fails(msgsnd(id, &t, -1, 0), EINVAL);
	fails(msgrcv(id, &r, 8191, 0, IPC_NOWAIT), E2BIG);
	is(msgrcv(id, &r, 16384, 0, 0), 8192);
	is(r.type, 7);
	check(!memcmp(r.text, t.text, 8192));
	is(msgsnd(id, &t, 100, 0), 0);
	memset(&r, 0, sizeof(r));
	is(msgrcv(id, &r, 10, 0, MSG_NOERROR), 10);
	is(r.text[9], 'x');
	is(r.text[10], 0);
	same(received(id, 0, 0), "ENOMSG");
	is(msgsnd(id, &t, 0, 0), 0);
	is(msgrcv(id, &r, 0, 0, 0), 0);
	t.type = 0;
	fails(msgsnd(id, &t, 1, 0), EINVAL);
	t.type = -1;
	fails(msgsnd(id, &t, 1, 0), EINVAL);
	fails(msgsnd(id, BAD, 1, 0), EFAULT);
	fails(msgsnd(-1, &t, 1, 0), EINVAL);
	fails(msgrcv(id, &r, -1, 0, 0), EINVAL);
	fails(msgrcv(-1, &r, 1, 0, 0), EINVAL);
	is(sent(id, 1, "lost", 0), 0);
	fails(msgrcv(id, BAD, 10, 0, 0), EFAULT);
	same(received(id, 0, 0), "ENOMSG");
	is(msgctl(id, IPC_RMID, NULL), 0);
}

TEST(copies)
{
	struct text t;
	int id = works(queue());

	is(sent(id, 4, "zero", 0), 0);
	is(sent(id, 5, "first", 0), 0);
	same(received(id, 1, MSG_COPY), "first");
	same(received(id, 1, MSG_COPY), "first");
	same(received(id, 0, MSG_COPY), "zero");
	same(received(id, 2, MSG_COPY), "ENOMSG");
	fails(msgrcv(id, &t, 2, 0, MSG_COPY | IPC_NOWAIT), E2BIG);
	fails(msgrcv(id, &t, 2, 0, MSG_COPY | MSG_NOERROR | IPC_NOWAIT), EINVAL);
	fails(msgrcv(id, &t, 10, 0, MSG_COPY), EINVAL);
	fails(msgrcv(id, &t, 10, 0, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT), EINVAL);
	is(msgrcv(id, &t, 10, 0, MSG_COPY | IPC_NOWAIT), 4);
	is(t.type, 4);
	same(received(id, 0, 0), "zero");
	same(received(id, 0, 0), "first");
	is(msgctl(id, IPC_RMID, NULL), 0);
}

TEST(status)
{
	struct msqid_ds ds;
	time_t now = time(NULL);
	int id = works(msgget(KEY, IPC_CREAT | 0642));
	long v[20];

	is(msgctl(id, IPC_STAT, &ds), 0);
	is(ds.msg_perm.__key, KEY);
	is(ds.msg_perm.mode, 0642);
	is(ds.msg_qbytes, setting("msgmnb"));
	is(ds.msg_qnum, 0);
	is(ds.msg_lspid, 0);
	is(ds.msg_stime, 0);
	is(ds.msg_rtime, 0);
	check(ds.msg_ctime >= now && ds.msg_ctime <= now + 5);
	is(sent(id, 1, "hello", 0), 0);
	is(sent(id, 1, "you", 0), 0);
	is(msgctl(id, IPC_STAT, &ds), 0);
	is(ds.msg_qnum, 2);
	is(ds.__msg_cbytes, 8);
	is(ds.msg_lspid, getpid());
	is(ds.msg_lrpid, 0);
	check(ds.msg_stime >= now);
	is(proc_row("msg", id, v), 14);
	is(v[0], KEY);
	is(v[2], 0642);
	is(v[3], 8);
	is(v[4], 2);
	is(v[5], getpid());
	is(v[13], ds.msg_ctime);
	same(received(id, 0, 0), "hello");
	is(msgctl(id, IPC_STAT, &ds), 0);
	is(ds.msg_lrpid, getpid());
	check(ds.msg_rtime >= now);
	is(ds.__msg_cbytes, 3);
	fails(msgctl(id, IPC_STAT, BAD), EFAULT);
	fails(msgctl(id, 99, &ds), EINVAL);
	is(msgctl(id, IPC_RMID, NULL), 0);
}

/* A child that waits for a message of a type and exits with its first letter, or errno. */
static pid_t
receiver(int id, long type, size_t room, int flags)
{
	pid_t c = fork();

	if (!c) {
		struct text t;

		_exit(msgrcv(id, &t, room, type, flags) < 0 ? errno : t.text[0]);
	}
	until_asleep(c);
	return c;
}

static pid_t
sender(int id, const char *text)
{
	pid_t c = fork();

	if (!c)
		_exit(sent(id, 1, text, 0) ? errno : 0);
	until_asleep(c);
	return c;
}

TEST(receivers_wait)
{
	int id = works(queue());
	struct msqid_ds ds;
	pid_t a = receiver(id, 2, 100, 0), b = receiver(id, 1, 100, 0), c = receiver(id, 0, 100, 0);

	is(sent(id, 1, "b", 0), 0);
	is(reap(b), 'b');
	is(sent(id, 1, "c", 0), 0);
	is(reap(c), 'c');
	check(until_asleep(a));
	is(sent(id, 2, "a", 0), 0);
	is(reap(a), 'a');
	is(msgctl(id, IPC_STAT, &ds), 0);
	is(ds.msg_qnum, 0);
	is(ds.msg_lrpid, a);
	/* Oldest first. */
	a = receiver(id, 0, 100, 0);
	b = receiver(id, 0, 100, 0);
	is(sent(id, 1, "1", 0), 0);
	is(reap(a), '1');
	is(sent(id, 1, "2", 0), 0);
	is(reap(b), '2');
	/* One that has no room gets to know, and the next one the message. */
	a = receiver(id, 0, 2, 0);
	b = receiver(id, 0, 2, MSG_NOERROR);
	is(sent(id, 1, "xyz", 0), 0);
	is(reap(a), E2BIG);
	is(reap(b), 'x');
	a = receiver(id, 5, 100, 0);
	b = receiver(id, 5, 100, MSG_EXCEPT);
	is(sent(id, 5, "5", 0), 0);
	is(reap(a), '5');
	is(sent(id, 6, "6", 0), 0);
	is(reap(b), '6');
	a = receiver(id, 0, 100, 0);
	is(msgctl(id, IPC_RMID, NULL), 0);
	is(reap(a), EIDRM);
}

TEST(senders_wait)
{
	struct msqid_ds ds;
	int id = works(queue());
	pid_t a, b, c;

	is(msgctl(id, IPC_STAT, &ds), 0);
	ds.msg_qbytes = 10;
	is(msgctl(id, IPC_SET, &ds), 0);
	is(sent(id, 1, "12345678", 0), 0);
	fails(sent(id, 1, "123", IPC_NOWAIT), EAGAIN);
	a = sender(id, "abc");
	b = sender(id, "def");
	/* What fits passes. */
	is(sent(id, 1, "XY", 0), 0);
	same(received(id, 0, 0), "12345678");
	is(reap(a), 0);
	is(reap(b), 0);
	same(received(id, 0, 0), "XY");
	same(received(id, 0, 0), "abc");
	same(received(id, 0, 0), "def");
	/* A larger queue lets them in. */
	is(sent(id, 1, "1234567890", 0), 0);
	a = sender(id, "abc");
	ds.msg_qbytes = 20;
	is(msgctl(id, IPC_SET, &ds), 0);
	is(reap(a), 0);
	/* As many messages as bytes, if they are empty. */
	ds.msg_qbytes = 14;
	is(msgctl(id, IPC_SET, &ds), 0);
	for (int i = 0; i < 12; i++)
		is(sent(id, 1, "", IPC_NOWAIT), 0);
	fails(sent(id, 1, "", IPC_NOWAIT), EAGAIN);
	c = sender(id, "");
	is(msgctl(id, IPC_RMID, NULL), 0);
	is(reap(c), EIDRM);
}

TEST(interrupted)
{
	int id = works(queue());
	pid_t c;

	handle(SIGUSR1, nothing, SA_RESTART);
	c = receiver(id, 0, 10, 0);
	kill(c, SIGUSR1);
	is(reap(c), EINTR);
	/* A stop without a handler is not seen. */
	c = receiver(id, 0, 10, 0);
	kill(c, SIGSTOP);
	check(until_state(c, 'T'));
	kill(c, SIGCONT);
	check(until_asleep(c));
	is(sent(id, 1, "go", 0), 0);
	is(reap(c), 'g');
	c = receiver(id, 0, 10, 0);
	kill(c, SIGKILL);
	is(reap(c), -SIGKILL);
	is(sent(id, 1, "left", 0), 0);
	same(received(id, 0, 0), "left");
	is(msgctl(id, IPC_RMID, NULL), 0);
}

TEST(permissions)
{
	int mine = works(msgget(KEY, IPC_CREAT | 0600));
	int readable = works(msgget(KEY + 1, IPC_CREAT | 0604));
	struct msqid_ds ds;

	is(sent(readable, 1, "r", 0), 0);
	in_child {
		drop(USER);
		fails(msgget(KEY, 0400), EACCES);
		is(msgget(KEY, 0), mine);
		fails(sent(mine, 1, "x", 0), EACCES);
		same(received(mine, 0, 0), "EACCES");
		fails(sent(readable, 1, "x", 0), EACCES);
		same(received(readable, 0, 0), "r");
		fails(msgctl(mine, IPC_STAT, &ds), EACCES);
		fails(msgctl(readable, IPC_RMID, NULL), EPERM);
		is(msgctl(readable, IPC_STAT, &ds), 0);
		fails(msgctl(readable, IPC_SET, &ds), EPERM);
	}
	is(msgctl(mine, IPC_STAT, &ds), 0);
	ds.msg_perm.uid = USER;
	is(msgctl(mine, IPC_SET, &ds), 0);
	in_child {
		drop(USER);
		is(sent(mine, 1, "x", 0), 0);
		ds.msg_qbytes = 100;
		is(msgctl(mine, IPC_SET, &ds), 0);
		ds.msg_qbytes = 16385;
		fails(msgctl(mine, IPC_SET, &ds), EPERM);
		is(msgctl(mine, IPC_RMID, NULL), 0);
	}
	fails(msgctl(readable, IPC_SET, BAD), EFAULT);
	is(msgctl(readable, IPC_RMID, NULL), 0);
}

TEST(by_index)
{
	struct msqid_ds ds;
	struct msginfo info, limits;
	int id = works(queue()), highest;

	is(sent(id, 1, "hello", 0), 0);
	highest = works(msgctl(0, MSG_INFO, (void *)&info));
	check(highest >= (id & 0x7fff));
	check(info.msgpool >= 1);
	check(info.msgmap >= 1);
	check(info.msgtql >= 5);
	is(msgctl(0, IPC_INFO, (void *)&limits), highest);
	is(limits.msgmax, 8192);
	is(limits.msgmnb, 16384);
	is(limits.msgmni, 32000);
	is(limits.msgpool, 512000);
	is(limits.msgmap, 16384);
	is(limits.msgssz, 16);
	is(limits.msgtql, 16384);
	is(limits.msgseg, 0xffff);
	is(msgctl(id & 0x7fff, MSG_STAT, &ds), id);
	is(ds.msg_qnum, 1);
	in_child {
		drop(USER);
		fails(msgctl(id & 0x7fff, MSG_STAT, &ds), EACCES);
		is(msgctl(id & 0x7fff, MSG_STAT_ANY, &ds), id);
	}
	fails(msgctl(0x7fff, MSG_STAT, &ds), EINVAL);
	is(msgctl(id, IPC_RMID, NULL), 0);
}

TEST(limits)
{
	struct msginfo info;
	struct msqid_ds ds;
	int id = works(queue());

	is(set_setting("msgmax", 5), 0);
	fails(sent(id, 1, "123456", 0), EINVAL);
	is(sent(id, 1, "12345", 0), 0);
	is(set_setting("msgmax", 8192), 0);
	is(msgctl(id, IPC_RMID, NULL), 0);
	is(set_setting("msgmnb", 77), 0);
	works(msgctl(0, MSG_INFO, (void *)&info));
	is(set_setting("msgmni", info.msgpool + 1), 0);
	id = works(queue());
	fails(queue(), ENOSPC);
	is(msgctl(id, IPC_STAT, &ds), 0);
	is(ds.msg_qbytes, 77);
	is(set_setting("msgmnb", 16384), 0);
	is(set_setting("msgmni", 32000), 0);
	is(msgctl(id, IPC_RMID, NULL), 0);
	fails(set_setting("msgmni", 32769), EINVAL);
	is(set_setting("msg_next_id", 9 << 15 | 55), 0);
	id = works(queue());
	is(id, 9 << 15 | 55);
	is(msgctl(id, IPC_RMID, NULL), 0);
}

/* Nothing is lost or comes twice between many senders and receivers. */
TEST(many)
{
	long *sum = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct msqid_ds ds;
	int id = works(queue());
	pid_t c[6];

	is(msgctl(id, IPC_STAT, &ds), 0);
	ds.msg_qbytes = 64;
	is(msgctl(id, IPC_SET, &ds), 0);
	for (int i = 0; i < 6; i++) {
		c[i] = fork();
		if (c[i])
			continue;
		for (int k = 0; k < 300; k++) {
			struct {
				long type, value;
			} m = {1 + i, k};

			if (i < 3 ? msgsnd(id, &m, 8, 0) : msgrcv(id, &m, 8, 0, 0) != 8)
				_exit(1);
			if (i >= 3)
				__atomic_add_fetch(sum, m.value, __ATOMIC_SEQ_CST);
		}
		_exit(0);
	}
	for (int i = 0; i < 6; i++)
		is(reap(c[i]), 0);
	is(*sum, 3 * 299 * 300 / 2);
	is(msgctl(id, IPC_STAT, &ds), 0);
	is(ds.msg_qnum, 0);
	is(msgctl(id, IPC_RMID, NULL), 0);
}
