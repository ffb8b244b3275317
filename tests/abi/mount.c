/* SPDX-License-Identifier: BSD-2-Clause */
/* mount, umount2, bind and move mounts, read-only, pivot_root. */
#include "tests/abi/abi.h"

/* Is @path (absolute) a line of /proc/self/mountinfo? Options go to @opts. */
static bool
mounted(const char *rel, char *opts)
{
	static char buf[65536];
	char want[PATH_MAX], point[PATH_MAX], o[256];
	char *save = NULL;

	if (!getcwd(want, sizeof(want) - 32))
		return false;
	strcat(want, "/");
	strcat(want, rel);
	get("/proc/self/mountinfo", buf, sizeof(buf));
	for (char *l = strtok_r(buf, "\n", &save); l;
	     l = strtok_r(NULL, "\n", &save)) {
		if (sscanf(l, "%*d %*d %*s %*s %4095s %255s", point, o) != 2)
			continue;
		if (!strcmp(point, want)) {
			if (opts)
				strcpy(opts, o);
			return true;
		}
	}
	return false;
}

TEST(tmpfs_mount)
{
	char opts[256] = "";
	struct stat a, b;

	mkdir("m", 0755);
	put("m/under", "");
	stat("m", &a);
	works(mount("name", "m", "tmpfs", MS_NOEXEC, "mode=0711"));
	stat("m", &b);
	check(a.st_dev != b.st_dev);
	is(b.st_mode & 07777, 0711);
	fails(access("m/under", F_OK), ENOENT);
	check(mounted("m", opts));
	check(strstr(opts, "rw") && strstr(opts, "noexec"));
	fails(rmdir("m"), EBUSY);
	fails(rename("m", "n"), EBUSY);
	is(umount("m"), 0);
	is(access("m/under", F_OK), 0);
	check(!mounted("m", NULL));
	fails(umount("m"), EINVAL);
}

/* The access time of "m/f", ns. */
static long
access_time(void)
{
	struct stat st;

	is(stat("m/f", &st), 0);
	return st.st_atim.tv_sec * NSEC + st.st_atim.tv_nsec;
}

/* Reads "m/f" on one CPU after the other; each must show. */
static void
read_everywhere(void)
{
	long before = access_time(), now;
	cpu_set_t all, one;
	char buf[8];

	sched_getaffinity(0, sizeof(all), &all);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		usleep(20000);
		get("m/f", buf, sizeof(buf));
		now = access_time();
		check(now > before);
		before = now;
	}
	sched_setaffinity(0, sizeof(all), &all);
	is(access_time(), before);
}

TEST(strictatime)
{
	struct timespec old[2] = {{1000, 5}, {0, UTIME_OMIT}};
	/* In 2033. */
	struct timespec future[2] = {{2000000000, 7}, {0, UTIME_OMIT}};
	char buf[8];
	long now;

	mkdir("m", 0755);
	works(mount("name", "m", "tmpfs", MS_STRICTATIME, NULL));
	put("m/f", "text");
	read_everywhere();
	now = access_time();
	is(utimensat(AT_FDCWD, "m/f", old, 0), 0);
	is(access_time(), 1000 * NSEC + 5);
	read_everywhere();
	check(access_time() > now);
	/* A read makes it now, even when it was later. */
	is(utimensat(AT_FDCWD, "m/f", future, 0), 0);
	is(access_time(), 2000000000 * NSEC + 7);
	get("m/f", buf, sizeof(buf));
	check(access_time() < 2000000000 * NSEC);
	read_everywhere();
	is(umount("m"), 0);
}

TEST(errors)
{
	mkdir("m", 0755);
	put("f", "");
	fails(mount("t", "none", "tmpfs", 0, NULL), ENOENT);
	fails(mount("t", "f", "tmpfs", 0, NULL), ENOTDIR);
	fails(mount("t", "m", "nosuchfs", 0, NULL), ENODEV);
	fails(mount("t", "m", BAD, 0, NULL), EFAULT);
	fails(mount("t", BAD, "tmpfs", 0, NULL), EFAULT);
	fails(mount("t", "m", NULL, 0, NULL), EINVAL);
	fails(mount("t", "m", "tmpfs", 0, "nooption=1"), EINVAL);
	fails(mount("t", "m", "tmpfs", MS_REMOUNT, NULL), EINVAL);
	fails(mount("none", "m", NULL, MS_BIND, NULL), ENOENT);
	fails(mount("f", "m", NULL, MS_BIND, NULL), ENOTDIR);
	fails(mount("m", "f", NULL, MS_BIND, NULL), ENOTDIR);
	fails(umount("none"), ENOENT);
	fails(umount("f"), EINVAL);
	fails(umount2("m", 0x100), EINVAL);
	in_child {
		drop(USER);
		fails(mount("t", "m", "tmpfs", 0, NULL), EPERM);
		fails(umount("m"), EPERM);
		fails(mount("m", "m", NULL, MS_BIND, NULL), EPERM);
	}
}

TEST(busy)
{
	int fd;

	mkdir("m", 0755);
	works(mount("t", "m", "tmpfs", 0, NULL));
	put("m/f", "still here");
	fd = works(open("m/f", O_RDONLY));
	fails(umount("m"), EBUSY);
	is(umount2("m", MNT_DETACH), 0);
	fails(access("m/f", F_OK), ENOENT);
	is(read(fd, (char[1]){ 0 }, 1), 1);
	close(fd);
	works(mount("t", "m", "tmpfs", 0, NULL));
	in_child {
		chdir("m");
		fails(umount("../m"), EBUSY);
	}
	is(umount("m"), 0);
	/* MNT_EXPIRE needs two calls with no use between them. */
	works(mount("t", "m", "tmpfs", 0, NULL));
	fails(umount2("m", MNT_EXPIRE), EAGAIN);
	is(umount2("m", MNT_EXPIRE), 0);
	fails(umount2("m", MNT_EXPIRE | MNT_DETACH), EINVAL);
	works(mount("t", "m", "tmpfs", 0, NULL));
	symlink("m", "l");
	fails(umount2("l", UMOUNT_NOFOLLOW), EINVAL);
	is(umount("l"), 0);
}

TEST(stacked)
{
	mkdir("m", 0755);
	works(mount("a", "m", "tmpfs", 0, NULL));
	put("m/lower", "");
	works(mount("b", "m", "tmpfs", 0, NULL));
	put("m/upper", "");
	fails(access("m/lower", F_OK), ENOENT);
	is(umount("m"), 0);
	is(access("m/lower", F_OK), 0);
	mkdir("m/in", 0755);
	works(mount("c", "m/in", "tmpfs", 0, NULL));
	fails(umount("m"), EBUSY);
	is(umount2("m", MNT_DETACH), 0);
	fails(access("m/in", F_OK), ENOENT);
}

TEST(bind)
{
	struct stat a, b;

	mkdir("a", 0755);
	mkdir("a/sub", 0755);
	mkdir("b", 0755);
	put("a/f", "shared");
	works(mount("t", "a/sub", "tmpfs", 0, NULL));
	put("a/sub/deep", "");
	works(mount("a", "b", NULL, MS_BIND, NULL));
	stat("a/f", &a);
	stat("b/f", &b);
	is(a.st_ino, b.st_ino);
	is(a.st_dev, b.st_dev);
	put("b/new", "x");
	is(access("a/new", F_OK), 0);
	fails(access("b/sub/deep", F_OK), ENOENT);
	fails(rename("a/new", "b/moved"), EXDEV);
	fails(link("a/f", "b/linked"), EXDEV);
	is(umount("b"), 0);
	works(mount("a", "b", NULL, MS_BIND | MS_REC, NULL));
	is(access("b/sub/deep", F_OK), 0);
	is(umount2("b", MNT_DETACH), 0);
	is(access("a/sub/deep", F_OK), 0);
	is(umount("a/sub"), 0);
}

TEST(bind_file)
{
	char buf[16];

	put("f", "one");
	put("g", "other");
	works(mount("f", "g", NULL, MS_BIND, NULL));
	get("g", buf, sizeof(buf));
	same(buf, "one");
	fails(unlink("g"), EBUSY);
	fails(rename("f", "g"), EBUSY);
	put("g", "two");
	get("f", buf, sizeof(buf));
	same(buf, "two");
	is(umount("g"), 0);
	get("g", buf, sizeof(buf));
	same(buf, "other");
	is(unlink("g"), 0);
}

TEST(read_only)
{
	char opts[256] = "";
	int fd;

	mkdir("m", 0755);
	works(mount("t", "m", "tmpfs", 0, NULL));
	put("m/f", "x");
	mkdir("m/d", 0755);
	fd = works(open("m/f", O_WRONLY));
	fails(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	close(fd);
	is(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	check(mounted("m", opts) && !strncmp(opts, "ro", 2));
	fails(open("m/f", O_WRONLY), EROFS);
	fails(open("m/f", O_RDONLY | O_TRUNC), EROFS);
	fails(open("m/n", O_CREAT | O_WRONLY, 0600), EROFS);
	works(open("m/f", O_CREAT | O_RDONLY, 0600));
	fails(mkdir("m/n", 0700), EROFS);
	fails(mkdir("m/d", 0700), EEXIST);
	fails(unlink("m/f"), EROFS);
	fails(rmdir("m/d"), EROFS);
	fails(rename("m/f", "m/g"), EROFS);
	fails(symlink("x", "m/l"), EROFS);
	fails(link("m/f", "m/g"), EROFS);
	fails(chmod("m/f", 0600), EROFS);
	fails(chown("m/f", 0, 0), EROFS);
	fails(truncate("m/f", 0), EROFS);
	fails(utimensat(AT_FDCWD, "m/f", NULL, 0), EROFS);
	fails(access("m/f", W_OK), EROFS);
	is(access("m/f", R_OK), 0);
	fails(mknod("m/p", S_IFIFO | 0600, 0), EROFS);
	is(mount(NULL, "m", NULL, MS_REMOUNT, NULL), 0);
	is(put("m/f", "writable"), 0);
	is(umount2("m", MNT_DETACH), 0);
}

TEST(read_only_bind)
{
	mkdir("a", 0755);
	mkdir("b", 0755);
	works(mount("a", "b", NULL, MS_BIND, NULL));
	is(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
	is(put("a/f", "x"), 0);
	fails(open("b/f", O_WRONLY), EROFS);
	fails(unlink("b/f"), EROFS);
	works(open("b/f", O_RDONLY));
	is(umount2("b", MNT_DETACH), 0);
	fails(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL),
	      EINVAL);
}

TEST(nodev_noexec_nosuid)
{
	char *argv[] = { "x", NULL };

	mkdir("m", 0755);
	works(mount("t", "m", "tmpfs", MS_NODEV | MS_NOEXEC, NULL));
	works(mknod("m/null", S_IFCHR | 0666, 0x103));
	fails(open("m/null", O_RDONLY), EACCES);
	put("m/x", "#!/bin/sh\n");
	chmod("m/x", 0755);
	fails(execv("m/x", argv), EACCES);
	fails(access("m/x", X_OK), EACCES);
	fails(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE,
		   open("m/x", O_RDONLY), 0), EPERM);
	is(mount(NULL, "m", NULL, MS_REMOUNT, NULL), 0);
	works(open("m/null", O_RDONLY));
	is(umount2("m", MNT_DETACH), 0);
}

TEST(move)
{
	mkdir("base", 0755);
	works(mount("t", "base", "tmpfs", 0, NULL));
	is(mount(NULL, "base", NULL, MS_PRIVATE, NULL), 0);
	mkdir("base/a", 0755);
	mkdir("base/b", 0755);
	works(mount("t", "base/a", "tmpfs", 0, NULL));
	put("base/a/f", "");
	mkdir("base/a/d", 0755);
	is(mount("base/a", "base/b", NULL, MS_MOVE, NULL), 0);
	is(access("base/b/f", F_OK), 0);
	fails(access("base/a/f", F_OK), ENOENT);
	check(mounted("base/b", NULL));
	check(!mounted("base/a", NULL));
	fails(mount("base/a", "base/b", NULL, MS_MOVE, NULL), EINVAL);
	fails(mount("base/b", "base/b/d", NULL, MS_MOVE, NULL), ELOOP);
	is(umount2("base", MNT_DETACH), 0);
}

/* A chroot into a mount gives pivot_root something to pivot in. */
TEST(pivot)
{
	mkdir("r", 0755);
	works(mount("old", "r", "tmpfs", 0, NULL));
	is(mount(NULL, "r", NULL, MS_PRIVATE, NULL), 0);
	in_child {
		is(chdir("r"), 0);
		is(chroot("."), 0);
		put("/oldmark", "");
		mkdir("/new", 0755);
		mkdir("/plain", 0755);
		fails(syscall(SYS_pivot_root, "/plain", "/plain"), EBUSY);
		works(mount("new", "/new", "tmpfs", 0, NULL));
		put("/new/newmark", "");
		mkdir("/new/put", 0755);
		fails(syscall(SYS_pivot_root, "/new", "/plain"), EBUSY);
		mkdir("/other", 0755);
		works(mount("other", "/other", "tmpfs", 0, NULL));
		fails(syscall(SYS_pivot_root, "/new", "/other"), EINVAL);
		is(umount("/other"), 0);
		fails(syscall(SYS_pivot_root, "/", "/new"), EBUSY);
		fails(syscall(SYS_pivot_root, "/none", "/new"), ENOENT);
		is(syscall(SYS_pivot_root, "/new", "/new/put"), 0);
		is(chdir("/"), 0);
		is(access("/newmark", F_OK), 0);
		is(access("/put/oldmark", F_OK), 0);
		is(umount2("/put", MNT_DETACH), 0);
		fails(access("/put/oldmark", F_OK), ENOENT);
		drop(USER);
		fails(syscall(SYS_pivot_root, "/", "/put"), EPERM);
	}
	umount2("r", MNT_DETACH);
}

/* The idiom of container runtimes: pivot_root(".", "."). */
TEST(pivot_in_place)
{
	mkdir("r", 0755);
	works(mount("old", "r", "tmpfs", 0, NULL));
	is(mount(NULL, "r", NULL, MS_PRIVATE, NULL), 0);
	in_child {
		is(chdir("r"), 0);
		is(chroot("."), 0);
		mkdir("new", 0755);
		works(mount("new", "new", "tmpfs", 0, NULL));
		put("new/mark", "");
		is(chdir("new"), 0);
		is(syscall(SYS_pivot_root, ".", "."), 0);
		is(umount2(".", MNT_DETACH), 0);
		is(chdir("/"), 0);
		is(access("/mark", F_OK), 0);
	}
	umount2("r", MNT_DETACH);
}

TEST(several_kinds)
{
	mkdir("p", 0755);
	works(mount("p", "p", "proc", 0, NULL));
	is(access("p/self/stat", F_OK), 0);
	is(umount("p"), 0);
	works(mount("s", "p", "sysfs", 0, NULL));
	is(access("p/kernel", F_OK), 0);
	is(umount("p"), 0);
	works(mount("d", "p", "devpts", 0, NULL));
	is(access("p/ptmx", F_OK), 0);
	is(umount("p"), 0);
	works(mount("d", "p", "devtmpfs", 0, NULL));
	is(access("p/null", F_OK), 0);
	is(umount("p"), 0);
}

/* /proc/self/mounts escapes what would break its columns. */
TEST(names_in_mounts)
{
	static char buf[65536];

	mkdir("a b\tc\\", 0755);
	works(mount("no name", "a b\tc\\", "tmpfs", 0, NULL));
	get("/proc/self/mounts", buf, sizeof(buf));
	check(strstr(buf, "no\\040name ") != NULL);
	check(strstr(buf, "/a\\040b\\011c\\134 tmpfs rw") != NULL);
	is(umount("a b\tc\\"), 0);
}

/* --- mounts come and go while others walk through them --- */

static void
walk_through(volatile int *stop)
{
	struct stat st;
	long wrong = 0;

	while (!*stop) {
		int fd = open("m/sub", O_RDONLY | O_DIRECTORY);

		wrong += stat("m/sub/../file", &st) != 0 || (st.st_size != 1 && st.st_size != 2);
		wrong += fd < 0 || openat(fd, "../file", O_RDONLY) < 0;
		close(fd);
		close_range(3, ~0U, 0);
	}
	_exit(wrong != 0);
}

static void
put_file(const char *name, const char *text)
{
	int fd = works(open(name, O_CREAT | O_WRONLY, 0644));

	is(write(fd, text, strlen(text)), (long)strlen(text));
	close(fd);
}

TEST(walks_while_mounts_change)
{
	volatile int *stop = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[2];
	int status;

	works(mkdir("m", 0755));
	works(mkdir("m/sub", 0755));
	works(mkdir("other", 0755));
	works(mkdir("other/sub", 0755));
	put_file("m/file", "1");
	put_file("other/file", "22");
	for (int i = 0; i < 2; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			walk_through(stop);
	}
	for (int i = 0; i < 200; i++) {
		if (mount("other", "m", NULL, MS_BIND, NULL) || umount2("m", MNT_DETACH)) {
			check(!"mount and umount");
			break;
		}
	}
	*stop = 1;
	for (int i = 0; i < 2; i++) {
		waitpid(pids[i], &status, 0);
		is(status, 0);
	}
}

/* Are both listed, and upper behind lower, on which it is? */
static bool
listed_in_order(const char *lower, const char *upper)
{
	static char buf[65536];
	char cwd[PATH_MAX - 32], a[PATH_MAX], b[PATH_MAX], *at;

	if (!getcwd(cwd, sizeof(cwd)))
		return false;
	snprintf(a, sizeof(a), " %s/%s ", cwd, lower);
	snprintf(b, sizeof(b), " %s/%s ", cwd, upper);
	get("/proc/self/mountinfo", buf, sizeof(buf));
	at = strstr(buf, a);
	return at && strstr(at, b);
}

/* One of several that mount beside each other, and on one place; 0 or what went wrong. */
static int
mount_beside(int n)
{
	char dir[16], sub[32];

	snprintf(dir, sizeof(dir), "d%d", n);
	snprintf(sub, sizeof(sub), "d%d/sub", n);
	for (int i = 0; i < 20; i++) {
		int tries = 0;

		if (mount("t", dir, "tmpfs", 0, NULL) || mkdir(sub, 0755))
			return 1;
		if (mount("t", sub, "tmpfs", 0, NULL))
			return 2;
		if (!listed_in_order(dir, sub))
			return 3;
		if (umount(dir) != -1 || errno != EBUSY)
			return 4;
		if (umount(sub) || umount(dir))
			return 5;
		if (mount("c", "common", "tmpfs", 0, NULL))
			return 6;
		/*
		 * Whoever's is on top; busy while another looks at it. Two that try again
		 * at once would look at the same time again.
		 */
		while (umount("common")) {
			if ((errno != EBUSY && errno != EINVAL) || tries++ == 10000)
				return 7;
			usleep(100 * n);
		}
	}
	return 0;
}

TEST(mounts_beside_each_other)
{
	pid_t pids[4];
	char dir[16];
	int status;

	works(mkdir("common", 0755));
	for (int i = 0; i < 4; i++) {
		snprintf(dir, sizeof(dir), "d%d", i);
		works(mkdir(dir, 0755));
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(mount_beside(i));
	}
	for (int i = 0; i < 4; i++) {
		waitpid(pids[i], &status, 0);
		is(status, 0);
		snprintf(dir, sizeof(dir), "d%d", i);
		check(!mounted(dir, NULL));
		works(rmdir(dir));
	}
	fails(umount("common"), EINVAL);
	works(rmdir("common"));
}
