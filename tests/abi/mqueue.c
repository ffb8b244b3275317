/* SPDX-License-Identifier: BSD-2-Clause */
/* POSIX message queues. */
#include "tests/abi/abi.h"

#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#define FS_SETTINGS "/proc/sys/fs/mqueue/"

static mqd_t
queue_of(const char *name, int flags, long maxmsg, long msgsize)
{
	struct mq_attr a = {.mq_maxmsg = maxmsg, .mq_msgsize = msgsize};

	return mq_open(name, flags | O_CREAT, 0600, &a);
}

static const char *
received(mqd_t q, unsigned int want)
{
	static char buf[8193];
	unsigned int prio = 0;
	ssize_t n = mq_receive(q, buf, 8192, &prio);

	if (n < 0)
		return abi_errname(errno);
	buf[n] = '\0';
	return prio == want ? buf : "other priority";
}

static int
sent(mqd_t q, const char *text, unsigned int prio)
{
	return mq_send(q, text, strlen(text), prio);
}

static struct timespec
after(long ms)
{
	struct timespec ts;
	long ns;

	clock_gettime(CLOCK_REALTIME, &ts);
	/* A second more than it is, as ms may be below 0. */
	ns = ts.tv_nsec + NSEC + ms * 1000000;
	return (struct timespec){ts.tv_sec - 1 + ns / NSEC, ns % NSEC};
}

static long
setting(const char *name, long new)
{
	char path[64], text[32];
	long old;

	snprintf(path, sizeof(path), FS_SETTINGS "%s", name);
	get(path, text, sizeof(text));
	old = atol(text);
	snprintf(text, sizeof(text), "%ld", new);
	return new >= 0 && put(path, text) ? -1 : old;
}

static void
nothing(int sig)
{
	(void)sig;
}

TEST(names)
{
	char name[300] = "/";
	mqd_t q = works(mq_open("/t", O_CREAT | O_EXCL | O_RDWR, 0600, NULL)), r;

	is(fcntl(q, F_GETFD), FD_CLOEXEC);
	fails(mq_open("/t", O_CREAT | O_EXCL | O_RDWR, 0600, NULL), EEXIST);
	r = works(mq_open("/t", O_RDONLY));
	check(r != q);
	fails(mq_open("/t", O_RDWR | O_WRONLY), EINVAL);
	fails(mq_open("/other", O_RDONLY), ENOENT);
	fails(mq_open("/t/x", O_RDONLY), EACCES);
	fails(mq_open("/.", O_RDONLY), EACCES);
	fails(mq_open("/..", O_CREAT | O_RDONLY, 0600, NULL), EACCES);
	fails(mq_open("/", O_RDONLY), ENOENT);
	fails(syscall(SYS_mq_open, BAD, O_RDONLY), EFAULT);
	fails(syscall(SYS_mq_open, "t", O_CREAT, 0600, BAD), EFAULT);
	memset(name + 1, 'n', 256);
	fails(mq_open(name, O_CREAT | O_RDWR, 0600, NULL), ENAMETOOLONG);
	fails(mq_unlink(name), ENAMETOOLONG);
	name[256] = '\0';
	close(works(mq_open(name, O_CREAT | O_RDWR, 0600, NULL)));
	is(mq_unlink(name), 0);
	is(mq_unlink("/t"), 0);
	fails(mq_unlink("/t"), ENOENT);
	/* It lives as long as it is open. */
	is(sent(q, "still", 1), 0);
	same(received(r, 1), "still");
	fails(mq_open("/t", O_RDONLY), ENOENT);
}

TEST(attributes)
{
	struct mq_attr a, old;
	mqd_t q = works(queue_of("/a", O_RDWR, 5, 100));

	is(mq_getattr(q, &a), 0);
	is(a.mq_flags, 0);
	is(a.mq_maxmsg, 5);
	is(a.mq_msgsize, 100);
	is(a.mq_curmsgs, 0);
	is(sent(q, "x", 0), 0);
	a.mq_flags = O_NONBLOCK;
	a.mq_maxmsg = 99;
	is(mq_setattr(q, &a, &old), 0);
	is(old.mq_flags, 0);
	is(old.mq_curmsgs, 1);
	is(mq_getattr(q, &a), 0);
	is(a.mq_flags, O_NONBLOCK);
	is(a.mq_maxmsg, 5);
	is(fcntl(q, F_GETFL), O_RDWR | O_NONBLOCK);
	a.mq_flags = O_APPEND;
	fails(mq_setattr(q, &a, NULL), EINVAL);
	fails(mq_getattr(1, &a), EBADF);
	fails(mq_getattr(-1, &a), EBADF);
	fails(syscall(SYS_mq_getsetattr, q, NULL, BAD), EFAULT);
	is(mq_unlink("/a"), 0);
	q = works(mq_open("/a", O_CREAT | O_RDWR, 0600, NULL));
	is(mq_getattr(q, &a), 0);
	is(a.mq_maxmsg, 10);
	is(a.mq_msgsize, 8192);
	is(mq_unlink("/a"), 0);
	fails(queue_of("/b", O_RDWR, 0, 10), EINVAL);
	fails(queue_of("/b", O_RDWR, 10, 0), EINVAL);
	fails(queue_of("/b", O_RDWR, 65537, 10), EINVAL);
	fails(queue_of("/b", O_RDWR, -1, 10), EINVAL);
	fails(mq_open("/b", O_RDWR), ENOENT);
}

TEST(priorities)
{
	mqd_t q = works(queue_of("/p", O_RDWR | O_NONBLOCK, 8, 8192));
	char buf[8192];

	is(mq_unlink("/p"), 0);
	is(sent(q, "low", 1), 0);
	is(sent(q, "high", 9), 0);
	is(sent(q, "high too", 9), 0);
	is(sent(q, "middle", 5), 0);
	is(sent(q, "", 32767), 0);
	fails(sent(q, "x", 32768), EINVAL);
	same(received(q, 32767), "");
	same(received(q, 9), "high");
	same(received(q, 9), "high too");
	same(received(q, 5), "middle");
	same(received(q, 1), "low");
	same(received(q, 0), "EAGAIN");
	fails(mq_receive(q, buf, 8191, NULL), EMSGSIZE);
	fails(mq_send(q, buf, 8193, 0), EMSGSIZE);
	fails(mq_send(q, BAD, 10, 0), EFAULT);
	is(mq_send(q, buf, 8192, 0), 0);
	fails(mq_receive(q, BAD, 8192, NULL), EFAULT);
	same(received(q, 0), "EAGAIN");
	fails(mq_send(1, buf, 1, 0), EBADF);
	fails(mq_receive(1, buf, 8192, NULL), EBADF);
	for (int i = 0; i < 8; i++)
		is(sent(q, "x", 0), 0);
	fails(sent(q, "x", 0), EAGAIN);
}

TEST(modes)
{
	mqd_t q = works(mq_open("/m", O_CREAT | O_RDONLY, 0644, NULL)), w;
	char buf[8192];

	fails(sent(q, "x", 0), EBADF);
	w = works(mq_open("/m", O_WRONLY));
	is(sent(w, "x", 0), 0);
	fails(mq_receive(w, buf, 8192, NULL), EBADF);
	is(mq_receive(q, buf, 8192, NULL), 1);
	in_child {
		drop(USER);
		works(mq_open("/m", O_RDONLY));
		fails(mq_open("/m", O_WRONLY), EACCES);
		fails(mq_open("/m", O_RDWR), EACCES);
		fails(syscall(SYS_mq_unlink, "m"), EPERM);
		works(mq_open("/mine", O_CREAT | O_RDWR, 0000, NULL));
		fails(mq_open("/mine", O_RDONLY), EACCES);
		is(mq_unlink("/mine"), 0);
	}
	is(mq_unlink("/m"), 0);
}

static pid_t
receiver(mqd_t q)
{
	pid_t c = fork();

	if (!c) {
		char buf[8192];

		_exit(mq_receive(q, buf, 8192, NULL) < 0 ? errno : buf[0]);
	}
	until_asleep(c);
	return c;
}

static pid_t
sender(mqd_t q, const char *text, unsigned int prio)
{
	pid_t c = fork();

	if (!c)
		_exit(sent(q, text, prio) ? errno : 0);
	until_asleep(c);
	return c;
}

TEST(waiting)
{
	mqd_t q = works(queue_of("/w", O_RDWR, 1, 8192));
	struct timespec t;
	char buf[8192];
	long before;
	pid_t a, b, c;

	is(mq_unlink("/w"), 0);
	a = receiver(q);
	b = receiver(q);
	is(sent(q, "1", 0), 0);
	is(reap(a), '1');
	is(sent(q, "2", 0), 0);
	is(reap(b), '2');
	/* The more urgent task first. */
	a = receiver(q);
	b = fork();
	if (!b) {
		setpriority(PRIO_PROCESS, 0, -5);
		_exit(mq_receive(q, buf, 8192, NULL) < 0 ? errno : buf[0]);
	}
	until_asleep(b);
	is(sent(q, "b", 0), 0);
	is(reap(b), 'b');
	is(sent(q, "a", 0), 0);
	is(reap(a), 'a');
	is(sent(q, "1", 0), 0);
	a = sender(q, "2", 0);
	b = sender(q, "3", 7);
	same(received(q, 0), "1");
	is(reap(a), 0);
	same(received(q, 0), "2");
	is(reap(b), 0);
	same(received(q, 7), "3");
	before = now_ns();
	t = after(50);
	fails(mq_timedreceive(q, buf, 8192, NULL, &t), ETIMEDOUT);
	check(now_ns() - before >= 49000000);
	t = after(-50);
	fails(mq_timedreceive(q, buf, 8192, NULL, &t), ETIMEDOUT);
	is(sent(q, "f", 0), 0);
	fails(mq_timedsend(q, "x", 1, 0, &t), ETIMEDOUT);
	is(mq_timedreceive(q, buf, 8192, NULL, &t), 1);
	t.tv_nsec = NSEC;
	fails(mq_timedreceive(q, buf, 8192, NULL, &t), EINVAL);
	fails(syscall(SYS_mq_timedsend, q, "x", 1, 0, BAD), EFAULT);
	handle(SIGUSR1, nothing, 0);
	c = receiver(q);
	kill(c, SIGUSR1);
	is(reap(c), EINTR);
	handle(SIGUSR1, nothing, SA_RESTART);
	c = receiver(q);
	kill(c, SIGUSR1);
	msleep(30);
	is(sent(q, "r", 0), 0);
	is(reap(c), 'r');
	c = receiver(q);
	kill(c, SIGKILL);
	is(reap(c), -SIGKILL);
	is(sent(q, "l", 0), 0);
	same(received(q, 0), "l");
}

TEST(polls)
{
	mqd_t q = works(queue_of("/q", O_RDWR | O_NONBLOCK, 2, 8192));
	struct pollfd p = {.fd = q, .events = POLLIN | POLLOUT};
	struct epoll_event e = {.events = EPOLLIN | EPOLLET};
	int ep = epoll_create1(0);
	pid_t c;

	is(mq_unlink("/q"), 0);
	is(epoll_ctl(ep, EPOLL_CTL_ADD, q, &e), 0);
	is(poll(&p, 1, 0), 1);
	is(p.revents, POLLOUT);
	is(epoll_wait(ep, &e, 1, 0), 0);
	is(sent(q, "1", 0), 0);
	is(epoll_wait(ep, &e, 1, 0), 1);
	is(epoll_wait(ep, &e, 1, 0), 0);
	is(poll(&p, 1, 0), 1);
	is(p.revents, POLLIN | POLLOUT);
	is(sent(q, "2", 0), 0);
	is(poll(&p, 1, 0), 1);
	is(p.revents, POLLIN);
	c = fork();
	if (!c) {
		p.events = POLLOUT;
		_exit(poll(&p, 1, -1) == 1 ? 0 : 1);
	}
	until_asleep(c);
	same(received(q, 0), "1");
	is(reap(c), 0);
	same(received(q, 0), "2");
	c = fork();
	if (!c) {
		p.events = POLLIN;
		_exit(poll(&p, 1, -1) == 1 ? 0 : 1);
	}
	until_asleep(c);
	is(sent(q, "3", 0), 0);
	is(reap(c), 0);
}

static volatile int got_signo, got_code, got_pid, got_value;

static void
got(int sig, siginfo_t *si, void *u)
{
	(void)u;
	got_signo = sig;
	got_code = si->si_code;
	got_pid = si->si_pid;
	got_value = si->si_value.sival_int;
}

TEST(notifies)
{
	struct sigaction sa = {.sa_sigaction = got, .sa_flags = SA_SIGINFO};
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	mqd_t q = works(queue_of("/n", O_RDWR | O_NONBLOCK, 4, 8192)), r;
	int zero = open("/dev/null", O_RDONLY);
	pid_t c;

	ev.sigev_value.sival_int = 77;
	sigaction(SIGUSR1, &sa, NULL);
	is(mq_notify(q, &ev), 0);
	fails(mq_notify(q, &ev), EBUSY);
	in_child {
		fails(mq_notify(q, &ev), EBUSY);
		/* It is not ours to take back. */
		is(mq_notify(q, NULL), 0);
		fails(mq_notify(q, &ev), EBUSY);
	}
	in_child
		is(sent(q, "x", 0), 0);
	is(got_signo, SIGUSR1);
	is(got_code, SI_MESGQ);
	is(got_value, 77);
	check(got_pid > 0 && got_pid != getpid());
	/* Once only, and only into the empty queue. */
	got_signo = 0;
	is(sent(q, "y", 0), 0);
	is(mq_notify(q, &ev), 0);
	is(sent(q, "z", 0), 0);
	is(got_signo, 0);
	while (strcmp(received(q, 0), "EAGAIN"))
		;
	is(sent(q, "w", 0), 0);
	is(got_signo, SIGUSR1);
	same(received(q, 0), "w");
	/* Not if somebody waits for the message. */
	got_signo = 0;
	is(mq_notify(q, &ev), 0);
	r = works(mq_open("/n", O_RDWR));
	c = receiver(r);
	is(sent(q, "v", 0), 0);
	is(reap(c), 'v');
	is(got_signo, 0);
	is(mq_notify(q, NULL), 0);
	is(mq_notify(q, NULL), 0);
	is(mq_notify(q, &ev), 0);
	/* The close of any of our descriptors ends it. */
	is(close(r), 0);
	is(mq_notify(q, &ev), 0);
	is(mq_notify(q, NULL), 0);
	ev.sigev_notify = SIGEV_NONE;
	is(mq_notify(q, &ev), 0);
	fails(mq_notify(q, &ev), EBUSY);
	is(sent(q, "u", 0), 0);
	is(got_signo, 0);
	is(mq_notify(q, &ev), 0);
	is(mq_notify(q, NULL), 0);
	ev.sigev_notify = 99;
	fails(mq_notify(q, &ev), EINVAL);
	ev.sigev_notify = SIGEV_SIGNAL;
	ev.sigev_signo = 65;
	fails(mq_notify(q, &ev), EINVAL);
	ev.sigev_signo = SIGUSR1;
	fails(mq_notify(1, &ev), EBADF);
	fails(mq_notify(-1, NULL), EBADF);
	fails(syscall(SYS_mq_notify, q, BAD), EFAULT);
	/* A thread is told over a netlink socket, which this is not. */
	ev.sigev_notify = SIGEV_THREAD;
	ev.sigev_signo = zero;
	fails(syscall(SYS_mq_notify, q, &ev), EFAULT);
	ev.sigev_value.sival_ptr = &ev;
	fails(syscall(SYS_mq_notify, q, &ev), ENOTSOCK);
	ev.sigev_signo = 999;
	fails(syscall(SYS_mq_notify, q, &ev), EBADF);
	is(mq_unlink("/n"), 0);
}

TEST(file_system)
{
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	char text[128], want[128];
	struct stat st;
	mqd_t q, r;

	is(mkdir("mq", 0755), 0);
	is(mount("none", "mq", "mqueue", 0, NULL), 0);
	is(stat("mq", &st), 0);
	is(st.st_mode, S_IFDIR | 01777);
	q = works(queue_of("/f", O_RDWR, 4, 8192));
	is(stat("mq/f", &st), 0);
	is(st.st_mode, S_IFREG | 0600);
	is(st.st_size, 80);
	is(st.st_nlink, 1);
	check(get("mq/f", text, sizeof(text)) > 0);
	same(text, "QSIZE:0          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n");
	is(sent(q, "12345", 0), 0);
	is(mq_notify(q, &ev), 0);
	check(get("mq/f", text, sizeof(text)) > 0);
	snprintf(want, sizeof(want), "QSIZE:%-10d NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", 5, 0,
		 SIGUSR1, getpid());
	/* The close of the file that get() has read has ended it. */
	check(get("mq/f", text, sizeof(text)) > 0);
	same(text, "QSIZE:5          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n");
	is(mq_notify(q, &ev), 0);
	check(get("mq/f", text, sizeof(text)) > 0);
	same(text, want);
	/* Files can be made, opened as queues and removed by their names. */
	is(mknod("mq/g", S_IFREG | 0600, 0), 0);
	r = works(mq_open("/g", O_RDWR));
	is(sent(r, "x", 0), 0);
	is(access("mq/g", F_OK), 0);
	fails(link("mq/g", "mq/h"), EPERM);
	fails(mkdir("mq/d", 0700), EPERM);
	is(unlink("mq/g"), 0);
	fails(mq_unlink("/g"), ENOENT);
	r = works(open("mq/f", O_RDWR));
	same(received(r, 0), "12345");
	is(mq_unlink("/f"), 0);
	fails(stat("mq/f", &st), ENOENT);
	is(close(r), 0);
	is(umount("mq"), 0);
}

TEST(limits)
{
	struct rlimit some = {0, 0};
	struct mq_attr a;
	long most;
	mqd_t q;

	is(setting("queues_max", -1), 256);
	is(setting("msg_max", -1), 10);
	is(setting("msgsize_max", -1), 8192);
	is(setting("msg_default", -1), 10);
	is(setting("msgsize_default", -1), 8192);
	is(setting("msg_max", 0), -1);
	is(setting("msg_max", 65537), -1);
	is(setting("msgsize_max", 127), -1);
	in_child {
		drop(USER);
		fails(queue_of("/l", O_RDWR, 11, 10), EINVAL);
		fails(queue_of("/l", O_RDWR, 10, 8193), EINVAL);
		/* Messages, 48 bytes for each, and for each priority. */
		some.rlim_cur = some.rlim_max = 2 * (100 + 48 + 48);
		setrlimit(RLIMIT_MSGQUEUE, &some);
		fails(queue_of("/l", O_RDWR, 2, 101), EMFILE);
		fails(mq_open("/l", O_RDONLY), ENOENT);
		q = works(queue_of("/l", O_RDWR, 2, 100));
		fails(queue_of("/k", O_RDWR, 1, 1), EMFILE);
		is(mq_unlink("/l"), 0);
		fails(queue_of("/k", O_RDWR, 1, 1), EMFILE);
		/* Its last close gives it back. */
		is(close(q), 0);
		for (int i = 0; i < 20; i++) {
			q = queue_of("/l", O_RDWR, 2, 100);
			if (q < 0 || mq_unlink("/l") || close(q))
				ok(false, "queue %d", i);
		}
	}
	is(setting("msg_default", 3), 10);
	q = works(mq_open("/l", O_CREAT | O_RDWR, 0600, NULL));
	is(mq_getattr(q, &a), 0);
	is(a.mq_maxmsg, 3);
	is(mq_unlink("/l"), 0);
	is(setting("msg_default", 10), 3);
	most = setting("queues_max", 0);
	works(queue_of("/l", O_RDWR, 1, 1));
	is(mq_unlink("/l"), 0);
	in_child {
		drop(USER);
		fails(queue_of("/l", O_RDWR, 1, 1), ENOSPC);
	}
	is(setting("queues_max", most), 0);
}

/* Nothing is lost or comes twice between many senders and receivers. */
TEST(many)
{
	long *sum = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	mqd_t q = works(queue_of("/many", O_RDWR, 3, 8));
	struct mq_attr a;
	pid_t c[6];

	is(mq_unlink("/many"), 0);
	for (int i = 0; i < 6; i++) {
		c[i] = fork();
		if (c[i])
			continue;
		for (long k = 0; k < 300; k++) {
			long v = k;

			if (i < 3 ? mq_send(q, (char *)&v, 8, k % 5) :
				    mq_receive(q, (char *)&v, 8, NULL) != 8)
				_exit(1);
			if (i >= 3)
				__atomic_add_fetch(sum, v, __ATOMIC_SEQ_CST);
		}
		_exit(0);
	}
	for (int i = 0; i < 6; i++)
		is(reap(c[i]), 0);
	is(*sum, 3 * 299 * 300 / 2);
	is(mq_getattr(q, &a), 0);
	is(a.mq_curmsgs, 0);
}

TEST(no_descriptor)
{
	struct mq_attr a;
	struct rlimit l, few;
	mqd_t q = works(queue_of("/nofd", O_RDWR, 4, 16));
	int last;

	getrlimit(RLIMIT_NOFILE, &l);
	last = works(dup(q));
	few = l;
	few.rlim_cur = (rlim_t)last + 1;
	is(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (int i = 0; i < 100; i++)
		fails(mq_open("/nofd", O_RDWR), EMFILE);
	fails(queue_of("/nofd2", O_RDWR, 4, 16), EMFILE);
	is(setrlimit(RLIMIT_NOFILE, &l), 0);
	/* Nor has it made one. */
	fails(mq_unlink("/nofd2"), ENOENT);
	is(sent(q, "x", 3), 0);
	same(received(q, 3), "x");
	is(mq_getattr(q, &a), 0);
	is(a.mq_curmsgs, 0);
	close(last);
	mq_close(q);
	is(mq_unlink("/nofd"), 0);
}

/* A queue that is gone does not come back by a handle on its file. */
TEST(gone_for_good)
{
	char path[64], buf[16];
	mqd_t q;
	int fd;

	mkdir("gone", 0755);
	if (mount("none", "gone", "mqueue", 0, NULL)) {
		skip("no mqueue file system");
		return;
	}
	q = works(queue_of("/dead", O_RDWR, 4, 16));
	is(sent(q, "x", 0), 0);
	mq_close(q);
	fd = works(open("gone/dead", O_PATH));
	is(mq_unlink("/dead"), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (int i = 0; i < 4; i++) {
		int again = open(path, O_RDWR | O_NONBLOCK);

		/* Linux opens it: its queue lives as long as its file. */
		if (again < 0)
			check(errno == ENOENT);
		else if (i)
			fails(mq_receive(again, buf, 16, NULL), EAGAIN);
		else
			is(mq_receive(again, buf, 16, NULL), 1);
		if (again >= 0)
			close(again);
	}
	close(fd);
	is(umount("gone"), 0);
}
