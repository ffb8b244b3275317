/* SPDX-License-Identifier: BSD-2-Clause */
/* mremap with all its flags; brk; mlock; mincore. */
#include "tests/abi/mem.h"

#include <pthread.h>
#include <sys/resource.h>

static bool
all(const char *m, long n, char c)
{
	for (long i = 0; i < n; i++) {
		if (m[i] != c)
			return false;
	}
	return true;
}

TEST(shrink_and_grow)
{
	char *m = pages(8, RW);
	char *n;

	memset(m, 'a', 8 * K4);
	check(mremap(m, 8 * K4, 4 * K4, 0) == m);
	is(reads(m + 4 * K4), SEGV_MAPERR);
	check(all(m, 4 * K4, 'a'));
	/* The room is free: growing in place. */
	check(mremap(m, 4 * K4, 8 * K4, 0) == m);
	check(all(m + 4 * K4, 4 * K4, 0));
	mmap(m + 6 * K4, K4, RW, ANON | MAP_FIXED, -1, 0);
	check(mremap(m, 4 * K4, 4 * K4, 0) == m);
	munmap(m + 7 * K4, K4);
	mmap(m + 4 * K4, K4, PROT_READ, ANON | MAP_FIXED, -1, 0);
	fails(mremap(m, 4 * K4, 5 * K4, 0), ENOMEM);
	n = mremap(m, 4 * K4, 16 * K4, MREMAP_MAYMOVE);
	check(n != MAP_FAILED && n != m);
	check(all(n, 4 * K4, 'a') && all(n + 4 * K4, 12 * K4, 0));
	is(reads(m), SEGV_MAPERR);
	same(perms(n), "rw-p");
}

TEST(fixed)
{
	char *m = pages(4, RW);
	char *d = pages(8, RW);

	memset(m, 'm', 4 * K4);
	memset(d, 'd', 8 * K4);
	check(mremap(m, 4 * K4, 2 * K4, MREMAP_MAYMOVE | MREMAP_FIXED,
		     d + 2 * K4) == d + 2 * K4);
	check(all(d, 2 * K4, 'd') && all(d + 2 * K4, 2 * K4, 'm') &&
	      all(d + 4 * K4, 4 * K4, 'd'));
	is(reads(m), SEGV_MAPERR);
	is(reads(m + 3 * K4), SEGV_MAPERR);
	fails(mremap(d, 2 * K4, 2 * K4, MREMAP_FIXED, m), EINVAL);
	fails(mremap(d, 2 * K4, 2 * K4, MREMAP_MAYMOVE | MREMAP_FIXED, d + K4),
	      EINVAL);
	fails(mremap(d, 2 * K4, 2 * K4, MREMAP_MAYMOVE | MREMAP_FIXED, m + 1),
	      EINVAL);
}

TEST(errors)
{
	char *m = pages(4, RW);

	fails(mremap(m + 1, K4, 2 * K4, MREMAP_MAYMOVE), EINVAL);
	fails(mremap(m, K4, 0, MREMAP_MAYMOVE), EINVAL);
	fails(mremap(m, K4, K4, 0x80), EINVAL);
	munmap(m + K4, K4);
	fails(mremap(m + K4, K4, 2 * K4, MREMAP_MAYMOVE), EFAULT);
	fails(mremap(m, 4 * K4, 8 * K4, MREMAP_MAYMOVE), EFAULT);
	fails(mremap(m, K4, 1UL << 60, MREMAP_MAYMOVE), ENOMEM);
	is(reads(m), 0);
}

TEST(dont_unmap)
{
	char *m = pages(4, RW);
	char *n;

	memset(m, 'q', 4 * K4);
	n = mremap(m, 4 * K4, 4 * K4, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	check(n != MAP_FAILED && n != m);
	check(all(n, 4 * K4, 'q'));
	check(all(m, 4 * K4, 0));
	same(perms(m), "rw-p");
	fails(mremap(m, 4 * K4, 8 * K4, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL),
	      EINVAL);
	fails(mremap(m, 4 * K4, 4 * K4, MREMAP_DONTUNMAP, NULL), EINVAL);
}

TEST(parts)
{
	char *m = pages(6, RW);
	char *n;

	for (int i = 0; i < 6; i++)
		memset(m + i * K4, 'a' + i, K4);
	n = mremap(m + 2 * K4, 2 * K4, 4 * K4, MREMAP_MAYMOVE);
	check(all(n, K4, 'c') && all(n + K4, K4, 'd'));
	is(reads(m + 2 * K4), SEGV_MAPERR);
	check(all(m + K4, K4, 'b') && all(m + 4 * K4, K4, 'e'));
	/* Several mappings in one request are refused. */
	mprotect(n + K4, K4, PROT_READ);
	fails(mremap(n, 4 * K4, 8 * K4, MREMAP_MAYMOVE), EFAULT);
}

TEST(shared_and_files)
{
	int fd = works(open("f", O_CREAT | O_RDWR, 0600));
	char *m, *n;

	ftruncate(fd, 8 * K4);
	pwrite(fd, "five", 4, 5 * K4);
	m = mmap(NULL, 4 * K4, RW, MAP_SHARED, fd, 2 * K4);
	n = mremap(m, 4 * K4, 6 * K4, MREMAP_MAYMOVE);
	is(memcmp(n + 3 * K4, "five", 4), 0);
	n[4 * K4] = 'z';
	is(pread(fd, (char[1]){ 0 }, 1, 6 * K4), 1);
	{
		char c = 0;

		pread(fd, &c, 1, 6 * K4);
		is(c, 'z');
	}
	/* An old size of 0 duplicates a shared mapping. */
	m = mremap(n, 0, 2 * K4, MREMAP_MAYMOVE);
	check(m != MAP_FAILED && m != n);
	n[0] = 'D';
	is(m[0], 'D');
	m = pages(1, RW);
	fails(mremap(m, 0, K4, MREMAP_MAYMOVE), EINVAL);
}

TEST(large_move)
{
	long n = 2000;
	char *m = pages(n, RW);
	char *to = pages(n, PROT_NONE);
	bool good = true;

	for (long i = 0; i < n; i++)
		m[i * K4] = i % 251;
	to = mremap(m, n * K4, n * K4, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	for (long i = 0; i < n; i++)
		good &= (uint8_t)to[i * K4] == i % 251;
	check(good);
	is(reads(m), SEGV_MAPERR);
}

TEST(brk_calls)
{
	char *old = (char *)syscall(SYS_brk, 0);
	char *b = (char *)(((long)old + K4 - 1) & -K4);
	struct mapline l;

	is(syscall(SYS_brk, b + 4 * K4), b + 4 * K4);
	b[4 * K4 - 1] = 'x';
	is(b[0], 0);
	check(map_line(b, &l));
	same(l.name, "[heap]");
	same(l.perm, "rw-p");
	is(syscall(SYS_brk, b + 2 * K4 + 5), b + 2 * K4 + 5);
	is(reads(b + 2 * K4), 0);
	is(reads(b + 3 * K4), SEGV_MAPERR);
	is(syscall(SYS_brk, b + 4 * K4), b + 4 * K4);
	is(b[4 * K4 - 1], 0);
	/* What cannot be is answered with the present break. */
	is(syscall(SYS_brk, 1), b + 4 * K4);
	is(syscall(SYS_brk, 1UL << 62), b + 4 * K4);
	mmap(b + 8 * K4, K4, RW, ANON | MAP_FIXED, -1, 0);
	is(syscall(SYS_brk, b + 9 * K4), b + 4 * K4);
	is(syscall(SYS_brk, old), old);
}

TEST(brk_limit)
{
	char *b = (char *)syscall(SYS_brk, 0);
	struct rlimit r = { 4 << 20, 4 << 20 };

	in_child {
		setrlimit(RLIMIT_DATA, &r);
		is(syscall(SYS_brk, b + (8 << 20)), b);
		is(syscall(SYS_brk, b + (1 << 20)), b + (1 << 20));
		fails(mmap(NULL, 8 << 20, RW, ANON, -1, 0), ENOMEM);
		check(mmap(NULL, 8 << 20, PROT_READ, ANON, -1, 0) != MAP_FAILED);
	}
}

TEST(lock_calls)
{
	char *m = pages(8, RW);
	struct rlimit r = { 4 * K4, 4 * K4 };
	unsigned char vec[8];

	is(mlock(m, 4 * K4), 0);
	is(mincore(m, 8 * K4, vec), 0);
	is(vec[0] & 1, 1);
	is(vec[3] & 1, 1);
	is(vec[7] & 1, 0);
	check(field("/proc/self/status", "VmLck") >= 16);
	is(munlock(m, 4 * K4), 0);
	is(field("/proc/self/status", "VmLck"), 0);
	is(mlock2(m + 4 * K4, 4 * K4, MLOCK_ONFAULT), 0);
	is(mincore(m, 8 * K4, vec), 0);
	is(vec[7] & 1, 0);
	fails(mlock2(m, K4, 8), EINVAL);
	munmap(m + K4, K4);
	fails(mlock(m, 3 * K4), ENOMEM);
	fails(munlock(m, 3 * K4), ENOMEM);
	is(mlockall(MCL_CURRENT), 0);
	is(munlockall(), 0);
	fails(mlockall(0), EINVAL);
	fails(mlockall(16), EINVAL);
	fails(mlockall(MCL_ONFAULT), EINVAL);
	in_child {
		setrlimit(RLIMIT_MEMLOCK, &r);
		drop(USER);
		m = pages(8, RW);
		is(mlock(m, 4 * K4), 0);
		fails(mlock(m, 5 * K4), ENOMEM);
		fails(mmap(NULL, 8 * K4, RW, ANON | MAP_LOCKED, -1, 0), EAGAIN);
		fails(mlockall(MCL_CURRENT), ENOMEM);
		r.rlim_cur = 0;
		setrlimit(RLIMIT_MEMLOCK, &r);
		fails(mlock(m, K4), EPERM);
	}
}

TEST(mincore_errors)
{
	unsigned char vec[8];
	char *m = pages(4, RW);

	m[K4] = 1;
	is(mincore(m, 4 * K4, vec), 0);
	is(vec[0] & 1, 0);
	is(vec[1] & 1, 1);
	fails(mincore(m + 1, K4, vec), EINVAL);
	fails(mincore(m, K4, BAD), EFAULT);
	munmap(m, K4);
	fails(mincore(m, K4, vec), ENOMEM);
	is(mincore(m, 0, vec), 0);
}

static volatile int moves_over;
static char *places[2];
#define MOVED 400

static void *
move_on(void *arg)
{
	(void)arg;
	for (int i = 0; !moves_over; i++)
		mremap(places[i & 1], MOVED * K4, MOVED * K4, MREMAP_MAYMOVE | MREMAP_FIXED,
		       places[!(i & 1)]);
	return NULL;
}

/* A child has what moves at one place or the other, and whole. */
static int
whole_somewhere(void)
{
	int whole = 0;

	for (int k = 0; k < 2; k++) {
		int good = 0;

		if (reads(places[k]) || reads(places[k] + (MOVED - 1) * K4))
			continue;
		for (int i = 0; i < MOVED; i++)
			good += places[k][i * K4] == (char)(i | 1);
		whole += good == MOVED;
	}
	return whole;
}

TEST_LIMIT(beside_fork, 60)
{
	pthread_t t;
	int bad = 0;

	places[0] = pages(MOVED, RW);
	places[1] = mmap(NULL, MOVED * K4, PROT_NONE, ANON, -1, 0);
	for (int i = 0; i < MOVED; i++)
		places[0][i * K4] = (char)(i | 1);
	pthread_create(&t, NULL, move_on, NULL);
	for (int i = 0; i < 60; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(whole_somewhere() == 1 ? 0 : 1);
		bad += reap(pid) != 0;
	}
	moves_over = 1;
	pthread_join(t, NULL);
	is(bad, 0);
}
