/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on System V objects and POSIX message queues; each side has its own. */
#define _GNU_SOURCE
#include "tests/conflicts/conflicts.h"

#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

struct letter {
	long type;
	char text[16];
};

/* The number of the object is in s->fd2; it goes with the machine. */

static void
setup_sem(struct side *s)
{
	s->fd2 = (int)must(semget(IPC_PRIVATE, 2, IPC_CREAT | 0600));
}

static void
run_semop(struct side *s)
{
	struct sembuf both[] = {{0, 1, 0}, {0, -1, 0}};

	must(semop(s->fd2, both, 2));
}

static void
setup_msg(struct side *s)
{
	s->fd2 = (int)must(msgget(IPC_PRIVATE, IPC_CREAT | 0600));
}

static void
run_msgsnd(struct side *s)
{
	static const struct letter m = {.type = 1};

	must(msgsnd(s->fd2, &m, sizeof(m.text), IPC_NOWAIT));
}

static void
run_msgrcv(struct side *s)
{
	struct letter m;

	must(msgrcv(s->fd2, &m, sizeof(m.text), 0, IPC_NOWAIT));
}

static void
setup_shm(struct side *s)
{
	s->fd2 = (int)must(shmget(IPC_PRIVATE, 4 * PAGE, IPC_CREAT | 0600));
}

static void
run_shmat(struct side *s)
{
	s->object = shmat(s->fd2, NULL, 0);
	must(s->object == (void *)-1 ? -1 : 0);
}

static void
run_shmdt(struct side *s)
{
	must(shmdt(s->object));
}

static void
run_shm_fault(struct side *s)
{
	*(volatile char *)s->object = 1;
}

static void
setup_mq(struct side *s)
{
	struct mq_attr a = {.mq_maxmsg = 8, .mq_msgsize = 16};
	char name[16];

	snprintf(name, sizeof(name), "/side%u", s->number);
	mq_unlink(name);
	s->fd2 = (int)must(mq_open(name, O_CREAT | O_RDWR | O_NONBLOCK, 0600, &a));
}

static void
run_mq_send(struct side *s)
{
	must(mq_send(s->fd2, "text", 4, 1));
}

static void
run_mq_receive(struct side *s)
{
	char text[16];

	must(mq_receive(s->fd2, text, sizeof(text), NULL));
}

const struct op ops_ipc[] = {
	{"semop", run_semop, NULL, NULL, setup_sem, NULL},
	{"msgsnd", run_msgsnd, NULL, run_msgrcv, setup_msg, NULL},
	{"msgrcv", run_msgrcv, run_msgsnd, NULL, setup_msg, NULL},
	{"shmat", run_shmat, NULL, run_shmdt, setup_shm, NULL},
	{"shmdt", run_shmdt, run_shmat, NULL, setup_shm, NULL},
	{"shm-fault", run_shm_fault, run_shmat, run_shmdt, setup_shm, NULL},
	{"mq-send", run_mq_send, NULL, run_mq_receive, setup_mq, NULL},
	{"mq-receive", run_mq_receive, run_mq_send, NULL, setup_mq, NULL},
	{NULL},
};
