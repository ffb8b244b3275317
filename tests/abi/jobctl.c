/* SPDX-License-Identifier: BSD-2-Clause */
/* Process groups, sessions, controlling terminals and job control. */
#include "tests/abi/pty.h"

static volatile int got[65];

static void
count(int sig)
{
	got[sig]++;
}

TEST(groups)
{
	pid_t c, d;
	struct gate g = gate_new();

	is(getpgrp(), getpid());
	is(getpgid(0), getpid());
	c = fork();
	if (!c) {
		gate_wait(&g);
		_exit(getpgrp() == getpid() ? 7 : 1);
	}
	is(setpgid(c, c), 0);
	is(getpgid(c), c);
	gate_open(&g);
	is(reap(c), 7);
	fails(setpgid(0, 0), EPERM);
	fails(setpgid(-1, 0), EINVAL);
	fails(setpgid(0, -1), EINVAL);
	fails(setpgid(1, 0), ESRCH);
	fails(getpgid(4999999), ESRCH);
	fails(getpgid(-1), ESRCH);
	in_child {
		fails(setpgid(0, 4999999), EPERM);
		is(setpgid(0, 0), 0);
		is(getpgrp(), getpid());
		d = fork();
		if (!d)
			_exit(getpgrp() == getppid() ? 7 : 1);
		is(reap(d), 7);
		is(setpgid(0, getpgid(getppid())), 0);
	}
	/* A child that has called exec can no longer be moved. */
	c = fork();
	if (!c) {
		char *argv[] = { "x", "@sleeper", NULL };

		execv("/proc/self/exe", argv);
		_exit(1);
	}
	for (int i = 0; i < 1000 && setpgid(c, 0) == 0; i++) {
		setpgid(c, getpgrp());
		msleep(2);
	}
	fails(setpgid(c, 0), EACCES);
	kill(c, SIGKILL);
	is(reap(c), -SIGKILL);
}

HELPER(sleeper)
{
	for (;;)
		pause();
	return 0;
}

TEST(sessions)
{
	pid_t me = getpid();

	is(getsid(0), me);
	fails(setsid(), EPERM);
	fails(getsid(4999999), ESRCH);
	in_child {
		is(getsid(0), me);
		is(setsid(), getpid());
		is(getsid(0), getpid());
		is(getpgrp(), getpid());
		fails(setpgid(0, 0), EPERM);
	}
	in_child {
		setpgid(0, 0);
		fails(setsid(), EPERM);
	}
	/* Groups do not cross sessions. */
	in_child {
		struct gate g = gate_new();
		pid_t c = fork();

		if (!c) {
			setsid();
			gate_open(&g);
			pause();
		}
		gate_wait(&g);
		fails(setpgid(c, 0), EPERM);
		fails(setpgid(0, c), EPERM);
		kill(c, SIGKILL);
		reap(c);
	}
}

TEST(kill_targets)
{
	pid_t a = fork();

	if (!a) {
		setpgid(0, 0);
		fork();
		for (;;)
			pause();
	}
	while (getpgid(a) != a)
		msleep(1);
	until_asleep(a);
	is(kill(-a, 0), 0);
	is(kill(-a, SIGTERM), 0);
	is(reap(a), -SIGTERM);
	is(killpg(getpgrp(), 0), 0);
	fails(kill(-4999999, SIGTERM), ESRCH);
	fails(kill(4999999, 0), ESRCH);
	fails(kill(INT_MIN, 0), ESRCH);
	fails(kill(getpid(), 65), EINVAL);
	fails(kill(getpid(), -1), EINVAL);
	handle(SIGUSR1, count, 0);
	is(kill(0, SIGUSR1), 0);
	is(got[SIGUSR1], 1);
	in_child {
		drop(USER);
		fails(kill(1, 0), EPERM);
		fails(kill(getppid(), SIGUSR1), EPERM);
		is(kill(getpid(), 0), 0);
	}
}

TEST(controlling_terminal)
{
	struct pty p = pty_open();
	pid_t c;

	fails(tcgetpgrp(p.s), ENOTTY);
	fails(tcsetpgrp(p.s, getpgrp()), ENOTTY);
	fails(tcgetsid(p.s), ENOTTY);
	c = pty_session(&p);
	if (!c) {
		is(tcgetpgrp(p.s), getpid());
		is(tcgetsid(p.s), getpid());
		is(ioctl(p.s, TIOCSCTTY, 0), 0);
		fails(tcsetpgrp(p.s, -5), EINVAL);
		fails(tcsetpgrp(p.s, 4999999), ESRCH);
		fails(tcsetpgrp(p.s, 1), EPERM);
		is(tcsetpgrp(p.s, getpid()), 0);
		in_child {
			fails(ioctl(p.s, TIOCSCTTY, 0), EPERM);
		}
		in_child {
			setsid();
			fails(ioctl(p.s, TIOCSCTTY, 0), EPERM);
			fails(open("/dev/tty", O_RDWR), ENXIO);
		}
		_exit(7);
	}
	is(reap(c), 7);
	/* Opening a terminal without O_NOCTTY takes it. */
	in_child {
		struct pty q = pty_open();

		setsid();
		works(open(q.name, O_RDWR));
		is(tcgetpgrp(q.s), getpid());
		close(q.s);
		signal(SIGHUP, SIG_IGN);
	}
}

/* Ends the shell of a session cleanly after what @fn checks in it. */
static void
in_session(struct pty *p, void (*fn)(struct pty *))
{
	pid_t c = pty_session(p);

	if (!c) {
		fn(p);
		_exit(7);
	}
	is(reap(c), 7);
}

static pid_t
job(struct pty *p, bool foreground, void (*fn)(struct pty *))
{
	pid_t c = fork();

	if (!c) {
		setpgid(0, 0);
		if (foreground) {
			signal(SIGTTOU, SIG_IGN);
			tcsetpgrp(p->s, getpid());
			signal(SIGTTOU, SIG_DFL);
		}
		fn(p);
		_exit(9);
	}
	setpgid(c, c);
	return c;
}

static void
reads(struct pty *p)
{
	char b[8];

	if (read(p->s, b, 8) < 0)
		_exit(errno);
}

static void
writes(struct pty *p)
{
	if (write(p->s, "x", 1) < 0)
		_exit(errno);
}

static void
sets(struct pty *p)
{
	struct termios t;

	tcgetattr(p->s, &t);
	if (tcsetattr(p->s, TCSANOW, &t) < 0)
		_exit(errno);
}

static void
grabs(struct pty *p)
{
	if (tcsetpgrp(p->s, getpgrp()) < 0)
		_exit(errno);
}

static void
stops_with(struct pty *p, void (*fn)(struct pty *), int sig)
{
	pid_t c = job(p, false, fn);
	int st = 0;

	is(waitpid(c, &st, WUNTRACED), c);
	ok(WIFSTOPPED(st) && WSTOPSIG(st) == sig, "stopped by %d (0x%x)", sig,
	   st);
	kill(c, SIGKILL);
	kill(c, SIGCONT);
	is(reap(c), -SIGKILL);
}

static void
reads_ignoring(struct pty *p)
{
	signal(SIGTTIN, SIG_IGN);
	reads(p);
}

static void
writes_ignoring(struct pty *p)
{
	signal(SIGTTOU, SIG_IGN);
	writes(p);
	sets(p);
}

static void
background_body(struct pty *p)
{
	stops_with(p, reads, SIGTTIN);
	stops_with(p, sets, SIGTTOU);
	stops_with(p, grabs, SIGTTOU);
	/* Plain output is free without TOSTOP. */
	is(reap(job(p, false, writes)), 9);
	pty_flags(p->s, 0, TOSTOP);
	stops_with(p, writes, SIGTTOU);
	is(reap(job(p, false, reads_ignoring)), EIO);
	is(reap(job(p, false, writes_ignoring)), 9);
}

TEST(background)
{
	struct pty p = pty_open();

	in_session(&p, background_body);
}

static void
waits(struct pty *p)
{
	write(p->s, "ready\n", 6);
	for (;;)
		pause();
}

static void
keys_body(struct pty *p)
{
	pid_t c;
	int st;

	c = job(p, true, waits);
	is(reap(c), -SIGINT);
	c = job(p, true, waits);
	is(reap(c), -SIGQUIT);
	c = job(p, true, waits);
	is(waitpid(c, &st, WUNTRACED), c);
	is(WSTOPSIG(st), SIGTSTP);
	is(tcgetpgrp(p->s), c);
	signal(SIGTTOU, SIG_IGN);
	is(tcsetpgrp(p->s, getpgrp()), 0);
	kill(-c, SIGCONT);
	is(waitpid(c, &st, WCONTINUED), c);
	kill(c, SIGKILL);
	is(reap(c), -SIGKILL);
}

TEST(keys)
{
	struct pty p = pty_open();
	pid_t c = fork();

	if (!c) {
		static const char keys[] = { 3, 28, 26 };

		pty_flags(p.s, ECHO, 0);
		for (int i = 0; i < 3; i++) {
			pty_expect(p.m, "ready\r\n");
			write(p.m, keys + i, 1);
		}
		/* Hold the master until the session is over. */
		for (;;)
			pause();
	}
	in_session(&p, keys_body);
	kill(c, SIGKILL);
	is(reap(c), -SIGKILL);
}

/* An interrupt key drops what was typed unless NOFLSH is set. */
TEST(key_flushes)
{
	struct pty p = pty_open();
	char buf[16];
	pid_t c;

	c = pty_session(&p);
	if (!c) {
		p.m = open("/dev/null", O_RDONLY);
		handle(SIGINT, count, SA_RESTART);
		write(p.s, "ready\n", 6);
		if (read(p.s, buf, 16) != 4 || memcmp(buf, "new\n", 4))
			_exit(1);
		_exit(got[SIGINT] == 1 ? 7 : 2);
	}
	pty_expect(p.m, "ready\r\n");
	check(until_asleep(c));
	write(p.m, "old\003new\n", 8);
	is(reap(c), 7);
}

static void
hangup_body(struct pty *p)
{
	(void)p;
	handle(SIGHUP, count, 0);
	handle(SIGCONT, count, 0);
	write(p->s, "ready\n", 6);
	while (!got[SIGHUP] || !got[SIGCONT])
		pause();
}

TEST(hangup)
{
	struct pty p = pty_open();
	pid_t c = pty_session(&p);

	if (!c) {
		hangup_body(&p);
		_exit(read(p.s, (char[1]){ 0 }, 1) == 0 ? 7 : 1);
	}
	pty_expect(p.m, "ready\r\n");
	close(p.s);
	close(p.m);
	is(reap(c), 7);
	/* By default it kills. */
	p = pty_open();
	c = pty_session(&p);
	if (!c)
		waits(&p);
	pty_expect(p.m, "ready\r\n");
	close(p.m);
	is(reap(c), -SIGHUP);
}

/* The leader's exit sends SIGHUP to the foreground group. */
TEST(leader_exit)
{
	struct pty p = pty_open();
	int r[2];
	char ch = 0;
	pid_t c;

	pipe(r);
	c = pty_session(&p);
	if (!c) {
		struct gate g = gate_new();

		if (!fork()) {
			setpgid(0, 0);
			signal(SIGTTOU, SIG_IGN);
			tcsetpgrp(p.s, getpid());
			handle(SIGHUP, count, 0);
			gate_open(&g);
			while (!got[SIGHUP])
				msleep(5);
			/* The terminal is no longer theirs. */
			ch = open("/dev/tty", O_RDWR) < 0 ? 'h' : 't';
			write(r[1], &ch, 1);
			_exit(0);
		}
		gate_wait(&g);
		_exit(7);
	}
	is(reap(c), 7);
	close(r[1]);
	is(read(r[0], &ch, 1), 1);
	is(ch, 'h');
}

/* A stopped group that becomes orphaned gets SIGHUP and SIGCONT. */
TEST(orphaned_group)
{
	int r[2];
	char ch[2] = "";

	pipe(r);
	in_child {
		pid_t c = fork();

		if (!c) {
			setpgid(0, 0);
			handle(SIGHUP, count, 0);
			handle(SIGCONT, count, 0);
			raise(SIGSTOP);
			/* Both were sent while we stood still. */
			ch[0] = '0' + got[SIGHUP];
			ch[1] = '0' + got[SIGCONT];
			write(r[1], ch, 2);
			_exit(0);
		}
		setpgid(c, c);
		waitpid(c, NULL, WUNTRACED);
	}
	close(r[1]);
	is(read(r[0], ch, 2), 2);
	is(ch[0], '1');
	is(ch[1], '1');
}

/* Terminal stop signals have no effect in an orphaned group. */
TEST(orphans_do_not_stop)
{
	int r[2];
	char ch = 0;

	pipe(r);
	in_child {
		pid_t parent = getpid();

		if (!fork()) {
			setpgid(0, 0);
			while (getppid() == parent)
				msleep(1);
			raise(SIGTSTP);
			raise(SIGTTIN);
			raise(SIGTTOU);
			write(r[1], "r", 1);
			raise(SIGSTOP);
			write(r[1], "s", 1);
			_exit(0);
		}
	}
	is(read(r[0], &ch, 1), 1);
	is(ch, 'r');
	{
		struct pollfd f = { .fd = r[0], .events = POLLIN };

		is(poll(&f, 1, 100), 0);
	}
}

static void
orphan_read_body(struct pty *p)
{
	int r[2];
	char ch = 0;

	pipe(r);
	in_child {
		pid_t parent = getpid();

		if (!fork()) {
			setpgid(0, 0);
			while (getppid() == parent)
				msleep(1);
			ch = read(p->s, &ch, 1) < 0 ? errno : 0;
			write(r[1], &ch, 1);
			_exit(0);
		}
	}
	is(read(r[0], &ch, 1), 1);
	is(ch, EIO);
}

/* Background reading in an orphaned group is EIO, not a stop. */
TEST(orphan_reads)
{
	struct pty p = pty_open();

	in_session(&p, orphan_read_body);
}

/* vhangup(2): whoever has the terminal loses it. */
TEST(virtual_hangup)
{
	struct pty p = pty_open();
	pid_t c;

	in_child {
		drop(USER);
		fails(syscall(SYS_vhangup), EPERM);
	}
	is(syscall(SYS_vhangup), 0);
	c = fork();
	if (!c) {
		setsid();
		signal(SIGHUP, SIG_IGN);
		if (ioctl(p.s, TIOCSCTTY, 0) || syscall(SYS_vhangup))
			_exit(1);
		if (write(p.s, "x", 1) != -1 || errno != EIO)
			_exit(2);
		_exit(open("/dev/tty", O_RDWR) < 0 && errno == ENXIO ? 7 : 3);
	}
	is(reap(c), 7);
}
