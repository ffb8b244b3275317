/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A storm of processes, programs and files while one of N allocations of the
 * kernel fails: failstorm N SECONDS.
 *
 * Calls may fail for want of memory and children may be killed in the middle of
 * an exec; any other error is printed as "odd: CALL: ERROR". At its end:
 *
 *	storm done D failed F	D calls did what they were asked, F did not
 *
 * Fixed buffers only: the C library may not be the one that runs out.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 8

struct tally {
	unsigned long done, failed, odd;
};

static struct tally *tally;
static char *self;

/* What a call returned; false: it failed, as it may. */
static bool
did(const char *call, long ret)
{
	char line[128];
	int n;

	if (ret != -1) {
		__atomic_fetch_add(&tally->done, 1, __ATOMIC_RELAXED);
		return true;
	}
	__atomic_fetch_add(&tally->failed, 1, __ATOMIC_RELAXED);
	if (errno != ENOMEM && errno != EAGAIN && errno != ENOSPC && errno != ENFILE &&
	    __atomic_fetch_add(&tally->odd, 1, __ATOMIC_RELAXED) < 20) {
		n = snprintf(line, sizeof(line), "odd: %s: errno %d\n", call, errno);
		write(1, line, (size_t)n);
	}
	return false;
}

static void
close_if(const char *call, int fd)
{
	if (did(call, fd))
		close(fd);
}

static void
descriptors(void)
{
	int ends[2];

	if (did("pipe", pipe(ends))) {
		did("write", write(ends[1], self, 1));
		close(ends[0]);
		close(ends[1]);
	}
	close_if("eventfd", eventfd(0, 0));
	close_if("epoll_create1", epoll_create1(0));
	close_if("timerfd_create", timerfd_create(CLOCK_MONOTONIC, 0));
	close_if("inotify_init1", inotify_init1(0));
	close_if("memfd_create", memfd_create("storm", 0));
	close_if("open /proc", open("/proc/self/maps", O_RDONLY));
	close_if("open /dev", open("/dev/null", O_RDWR));
}

static void
files(int worker)
{
	char dir[64], name[80];

	snprintf(dir, sizeof(dir), "/tmp/storm.%d.%d", worker, (int)getpid());
	snprintf(name, sizeof(name), "%s/file", dir);
	if (!did("mkdir", mkdir(dir, 0700)))
		return;
	close_if("creat", creat(name, 0600));
	/* There is no file if creat failed. */
	while (unlink(name) == -1 && errno == ENOMEM)
		;
	while (rmdir(dir) == -1 && errno == ENOMEM)
		;
}

static void
memory(void)
{
	char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!did("mmap", p == MAP_FAILED ? -1 : 0))
		return;
	did("mprotect", mprotect(p + 8192, 4096, PROT_READ));
	did("madvise", madvise(p + 65536, 4096, MADV_DONTNEED));
	while (munmap(p, 1 << 20) == -1 && errno == ENOMEM)
		;
}

static void
children(bool run)
{
	char *argv[] = {self, NULL};
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (run)
			execv(self, argv);
		_exit(run ? did("execv", -1) : 0);
	}
	if (!did("fork", pid))
		return;
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
}

static void
worker(int number, time_t end)
{
	for (unsigned int turn = 0; time(NULL) < end; turn++) {
		descriptors();
		files(number);
		memory();
		children(turn % 2);
	}
	_exit(0);
}

static void
put(int fd, const char *text)
{
	while (pwrite(fd, text, strlen(text), 0) == -1)
		;
}

int
main(int argc, char **argv)
{
	int fd, status;
	time_t end;

	if (argc < 3)
		return 0;
	self = "/proc/self/exe";
	tally = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fd = open("/proc/sys/vm/fail_alloc", O_WRONLY);
	if (tally == MAP_FAILED || fd == -1) {
		perror("failstorm");
		return 1;
	}
	memset(tally, 0, sizeof(*tally));
	end = time(NULL) + atoi(argv[2]);
	for (int i = 0; i < WORKERS; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			/* Until all are there. */
			sleep(1);
			worker(i, end);
		}
	}
	put(fd, argv[1]);
	for (int left = WORKERS; left > 0;) {
		if (wait(&status) == -1 && errno == ECHILD)
			break;
		left--;
	}
	put(fd, "0");
	printf("storm done %lu failed %lu odd %lu\n", tally->done, tally->failed, tally->odd);
	return 0;
}
