/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors of one process, and open files of the whole machine. */
#include "tests/exhaust/exhaust.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>

TEST_LIMIT(per_process, 120)
{
	long max = sysconf(_SC_PHYS_PAGES) > 100000 ? 60000 : 5000;
	struct rlimit r = { max, max };
	struct level before = level_now();
	int fd, last = 0;

	in_child {
		is(setrlimit(RLIMIT_NOFILE, &r), 0);
		while ((fd = dup(0)) >= 0)
			last = fd;
		check(errno == EMFILE);
		is(last, max - 1);
		fails(open("/dev/null", O_RDONLY), EMFILE);
		fails(pipe((int[2]){ 0 }), EMFILE);
		fails(eventfd(0, 0), EMFILE);
		fails(epoll_create1(0), EMFILE);
		fails(inotify_init(), EMFILE);
		fails(timerfd_create(CLOCK_MONOTONIC, 0), EMFILE);
		fails(memfd_create("x", 0), EMFILE);
		is(syscall(SYS_close_range, 1000, ~0U, 0), 0);
		is(dup(0), 1000);
	}
	level_check(&before);
}

/* With files of their own, not copies. */
TEST_LIMIT(open_files, 120)
{
	struct rlimit r = { 4000, 4000 };
	struct level before = level_now();
	int n = 0;

	in_child {
		is(setrlimit(RLIMIT_NOFILE, &r), 0);
		while (open("f", O_CREAT | O_RDWR, 0600) >= 0)
			n++;
		check(errno == EMFILE);
		check(n > 3900);
		in_child {
			/* The copies of a fork count for nobody else. */
			close(200);
			works(open("f", O_RDWR));
			fails(open("f", O_RDWR), EMFILE);
		}
	}
	level_check(&before);
}

TEST_LIMIT(whole_machine, 120)
{
	struct rlimit r = { 4000, 4000 };
	struct level before = level_now();
	struct limit l;
	int n = 0;

	put("f", "");
	chmod("f", 0666);
	if (before.files < 0 || !limit_set(&l, "fs/file-max",
					   before.files + 500))
		return;
	in_child {
		setrlimit(RLIMIT_NOFILE, &r);
		drop(USER);
		while (open("f", O_RDWR) >= 0)
			n++;
		check(errno == ENFILE);
		diag("%d files until ENFILE", n);
		check(n > 50 && n < 3900);
		fails(pipe((int[2]){ 0 }), ENFILE);
		fails(eventfd(0, 0), ENFILE);
		fails(memfd_create("x", 0), ENFILE);
		/* Copies need no new file. */
		works(dup(0));
		is(syscall(SYS_close_range, 120, n, 0), 0);
		soon(open("f", O_RDWR) >= 0);
	}
	/* Root has a reserve. */
	works(open("f", O_RDWR));
	limit_restore(&l);
	level_check(&before);
	still_works();
}

TEST_LIMIT(inotify_limits, 120)
{
	long inst = limit_get("fs/inotify/max_user_instances");
	struct limit l;
	int n = 0, fd;

	if (inst < 0) {
		skip("no inotify limits");
		return;
	}
	in_child {
		drop(USER + 901);
		while (n < 10000 && inotify_init() >= 0)
			n++;
		check(errno == EMFILE);
		is(n, inst);
	}
	if (!limit_set(&l, "fs/inotify/max_user_watches", 50))
		return;
	chmod(".", 0777);
	in_child {
		char name[16];

		drop(USER + 901);
		fd = works(inotify_init());
		for (n = 0; n < 100; n++) {
			snprintf(name, sizeof(name), "w%d", n);
			put(name, "");
			if (inotify_add_watch(fd, name, IN_OPEN) < 0)
				break;
		}
		check(errno == ENOSPC);
		is(n, 50);
		is(inotify_rm_watch(fd, 1), 0);
		works(inotify_add_watch(fd, "w99x", IN_OPEN) < 0 &&
		      errno == ENOENT ? 0 : -1);
		soon(inotify_add_watch(fd, "w0", IN_OPEN) >= 0);
	}
	limit_restore(&l);
}

/* Files that are unlinked, open, and full: the memory returns at exit. */
TEST_LIMIT(unlinked_files, 120)
{
	struct level before = level_now();
	static char block[65536];

	for (int round = 0; round < 3; round++) {
		in_child {
			for (int i = 0; i < 200; i++) {
				int fd = open("f", O_CREAT | O_RDWR | O_EXCL,
					      0600);

				for (int k = 0; k < 4; k++)
					write(fd, block, sizeof(block));
				unlink("f");
			}
		}
	}
	level_check(&before);
}
