/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One file that several CPUs change at once: writes that overlap stay whole, the
 * end moves between them, times and link counts are right for who asks.
 */
#include "tests/abi/abi.h"

#include <pthread.h>

#define K4 4096L
#define ROUNDS 400
/* The coarse clock's tick, and some. */
#define TICK 20000000L

static int file;
/* Both sides begin a round together. */
static pthread_barrier_t gate;

static long
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

static long
stamp(struct timespec ts)
{
	return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

static void
stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* --- writes that overlap --- */

/* Side 0 writes pages 0 and 1, side 1 pages 1 and 2, all bytes of the round's number. */
static void *
overlap_side(void *arg)
{
	long side = (long)arg, wrong = 0;
	static char buf[2][2 * K4];

	stay_on(side);
	for (int r = 0; r < ROUNDS; r++) {
		memset(buf[side], 2 * r + side, 2 * K4);
		pthread_barrier_wait(&gate);
		wrong += pwrite(file, buf[side], 2 * K4, side * K4) != 2 * K4;
		pthread_barrier_wait(&gate);
		pthread_barrier_wait(&gate);
	}
	return (void *)wrong;
}

TEST(overlapping_writes_are_whole)
{
	pthread_t t[2];
	long mixed = 0;
	void *wrong;
	char *at;

	file = works(open("f", O_CREAT | O_RDWR, 0600));
	is(ftruncate(file, 3 * K4), 0);
	at = mmap(NULL, 3 * K4, PROT_READ, MAP_SHARED, file, 0);
	check(at != MAP_FAILED);
	pthread_barrier_init(&gate, NULL, 3);
	for (long i = 0; i < 2; i++)
		is(pthread_create(&t[i], NULL, overlap_side, (void *)i), 0);
	for (int r = 0; r < ROUNDS; r++) {
		pthread_barrier_wait(&gate);
		pthread_barrier_wait(&gate);
		/* The page that both wrote is of one of them. */
		for (long k = 1; k < K4; k++)
			mixed += at[K4 + k] != at[K4];
		mixed += at[K4] != at[0] && at[K4] != at[2 * K4];
		pthread_barrier_wait(&gate);
	}
	for (int i = 0; i < 2; i++) {
		is(pthread_join(t[i], &wrong), 0);
		is((long)wrong, 0);
	}
	is(mixed, 0);
}

/* --- the end of the file --- */

static volatile int done;

static void *
write_side(void *arg)
{
	long side = (long)arg, wrong = 0;
	char byte = 'x';

	stay_on(side);
	for (long n = 0; !done; n++)
		wrong += pwrite(file, &byte, 1, (n % 8) * K4 + side) != 1;
	return (void *)wrong;
}

/* Writers do not bring back what a truncation took: it is zero, but for their bytes. */
TEST(truncation_between_writers)
{
	char page[K4];
	pthread_t t[2];
	long stale = 0;
	struct stat st;
	void *wrong;

	file = works(open("f", O_CREAT | O_RDWR, 0600));
	done = 0;
	for (long i = 0; i < 2; i++)
		is(pthread_create(&t[i], NULL, write_side, (void *)i), 0);
	memset(page, 'y', K4);
	for (int r = 0; r < ROUNDS; r++) {
		pwrite(file, page, K4, 5 * K4);
		ftruncate(file, 0);
		ftruncate(file, 8 * K4);
		pread(file, page + 2, K4 - 2, 5 * K4 + 2);
		for (long k = 2; k < K4; k++)
			stale += page[k] != 0;
		memset(page, 'y', K4);
	}
	done = 1;
	for (int i = 0; i < 2; i++) {
		is(pthread_join(t[i], &wrong), 0);
		is((long)wrong, 0);
	}
	is(stale, 0);
	is(ftruncate(file, 0), 0);
	is(fstat(file, &st), 0);
	is(st.st_blocks, 0);
}

/* Lines that several append are all there, whole, while others write at the front. */
static void *
append_side(void *arg)
{
	int fd = open("f", O_WRONLY | O_APPEND);
	long wrong = 0;
	char line[64];

	stay_on((long)arg);
	memset(line, 'a' + (long)arg, sizeof(line));
	for (int r = 0; r < ROUNDS; r++) {
		wrong += write(fd, line, sizeof(line)) != sizeof(line);
		wrong += pwrite(file, line, 8, 0) != 8;
	}
	close(fd);
	return (void *)wrong;
}

TEST(appends_between_writers)
{
	long torn = 0, of[2] = {0, 0};
	struct stat st;
	pthread_t t[2];
	char line[64];
	void *wrong;

	file = works(open("f", O_CREAT | O_RDWR, 0600));
	is(ftruncate(file, 64), 0);
	for (long i = 0; i < 2; i++)
		is(pthread_create(&t[i], NULL, append_side, (void *)i), 0);
	for (int i = 0; i < 2; i++) {
		is(pthread_join(t[i], &wrong), 0);
		is((long)wrong, 0);
	}
	is(fstat(file, &st), 0);
	is(st.st_size, 64 + 2 * ROUNDS * 64);
	for (int r = 1; r <= 2 * ROUNDS; r++) {
		pread(file, line, 64, r * 64);
		for (int k = 1; k < 64; k++)
			torn += line[k] != line[0];
		of[line[0] == 'b']++;
	}
	is(torn, 0);
	is(of[0], ROUNDS);
	is(of[1], ROUNDS);
}

/* --- times --- */

static void *
time_side(void *arg)
{
	long side = (long)arg, wrong = 0, seen = 0, begin;
	struct stat st;
	char byte = 0;

	stay_on(side);
	for (int r = 0; r < ROUNDS; r++) {
		begin = now() - TICK;
		pwrite(file, &byte, 1, side * K4);
		pread(file, &byte, 1, side * K4);
		if (r % 4)
			continue;
		fstat(file, &st);
		wrong += stamp(st.st_mtim) < begin || stamp(st.st_ctim) < begin ||
			 stamp(st.st_atim) < begin;
		/* Time does not run backwards. */
		wrong += stamp(st.st_mtim) < seen || stamp(st.st_mtim) > now();
		seen = stamp(st.st_mtim);
	}
	return (void *)wrong;
}

TEST(times_are_not_older_than_writes)
{
	struct timespec later[2] = {{1, 0}, {4000000000L, 5}};
	pthread_t t[2];
	struct stat st;
	void *wrong;
	char byte;

	file = works(open("f", O_CREAT | O_RDWR, 0600));
	is(ftruncate(file, 2 * K4), 0);
	for (long i = 0; i < 2; i++)
		is(pthread_create(&t[i], NULL, time_side, (void *)i), 0);
	for (int i = 0; i < 2; i++) {
		is(pthread_join(t[i], &wrong), 0);
		is((long)wrong, 0);
	}
	/* What several CPUs did a moment before a time is given is over then. */
	for (int r = 0; r < 8; r++) {
		stay_on(0);
		is(pwrite(file, "", 1, 0), 1);
		stay_on(1);
		is(pwrite(file, "", 1, 0), 1);
		is(pread(file, &byte, 1, 0), 1);
		is(futimens(file, later), 0);
		is(fstat(file, &st), 0);
		is(st.st_mtim.tv_sec, 4000000000L);
		is(st.st_atim.tv_sec, 1);
	}
	/* A given time stands until the next change, whatever it says. */
	for (int r = 0; r < 4; r++) {
		stay_on(r % 2);
		is(futimens(file, later), 0);
		is(fstat(file, &st), 0);
		is(st.st_mtim.tv_sec, 4000000000L);
		is(st.st_atim.tv_sec, 1);
		is(futimens(file, later), 0);
		is(pwrite(file, "", 1, 0), 1);
		is(pread(file, &byte, 1, 0), 1);
		is(fstat(file, &st), 0);
		check(st.st_mtim.tv_sec < 4000000000L);
		check(stamp(st.st_mtim) <= now());
		check(st.st_atim.tv_sec > 1);
	}
}

/* --- links --- */

static void *
link_side(void *arg)
{
	long side = (long)arg, wrong = 0;
	char name[2][16];

	stay_on(side);
	for (int r = 0; r < ROUNDS; r++) {
		for (int k = 0; k < 2; k++) {
			snprintf(name[k], sizeof(name[k]), "l%ld.%d", side, k);
			wrong += link("f", name[k]) != 0;
		}
		/* One of them stays to the end of the round, when its place has the other side's. */
		wrong += unlink(name[r & 1]) != 0;
		pthread_barrier_wait(&gate);
		snprintf(name[0], sizeof(name[0]), "l%ld.%d", 1 - side, !(r & 1));
		wrong += unlink(name[0]) != 0;
		pthread_barrier_wait(&gate);
		if (r % 16 == 0) {
			struct stat st;

			fstat(file, &st);
			wrong += st.st_nlink != 1;
		}
		pthread_barrier_wait(&gate);
	}
	return (void *)wrong;
}

TEST(links_are_counted)
{
	pthread_t t[2];
	struct stat st;
	void *wrong;

	file = works(open("f", O_CREAT | O_RDWR, 0600));
	pthread_barrier_init(&gate, NULL, 2);
	for (long i = 0; i < 2; i++)
		is(pthread_create(&t[i], NULL, link_side, (void *)i), 0);
	for (int i = 0; i < 2; i++) {
		is(pthread_join(t[i], &wrong), 0);
		is((long)wrong, 0);
	}
	is(fstat(file, &st), 0);
	is(st.st_nlink, 1);
	is(unlink("f"), 0);
	is(fstat(file, &st), 0);
	is(st.st_nlink, 0);
	fails(linkat(file, "", AT_FDCWD, "again", AT_EMPTY_PATH), ENOENT);
}

/* --- modes --- */

static void *
mode_side(void *arg)
{
	long side = (long)arg, wrong = 0;
	struct stat st;

	stay_on(side);
	for (int r = 0; r < ROUNDS; r++) {
		wrong += fchmod(file, r % 8 ? 0640 : 0600 + (int)side) != 0;
		fstat(file, &st);
		wrong += (st.st_mode & 07777) != 0640 && (st.st_mode & 07776) != 0600;
	}
	return (void *)wrong;
}

TEST(modes_are_whole)
{
	pthread_t t[2];
	struct stat st;
	void *wrong;
	long before;

	file = works(open("f", O_CREAT | O_RDWR, 0600));
	for (long i = 0; i < 2; i++)
		is(pthread_create(&t[i], NULL, mode_side, (void *)i), 0);
	for (int i = 0; i < 2; i++) {
		is(pthread_join(t[i], &wrong), 0);
		is((long)wrong, 0);
	}
	/* The same mode again is a change, by its time. */
	before = now() - TICK;
	is(fchmod(file, 0640), 0);
	is(fstat(file, &st), 0);
	check(stamp(st.st_ctim) >= before);
	is(st.st_mode & 07777, 0640);
}
