/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What /proc says of memory in use: levels of the machine, /proc/PID/status and
 * smaps follow each allocation and its end, and getrusage counts the faults.
 */
#include "tests/abi/mem.h"

#include <sys/resource.h>

#define MIB (1L << 20)
/* What caches of each CPU and the test itself may move meanwhile, kB. */
#define SLACK 2048

static long
own(const char *key)
{
	return field("/proc/self/status", key);
}

static long
all(const char *key)
{
	return field("/proc/meminfo", key);
}

/* Sum of @key over the lines of smaps between @from and @to. */
static long
smaps(const char *key, const char *from, const char *to)
{
	static char line[512];
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long start = 0, a, b;
	size_t n = strlen(key);
	long sum = 0;

	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &a, &b) == 2)
			start = a;
		else if (start >= (unsigned long)from && start < (unsigned long)to &&
		    !strncmp(line, key, n) && line[n] == ':')
			sum += atol(line + n + 1);
	}
	fclose(f);
	return sum;
}

static bool
about(long value, long want)
{
	return labs(value - want) <= SLACK;
}

TEST(anonymous_levels)
{
	long anon = all("AnonPages"), rss = own("VmRSS"), size = own("VmSize");
	long shmem = own("RssShmem"), pte = own("VmPTE"), data = own("VmData");
	char *m = mmap(NULL, 32 * MIB, RW, ANON, -1, 0);

	is(own("VmSize") - size, 32 << 10);
	is(own("VmData") - data, 32 << 10);
	check(own("VmRSS") - rss < 1024);
	madvise(m, 32 * MIB, MADV_NOHUGEPAGE);
	memset(m, 1, 32 * MIB);
	check(about(all("AnonPages") - anon, 32 << 10));
	check(about(own("VmRSS") - rss, 32 << 10));
	check(own("RssAnon") >= 31 << 10);
	check(about(own("RssShmem"), shmem));
	is(own("VmRSS"), own("RssAnon") + own("RssFile") + own("RssShmem"));
	check(own("VmPTE") - pte >= 64 && own("VmPTE") - pte <= 80);
	is(smaps("Rss", m, m + 32 * MIB), 32 << 10);
	is(smaps("Anonymous", m, m + 32 * MIB), 32 << 10);
	is(smaps("Private_Dirty", m, m + 32 * MIB), 32 << 10);
	/* A half is dropped, a half of the rest unmapped. */
	madvise(m, 16 * MIB, MADV_DONTNEED);
	is(smaps("Rss", m, m + 32 * MIB), 16 << 10);
	check(about(all("AnonPages") - anon, 16 << 10));
	munmap(m + 24 * MIB, 8 * MIB);
	check(about(all("AnonPages") - anon, 8 << 10));
	check(about(own("VmRSS") - rss, 8 << 10));
	check(own("VmHWM") >= rss + (31 << 10));
	munmap(m, 24 * MIB);
	check(about(all("AnonPages"), anon));
	check(about(own("VmRSS"), rss));
	is(own("VmSize"), size);
}

/* Pages that a child shares are one page of the machine's, and half of each one's. */
TEST(shared_by_fork)
{
	long anon, p = 0;
	char *m = mmap(NULL, 16 * MIB, RW, ANON, -1, 0);

	madvise(m, 16 * MIB, MADV_NOHUGEPAGE);
	memset(m, 1, 16 * MIB);
	anon = all("AnonPages");
	in_child {
		check(about(all("AnonPages"), anon));
		is(smaps("Shared_Dirty", m, m + 16 * MIB), 16 << 10);
		is(smaps("Pss", m, m + 16 * MIB), 8 << 10);
		memset(m, 2, 8 * MIB);
		check(about(all("AnonPages") - anon, 8 << 10));
		is(smaps("Private_Dirty", m, m + 16 * MIB), 8 << 10);
		is(smaps("Pss", m, m + 16 * MIB), 12 << 10);
	}
	check(about(all("AnonPages"), anon));
	is(smaps("Private_Dirty", m, m + 16 * MIB), 16 << 10);
	for (long i = 0; i < 16 * MIB; i += K4)
		p += m[i];
	is(p, 16 * MIB / K4);
}

/* A mapping of @size is shared by @sharers, a power of two. */
static void
is_shared(const char *m, long size, int sharers)
{
	is(smaps("Rss", m, m + size), size >> 10);
	is(smaps("Pss", m, m + size), (size / sharers) >> 10);
	is(smaps(sharers > 1 ? "Shared_Dirty" : "Private_Dirty", m, m + size), size >> 10);
}

/* A child that lasts until @end, a pipe, is closed, with @children of that kind. */
static void
sharer(const int *end, int ready, int children)
{
	char c;

	if (fork() != 0)
		return;
	close(end[1]);
	for (int i = 0; i < children; i++)
		sharer(end, ready, 0);
	check(write(ready, "", 1) == 1);
	check(read(end[0], &c, 1) == 0);
	while (wait(NULL) > 0)
		;
	_exit(0);
}

/* All who inherited a page share it, whoever forked whom. */
TEST(shared_by_a_family)
{
	long size = 64 * K4;
	char *m = mmap(NULL, size, RW, ANON, -1, 0);
	int end[2], ready[2];
	char c;

	works(pipe(end));
	works(pipe(ready));
	memset(m, 1, size);
	sharer(end, ready[1], 0);
	check(read(ready[0], &c, 1) == 1);
	is_shared(m, size, 2);
	/* Beside us and our first child there are one more and its five. */
	sharer(end, ready[1], 5);
	for (int i = 0; i < 6; i++)
		check(read(ready[0], &c, 1) == 1);
	is_shared(m, size, 8);
	/* What one writes to is its own. */
	in_child {
		memset(m, 2, size);
		is_shared(m, size, 1);
	}
	is_shared(m, size, 8);
	close(end[1]);
	while (wait(NULL) > 0)
		;
	is_shared(m, size, 1);
}

TEST(shared_memory_levels)
{
	long shmem = all("Shmem"), cached = all("Cached"), mapped = all("Mapped");
	long mine = own("RssShmem"), anon = all("AnonPages");
	char *m = mmap(NULL, 16 * MIB, RW, SHANON, -1, 0);

	check(about(all("Shmem"), shmem));
	memset(m, 1, 16 * MIB);
	check(about(all("Shmem") - shmem, 16 << 10));
	check(about(all("Cached") - cached, 16 << 10));
	check(about(all("Mapped") - mapped, 16 << 10));
	check(about(all("AnonPages"), anon));
	check(about(own("RssShmem") - mine, 16 << 10));
	is(smaps("Rss", m, m + 16 * MIB), 16 << 10);
	is(smaps("Anonymous", m, m + 16 * MIB), 0);
	/* The pages stay when they are only unmapped. */
	madvise(m, 16 * MIB, MADV_DONTNEED);
	check(about(all("Shmem") - shmem, 16 << 10));
	check(about(all("Mapped"), mapped));
	check(about(own("RssShmem"), mine));
	is(madvise(m, 8 * MIB, MADV_REMOVE), 0);
	check(about(all("Shmem") - shmem, 8 << 10));
	munmap(m, 16 * MIB);
	soon(about(all("Shmem"), shmem));
	soon(about(all("Cached"), cached));
}

TEST(file_levels)
{
	int fd = works(open("f", O_CREAT | O_RDWR, 0600));
	long shmem, rss = own("VmRSS");
	long sum = 0;
	char *m;

	is(fallocate(fd, 0, 0, 8 * MIB), 0);
	shmem = all("Shmem");
	m = mmap(NULL, 8 * MIB, RW, MAP_PRIVATE, fd, 0);
	for (long i = 0; i < 8 * MIB; i += K4)
		sum += m[i];
	is(sum, 0);
	check(about(own("VmRSS") - rss, 8 << 10));
	is(smaps("Rss", m, m + 8 * MIB), 8 << 10);
	is(smaps("Anonymous", m, m + 8 * MIB), 0);
	memset(m, 1, 4 * MIB);
	is(smaps("Rss", m, m + 8 * MIB), 8 << 10);
	is(smaps("Anonymous", m, m + 8 * MIB), 4 << 10);
	check(about(own("VmRSS") - rss, 8 << 10));
	check(about(all("Shmem"), shmem));
	is(ftruncate(fd, MIB), 0);
	is(smaps("Rss", m, m + 8 * MIB), 1 << 10);
	check(about(shmem - all("Shmem"), 7 << 10));
}

TEST(locked_levels)
{
	long lock = own("VmLck"), locked = all("Mlocked");
	char *m = mmap(NULL, 8 * MIB, RW, ANON, -1, 0);

	is(mlock(m, 4 * MIB), 0);
	is(own("VmLck") - lock, 4 << 10);
	is(smaps("Locked", m, m + 8 * MIB), 4 << 10);
	is(smaps("Rss", m, m + 8 * MIB), 4 << 10);
	soon(about(all("Mlocked") - locked, 4 << 10));
	is(munlock(m, 2 * MIB), 0);
	is(own("VmLck") - lock, 2 << 10);
	munmap(m, 8 * MIB);
	is(own("VmLck"), lock);
	soon(about(all("Mlocked"), locked));
}

/* Tables of a space go when it ends, and those that an unmapping covers at once. */
TEST(table_levels)
{
	long tables = all("PageTables"), pte = own("VmPTE");
	char *m = mmap(NULL, 1024 * MIB, RW, ANON | MAP_NORESERVE, -1, 0);

	madvise(m, 1024 * MIB, MADV_NOHUGEPAGE);
	for (long i = 0; i < 1024 * MIB; i += 2 * MIB)
		m[i] = 1;
	check(about(own("VmPTE") - pte, 2048));
	check(about(all("PageTables") - tables, 2048));
	is(munmap(m, 1024 * MIB), 0);
	check(own("VmPTE") - pte <= 64);
	soon(all("PageTables") - tables <= 512);
}

/* Tables that lose their last mapping piece by piece go too. */
TEST(tables_of_pieces)
{
	long pte = own("VmPTE");
	char *m = mmap(NULL, 256 * MIB, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);

	munmap(m, 256 * MIB);
	for (long i = 0; i < 256 * MIB; i += MIB) {
		char *p = mmap(m + i, K4, RW, ANON | MAP_FIXED, -1, 0);

		*p = 1;
	}
	check(own("VmPTE") - pte >= 500);
	for (long i = 0; i < 256 * MIB; i += MIB)
		munmap(m + i, K4);
	check(own("VmPTE") - pte <= 64);
}

TEST(fault_counts)
{
	struct rusage a, b;
	char *m = mmap(NULL, 4 * MIB, RW, ANON, -1, 0);
	long n = 4 * MIB / K4;

	madvise(m, 4 * MIB, MADV_NOHUGEPAGE);
	getrusage(RUSAGE_SELF, &a);
	memset(m, 1, 4 * MIB);
	getrusage(RUSAGE_SELF, &b);
	check(b.ru_minflt - a.ru_minflt >= n);
	check(b.ru_minflt - a.ru_minflt <= n + 32);
	memset(m, 2, 4 * MIB);
	getrusage(RUSAGE_SELF, &a);
	check(a.ru_minflt - b.ru_minflt <= 32);
	check(a.ru_maxrss >= 4 << 10);
}
