/* SPDX-License-Identifier: BSD-2-Clause */
/* Namespaces of mounts: unshare, clone, setns; what is seen in which. */
#include "tests/abi/mountns.h"

#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>

#define MNT "/proc/self/ns/mnt"

TEST(unshare_is_a_copy)
{
	unsigned long before = ns_number(MNT);
	int lines = mounts_in("/proc/self/mountinfo");
	char cwd[PATH_MAX], now[PATH_MAX];
	struct info old, copy;
	struct stat st;

	works(mkdir("m", 0755));
	works(mount("t", "m", "tmpfs", 0, NULL));
	put("m/f", "text");
	check(info_in("/proc/self/mountinfo", "m", &old));
	getcwd(cwd, sizeof(cwd));
	in_child
	{
		works(unshare(CLONE_NEWNS));
		check(ns_number(MNT) != before && ns_number(MNT));
		is(ns_number("/proc/1/ns/mnt"), before);
		same(getcwd(now, sizeof(now)), cwd);
		is(mounts_in("/proc/self/mountinfo"), lines + 1);
		check(info_in("/proc/self/mountinfo", "m", &copy));
		check(copy.id != old.id && copy.parent != old.parent);
		works(stat("m/f", &st));
		/* Ours to take away. */
		works(umount("m"));
		check(!is_mounted("m"));
	}
	check(is_mounted("m"));
	works(stat("m/f", &st));
	works(umount("m"));
	is(mounts_in("/proc/self/mountinfo"), lines);
}

TEST(ours_alone)
{
	struct gate ready = gate_new(), done = gate_new();
	char path[64];
	struct stat st;
	struct info in;
	pid_t pid;

	works(mkdir("m", 0755));
	pid = fork();
	if (pid == 0) {
		works(unshare(CLONE_NEWNS));
		works(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		works(mount("inner", "m", "tmpfs", 0, NULL));
		put("m/f", "");
		gate_open(&ready);
		gate_wait(&done);
		_exit(0);
	}
	gate_wait(&ready);
	check(!is_mounted("m"));
	fails(stat("m/f", &st), ENOENT);
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	check(info_in(path, "m", &in));
	same(in.source, "inner");
	/* Its directory is another place of the same file system. */
	snprintf(path, sizeof(path), "/proc/%d/cwd/m/f", pid);
	works(stat(path, &st));
	/* That directory leads to its namespace, where nothing of ours may be done. */
	snprintf(path, sizeof(path), "/proc/%d/cwd/m", pid);
	fails(umount(path), EINVAL);
	fails(mount("t", path, "tmpfs", 0, NULL), EINVAL);
	fails(mount(path, "m", NULL, MS_BIND, NULL), EINVAL);
	fails(mount(path, "m", NULL, MS_MOVE, NULL), EINVAL);
	fails(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), EINVAL);
	gate_open(&done);
	is(reap(pid), 0);
}

static int
child_of_clone(void *arg)
{
	struct stat st;

	if (ns_number(MNT) == *(unsigned long *)arg)
		return 1;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("t", "m", "tmpfs", 0, NULL))
		return 2;
	put("m/f", "");
	return stat("m/f", &st) ? 3 : 0;
}

TEST(by_clone)
{
	static char stack[65536];
	unsigned long before = ns_number(MNT);
	struct clone_args args = {.flags = CLONE_NEWNS, .exit_signal = SIGCHLD};
	char *top = stack + sizeof(stack);
	struct stat st;
	pid_t pid;

	works(mkdir("m", 0755));
	is(reap(works(clone(child_of_clone, top, CLONE_NEWNS | SIGCHLD, &before))), 0);
	fails(clone(child_of_clone, top, CLONE_NEWNS | CLONE_FS | SIGCHLD, &before), EINVAL);
	fails(stat("m/f", &st), ENOENT);
	pid = works(syscall(SYS_clone3, &args, sizeof(args)));
	if (pid == 0)
		_exit(child_of_clone(&before));
	is(reap(pid), 0);
	args.flags |= CLONE_FS;
	fails(syscall(SYS_clone3, &args, sizeof(args)), EINVAL);
	is(ns_number(MNT), before);
	in_child
	{
		drop(USER);
		fails(clone(child_of_clone, top, CLONE_NEWNS | SIGCHLD, &before), EPERM);
		fails(unshare(CLONE_NEWNS), EPERM);
		args.flags = CLONE_NEWNS;
		fails(syscall(SYS_clone3, &args, sizeof(args)), EPERM);
	}
}

static int
shares_place(void *arg)
{
	works(unshare(CLONE_NEWNS));
	works(chdir("/"));
	return 0;
}

/* Who shares its place has one of its own afterwards. */
TEST(unshare_of_shared_place)
{
	static char stack[65536];
	char cwd[PATH_MAX], now[PATH_MAX];

	getcwd(cwd, sizeof(cwd));
	is(reap(works(clone(shares_place, stack + sizeof(stack), CLONE_FS | SIGCHLD, NULL))), 0);
	same(getcwd(now, sizeof(now)), cwd);
}

static void *
thread_unshares(void *arg)
{
	char path[64];

	works(unshare(CLONE_NEWNS));
	works(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	works(mount("t", "m", "tmpfs", 0, NULL));
	snprintf(path, sizeof(path), "/proc/self/task/%d/ns/mnt", gettid());
	*(unsigned long *)arg = ns_number(path);
	check(is_mounted("m") == false);
	return NULL;
}

/* A thread by itself: /proc/self is about the process, whose first thread stays. */
TEST(thread_by_itself)
{
	unsigned long before = ns_number(MNT), of_thread = 0;
	pthread_t t;

	works(mkdir("m", 0755));
	pthread_create(&t, NULL, thread_unshares, &of_thread);
	pthread_join(t, NULL);
	is(ns_number(MNT), before);
	check(of_thread && of_thread != before);
	check(!is_mounted("m"));
}

TEST(setns_and_back)
{
	struct gate ready = gate_new(), done = gate_new();
	int home = works(open(MNT, O_RDONLY)), other;
	unsigned long before = ns_number(MNT);
	char cwd[PATH_MAX], m[PATH_MAX + 8], path[64];
	struct stat st;
	pid_t pid;

	works(mkdir("m", 0755));
	getcwd(cwd, sizeof(cwd));
	snprintf(m, sizeof(m), "%s/m", cwd);
	pid = fork();
	if (pid == 0) {
		works(unshare(CLONE_NEWNS));
		works(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		works(mount("t", "m", "tmpfs", 0, NULL));
		put("m/f", "");
		gate_open(&ready);
		gate_wait(&done);
		_exit(0);
	}
	gate_wait(&ready);
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	other = works(open(path, O_RDONLY));
	check(ns_number(path) != before);
	is(setns(other, CLONE_NEWNS), 0);
	is(ns_number(MNT), ns_number(path));
	same(getcwd((char[PATH_MAX]){0}, PATH_MAX), "/");
	works(chdir(m));
	works(stat("f", &st));
	check(is_mounted(m));
	/* It lives as long as we are in it, or hold it. */
	gate_open(&done);
	is(reap(pid), 0);
	works(stat("f", &st));
	is(setns(home, 0), 0);
	is(ns_number(MNT), before);
	check(!is_mounted(m));
	is(setns(other, CLONE_NEWNS), 0);
	works(chdir(m));
	works(stat("f", &st));
	is(setns(home, CLONE_NEWNS), 0);
	in_child
	{
		drop(USER);
		fails(setns(other, CLONE_NEWNS), EPERM);
	}
}

TEST(setns_by_pidfd)
{
	struct gate ready = gate_new(), done = gate_new();
	pid_t pid = fork();
	char path[64];
	int fd;

	if (pid == 0) {
		works(unshare(CLONE_NEWNS));
		gate_open(&ready);
		gate_wait(&done);
		_exit(0);
	}
	gate_wait(&ready);
	fd = works(syscall(SYS_pidfd_open, pid, 0));
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	check(ns_number(path) != ns_number(MNT));
	is(setns(fd, CLONE_NEWNS | CLONE_NEWUTS), 0);
	is(ns_number(path), ns_number(MNT));
	gate_open(&done);
	is(reap(pid), 0);
}

/* A namespace may be kept by a bind in an older one; never in itself. */
TEST(bind_of_namespace)
{
	struct gate ready = gate_new(), done = gate_new();
	unsigned long number;
	char path[64];
	pid_t pid;
	int fd;

	own_mounts();
	put("keep", "");
	pid = fork();
	if (pid == 0) {
		works(unshare(CLONE_NEWNS));
		put("own", "");
		fails(mount(MNT, "own", NULL, MS_BIND, NULL), EINVAL);
		snprintf(path, sizeof(path), "/proc/%d/ns/mnt", getppid());
		fails(mount(path, "own", NULL, MS_BIND, NULL), EINVAL);
		gate_open(&ready);
		gate_wait(&done);
		_exit(0);
	}
	gate_wait(&ready);
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	number = ns_number(path);
	works(mount(path, "keep", NULL, MS_BIND, NULL));
	gate_open(&done);
	is(reap(pid), 0);
	is(ns_number("keep"), number);
	/* The copy of our tree does not have it. */
	in_child
	{
		works(unshare(CLONE_NEWNS));
		check(!is_mounted("keep"));
	}
	in_child
	{
		fd = works(open("keep", O_RDONLY));
		is(setns(fd, CLONE_NEWNS), 0);
		is(ns_number(MNT), number);
	}
	works(umount("keep"));
}

/* Names on which others have mounts are free for us. */
TEST(names_of_others)
{
	struct gate ready = gate_new(), go = gate_new(), told = gate_new();
	struct stat st;
	pid_t pid;

	works(mkdir("gone", 0755));
	works(mkdir("full", 0755));
	put("full/f", "");
	works(mkdir("moved", 0755));
	works(mkdir("target", 0755));
	works(mkdir("source", 0755));
	put("file", "");
	pid = fork();
	if (pid == 0) {
		works(unshare(CLONE_NEWNS));
		works(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
		works(mount("t", "gone", "tmpfs", 0, NULL));
		works(mount("t", "full", "tmpfs", 0, NULL));
		works(mount("t", "moved", "tmpfs", 0, NULL));
		works(mount("t", "target", "tmpfs", 0, NULL));
		works(mount("/dev/null", "file", NULL, MS_BIND, NULL));
		put("moved/f", "");
		fails(rmdir("gone"), EBUSY);
		fails(rename("moved", "elsewhere"), EBUSY);
		gate_open(&ready);
		gate_wait(&go);
		fails(stat("gone", &st), ENOENT);
		check(!is_mounted("gone"));
		check(is_mounted("full"));
		check(is_mounted("elsewhere"));
		works(stat("elsewhere/f", &st));
		check(!is_mounted("target"));
		fails(stat("file", &st), ENOENT);
		gate_open(&told);
		_exit(0);
	}
	gate_wait(&ready);
	works(rmdir("gone"));
	fails(rmdir("full"), ENOTEMPTY);
	works(rename("moved", "elsewhere"));
	fails(rename("source", "full"), ENOTEMPTY);
	works(rename("source", "target"));
	works(unlink("file"));
	gate_open(&go);
	gate_wait(&told);
	is(reap(pid), 0);
}

/* mounts of a chroot, of a process that left. */
TEST(files_in_proc)
{
	char buf[8192], path[64], want[PATH_MAX + 64], cwd[PATH_MAX];
	int fd;
	pid_t pid;
	struct gate done = gate_new();

	own_mounts();
	getcwd(cwd, sizeof(cwd));
	works(mkdir("m", 0755));
	works(mount("the source", "m", "tmpfs", 0, NULL));
	get("/proc/self/mountstats", buf, sizeof(buf));
	snprintf(want, sizeof(want), "device the\\040source mounted on %s/m with fstype tmpfs\n", cwd);
	check(strstr(buf, want) != NULL);
	pid = fork();
	if (pid == 0) {
		gate_wait(&done);
		_exit(0);
	}
	snprintf(path, sizeof(path), "/proc/%d/mounts", pid);
	fd = works(open(path, O_RDONLY));
	gate_open(&done);
	works(waitid(P_PID, pid, NULL, WEXITED | WNOWAIT));
	check(read(fd, buf, sizeof(buf)) > 0);
	fails(open(path, O_RDONLY), EINVAL);
	is(reap(pid), 0);
	in_child
	{
		drop(USER);
		fails(open("/proc/self/mountstats", O_WRONLY), EACCES);
		fails(open("/proc/1/mountstats", O_RDONLY), EACCES);
		works(open("/proc/1/mountinfo", O_RDONLY));
	}
}

static short
ready_now(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLPRI};

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

TEST(poll_tells_of_changes)
{
	struct pollfd p = {.events = POLLPRI};
	pid_t pid;
	int fd;

	own_mounts();
	fd = works(open("/proc/self/mounts", O_RDONLY));
	works(mkdir("m", 0755));
	is(ready_now(fd), 0);
	works(mount("t", "m", "tmpfs", 0, NULL));
	is(ready_now(fd), POLLPRI | POLLERR);
	is(ready_now(fd), 0);
	in_child
	{
		works(unshare(CLONE_NEWNS));
		works(umount("m"));
	}
	is(ready_now(fd), 0);
	works(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_NOEXEC, NULL));
	is(ready_now(fd), POLLPRI | POLLERR);
	pid = fork();
	if (pid == 0) {
		msleep(50);
		_exit(umount("m"));
	}
	p.fd = fd;
	is(poll(&p, 1, 10000), 1);
	is(p.revents, POLLPRI | POLLERR);
	is(reap(pid), 0);
}

/* A new root, as containers get one. */
TEST(pivot_root_in_namespace)
{
	struct stat root, now;
	char *list;

	works(stat("/", &root));
	in_child
	{
		own_mounts();
		/* The root of the machine may be nothing that pivots: a mount of ours is. */
		works(chroot("."));
		works(mkdir("new", 0755));
		works(mount("new", "new", "tmpfs", 0, NULL));
		works(chdir("new"));
		works(mkdir("old", 0755));
		works(mkdir("proc", 0755));
		put("mark", "");
		works(mount("p", "proc", "proc", 0, NULL));
		is(syscall(SYS_pivot_root, ".", "old"), 0);
		works(chdir("/"));
		works(stat("/mark", &now));
		works(umount2("/old", MNT_DETACH));
		list = malloc(65536);
		get("/proc/self/mounts", list, 65536);
		check(!strncmp(list, "new / tmpfs rw", 14));
		is(mounts_in("/proc/self/mounts"), 2);
	}
	works(stat("/", &now));
	is(now.st_ino, root.st_ino);
	is(now.st_dev, root.st_dev);
}

TEST(limit_of_namespaces)
{
	char before[32];

	get("/proc/sys/user/max_mnt_namespaces", before, sizeof(before));
	check(atol(before) > 0);
	in_child
	{
		works(unshare(CLONE_NEWNS));
		is(put("/proc/sys/user/max_mnt_namespaces", "1"), 0);
		fails(unshare(CLONE_NEWNS), ENOSPC);
		is(put("/proc/sys/user/max_mnt_namespaces", "0"), 0);
		fails(unshare(CLONE_NEWNS), ENOSPC);
		is(put("/proc/sys/user/max_mnt_namespaces", before), 0);
		works(unshare(CLONE_NEWNS));
	}
	is(put("/proc/sys/user/max_mnt_namespaces", before), 0);
}

/* fs.mount-max holds for each by itself. */
TEST(mounts_of_each)
{
	char before[32], small[32];

	get("/proc/sys/fs/mount-max", before, sizeof(before));
	own_mounts();
	works(mkdir("m", 0755));
	snprintf(small, sizeof(small), "%d", mounts_in("/proc/self/mountinfo") + 2);
	is(put("/proc/sys/fs/mount-max", small), 0);
	works(mount("t", "m", "tmpfs", 0, NULL));
	works(mount("t", "m", "tmpfs", 0, NULL));
	fails(mount("t", "m", "tmpfs", 0, NULL), ENOSPC);
	in_child
	{
		works(unshare(CLONE_NEWNS));
		fails(mount("t", "m", "tmpfs", 0, NULL), ENOSPC);
		works(umount("m"));
		works(mount("t", "m", "tmpfs", 0, NULL));
	}
	fails(mount("t", "m", "tmpfs", 0, NULL), ENOSPC);
	is(put("/proc/sys/fs/mount-max", before), 0);
	works(mount("t", "m", "tmpfs", 0, NULL));
}

/* A writer in another namespace keeps a file system from becoming read-only. */
TEST(read_only_everywhere)
{
	struct gate ready = gate_new(), done = gate_new();
	pid_t pid;

	works(mkdir("m", 0755));
	works(mount("t", "m", "tmpfs", 0, NULL));
	pid = fork();
	if (pid == 0) {
		works(unshare(CLONE_NEWNS));
		works(open("m/f", O_CREAT | O_WRONLY, 0600));
		gate_open(&ready);
		gate_wait(&done);
		_exit(0);
	}
	gate_wait(&ready);
	fails(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	gate_open(&done);
	is(reap(pid), 0);
	works(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	fails(open("m/g", O_CREAT | O_WRONLY, 0600), EROFS);
	works(umount("m"));
}

/* So does one who came through a mount that is nowhere any more. */
TEST(read_only_but_for_detached)
{
	int fd;

	works(mkdir("m", 0755));
	works(mkdir("n", 0755));
	works(mount("t", "m", "tmpfs", 0, NULL));
	works(mount("m", "n", NULL, MS_BIND, NULL));
	fd = works(open("m/f", O_CREAT | O_WRONLY, 0600));
	works(umount2("m", MNT_DETACH));
	fails(mount(NULL, "n", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	is(write(fd, "x", 1), 1);
	close(fd);
	works(mount(NULL, "n", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	works(umount("n"));
}

/* What is mounted on a name that its file system has taken away is no hindrance. */
TEST(names_that_are_gone)
{
	int master = works(posix_openpt(O_RDWR | O_NOCTTY)), lines;
	char name[64];

	own_mounts();
	works(close(creat("f", 0600)));
	works(grantpt(master));
	works(ptsname_r(master, name, sizeof(name)));
	works(mount("f", name, NULL, MS_BIND, NULL));
	close(master);
	lines = mounts_in("/proc/self/mountinfo");
	works(unshare(CLONE_NEWNS));
	check(mounts_in("/proc/self/mountinfo") <= lines);
	works(mount("/", "/", NULL, MS_BIND | MS_REC, NULL));
}

/* --- all at once --- */

static void
walk_until(volatile int *stop)
{
	struct stat st;
	long wrong = 0;

	while (!*stop) {
		wrong += stat("m/sub/../file", &st) != 0;
		wrong += access("m/sub", F_OK) != 0;
	}
	_exit(wrong != 0);
}

/* Makes namespaces, mounts in them and leaves them; whatever the others do. */
static int
come_and_go(int n)
{
	for (int i = 0; i < 25; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct stat st;

			if (unshare(CLONE_NEWNS))
				_exit(1);
			if (i % 3 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
				_exit(2);
			if (i % 3 && mount("t", "m/sub", "tmpfs", 0, NULL))
				_exit(3);
			if (i % 5 == 0 && unshare(CLONE_NEWNS))
				_exit(4);
			if (i % 3 == 1 && umount2("m", MNT_DETACH))
				_exit(5);
			_exit(i % 3 == 1 ? 0 : stat("m/file", &st) ? 6 : 0);
		}
		if (reap(pid))
			return 1;
	}
	return 0;
}

TEST(come_and_go_beside_walks)
{
	volatile int *stop = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t walkers[2], pids[3];
	int lines = mounts_in("/proc/self/mountinfo");

	works(mkdir("m", 0755));
	works(mount("t", "m", "tmpfs", 0, NULL));
	works(mkdir("m/sub", 0755));
	put("m/file", "");
	for (int i = 0; i < 2; i++) {
		walkers[i] = fork();
		if (walkers[i] == 0)
			walk_until(stop);
	}
	for (int i = 0; i < 3; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(come_and_go(i));
	}
	for (int i = 0; i < 3; i++)
		is(reap(pids[i]), 0);
	*stop = 1;
	for (int i = 0; i < 2; i++)
		is(reap(walkers[i]), 0);
	works(umount("m"));
	is(mounts_in("/proc/self/mountinfo"), lines);
}
