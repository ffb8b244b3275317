/* SPDX-License-Identifier: BSD-2-Clause */
/* System V semaphores. */
#include "tests/abi/sysv.h"

#include <pthread.h>

#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif

static int
set_of(int n)
{
	return semget(IPC_PRIVATE, n, IPC_CREAT | 0600);
}

static int
op(int id, int num, int n, int flags)
{
	struct sembuf b = {num, n, flags};

	return semop(id, &b, 1);
}

static int
timed(int id, int num, int n, long ms)
{
	struct sembuf b = {num, n, 0};
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

	return semtimedop(id, &b, 1, &ts);
}

static int
value(int id, int num)
{
	return semctl(id, num, GETVAL);
}

static int
set_value(int id, int num, long v)
{
	return semctl(id, num, SETVAL, v);
}

/* A child that does op(id, num, n, flags) and exits with errno. */
static pid_t
child_op(int id, int num, int n, int flags)
{
	pid_t c = fork();

	if (!c)
		_exit(op(id, num, n, flags) ? errno : 0);
	until_asleep(c);
	return c;
}

TEST(get)
{
	int id = works(semget(KEY, 5, IPC_CREAT | IPC_EXCL | 0600));

	is(semget(KEY, 5, 0), id);
	is(semget(KEY, 0, 0), id);
	is(semget(KEY, 3, IPC_CREAT), id);
	fails(semget(KEY, 6, 0), EINVAL);
	fails(semget(KEY, 5, IPC_CREAT | IPC_EXCL), EEXIST);
	fails(semget(KEY + 1, 5, 0), ENOENT);
	fails(semget(KEY + 1, 0, IPC_CREAT), EINVAL);
	fails(semget(IPC_PRIVATE, -1, 0600), EINVAL);
	fails(semget(IPC_PRIVATE, 32001, 0600), EINVAL);
	is(semctl(id, 0, IPC_RMID), 0);
	fails(semctl(id, 0, IPC_RMID), EINVAL);
	fails(semctl(-1, 0, IPC_RMID), EINVAL);
	fails(op(id, 0, 1, 0), EINVAL);
	id = works(set_of(32000));
	is(op(id, 31999, 3, 0), 0);
	is(value(id, 31999), 3);
	is(value(id, 0), 0);
	is(semctl(id, 0, IPC_RMID), 0);
}

TEST(values)
{
	unsigned short all[4] = {1, 2, 3, 4}, out[4];
	int id = works(set_of(4));

	is(semctl(id, 0, SETALL, all), 0);
	is(semctl(id, 0, GETALL, out), 0);
	check(!memcmp(all, out, sizeof(all)));
	is(value(id, 2), 3);
	is(semctl(id, 2, GETPID), getpid());
	is(set_value(id, 2, 32767), 0);
	fails(set_value(id, 2, 32768), ERANGE);
	fails(set_value(id, 2, -1), ERANGE);
	fails(set_value(id, 4, 1), EINVAL);
	fails(value(id, 4), EINVAL);
	fails(value(id, -1), EINVAL);
	fails(op(id, 2, 1, 0), ERANGE);
	is(op(id, 2, -32767, 0), 0);
	is(value(id, 2), 0);
	all[1] = 32768;
	fails(semctl(id, 0, SETALL, all), ERANGE);
	is(value(id, 1), 2);
	fails(semctl(id, 0, SETALL, BAD), EFAULT);
	fails(semctl(id, 0, GETALL, BAD), EFAULT);
	is(semctl(id, 0, GETNCNT), 0);
	is(semctl(id, 0, GETZCNT), 0);
	fails(semctl(id, 0, 99), EINVAL);
	is(semctl(id, 0, IPC_RMID), 0);
}

TEST(operations)
{
	struct sembuf b[600];
	int id = works(set_of(3));

	is(op(id, 0, 5, 0), 0);
	is(op(id, 0, -3, 0), 0);
	is(value(id, 0), 2);
	fails(op(id, 0, -3, IPC_NOWAIT), EAGAIN);
	fails(op(id, 0, 0, IPC_NOWAIT), EAGAIN);
	is(op(id, 1, 0, IPC_NOWAIT), 0);
	fails(op(id, 3, 1, 0), EFBIG);
	fails(semop(id, b, 0), EINVAL);
	fails(semop(id, BAD, 1), EFAULT);
	fails(semop(-1, b, 1), EINVAL);
	memset(b, 0, sizeof(b));
	fails(semop(id, b, 501), E2BIG);
	/* All or nothing. */
	b[0] = (struct sembuf){0, -1, 0};
	b[1] = (struct sembuf){1, 7, 0};
	b[2] = (struct sembuf){2, -1, IPC_NOWAIT};
	fails(semop(id, b, 3), EAGAIN);
	is(value(id, 0), 2);
	is(value(id, 1), 0);
	b[2].sem_op = 4;
	is(semop(id, b, 3), 0);
	is(value(id, 0), 1);
	is(value(id, 1), 7);
	is(value(id, 2), 4);
	/* In their order, on one semaphore. */
	b[0] = (struct sembuf){0, 2, 0};
	b[1] = (struct sembuf){0, -3, IPC_NOWAIT};
	b[2] = (struct sembuf){0, 0, IPC_NOWAIT};
	b[3] = (struct sembuf){0, 1, 0};
	is(semop(id, b, 4), 0);
	is(value(id, 0), 1);
	b[0] = (struct sembuf){0, -1, 0};
	b[1] = (struct sembuf){0, 32767, 0};
	b[2] = (struct sembuf){0, 1, 0};
	fails(semop(id, b, 3), ERANGE);
	is(value(id, 0), 1);
	for (int i = 0; i < 500; i++)
		b[i] = (struct sembuf){i % 2, i % 2 ? 1 : 2, 0};
	is(semop(id, b, 500), 0);
	is(value(id, 0), 501);
	is(value(id, 1), 257);
	is(semctl(id, 0, IPC_RMID), 0);
}

TEST(status)
{
	struct semid_ds ds;
	time_t now = time(NULL);
	int id = works(semget(KEY, 3, IPC_CREAT | 0642));
	long v[20];

	is(semctl(id, 0, IPC_STAT, &ds), 0);
	is(ds.sem_perm.__key, KEY);
	is(ds.sem_perm.mode, 0642);
	is(ds.sem_nsems, 3);
	is(ds.sem_otime, 0);
	check(ds.sem_ctime >= now && ds.sem_ctime <= now + 5);
	is(set_value(id, 0, 1), 0);
	is(semctl(id, 0, IPC_STAT, &ds), 0);
	is(ds.sem_otime, 0);
	is(op(id, 0, 1, 0), 0);
	is(semctl(id, 0, IPC_STAT, &ds), 0);
	check(ds.sem_otime >= now);
	is(semctl(id, 0, GETPID), getpid());
	is(proc_row("sem", id, v), 10);
	is(v[0], KEY);
	is(v[2], 0642);
	is(v[3], 3);
	is(v[8], ds.sem_otime);
	is(v[9], ds.sem_ctime);
	fails(semctl(id, 0, IPC_STAT, BAD), EFAULT);
	is(semctl(id, 0, IPC_RMID), 0);
}

TEST(waiting)
{
	int id = works(set_of(2));
	pid_t c = child_op(id, 0, -2, 0), z;

	is(semctl(id, 0, GETNCNT), 1);
	is(semctl(id, 0, GETZCNT), 0);
	is(semctl(id, 1, GETNCNT), 0);
	is(op(id, 0, 1, 0), 0);
	msleep(30);
	check(until_asleep(c));
	is(op(id, 0, 1, 0), 0);
	is(reap(c), 0);
	is(value(id, 0), 0);
	is(semctl(id, 0, GETPID), c);
	is(op(id, 0, 3, 0), 0);
	z = child_op(id, 0, 0, 0);
	is(semctl(id, 0, GETZCNT), 1);
	is(semctl(id, 0, GETNCNT), 0);
	is(op(id, 0, -2, 0), 0);
	is(semctl(id, 0, GETZCNT), 1);
	is(set_value(id, 0, 0), 0);
	is(reap(z), 0);
	is(semctl(id, 0, GETZCNT), 0);
	c = child_op(id, 1, -1, 0);
	z = child_op(id, 1, -1, 0);
	is(semctl(id, 1, GETNCNT), 2);
	is(semctl(id, 0, IPC_RMID), 0);
	is(reap(c), EIDRM);
	is(reap(z), EIDRM);
}

/* The oldest is served first; a large wish lets smaller ones pass. */
TEST(order)
{
	int id = works(set_of(2));
	pid_t a = child_op(id, 0, -3, 0), b = child_op(id, 0, -1, 0), c = child_op(id, 0, -1, 0);

	is(op(id, 0, 1, 0), 0);
	is(reap(b), 0);
	is(op(id, 0, 1, 0), 0);
	is(reap(c), 0);
	is(op(id, 0, 3, 0), 0);
	is(reap(a), 0);
	a = child_op(id, 0, -1, 0);
	b = child_op(id, 0, -1, 0);
	is(op(id, 0, 1, 0), 0);
	is(reap(a), 0);
	check(until_asleep(b));
	is(op(id, 0, 1, 0), 0);
	is(reap(b), 0);
	/* What one waiter does lets another go on. */
	a = fork();
	if (!a) {
		struct sembuf both[] = {{0, -1, 0}, {1, 1, 0}};

		_exit(semop(id, both, 2) ? errno : 0);
	}
	until_asleep(a);
	b = child_op(id, 1, -1, 0);
	is(op(id, 0, 1, 0), 0);
	is(reap(a), 0);
	is(reap(b), 0);
	is(semctl(id, 0, IPC_RMID), 0);
}

static void
nothing(int sig)
{
	(void)sig;
}

TEST(interrupted)
{
	int id = works(set_of(1));
	struct timespec bad = {0, NSEC}, ts = {0, 1000000};
	struct sembuf b = {0, -1, 0};
	long before;
	pid_t c;

	handle(SIGUSR1, nothing, SA_RESTART);
	c = child_op(id, 0, -1, 0);
	kill(c, SIGUSR1);
	/* Whatever SA_RESTART says. */
	is(reap(c), EINTR);
	is(semctl(id, 0, GETNCNT), 0);
	before = now_ns();
	fails(timed(id, 0, -1, 50), EAGAIN);
	check(now_ns() - before >= 50000000);
	fails(timed(id, 0, -1, 0), EAGAIN);
	is(op(id, 0, 1, 0), 0);
	is(timed(id, 0, -1, 0), 0);
	fails(semtimedop(id, &b, 1, &bad), EINVAL);
	bad.tv_nsec = 0;
	bad.tv_sec = -1;
	fails(semtimedop(id, &b, 1, &bad), EINVAL);
	fails(syscall(SYS_semtimedop, id, &b, 1, BAD), EFAULT);
	b.sem_num = 5;
	fails(semtimedop(id, &b, 1, &ts), EFBIG);
	c = child_op(id, 0, -1, 0);
	kill(c, SIGKILL);
	is(reap(c), -SIGKILL);
	is(semctl(id, 0, GETNCNT), 0);
	is(semctl(id, 0, IPC_RMID), 0);
}

TEST(undo)
{
	int id = works(set_of(3));
	pid_t c;

	is(set_value(id, 0, 5), 0);
	in_child {
		is(op(id, 0, -2, SEM_UNDO), 0);
		is(op(id, 1, 3, SEM_UNDO), 0);
		is(op(id, 2, 1, 0), 0);
		is(value(id, 0), 3);
	}
	is(value(id, 0), 5);
	is(value(id, 1), 0);
	is(value(id, 2), 1);
	check(semctl(id, 0, GETPID) != getpid());
	/* Not below 0, and nothing of a value that was set. */
	in_child {
		is(op(id, 1, 3, SEM_UNDO), 0);
		is(op(id, 1, -2, 0), 0);
		is(op(id, 0, 4, SEM_UNDO), 0);
		is(set_value(id, 0, 7), 0);
	}
	is(value(id, 1), 0);
	is(value(id, 0), 7);
	/* A killed holder lets the next one in. */
	is(set_value(id, 0, 1), 0);
	c = fork();
	if (!c) {
		op(id, 0, -1, SEM_UNDO);
		pause();
		_exit(0);
	}
	soon(value(id, 0) == 0);
	kill(c, SIGKILL);
	is(op(id, 0, -1, 0), 0);
	is(reap(c), -SIGKILL);
	/* A waiter's own undo is entered by whoever does it for it. */
	c = child_op(id, 0, -1, SEM_UNDO);
	is(op(id, 0, 1, 0), 0);
	is(reap(c), 0);
	is(value(id, 0), 1);
	in_child {
		fails(op(id, 5, 1, SEM_UNDO), EFBIG);
		is(op(id, 2, 30000, SEM_UNDO), 0);
		is(op(id, 2, -30000, 0), 0);
		fails(op(id, 2, 30000, SEM_UNDO), ERANGE);
		is(value(id, 2), 1);
		/* The set goes before us. */
		is(semctl(id, 0, IPC_RMID), 0);
	}
}

HELPER(pauser)
{
	return value(atoi(argv[2]), 0) == 4 ? 0 : 1;
}

TEST(undo_and_exec)
{
	int id = works(set_of(1));
	char number[16];

	is(set_value(id, 0, 5), 0);
	snprintf(number, sizeof(number), "%d", id);
	in_child {
		op(id, 0, -1, SEM_UNDO);
		/* A child has none of it. */
		in_child
			is(value(id, 0), 4);
		is(value(id, 0), 4);
		execl("/proc/self/exe", "sem", "@pauser", number, NULL);
	}
	is(value(id, 0), 5);
	is(semctl(id, 0, IPC_RMID), 0);
}

static char stack[65536];
static int shared_id;

static int
undoer(void *arg)
{
	return op(shared_id, 0, -1, SEM_UNDO) ? errno : 0;
}

static void *
undo_thread(void *arg)
{
	op(shared_id, 0, -1, SEM_UNDO);
	return NULL;
}

TEST(undo_shared)
{
	pthread_t t;
	pid_t c;

	shared_id = works(set_of(1));
	is(set_value(shared_id, 0, 5), 0);
	in_child {
		c = clone(undoer, stack + sizeof(stack), CLONE_SYSVSEM | SIGCHLD, NULL);
		is(reap(c), 0);
		is(value(shared_id, 0), 4);
		c = clone(undoer, stack + sizeof(stack), SIGCHLD, NULL);
		is(reap(c), 0);
		is(value(shared_id, 0), 4);
		/* The end of a thread is not that of the process. */
		pthread_create(&t, NULL, undo_thread, NULL);
		pthread_join(t, NULL);
		is(value(shared_id, 0), 3);
	}
	is(value(shared_id, 0), 5);
	in_child {
		op(shared_id, 0, -1, SEM_UNDO);
		is(value(shared_id, 0), 4);
		is(unshare(CLONE_SYSVSEM), 0);
		is(value(shared_id, 0), 5);
		op(shared_id, 0, -1, SEM_UNDO);
		is(value(shared_id, 0), 4);
	}
	is(value(shared_id, 0), 5);
	is(semctl(shared_id, 0, IPC_RMID), 0);
}

TEST(permissions)
{
	int mine = works(semget(KEY, 1, IPC_CREAT | 0600));
	int readable = works(semget(KEY + 1, 1, IPC_CREAT | 0604));
	struct semid_ds ds;
	unsigned short all[1] = {0};

	in_child {
		drop(USER);
		fails(semget(KEY, 1, 0400), EACCES);
		is(semget(KEY, 1, 0), mine);
		fails(op(mine, 0, 0, IPC_NOWAIT), EACCES);
		is(op(readable, 0, 0, IPC_NOWAIT), 0);
		fails(op(readable, 0, 1, IPC_NOWAIT), EACCES);
		fails(set_value(readable, 0, 1), EACCES);
		fails(semctl(readable, 0, SETALL, all), EACCES);
		is(semctl(readable, 0, GETALL, all), 0);
		fails(value(mine, 0), EACCES);
		is(value(readable, 0), 0);
		fails(semctl(mine, 0, IPC_STAT, &ds), EACCES);
		fails(semctl(readable, 0, IPC_RMID), EPERM);
		is(semctl(readable, 0, IPC_STAT, &ds), 0);
		fails(semctl(readable, 0, IPC_SET, &ds), EPERM);
	}
	is(semctl(mine, 0, IPC_STAT, &ds), 0);
	ds.sem_perm.uid = USER;
	ds.sem_perm.gid = USER;
	ds.sem_perm.mode = 0200;
	is(semctl(mine, 0, IPC_SET, &ds), 0);
	in_child {
		drop(USER);
		is(op(mine, 0, 1, 0), 0);
		fails(value(mine, 0), EACCES);
		is(semctl(mine, 0, IPC_RMID), 0);
	}
	fails(semctl(readable, 0, IPC_SET, BAD), EFAULT);
	is(semctl(readable, 0, IPC_RMID), 0);
}

TEST(by_index)
{
	struct semid_ds ds;
	struct seminfo info, limits;
	int id = works(set_of(7)), highest;

	highest = works(semctl(0, 0, SEM_INFO, &info));
	check(highest >= (id & 0x7fff));
	check(info.semusz >= 1);
	check(info.semaem >= 7);
	is(semctl(0, 0, IPC_INFO, &limits), highest);
	is(limits.semmni, 32000);
	is(limits.semmsl, 32000);
	is(limits.semmns, 1024000000);
	is(limits.semopm, 500);
	is(limits.semvmx, 32767);
	is(limits.semaem, 32767);
	is(limits.semusz, 20);
	is(limits.semume, 500);
	is(limits.semmnu, 1024000000);
	is(limits.semmap, 1024000000);
	is(semctl(id & 0x7fff, 0, SEM_STAT, &ds), id);
	is(ds.sem_nsems, 7);
	in_child {
		drop(USER);
		fails(semctl(id & 0x7fff, 0, SEM_STAT, &ds), EACCES);
		is(semctl(id & 0x7fff, 0, SEM_STAT_ANY, &ds), id);
	}
	fails(semctl(0x7fff, 0, SEM_STAT, &ds), EINVAL);
	fails(semctl(0, 0, IPC_INFO, BAD), EFAULT);
	is(semctl(id, 0, IPC_RMID), 0);
}

static int
limits(const char *text)
{
	return put(SETTINGS "sem", text);
}

TEST(limit)
{
	char text[64];
	struct seminfo info;
	struct sembuf b[3] = {{0}};
	int id;

	check(get(SETTINGS "sem", text, sizeof(text)) > 0);
	same(text, "32000\t1024000000\t500\t32000\n");
	works(semctl(0, 0, SEM_INFO, &info));
	snprintf(text, sizeof(text), "10 %d 2 %d", info.semaem + 12, info.semusz + 2);
	is(limits(text), 0);
	fails(set_of(11), EINVAL);
	id = works(set_of(10));
	fails(set_of(3), ENOSPC);
	is(semctl(set_of(2), 0, IPC_RMID), 0);
	fails(semop(id, b, 3), E2BIG);
	is(semop(id, b, 2), 0);
	is(limits("32000 1024000000"), 0);
	is(semctl(works(set_of(10)), 0, IPC_RMID), 0);
	snprintf(text, sizeof(text), "10 20000 2 %d", info.semusz + 1);
	is(limits(text), 0);
	fails(set_of(1), ENOSPC);
	is(semctl(id, 0, IPC_RMID), 0);
	fails(limits("32000 1024000000 500 32769"), ERANGE);
	is(limits("32000 1024000000 500 32000"), 0);
	is(set_setting("sem_next_id", 3 << 15 | 77), 0);
	id = works(set_of(1));
	is(id, 3 << 15 | 77);
	is(semctl(id, 0, IPC_RMID), 0);
}

/* Many who pass one value round, and a mutex that is always undone. */
static void *
passer(void *arg)
{
	int me = (int)(long)arg;

	for (int i = 0; i < 200; i++)
		if (op(shared_id, me, -1, 0) || op(shared_id, (me + 1) % 4, 1, 0))
			return (void *)1;
	return NULL;
}

TEST(ring)
{
	pthread_t t[4];
	void *bad;

	shared_id = works(set_of(4));
	is(op(shared_id, 0, 1, 0), 0);
	for (long i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, passer, (void *)i);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &bad);
		check(!bad);
	}
	is(value(shared_id, 0), 1);
	is(semctl(shared_id, 0, IPC_RMID), 0);
}

TEST(mutex_of_processes)
{
	int *count = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int id = works(set_of(1));
	pid_t c[4];

	is(set_value(id, 0, 1), 0);
	for (int i = 0; i < 4; i++) {
		c[i] = fork();
		if (c[i])
			continue;
		for (int k = 0; k < 300; k++) {
			op(id, 0, -1, SEM_UNDO);
			*(volatile int *)count = *(volatile int *)count + 1;
			/* The last one leaves it locked. */
			if (k < 299)
				op(id, 0, 1, SEM_UNDO);
		}
		_exit(0);
	}
	for (int i = 0; i < 4; i++)
		is(reap(c[i]), 0);
	is(*count, 1200);
	is(value(id, 0), 1);
	is(semctl(id, 0, IPC_RMID), 0);
}
