/* SPDX-License-Identifier: BSD-2-Clause */
/* Pseudo-terminals, pipe buffers, mounts and timers: up to their limits. */
#include "tests/exhaust/exhaust.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <termios.h>

static char big[1 << 20];

TEST_LIMIT(pty_number, 120)
{
	struct level before = level_now();
	long have = limit_get("kernel/pty/nr");
	struct limit l;
	int n, fd[200];

	if (have < 0 || !limit_set(&l, "kernel/pty/max", have + 64))
		return;
	for (int round = 0; round < 2; round++) {
		for (n = 0; n < 200; n++) {
			fd[n] = open("/dev/ptmx", O_RDWR | O_NOCTTY);
			if (fd[n] < 0)
				break;
		}
		check(errno == ENOSPC);
		/* Linux stops one short of the number. */
		check(n == 63 || n == 64);
		is(limit_get("kernel/pty/nr"), have + n);
		close(fd[10]);
		fd[10] = works(open("/dev/ptmx", O_RDWR | O_NOCTTY));
		for (int i = 0; i < n; i++)
			close(fd[i]);
		soon(limit_get("kernel/pty/nr") == have);
	}
	limit_restore(&l);
	level_check(&before);
}

TEST_LIMIT(pty_of_a_mount, 120)
{
	int n;

	mkdir("p", 0755);
	works(mount("x", "p", "devpts", 0, "newinstance,ptmxmode=666,max=8"));
	in_child {
		for (n = 0; n < 20; n++) {
			if (open("p/ptmx", O_RDWR | O_NOCTTY) < 0)
				break;
		}
		check(errno == ENOSPC);
		is(n, 8);
	}
	in_child {
		works(open("p/ptmx", O_RDWR | O_NOCTTY));
	}
	soon(!umount("p"));
}

/* Many terminals, each full of output that nobody reads. */
TEST_LIMIT(pty_buffers, 120)
{
	struct level before = level_now();
	struct limit l;
	int full = 0;

	if (!limit_set(&l, "kernel/pty/max", 1000))
		return;
	in_child {
		for (int i = 0; i < 200; i++) {
			int m = open("/dev/ptmx", O_RDWR | O_NOCTTY);
			int zero = 0, s;

			ioctl(m, TIOCSPTLCK, &zero);
			s = ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY);
			fcntl(s, F_SETFL, O_NONBLOCK);
			while (write(s, big, 65536) > 0)
				;
			full += errno == EAGAIN;
		}
		is(full, 200);
	}
	limit_restore(&l);
	level_check(&before);
}

TEST_LIMIT(pipe_buffers, 120)
{
	struct level before = level_now();
	struct rlimit r = { 4096, 4096 };
	int full = 0, p[2];

	in_child {
		setrlimit(RLIMIT_NOFILE, &r);
		for (int i = 0; i < 1000; i++) {
			if (pipe2(p, O_NONBLOCK))
				break;
			full += write(p[1], big, sizeof(big)) == 65536;
		}
		is(full, 1000);
	}
	level_check(&before);
}

/* An ordinary user's pipes shrink to two pages beyond the soft limit. */
TEST_LIMIT(pipe_pages_of_a_user, 120)
{
	struct rlimit r = { 4096, 4096 };
	struct level before = level_now();
	struct limit l;
	int n, p[2];

	if (!limit_set(&l, "fs/pipe-user-pages-soft", 1024))
		return;
	in_child {
		setrlimit(RLIMIT_NOFILE, &r);
		drop(USER + 902);
		for (n = 0; n < 100; n++) {
			pipe2(p, O_NONBLOCK);
			if (fcntl(p[0], F_GETPIPE_SZ) != 65536)
				break;
		}
		is(n, 64);
		is(fcntl(p[0], F_GETPIPE_SZ), 8192);
		is(write(p[1], big, 65536), 8192);
		fails(fcntl(p[1], F_SETPIPE_SZ, 65536), EPERM);
	}
	limit_restore(&l);
	in_child {
		drop(USER + 902);
		pipe(p);
		is(fcntl(p[0], F_GETPIPE_SZ), 65536);
	}
	level_check(&before);
}

static long
count_mounts(void)
{
	static char text[1 << 20];
	long n = 0;

	get("/proc/self/mounts", text, sizeof(text));
	for (char *p = text; (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

TEST_LIMIT(mount_number, 240)
{
	struct level before = level_now();
	long have = count_mounts();
	struct limit l;
	char name[16];
	long n;

	if (!limit_set(&l, "fs/mount-max", have + 100))
		return;
	mkdir("m", 0755);
	for (n = 0; n < 300; n++) {
		snprintf(name, sizeof(name), "m/%ld", n);
		mkdir(name, 0755);
		if (mount("t", name, "tmpfs", 0, "size=64k"))
			break;
	}
	check(errno == ENOSPC);
	diag("%ld mounts", n);
	check(n > 50 && n <= 100);
	is(count_mounts(), have + n);
	fails(mount("m", "m", NULL, MS_BIND | MS_REC, NULL), ENOSPC);
	is(umount("m/0"), 0);
	is(mount("t", "m/0", "tmpfs", 0, NULL), 0);
	for (long i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "m/%ld", i);
		if (umount(name))
			ok(false, "umount %s", name);
	}
	is(count_mounts(), have);
	limit_restore(&l);
	level_check(&before);
}

/* Each with a copy of all mounts, and held by a handle. */
TEST_LIMIT(mount_namespaces, 120)
{
	struct level before = level_now();
	struct limit l;

	if (!limit_set(&l, "user/max_mnt_namespaces", 50))
		return;
	in_child {
		int home = open("/proc/self/ns/mnt", O_RDONLY), fds[100], n = 0;

		while (n < 100 && !unshare(CLONE_NEWNS))
			fds[n++] = open("/proc/self/ns/mnt", O_RDONLY);
		check(errno == ENOSPC);
		is(n, 50);
		works(mount("t", ".", "tmpfs", 0, NULL));
		is(setns(home, CLONE_NEWNS), 0);
		fails(unshare(CLONE_NEWNS), ENOSPC);
		while (n > 0)
			close(fds[--n]);
		soon(!unshare(CLONE_NEWNS));
	}
	limit_restore(&l);
	level_check(&before);
}

/* What open_tree(2) gives counts as one, until it is closed or put somewhere. */
TEST_LIMIT(loose_trees, 120)
{
	struct level before = level_now();
	struct limit l;
	int fds[100], n = 0, fs;

	if (!limit_set(&l, "user/max_mnt_namespaces", 50))
		return;
	works(mkdir("m", 0755));
	works(mount("t", "m", "tmpfs", 0, NULL));
	while (n < 100 && (fds[n] = syscall(SYS_open_tree, AT_FDCWD, "m", 1)) >= 0)
		n++;
	check(errno == ENOSPC);
	is(n, 50);
	fs = works(syscall(SYS_fsopen, "tmpfs", 0));
	works(syscall(SYS_fsconfig, fs, 6, NULL, NULL, 0));
	fails(syscall(SYS_fsmount, fs, 0, 0), ENOSPC);
	fails(unshare(CLONE_NEWNS), ENOSPC);
	works(mkdir("at", 0755));
	works(syscall(SYS_move_mount, fds[0], "", AT_FDCWD, "at", 4));
	/* There was one attempt. */
	fails(syscall(SYS_fsmount, fs, 0, 0), EBUSY);
	works(syscall(SYS_open_tree, AT_FDCWD, "m", 1));
	for (int i = 0; i < n; i++)
		close(fds[i]);
	soon(syscall(SYS_open_tree, AT_FDCWD, "m", 1) >= 0);
	works(umount("at"));
	works(umount("m"));
	close_range(3, 90, 0);
	limit_restore(&l);
	level_check(&before);
}

/* One on top of another, then all at once. */
TEST_LIMIT(mounts_stacked, 240)
{
	struct level before = level_now();
	long have = count_mounts();
	int n = 0;

	mkdir("m", 0755);
	while (n < 300 && !mount("t", "m", "tmpfs", 0, NULL))
		n++;
	is(n, 300);
	while (!umount("m"))
		n--;
	is(n, 0);
	is(count_mounts(), have);
	mkdir("d", 0755);
	works(mount("t", "d", "tmpfs", 0, NULL));
	for (n = 0; n < 50; n++) {
		chdir("d");
		mkdir("d", 0755);
		if (mount("t", "d", "tmpfs", 0, NULL))
			break;
	}
	is(n, 50);
	for (; n > 0; n--)
		chdir("..");
	is(umount2("d", MNT_DETACH), 0);
	soon(count_mounts() == have);
	level_check(&before);
}

TEST_LIMIT(posix_timers, 120)
{
	struct rlimit r = { 500, 500 };
	struct level before = level_now();
	timer_t id, last = 0;
	int n = 0;

	in_child {
		setrlimit(RLIMIT_SIGPENDING, &r);
		drop(USER + 903);
		while (n < 2000 && !syscall(SYS_timer_create, CLOCK_MONOTONIC,
					    NULL, &id)) {
			last = id;
			n++;
		}
		check(errno == EAGAIN);
		is(n, 500);
		/* id is 32 bits in the kernel's view. */
		is(syscall(SYS_timer_delete, (int)(long)last), 0);
		is(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id), 0);
	}
	level_check(&before);
}

TEST_LIMIT(armed_timers, 120)
{
	struct itimerspec s = { { 0, 0 }, { 0, 1000000 } };
	struct epoll_event e = { .events = EPOLLIN }, got[64];
	struct rlimit r = { 4096, 4096 };
	struct level before = level_now();
	int ep, n, fired = 0;

	in_child {
		setrlimit(RLIMIT_NOFILE, &r);
		ep = epoll_create1(0);
		for (int i = 0; i < 3000; i++) {
			int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

			s.it_value.tv_nsec = (i % 100 + 1) * 1000000;
			if (fd < 0 || timerfd_settime(fd, 0, &s, NULL))
				break;
			e.data.fd = fd;
			epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
		}
		while (fired < 3000 && (n = epoll_wait(ep, got, 64, 5000)) > 0) {
			for (int i = 0; i < n; i++) {
				uint64_t v;

				fired += read(got[i].data.fd, &v, 8) == 8;
			}
		}
		is(fired, 3000);
	}
	level_check(&before);
}

/* Sleepers on every CPU with deadlines close together. */
TEST_LIMIT(sleepers, 240)
{
	struct level before = level_now();
	int good = 0;

	for (int i = 0; i < 300; i++) {
		if (!fork()) {
			long t = now_ns();

			msleep(i % 50);
			_exit(now_ns() - t >= i % 50 * 1000000L ? 7 : 1);
		}
	}
	for (int i = 0; i < 300; i++)
		good += reap(-1) == 7;
	is(good, 300);
	level_check(&before);
}

/* Calls that are not there: those that no longer fit into their table, of this number of lines. */
static long
missing_rest(int *lines)
{
	static char text[1 << 16];
	char *line = text;
	long rest = 0;

	get("/proc/tessera/syscalls", text, sizeof(text));
	for (*lines = -1; (line = strchr(line, '\n')) != NULL; line++) {
		++*lines;
		sscanf(line, "\n- - %ld -", &rest);
	}
	return rest;
}

TEST_LIMIT(missing_calls, 60)
{
	int lines, more;
	long rest;

	if (access("/proc/tessera", F_OK)) {
		skip("not Tessera");
		return;
	}
	for (long nr = 5000; nr < 7000; nr++)
		syscall(nr);
	rest = missing_rest(&lines);
	check(lines >= 256);
	check(rest >= 2000 - 256 && rest < 10000);
	fails(syscall(7000), ENOSYS);
	is(missing_rest(&more), rest + 1);
	is(more, lines);
}

/* Chains of filters up to their budget, that many tasks share; nothing is left of them. */
TEST_LIMIT(seccomp_filters, 120)
{
	struct level before = level_now();
	static struct sock_filter f[4096];
	struct sock_fprog one = { 1, f + 4095 }, large = { 4096, f };

	for (int i = 0; i < 4095; i++)
		f[i] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, i);
	f[4095] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	for (int round = 0; round < 20; round++) {
		in_child {
			int n = 0, small = 0;

			while (!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &large))
				n++;
			while (!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &one))
				small++;
			check(errno == ENOMEM);
			is(n, 7);
			/* 32768 - 7 * 4100 - 6 * 4 is left. */
			is(small, 449);
			is(field("/proc/self/status", "Seccomp_filters"), n + small);
			for (int i = 0; i < 50; i++) {
				if (!fork())
					_exit(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &one) != -1);
			}
			for (int i = 0; i < 50; i++) {
				int st = -1;

				wait(&st);
				if (st)
					ok(false, "a child ends with %#x", st);
			}
		}
	}
	level_check(&before);
}
