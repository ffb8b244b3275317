/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs programs while each place of the kernel that allocates fails once:
 * failsweep ROUNDS SECONDS PROGRAM...
 *
 * PROGRAM may have arguments, in one word. It is run again and again, in a session of its own, until a run comes by no
 * new place, or ROUNDS runs or SECONDS are over; what it says is shown if SWEEP_SHOW is set.
 * Whoever has been left over is killed then. A line each, and one for all:
 *
 *	sweep PROGRAM runs R failed N
 *	sweep all sites S failed N lost L
 *
 * See /proc/sys/vm/fail_sites. Fixed buffers: those of init's session are spared, but
 * what the kernel's threads do for us may fail.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SITES "/proc/sys/vm/fail_sites"

static void
order(const char *text)
{
	int fd = -1;

	while (fd < 0 || write(fd, text, strlen(text)) < 0) {
		if (fd >= 0)
			close(fd);
		fd = open(SITES, O_WRONLY);
	}
	close(fd);
}

/* "# mode M sites S failed F lost L" */
static void
numbers(unsigned long *sites, unsigned long *failed, unsigned long *lost)
{
	char line[128] = "";
	int fd = -1;

	while (fd < 0)
		fd = open(SITES, O_RDONLY);
	while (read(fd, line, sizeof(line) - 1) < 0)
		;
	close(fd);
	*sites = *failed = *lost = 0;
	sscanf(line, "# mode %*s sites %lu failed %lu lost %lu", sites, failed, lost);
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* All but init and us. */
static void
sweep_up(void)
{
	char line[512], at[256];
	FILE *mounts;

	kill(-1, SIGKILL);
	while (wait(NULL) > 0)
		;
	/* Who was killed between mount and umount has left it. */
	mounts = fopen("/proc/self/mounts", "r");
	while (mounts && fgets(line, sizeof(line), mounts))
		if (sscanf(line, "%*s %255s", at) == 1 && strncmp(at, "/tmp/", 5) == 0)
			umount2(at, MNT_DETACH);
	if (mounts)
		fclose(mounts);
}

/* In a session that is not spared. */
static void
become(char **args)
{
	int null;

	if (getenv("SWEEP_SHOW") == NULL) {
		null = open("/dev/null", O_RDWR);
		dup2(null, 1);
		dup2(null, 2);
	}
	setsid();
	execv(args[0], args);
	_exit(127);
}

/* One run, for so many seconds at most. */
static void
run(char *program, double limit)
{
	char text[256], *args[8], *rest = text;
	double end = now() + limit;
	pid_t pid = -1;
	int n = 0;

	snprintf(text, sizeof(text), "%s", program);
	do
		args[n] = strsep(&rest, " ");
	while (args[n] && ++n < 7);
	args[n] = NULL;
	while (pid < 0)
		pid = fork();
	if (pid == 0)
		become(args);
	while (waitpid(pid, NULL, WNOHANG) == 0 && now() < end)
		usleep(5000);
	sweep_up();
}

int
main(int argc, char **argv)
{
	unsigned long sites, failed, before, lost;
	bool once = argc > 3 && atoi(argv[1]) == 0;

	if (argc < 4) {
		fprintf(stderr, "failsweep ROUNDS SECONDS PROGRAM...\n");
		return 2;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* ROUNDS 0: what runs without failures, to compare with. */
	order(once ? "count" : "each");
	for (int i = 3; i < argc; i++) {
		double end = now() + atof(argv[2]);
		unsigned long first;
		int runs = 0;

		numbers(&sites, &first, &lost);
		failed = first;
		do {
			before = failed;
			run(argv[i], end - now());
			numbers(&sites, &failed, &lost);
			runs++;
		} while (!once && failed > before && runs < atoi(argv[1]) && now() < end);
		printf("\nsweep %s runs %d failed %lu\n", argv[i], runs, failed - first);
		fflush(stdout);
	}
	order("off");
	numbers(&sites, &failed, &lost);
	printf("sweep all sites %lu failed %lu lost %lu\n", sites, failed, lost);
	return 0;
}
