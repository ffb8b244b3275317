/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory to its end: whoever takes too much is killed, the log says so, init
 * and the others live, and everything comes back.
 */
#include "tests/exhaust/exhaust.h"

#include <pthread.h>

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

static void
be_the_victim(void)
{
	put("/proc/self/oom_score_adj", "1000");
}

static void
take_all(void)
{
	for (;;) {
		char *m = mmap(NULL, 8 << 20, RW, ANON, -1, 0);

		if (m == MAP_FAILED)
			_exit(3);
		for (long i = 0; i < 8 << 20; i += 4096)
			*(long *)(m + i) = i;
	}
}

/* Whether the kernel's log tells of @pid and memory in one line. */
static bool
log_tells(pid_t pid)
{
	char line[8192], want[32];
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	bool found = false;
	ssize_t n;

	snprintf(want, sizeof(want), " %d ", pid);
	while ((n = read(fd, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
		line[n > 0 ? n : 0] = '\0';
		found |= strcasestr(line, "out of memory") &&
			 strstr(line, want);
	}
	close(fd);
	return found;
}

/* How many programs have been killed so far, as the kernel's log has it. */
static int
kills(void)
{
	char line[8192];
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	int count = 0;
	ssize_t n;

	while ((n = read(fd, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
		line[n > 0 ? n : 0] = '\0';
		count += strstr(line, "Out of memory: Killed process") != NULL;
	}
	close(fd);
	return count;
}

/* The log says who asked, who went, and what that gave. */
TEST_LIMIT(log_of_a_kill, 300)
{
	char line[8192];
	int fd = works(open("/dev/kmsg", O_RDONLY | O_NONBLOCK));
	bool asked = false, went = false;
	char want[64];
	pid_t c;
	ssize_t n;

	lseek(fd, 0, SEEK_END);
	c = fork();
	if (!c) {
		be_the_victim();
		take_all();
	}
	is(reap(c), -SIGKILL);
	snprintf(want, sizeof(want), "Killed process %d (memory) total-vm:", c);
	while ((n = read(fd, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
		line[n > 0 ? n : 0] = '\0';
		asked |= strstr(line, " invoked oom-killer: gfp_mask=") != NULL;
		went |= strstr(line, want) && strstr(line, "kB, anon-rss:") &&
			strstr(line, "kB, file-rss:") &&
			strstr(line, "kB, shmem-rss:") &&
			strstr(line, "kB, UID:0 pgtables:") &&
			strstr(line, "kB oom_score_adj:1000");
	}
	check(asked);
	check(went);
}

TEST_LIMIT(one_takes_all, 300)
{
	struct level before = level_now();

	for (int round = 0; round < 2; round++) {
		int killed = kills();
		pid_t c = fork();

		if (!c) {
			be_the_victim();
			take_all();
		}
		is(reap(c), -SIGKILL);
		check(log_tells(c));
		/* Nobody else: its end is waited for. */
		is(kills() - killed, 1);
		still_works();
	}
	level_check(&before);
}

/* The kernel picks the largest by itself. */
TEST_LIMIT(the_largest_goes, 300)
{
	struct level before = level_now();
	int killed = kills();
	pid_t small[4], c;
	int alive = 0;

	for (int i = 0; i < 4; i++) {
		small[i] = fork();
		if (!small[i]) {
			memset(mmap(NULL, 2 << 20, RW, ANON, -1, 0), 1,
			       2 << 20);
			for (;;)
				pause();
		}
	}
	c = fork();
	if (!c)
		take_all();
	is(reap(c), -SIGKILL);
	for (int i = 0; i < 4; i++) {
		alive += waitpid(small[i], NULL, WNOHANG) == 0;
		kill(small[i], SIGKILL);
		reap(small[i]);
	}
	is(alive, 4);
	is(kills() - killed, 1);
	level_check(&before);
}

static void *
thread_takes(void *arg)
{
	take_all();
	return arg;
}

TEST_LIMIT(threads_take_all, 300)
{
	struct level before = level_now();
	pid_t c = fork();

	if (!c) {
		pthread_t t;

		be_the_victim();
		for (int i = 0; i < 4; i++)
			pthread_create(&t, NULL, thread_takes, NULL);
		for (;;)
			pause();
	}
	is(reap(c), -SIGKILL);
	level_check(&before);
	still_works();
}

/* Several at once: they go one after another until there is room. */
TEST_LIMIT(several_take_all, 300)
{
	struct level before = level_now();
	pid_t c[4];

	for (int i = 0; i < 4; i++) {
		c[i] = fork();
		if (!c[i]) {
			be_the_victim();
			take_all();
		}
	}
	for (int i = 0; i < 4; i++)
		is(reap(c[i]), -SIGKILL);
	level_check(&before);
	still_works();
}

/* Copies of a forked process's pages need memory too. */
TEST_LIMIT(copies_take_all, 300)
{
	struct level before = level_now();
	long half = field("/proc/meminfo", "MemAvailable") / 2 * 1024;
	pid_t c = fork();

	if (!c) {
		char *m = mmap(NULL, half, RW, ANON, -1, 0);

		be_the_victim();
		for (long i = 0; i < half; i += 4096)
			m[i] = 1;
		for (int k = 0; k < 3; k++) {
			if (!fork()) {
				for (long i = 0; i < half; i += 4096)
					m[i] = 2;
				_exit(0);
			}
		}
		while (wait(NULL) > 0)
			;
		_exit(0);
	}
	/* The parent or some child of it: never somebody else. */
	reap(c);
	kill(-getpgrp(), 0);
	level_check(&before);
	still_works();
}

/* A tmpfs without a size of its own ends at half of the memory. */
TEST_LIMIT(tmpfs_fills, 300)
{
	struct level before = level_now();
	static char block[1 << 20];
	long total = field("/proc/meminfo", "MemTotal");
	long mib = 0;
	int fd;

	mkdir("m", 0755);
	works(mount("t", "m", "tmpfs", 0, NULL));
	fd = works(open("m/f", O_CREAT | O_RDWR, 0600));
	while (write(fd, block, sizeof(block)) == sizeof(block))
		mib++;
	fails(write(fd, block, 4096), ENOSPC);
	check(labs(mib * 1024 - total / 2) <= 2048);
	close(fd);
	is(unlink("m/f"), 0);
	level_check(&before);
	is(umount("m"), 0);
}

/* Address space alone costs nothing, and has an end as well. */
TEST_LIMIT(address_space, 120)
{
	struct level before = level_now();
	long gib = 1L << 30;
	long n = 0;

	in_child {
		while (n < 1L << 20 &&
		       mmap(NULL, 64 * gib, PROT_NONE, ANON, -1, 0) !=
		       MAP_FAILED)
			n++;
		check(errno == ENOMEM);
		/* 128 TiB less what else is there. */
		check(n >= 2000 && n <= 2048);
		check(mmap(NULL, 4096, RW, ANON, -1, 0) != MAP_FAILED);
	}
	level_check(&before);
}

TEST_LIMIT(map_count, 120)
{
	struct level before = level_now();
	struct limit l;
	int n = 0;
	char *m;

	if (!limit_set(&l, "vm/max_map_count", 1000))
		return;
	in_child {
		m = mmap(NULL, 4000 * 4096, RW, ANON, -1, 0);
		for (n = 0; n < 2000; n++) {
			if (mprotect(m + n * 2 * 4096, 4096, PROT_READ))
				break;
		}
		check(errno == ENOMEM);
		diag("%d protections", n);
		check(n > 400 && n <= 1000);
		/* The middle cannot be cut out, but the whole can go. */
		is(munmap(m, 4000 * 4096), 0);
		check(mmap(NULL, 4096, RW, ANON, -1, 0) != MAP_FAILED);
	}
	limit_restore(&l);
	level_check(&before);
}

/* What is to be committed is counted strictly where that is asked for. */
TEST_LIMIT(overcommit_never, 120)
{
	struct limit l;
	long room;

	if (!limit_set(&l, "vm/overcommit_memory", 2))
		return;
	room = (field("/proc/meminfo", "CommitLimit") -
		field("/proc/meminfo", "Committed_AS")) * 1024;
	if (room > 0) {
		fails(mmap(NULL, room + (64 << 20), RW,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
		check(mmap(NULL, room / 2, RW, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0) != MAP_FAILED);
	}
	limit_restore(&l);
}
