/* SPDX-License-Identifier: BSD-2-Clause */
/* inotify: which operation makes which event, and the watch rules. */
#include "tests/abi/abi.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

static int in;
static char buf[65536] __attribute__((aligned(8)));
static ssize_t have, at;

/* Next event, or NULL when none is queued. */
static struct inotify_event *
next(void)
{
	struct inotify_event *e;

	if (at >= have) {
		have = read(in, buf, sizeof(buf));
		at = 0;
		if (have <= 0) {
			have = 0;
			return NULL;
		}
	}
	e = (struct inotify_event *)(buf + at);
	at += sizeof(*e) + e->len;
	return e;
}

static void
expect(uint32_t mask, const char *name)
{
	struct inotify_event *e = next();

	if (!ok(e && e->mask == mask && (!name || (e->len &&
		!strcmp(e->name, name))), "event 0x%x %s", mask,
		name ? name : "") && e)
		diag("got 0x%x %s", e->mask, e->len ? e->name : "");
}

static void
expect_none(void)
{
	struct inotify_event *e = next();

	if (!ok(!e, "no further event"))
		diag("got 0x%x %s", e->mask, e->len ? e->name : "");
}

static void
start(void)
{
	in = works(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
	fails(read(in, buf, sizeof(buf)), EAGAIN);
}

TEST(init_flags)
{
	int fd = works(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));

	is(fcntl(fd, F_GETFD), FD_CLOEXEC);
	is(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	fd = works(inotify_init());
	is(fcntl(fd, F_GETFD), 0);
	fails(inotify_init1(1), EINVAL);
}

TEST(watch_errors)
{
	int fd = works(inotify_init1(0));

	put("f", "");
	fails(inotify_add_watch(fd, "none", IN_ALL_EVENTS), ENOENT);
	fails(inotify_add_watch(fd, "f", 0), EINVAL);
	fails(inotify_add_watch(fd, "f", IN_ALL_EVENTS | IN_ONLYDIR), ENOTDIR);
	fails(inotify_add_watch(-1, "f", IN_ALL_EVENTS), EBADF);
	fails(inotify_add_watch(open("f", O_RDONLY), "f", IN_OPEN), EINVAL);
	fails(inotify_add_watch(fd, BAD, IN_OPEN), EFAULT);
	fails(inotify_rm_watch(fd, 1), EINVAL);
	fails(inotify_rm_watch(-1, 1), EBADF);
	fails(inotify_rm_watch(open("f", O_RDONLY), 1), EINVAL);
	is(inotify_add_watch(fd, "f", IN_OPEN), 1);
	is(inotify_add_watch(fd, "f", IN_CLOSE), 1);
	is(inotify_add_watch(fd, ".", IN_OPEN), 2);
	fails(inotify_add_watch(fd, "f", IN_OPEN | IN_MASK_CREATE), EEXIST);
	fails(inotify_add_watch(fd, "f", IN_MASK_CREATE | IN_MASK_ADD),
	      EINVAL);
	is(inotify_rm_watch(fd, 1), 0);
	is(inotify_add_watch(fd, "f", IN_OPEN), 3);
	chmod("f", 0600);
	in_child {
		drop(USER);
		fails(inotify_add_watch(fd, "f", IN_OPEN), EACCES);
	}
}

TEST(directory_events)
{
	int fd;

	mkdir("d", 0755);
	start();
	works(inotify_add_watch(in, "d", IN_ALL_EVENTS));
	fd = open("d/f", O_CREAT | O_RDWR, 0600);
	expect(IN_CREATE, "f");
	expect(IN_OPEN, "f");
	write(fd, "x", 1);
	expect(IN_MODIFY, "f");
	pread(fd, buf, 1, 0);
	expect(IN_ACCESS, "f");
	fchmod(fd, 0644);
	expect(IN_ATTRIB, "f");
	ftruncate(fd, 0);
	expect(IN_MODIFY, "f");
	close(fd);
	expect(IN_CLOSE_WRITE, "f");
	close(open("d/f", O_RDONLY));
	expect(IN_OPEN, "f");
	expect(IN_CLOSE_NOWRITE, "f");
	rename("d/f", "d/g");
	expect(IN_MOVED_FROM, "f");
	expect(IN_MOVED_TO, "g");
	link("d/g", "d/h");
	expect(IN_CREATE, "h");
	unlink("d/h");
	expect(IN_DELETE, "h");
	mkdir("d/s", 0755);
	expect(IN_CREATE | IN_ISDIR, "s");
	rmdir("d/s");
	expect(IN_DELETE | IN_ISDIR, "s");
	symlink("x", "d/l");
	expect(IN_CREATE, "l");
	utimensat(AT_FDCWD, "d/g", NULL, 0);
	expect(IN_ATTRIB, "g");
	rename("d/g", "g");
	expect(IN_MOVED_FROM, "g");
	rename("g", "d/back");
	expect(IN_MOVED_TO, "back");
	expect_none();
}

TEST(self_events)
{
	struct inotify_event *e;
	int wd;

	put("f", "");
	start();
	wd = works(inotify_add_watch(in, "f", IN_ALL_EVENTS));
	chmod("f", 0600);
	e = next();
	check(e && e->mask == IN_ATTRIB && e->len == 0 && e->wd == wd);
	rename("f", "g");
	expect(IN_MOVE_SELF, NULL);
	link("g", "h");
	expect(IN_ATTRIB, NULL);
	unlink("h");
	expect(IN_ATTRIB, NULL);
	unlink("g");
	expect(IN_ATTRIB, NULL);
	expect(IN_DELETE_SELF, NULL);
	expect(IN_IGNORED, NULL);
	expect_none();
	fails(inotify_rm_watch(in, wd), EINVAL);
}

TEST(delete_waits_for_close)
{
	int fd;

	put("f", "");
	start();
	works(inotify_add_watch(in, "f", IN_DELETE_SELF));
	fd = open("f", O_RDONLY);
	unlink("f");
	expect_none();
	close(fd);
	expect(IN_DELETE_SELF, NULL);
	expect(IN_IGNORED, NULL);
}

TEST(directory_itself)
{
	mkdir("d", 0755);
	start();
	works(inotify_add_watch(in, "d", IN_ALL_EVENTS));
	chmod("d", 0700);
	expect(IN_ATTRIB | IN_ISDIR, NULL);
	rename("d", "e");
	expect(IN_MOVE_SELF, NULL);
	rmdir("e");
	expect(IN_DELETE_SELF, NULL);
	expect(IN_IGNORED, NULL);
	expect_none();
}

TEST(cookies)
{
	struct inotify_event *e;
	uint32_t from;

	mkdir("a", 0755);
	mkdir("b", 0755);
	put("a/f", "");
	put("a/g", "");
	start();
	works(inotify_add_watch(in, "a", IN_MOVE));
	works(inotify_add_watch(in, "b", IN_MOVE));
	rename("a/f", "b/f");
	e = next();
	check(e && e->mask == IN_MOVED_FROM && e->wd == 1 && e->cookie);
	from = e ? e->cookie : 0;
	e = next();
	check(e && e->mask == IN_MOVED_TO && e->wd == 2 && e->cookie == from);
	rename("a/g", "b/g");
	e = next();
	check(e && e->cookie != from);
}

TEST(oneshot_and_mask_add)
{
	put("f", "");
	start();
	works(inotify_add_watch(in, "f", IN_OPEN | IN_ONESHOT));
	close(open("f", O_RDONLY));
	close(open("f", O_RDONLY));
	expect(IN_OPEN, NULL);
	expect(IN_IGNORED, NULL);
	expect_none();
	is(inotify_add_watch(in, "f", IN_OPEN), 2);
	is(inotify_add_watch(in, "f", IN_CLOSE_NOWRITE | IN_MASK_ADD), 2);
	close(open("f", O_RDONLY));
	expect(IN_OPEN, NULL);
	expect(IN_CLOSE_NOWRITE, NULL);
	is(inotify_add_watch(in, "f", IN_CLOSE_NOWRITE), 2);
	close(open("f", O_RDONLY));
	expect(IN_CLOSE_NOWRITE, NULL);
	expect_none();
	is(inotify_rm_watch(in, 2), 0);
	expect(IN_IGNORED, NULL);
}

TEST(merging)
{
	int fd;

	put("f", "");
	start();
	works(inotify_add_watch(in, "f", IN_MODIFY | IN_ATTRIB));
	fd = open("f", O_WRONLY);
	for (int i = 0; i < 10; i++)
		write(fd, "x", 1);
	fchmod(fd, 0600);
	write(fd, "x", 1);
	expect(IN_MODIFY, NULL);
	expect(IN_ATTRIB, NULL);
	expect(IN_MODIFY, NULL);
	expect_none();
}

TEST(symlinks)
{
	put("f", "");
	symlink("f", "l");
	start();
	is(inotify_add_watch(in, "l", IN_ATTRIB), 1);
	is(inotify_add_watch(in, "f", IN_ATTRIB), 1);
	is(inotify_add_watch(in, "l", IN_ATTRIB | IN_DONT_FOLLOW), 2);
	unlink("l");
	expect(IN_ATTRIB, NULL);
}

TEST(excl_unlink)
{
	int fd;

	mkdir("d", 0755);
	put("d/f", "");
	start();
	works(inotify_add_watch(in, "d", IN_MODIFY | IN_EXCL_UNLINK));
	fd = open("d/f", O_WRONLY);
	write(fd, "x", 1);
	expect(IN_MODIFY, "f");
	unlink("d/f");
	write(fd, "x", 1);
	expect_none();
}

TEST(unmount)
{
	mkdir("m", 0755);
	mount("t", "m", "tmpfs", 0, NULL);
	put("m/f", "");
	start();
	works(inotify_add_watch(in, "m/f", IN_ALL_EVENTS));
	is(umount("m"), 0);
	expect(IN_UNMOUNT, NULL);
	expect(IN_IGNORED, NULL);
	expect_none();
}

TEST(reading)
{
	struct pollfd pf;
	int n = -1;

	mkdir("d", 0755);
	start();
	pf = (struct pollfd){ .fd = in, .events = POLLIN };
	works(inotify_add_watch(in, "d", IN_CREATE));
	is(poll(&pf, 1, 0), 0);
	put("d/name", "");
	put("d/longer-name-than-sixteen", "");
	is(poll(&pf, 1, 0), 1);
	is(ioctl(in, FIONREAD, &n), 0);
	is(n, 32 + 48);
	fails(read(in, buf, 8), EINVAL);
	is(read(in, buf, 40), 32);
	is(((struct inotify_event *)buf)->len, 16);
	is(read(in, buf, 100), 48);
	fails(read(in, buf, 100), EAGAIN);
	fails(write(in, "x", 1), EBADF);
}

TEST(blocking_read)
{
	pid_t p;

	mkdir("d", 0755);
	in = works(inotify_init());
	works(inotify_add_watch(in, "d", IN_CREATE));
	p = fork();
	if (!p)
		_exit(read(in, buf, sizeof(buf)) == 32 ? 7 : 1);
	check(until_asleep(p));
	put("d/x", "");
	is(reap(p), 7);
}

TEST(queue_overflow)
{
	long max = 16384;
	char text[32];
	uint32_t last = 0;
	long n = 0;
	struct inotify_event *e;
	int fds[2];

	if (get("/proc/sys/fs/inotify/max_queued_events", text, 32) > 0)
		max = atol(text);
	put("a", "");
	put("b", "");
	start();
	works(inotify_add_watch(in, "a", IN_MODIFY));
	works(inotify_add_watch(in, "b", IN_MODIFY));
	fds[0] = open("a", O_WRONLY);
	fds[1] = open("b", O_WRONLY);
	for (long i = 0; i < max + 100; i++)
		pwrite(fds[i & 1], "x", 1, 0);
	while ((e = next())) {
		last = e->mask;
		n++;
	}
	is(n, max + 1);
	is(last, IN_Q_OVERFLOW);
}
