/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs programs while each place of the kernel that allocates fails once:
 * failsweep ROUNDS SECONDS PROGRAM...
 *
 * failsweep read NAME: the objects in use by who allocated them, to the object. A line each:
 *
 *	objects NAME N CACHE FUNCTION+OFFSET
 *	objects NAME end
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
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
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

/* Who was killed has left its objects of System V IPC. */
static void
remove_ipc(void)
{
	struct shmid_ds shm;
	struct semid_ds sem;
	struct msqid_ds msg;
	int id, i, last;

	last = shmctl(0, SHM_INFO, &shm);
	for (i = 0; i <= last; i++)
		if ((id = shmctl(i, SHM_STAT, &shm)) >= 0)
			shmctl(id, IPC_RMID, NULL);
	last = semctl(0, 0, SEM_INFO, &sem);
	for (i = 0; i <= last; i++)
		if ((id = semctl(i, 0, SEM_STAT, &sem)) >= 0)
			semctl(id, 0, IPC_RMID);
	last = msgctl(0, MSG_INFO, &msg);
	for (i = 0; i <= last; i++)
		if ((id = msgctl(i, MSG_STAT, &msg)) >= 0)
			msgctl(id, IPC_RMID, NULL);
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
	remove_ipc();
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

/* --- what is in use --- */

#define PLACES 2048
#define READINGS 20

/* A line of /proc/slab_allocators: "CACHE N FUNCTION+OFFSET" */
static struct place {
	char cache[48], function[96];
	/* the least of all readings; of this one */
	unsigned long used, now;
} places[PLACES];
static int nr_places;
static char text[512 * 1024];

static struct place *
place_of(const char *cache, const char *function)
{
	struct place *p;

	for (p = places; p < places + nr_places; p++)
		if (!strcmp(p->cache, cache) && !strcmp(p->function, function))
			return p;
	if (nr_places == PLACES)
		exit(1);
	nr_places++;
	strcpy(p->cache, cache);
	strcpy(p->function, function);
	p->used = ~0ul;
	return p;
}

/* What comes and goes is not in all readings. */
static void
take_reading(void)
{
	char cache[48], function[96], *rest = text, *line;
	int fd = open("/proc/slab_allocators", O_RDONLY);
	unsigned long used;
	size_t size = 0;
	ssize_t n;

	if (fd < 0)
		exit(1);
	while ((n = read(fd, text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)n;
	close(fd);
	text[size] = '\0';
	for (int i = 0; i < nr_places; i++)
		places[i].now = 0;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (sscanf(line, "%47s %lu %95s", cache, &used, function) == 3)
			place_of(cache, function)->now += used;
	for (int i = 0; i < nr_places; i++)
		if (places[i].now < places[i].used)
			places[i].used = places[i].now;
}

/* No process but this one comes or goes meanwhile. */
static int
read_objects(const char *name)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (fd < 0 || write(fd, "3", 1) != 1)
		return 1;
	close(fd);
	for (int i = 0; i < READINGS; i++) {
		usleep(100000);
		take_reading();
	}
	for (int i = 0; i < nr_places; i++)
		printf("objects %s %lu %s %s\n", name, places[i].used, places[i].cache,
		       places[i].function);
	printf("objects %s end\n", name);
	return 0;
}

int
main(int argc, char **argv)
{
	unsigned long sites, failed, before, lost;
	bool once = argc > 3 && atoi(argv[1]) == 0;

	if (argc == 3 && strcmp(argv[1], "read") == 0)
		return read_objects(argv[2]);
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
