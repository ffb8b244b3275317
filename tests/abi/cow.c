/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copy on write, shared memory, files in memory against read and write,
 * madvise, msync, stack growth.
 */
#include "tests/abi/mem.h"

#include <pthread.h>
#include <sys/resource.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

static bool
all(const char *m, long n, char c)
{
	for (long i = 0; i < n; i++) {
		if (m[i] != c)
			return false;
	}
	return true;
}

TEST(private_after_fork)
{
	struct gate a = gate_new(), b = gate_new();
	char *m = pages(64, RW);
	pid_t c;

	memset(m, 'p', 64 * K4);
	c = fork();
	if (!c) {
		bool good = all(m, 64 * K4, 'p');

		for (int i = 0; i < 64; i += 2)
			m[i * K4] = 'c';
		gate_open(&a);
		gate_wait(&b);
		for (int i = 0; i < 64; i++)
			good &= m[i * K4] == (i % 2 ? 'p' : 'c');
		_exit(good ? 7 : 1);
	}
	gate_wait(&a);
	check(all(m, 64 * K4, 'p'));
	for (int i = 1; i < 64; i += 2)
		m[i * K4] = 'P';
	gate_open(&b);
	is(reap(c), 7);
	is(m[K4], 'P');
	is(m[0], 'p');
}

/* Grandchildren, each changing one page, see what their ancestors left. */
TEST(chain_of_forks)
{
	char *m = pages(20, RW);
	int depth = 0;
	pid_t c;

	memset(m, 0, 20 * K4);
	while (depth < 20) {
		m[depth * K4] = depth + 1;
		c = fork();
		if (c) {
			bool good = true;
			int r = reap(c);

			for (int i = 0; i < 20; i++)
				good &= m[i * K4] == (i <= depth ? i + 1 : 0);
			if (depth == 0) {
				is(r, 7);
				check(good);
				return;
			}
			_exit(good && r == 7 ? 7 : 1);
		}
		depth++;
	}
	_exit(7);
}

TEST(shared_after_fork)
{
	char *m = mmap(NULL, 8 * K4, RW, SHANON, -1, 0);

	m[0] = 1;
	in_child {
		is(m[0], 1);
		m[0] = 2;
		/* Touched first after the fork: still one page. */
		m[5 * K4] = 5;
		in_child {
			m[6 * K4] = 6;
		}
	}
	is(m[0], 2);
	is(m[5 * K4], 5);
	is(m[6 * K4], 6);
}

TEST(zero_page)
{
	char *m = pages(2, RW);

	is(m[100], 0);
	in_child {
		m[100] = 9;
		is(m[101], 0);
	}
	is(m[100], 0);
	m[100] = 4;
	is(m[101], 0);
	is(m[K4], 0);
}

/* The kernel writes into user memory: it must copy as a program would. */
TEST(kernel_writes_copy)
{
	char *m = pages(1, RW);
	int fd, z;

	strcpy(m, "original");
	put("f", "replaced");
	fd = works(open("f", O_RDONLY));
	in_child {
		is(read(fd, m, 8), 8);
		same(m, "replaced");
	}
	same(m, "original");
	z = works(open("/dev/zero", O_RDONLY));
	m = mmap(NULL, K4, PROT_READ, ANON, -1, 0);
	fails(read(z, m, 10), EFAULT);
	m = pages(1, RW);
	is(m[0], 0);
	is(read(z, m, 10), 10);
}

TEST(pinned_by_vmsplice)
{
	char *m = pages(1, RW);
	char buf[8] = "";
	int p[2];

	/* A page in flight keeps its contents for the fork's child. */
	strcpy(m, "pinned");
	pipe(p);
	write(p[1], m, 6);
	in_child {
		strcpy(m, "CHILD!");
	}
	is(read(p[0], buf, 8), 6);
	same(buf, "pinned");
	same(m, "pinned");
}

static char *race;
static volatile bool stop;

static void *
race_writer(void *arg)
{
	long i = (long)arg;

	while (!stop)
		__atomic_add_fetch((long *)(race + i * K4), 1, __ATOMIC_RELAXED);
	return NULL;
}

/* Threads write while the process forks: no update may be lost. */
TEST(fork_under_fire)
{
	pthread_t t[3];
	bool good = true;

	race = pages(4, RW);
	for (long i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, race_writer, (void *)i);
	for (int n = 0; n < 30; n++) {
		long before[3], after[3];
		pid_t c = fork();

		if (!c) {
			for (int i = 0; i < 3; i++)
				before[i] = *(volatile long *)(race + i * K4);
			sched_yield();
			for (int i = 0; i < 3; i++)
				after[i] = *(volatile long *)(race + i * K4);
			_exit(memcmp(before, after, sizeof(after)) ? 1 : 0);
		}
		good &= reap(c) == 0;
	}
	stop = true;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	check(good);
}

TEST(file_coherence)
{
	int fd = works(open("f", O_CREAT | O_RDWR, 0600));
	char buf[16] = "";
	char *s, *p;

	ftruncate(fd, 2 * K4);
	pwrite(fd, "first", 5, 0);
	s = mmap(NULL, 2 * K4, RW, MAP_SHARED, fd, 0);
	p = mmap(NULL, 2 * K4, RW, MAP_PRIVATE, fd, 0);
	is(memcmp(s, "first", 5), 0);
	is(memcmp(p, "first", 5), 0);
	pwrite(fd, "FIRST", 5, 0);
	is(memcmp(s, "FIRST", 5), 0);
	/* On Linux an untouched private page follows the file. */
	is(memcmp(p, "FIRST", 5), 0);
	memcpy(s + 1, "xx", 2);
	is(pread(fd, buf, 5, 0), 5);
	same(buf, "FxxST");
	p[0] = 'P';
	pwrite(fd, "later", 5, 0);
	is(p[0], 'P');
	is(p[1], 'x');
	is(s[0], 'l');
	pread(fd, buf, 5, 0);
	same(buf, "later");
	is(msync(s, 2 * K4, MS_SYNC), 0);
	in_child {
		s[K4] = 'c';
		p[K4] = 'C';
	}
	is(s[K4], 'c');
	is(p[K4], 'c');
}

TEST(past_the_end)
{
	int fd = works(open("f", O_CREAT | O_RDWR, 0600));
	char *m;

	ftruncate(fd, K4 + 100);
	m = mmap(NULL, 4 * K4, RW, MAP_SHARED, fd, 0);
	is(writes(m + K4 + 99), 0);
	is(writes(m + K4 + 2000), 0);
	is(m[K4 + 3000], 0);
	is(reads(m + 2 * K4), 100 + BUS_ADRERR);
	is(ftruncate(fd, 3 * K4), 0);
	is(reads(m + 2 * K4), 0);
	m[2 * K4] = 5;
	is(ftruncate(fd, K4), 0);
	is(reads(m + K4), 100 + BUS_ADRERR);
	is(reads(m + 2 * K4), 100 + BUS_ADRERR);
	is(reads(m), 0);
	is(ftruncate(fd, 3 * K4), 0);
	is(m[2 * K4], 0);
	/* Truncation also removes private copies. */
	m = mmap(NULL, 2 * K4, RW, MAP_PRIVATE, fd, 0);
	ftruncate(fd, 2 * K4);
	m[K4] = 'p';
	ftruncate(fd, K4);
	is(reads(m + K4), 100 + BUS_ADRERR);
	/* A system call sees it as a bad address. */
	fails(write(works(open("g", O_CREAT | O_WRONLY, 0600)), m + K4, 1),
	      EFAULT);
}

TEST(mapping_outlives_file)
{
	int fd = works(open("f", O_CREAT | O_RDWR, 0600));
	char *m;

	ftruncate(fd, K4);
	m = mmap(NULL, K4, RW, MAP_SHARED, fd, 0);
	close(fd);
	unlink("f");
	strcpy(m, "alive");
	in_child {
		same(m, "alive");
	}
}

TEST(msync_calls)
{
	int fd = works(open("f", O_CREAT | O_RDWR, 0600));
	char *m;

	ftruncate(fd, 4 * K4);
	m = mmap(NULL, 4 * K4, RW, MAP_SHARED, fd, 0);
	m[0] = 1;
	is(msync(m, 4 * K4, MS_SYNC), 0);
	is(msync(m, 4 * K4, MS_ASYNC), 0);
	is(msync(m, 4 * K4, MS_SYNC | MS_INVALIDATE), 0);
	fails(msync(m, K4, MS_SYNC | MS_ASYNC), EINVAL);
	fails(msync(m + 1, K4, MS_SYNC), EINVAL);
	fails(msync(m, K4, 0x100), EINVAL);
	munmap(m + K4, K4);
	fails(msync(m, 4 * K4, MS_SYNC), ENOMEM);
	m = mmap(NULL, K4, RW, MAP_SHARED | MAP_LOCKED, fd, 0);
	fails(msync(m, K4, MS_INVALIDATE), EBUSY);
}

TEST(advice_dontneed)
{
	int fd = works(open("f", O_CREAT | O_RDWR, 0600));
	char *m = pages(4, RW);

	memset(m, 'a', 4 * K4);
	is(madvise(m + K4, 2 * K4, MADV_DONTNEED), 0);
	is(m[0], 'a');
	check(all(m + K4, 2 * K4, 0));
	is(m[3 * K4], 'a');
	pwrite(fd, "file", 4, 0);
	ftruncate(fd, K4);
	m = mmap(NULL, K4, RW, MAP_PRIVATE, fd, 0);
	m[0] = 'X';
	is(madvise(m, K4, MADV_DONTNEED), 0);
	is(m[0], 'f');
	m = mmap(NULL, K4, RW, MAP_SHARED, fd, 0);
	m[0] = 'S';
	is(madvise(m, K4, MADV_DONTNEED), 0);
	is(m[0], 'S');
	m = mmap(NULL, 2 * K4, RW, SHANON, -1, 0);
	m[0] = 'k';
	is(madvise(m, K4, MADV_DONTNEED), 0);
	is(m[0], 'k');
	is(madvise(m, K4, MADV_REMOVE), 0);
	is(m[0], 0);
	m = pages(2, RW);
	mlock(m, K4);
	fails(madvise(m, K4, MADV_DONTNEED), EINVAL);
}

TEST(advice_others)
{
	static const int easy[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED,
		MADV_FREE, MADV_DONTFORK, MADV_DOFORK, MADV_HUGEPAGE,
		MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP, MADV_COLD,
		MADV_PAGEOUT,
	};
	char *m = pages(8, RW);

	for (size_t i = 0; i < sizeof(easy) / sizeof(easy[0]); i++)
		is(madvise(m, 8 * K4, easy[i]), 0);
	fails(madvise(m + 1, K4, MADV_NORMAL), EINVAL);
	fails(madvise(m, K4, 999), EINVAL);
	fails(madvise(m, -1UL, MADV_NORMAL), EINVAL);
	is(madvise(m, 0, MADV_DONTNEED), 0);
	munmap(m + K4, K4);
	fails(madvise(m, 3 * K4, MADV_NORMAL), ENOMEM);
	m[0] = 1;
	m[2 * K4] = 1;
	/* The mapped parts are done nevertheless. */
	fails(madvise(m, 3 * K4, MADV_DONTNEED), ENOMEM);
	is(m[0], 0);
	is(m[2 * K4], 0);
	is(madvise(m, K4, MADV_FREE), 0);
	check(m[0] == 0);
	m[0] = 'k';
	is(m[0], 'k');
}

TEST(advice_fork)
{
	char *m = pages(3, RW);

	memset(m, 'a', 3 * K4);
	is(madvise(m, K4, MADV_DONTFORK), 0);
	is(madvise(m + K4, K4, MADV_WIPEONFORK), 0);
	in_child {
		is(reads(m), SEGV_MAPERR);
		is(m[K4], 0);
		is(m[2 * K4], 'a');
	}
	is(m[0], 'a');
	is(m[K4], 'a');
	is(madvise(m, 2 * K4, MADV_DOFORK), 0);
	is(madvise(m, 2 * K4, MADV_KEEPONFORK), 0);
	in_child {
		is(m[0], 'a');
		is(m[K4], 'a');
	}
	fails(madvise(mmap(NULL, K4, RW, SHANON, -1, 0), K4, MADV_WIPEONFORK),
	      EINVAL);
}

TEST(advice_populate)
{
	unsigned char vec[4] = { 0 };
	char *m = pages(4, RW);

	is(madvise(m, 4 * K4, MADV_POPULATE_WRITE), 0);
	is(mincore(m, 4 * K4, vec), 0);
	is(vec[0] & vec[3] & 1, 1);
	m = pages(4, PROT_READ);
	fails(madvise(m, K4, MADV_POPULATE_WRITE), EINVAL);
	is(madvise(m, K4, MADV_POPULATE_READ), 0);
	mprotect(m, K4, PROT_NONE);
	fails(madvise(m, K4, MADV_POPULATE_READ), EINVAL);
}

/* 2 MiB regions: aligned use of large memory, split by protection. */
TEST(large_regions)
{
	long two = 2 << 20;
	char *m = mmap(NULL, 8 * two, RW, ANON, -1, 0);
	bool good = true;

	madvise(m, 8 * two, MADV_HUGEPAGE);
	for (long i = 0; i < 8 * two; i += K4)
		*(long *)(m + i) = i;
	mprotect(m + two + 5 * K4, K4, PROT_READ);
	munmap(m + 3 * two + 7 * K4, K4);
	madvise(m + 5 * two + 9 * K4, K4, MADV_DONTNEED);
	for (long i = 0; i < 8 * two; i += K4) {
		if (i == 3 * two + 7 * K4)
			continue;
		good &= *(long *)(m + i) == (i == 5 * two + 9 * K4 ? 0 : i);
	}
	check(good);
	is(writes(m + two + 5 * K4), SEGV_ACCERR);
	is(writes(m + two + 6 * K4), 0);
	is(reads(m + 3 * two + 7 * K4), SEGV_MAPERR);
	in_child {
		for (long i = 0; i < two; i += K4)
			*(long *)(m + i) = 1;
	}
	for (long i = 0; i < two; i += K4)
		good &= *(long *)(m + i) == i;
	check(good);
}

static long
stack_use(long depth)
{
	volatile char frame[4096];

	frame[0] = depth;
	return depth > 0 ? stack_use(depth - 1) + frame[0] : 0;
}

TEST(stack_growth)
{
	struct rlimit r = { 1 << 20, RLIM_INFINITY };
	char first;
	char *volatile here = &first;
	long before = extent(here);

	stack_use(100);
	check(extent(here) >= before);
	check(extent(here) >= 100 * K4);
	in_child {
		setrlimit(RLIMIT_STACK, &r);
		is(reads(here - (512 << 10)), 0);
		is(reads(here - (4 << 20)), SEGV_MAPERR);
	}
	/* Far below the stack pointer is part of it, within the limit. */
	r.rlim_cur = 8 << 20;
	setrlimit(RLIMIT_STACK, &r);
	is(writes(here - (4 << 20)), 0);
	check(extent(here) >= 4 << 20);
}

TEST(address_space_limit)
{
	struct rlimit r;
	long now = field("/proc/self/status", "VmSize") << 10;

	r.rlim_cur = r.rlim_max = now + (16 << 20);
	in_child {
		setrlimit(RLIMIT_AS, &r);
		fails(mmap(NULL, 32 << 20, RW, ANON, -1, 0), ENOMEM);
		check(mmap(NULL, 8 << 20, RW, ANON, -1, 0) != MAP_FAILED);
		fails(mmap(NULL, 12 << 20, PROT_NONE, ANON, -1, 0), ENOMEM);
	}
}
