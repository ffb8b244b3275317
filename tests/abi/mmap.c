/* SPDX-License-Identifier: BSD-2-Clause */
/* mmap, munmap, mprotect and what /proc/self/maps shows after each. */
#include "tests/abi/mem.h"

TEST(errors)
{
	int fd = works(open("f", O_CREAT | O_RDWR, 0600));
	int ro = works(open("f", O_RDONLY));
	int wo = works(open("f", O_WRONLY));
	int p[2];

	ftruncate(fd, K4);
	pipe(p);
	fails(mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
	fails(mmap(NULL, K4, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
	fails(mmap(NULL, K4, RW, MAP_PRIVATE, fd, 1), EINVAL);
	fails(mmap((void *)1, K4, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
	fails(mmap(NULL, K4, RW, MAP_PRIVATE, -1, 0), EBADF);
	fails(mmap(NULL, K4, RW, MAP_PRIVATE, 999, 0), EBADF);
	fails(mmap(NULL, K4, RW, MAP_SHARED, ro, 0), EACCES);
	fails(mmap(NULL, K4, PROT_READ, MAP_PRIVATE, wo, 0), EACCES);
	fails(mmap(NULL, K4, PROT_WRITE, MAP_SHARED, wo, 0), EACCES);
	check(mmap(NULL, K4, RW, MAP_PRIVATE, ro, 0) != MAP_FAILED);
	check(mmap(NULL, K4, PROT_READ, MAP_SHARED, ro, 0) != MAP_FAILED);
	fails(mmap(NULL, K4, PROT_READ, MAP_PRIVATE, p[0], 0), ENODEV);
	fails(mmap(NULL, K4, PROT_READ, MAP_PRIVATE,
		   works(open(".", O_RDONLY)), 0), ENODEV);
	fails(mmap(NULL, -K4, RW, ANON, -1, 0), ENOMEM);
	fails(mmap(NULL, 1UL << 62, RW, ANON, -1, 0), ENOMEM);
	fails(mmap((void *)(1UL << 62), K4, RW, ANON | MAP_FIXED, -1, 0),
	      ENOMEM);
	fails(mmap(NULL, K4, RW, MAP_PRIVATE, fd, -K4), EOVERFLOW);
	check(mmap(NULL, K4, RW, 0x20 | 0x3, -1, 0) == MAP_FAILED);
}

TEST(anonymous)
{
	struct mapline l;
	char *m = pages(4, RW);
	bool zero = true;

	check(m != MAP_FAILED);
	is((long)m % K4, 0);
	for (int i = 0; i < 4 * K4; i++)
		zero &= m[i] == 0;
	check(zero);
	memset(m, 'x', 4 * K4);
	check(map_line(m, &l));
	same(l.perm, "rw-p");
	is(l.ino, 0);
	m = mmap(NULL, K4 + 1, RW, SHANON, -1, 0);
	check(map_line(m, &l));
	same(l.perm, "rw-s");
	is(l.end - l.start, 2 * K4);
	check(!strncmp(l.name, "/dev/zero (deleted)", 19));
	m = mmap(NULL, K4, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	same(perms(m), "---p");
	is(reads(m), SEGV_ACCERR);
	m = mmap(NULL, K4, PROT_READ, ANON, -1, 0);
	is(*m, 0);
	is(writes(m), SEGV_ACCERR);
	m = mmap(NULL, K4, PROT_READ | PROT_EXEC, ANON, -1, 0);
	same(perms(m), "r-xp");
}

TEST(fixed)
{
	char *m = pages(6, RW);
	char *n;

	memset(m, 'a', 6 * K4);
	n = mmap(m + 2 * K4, 2 * K4, PROT_READ, ANON | MAP_FIXED, -1, 0);
	check(n == m + 2 * K4);
	is(n[0], 0);
	is(m[2 * K4 - 1], 'a');
	is(m[4 * K4], 'a');
	same(perms(n), "r--p");
	same(perms(m), "rw-p");
	fails(mmap(m + K4, K4, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	fails(mmap(m - K4, 2 * K4, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0),
	      EEXIST);
	is(munmap(m, 6 * K4), 0);
	check(mmap(m, K4, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == m);
	/* A hint is followed where there is room. */
	munmap(m, K4);
	check(mmap(m, K4, RW, ANON, -1, 0) == m);
	check(mmap(m, K4, RW, ANON, -1, 0) != m);
	n = mmap(NULL, K4, RW, ANON | MAP_32BIT, -1, 0);
	check(n != MAP_FAILED && (unsigned long)n < 1UL << 31);
}

TEST(low_addresses)
{
	in_child {
		drop(USER);
		fails(mmap(NULL, K4, RW, ANON | MAP_FIXED, -1, 0), EPERM);
	}
	/* A hint of zero or below the minimum is moved up. */
	check(mmap((void *)K4, K4, RW, ANON, -1, 0) > (void *)65535);
}

TEST(unmap)
{
	char *m = pages(8, RW);

	memset(m, 1, 8 * K4);
	is(munmap(m + 2 * K4, K4), 0);
	is(reads(m + 2 * K4), SEGV_MAPERR);
	is(reads(m + K4), 0);
	is(reads(m + 3 * K4), 0);
	same(perms(m + 2 * K4), "none");
	is(munmap(m + 2 * K4, K4), 0);
	is(munmap(m, 8 * K4), 0);
	is(reads(m), SEGV_MAPERR);
	is(reads(m + 7 * K4), SEGV_MAPERR);
	fails(munmap(m + 1, K4), EINVAL);
	fails(munmap(m, 0), EINVAL);
	fails(munmap((void *)(1UL << 60), K4), EINVAL);
	fails(munmap(m, -1UL), EINVAL);
	m = pages(2, RW);
	is(munmap(m, 1), 0);
	is(reads(m), SEGV_MAPERR);
	is(reads(m + K4), 0);
}

/* The memory behind a hole is fresh when mapped again. */
TEST(unmap_forgets)
{
	char *m = pages(3, RW);

	memset(m, 'x', 3 * K4);
	munmap(m + K4, K4);
	check(mmap(m + K4, K4, RW, ANON | MAP_FIXED, -1, 0) == m + K4);
	is(m[K4], 0);
	is(m[0], 'x');
	is(m[2 * K4], 'x');
}

TEST(protect)
{
	char *m = pages(5, RW);

	memset(m, 7, 5 * K4);
	is(mprotect(m + K4, 2 * K4, PROT_READ), 0);
	same(perms(m), "rw-p");
	same(perms(m + K4), "r--p");
	same(perms(m + 3 * K4), "rw-p");
	is(extent(m + K4), 2 * K4);
	is(writes(m + K4), SEGV_ACCERR);
	is(reads(m + K4), 0);
	is(m[K4], 7);
	is(writes(m), 0);
	is(writes(m + 3 * K4), 0);
	is(mprotect(m + K4, K4, PROT_NONE), 0);
	is(reads(m + K4), SEGV_ACCERR);
	is(mprotect(m, 5 * K4, RW), 0);
	is(m[K4], 7);
	is(writes(m + K4), 0);
	is(mprotect(m, K4, PROT_READ | PROT_EXEC), 0);
	same(perms(m), "r-xp");
	is(mprotect(m, K4, PROT_WRITE), 0);
	same(perms(m), "-w-p");
	is(reads(m), 0);
	fails(mprotect(m + 1, K4, RW), EINVAL);
	fails(mprotect(m, K4, 0x100), EINVAL);
	is(mprotect(m, 0, RW), 0);
	munmap(m + 2 * K4, K4);
	/* What lies before the hole is changed all the same. */
	fails(mprotect(m, 5 * K4, PROT_READ), ENOMEM);
	same(perms(m + K4), "r--p");
	same(perms(m + 3 * K4), "rw-p");
	fails(mprotect((void *)K4, K4, RW), ENOMEM);
}

TEST(protect_files)
{
	int ro;
	char *m;

	put("f", "hello");
	ro = works(open("f", O_RDONLY));
	m = mmap(NULL, K4, PROT_READ, MAP_SHARED, ro, 0);
	fails(mprotect(m, K4, RW), EACCES);
	m = mmap(NULL, K4, PROT_READ, MAP_PRIVATE, ro, 0);
	is(mprotect(m, K4, RW), 0);
	m[0] = 'J';
	{
		char b[8] = "";

		pread(ro, b, 5, 0);
		same(b, "hello");
	}
}

/* Code written, then made executable, runs; and can be changed. */
TEST(generated_code)
{
	static const uint8_t code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	uint8_t *m = (uint8_t *)pages(1, RW);

	memcpy(m, code, sizeof(code));
	is(mprotect(m, K4, PROT_READ | PROT_EXEC), 0);
	is(((int (*)(void))m)(), 42);
	is(mprotect(m, K4, RW), 0);
	m[1] = 43;
	is(mprotect(m, K4, PROT_READ | PROT_EXEC), 0);
	is(((int (*)(void))m)(), 43);
}

TEST(merging)
{
	char *m = pages(9, PROT_NONE);

	for (int i = 1; i < 8; i++)
		mmap(m + i * K4, K4, RW, ANON | MAP_FIXED, -1, 0);
	is(extent(m + K4), 7 * K4);
	mprotect(m + 3 * K4, K4, PROT_READ);
	is(extent(m + K4), 2 * K4);
	mprotect(m + 3 * K4, K4, RW);
	is(extent(m + K4), 7 * K4);
	munmap(m + 4 * K4, K4);
	is(extent(m + K4), 3 * K4);
	is(extent(m + 5 * K4), 3 * K4);
}

TEST(map_lines_of_files)
{
	struct mapline l;
	struct stat st;
	char cwd[PATH_MAX];
	int fd = works(open("a file", O_CREAT | O_RDWR, 0600));
	char *m;

	ftruncate(fd, 8 * K4);
	fstat(fd, &st);
	getcwd(cwd, sizeof(cwd) - 16);
	strcat(cwd, "/a file");
	m = mmap(NULL, 2 * K4, PROT_READ, MAP_PRIVATE, fd, 3 * K4);
	check(map_line(m, &l));
	same(l.perm, "r--p");
	is(l.off, 3 * K4);
	is(l.ino, st.st_ino);
	same(l.name, cwd);
	munmap(m, K4);
	check(map_line(m + K4, &l));
	is(l.off, 4 * K4);
	unlink("a file");
	check(map_line(m + K4, &l));
	strcat(cwd, " (deleted)");
	same(l.name, cwd);
}

TEST(special_lines)
{
	static char buf[1 << 18];
	char here;
	struct mapline l;

	get("/proc/self/maps", buf, sizeof(buf));
	check(strstr(buf, "[stack]\n") != NULL);
	check(strstr(buf, "[vdso]\n") != NULL);
	check(strstr(buf, "[vvar]\n") != NULL);
	check(map_line(&here, &l));
	same(l.name, "[stack]");
	same(l.perm, "rw-p");
	free(malloc(100));
	check(map_line(sbrk(0) - 1, &l));
	same(l.name, "[heap]");
}

TEST(many_mappings)
{
	char *m = pages(4000, RW);
	bool good = true;

	/* Every second page another protection: 4000 separate pieces. */
	for (int i = 0; i < 4000; i += 2)
		good &= !mprotect(m + i * K4, K4, PROT_READ);
	check(good);
	for (int i = 0; i < 4000; i++)
		good &= m[i * K4] == 0;
	check(good);
	is(extent(m + 2000 * K4), K4);
	in_child {
		is(extent(m + 2001 * K4), K4);
		is(munmap(m, 4000 * K4), 0);
	}
	is(munmap(m, 4000 * K4), 0);
	is(reads(m + 1999 * K4), SEGV_MAPERR);
}

/* Mappings that are made before anything near them is touched, the first touch in their middle. */
TEST(many_untouched)
{
	char *m = pages(120, PROT_NONE);

	for (int i = 0; i < 120; i += 2)
		check(mmap(m + i * K4, K4, RW, ANON | MAP_FIXED, -1, 0) ==
		      m + i * K4);
	in_child {
		m[60 * K4] = 1;
	}
	m[60 * K4] = 2;
	is(reads(m + 61 * K4), SEGV_ACCERR);
	is(munmap(m, 120 * K4), 0);
}

TEST(sparse_huge)
{
	long gib = 1L << 30;
	char *m = mmap(NULL, 512 * gib, PROT_READ | PROT_WRITE,
		       ANON | MAP_NORESERVE, -1, 0);

	check(m != MAP_FAILED);
	for (long i = 0; i < 512; i += 64)
		m[i * gib + 12345] = i;
	is(m[448 * gib + 12345], (char)448);
	is(m[100 * gib], 0);
	is(munmap(m, 512 * gib), 0);
}

TEST(grows_down)
{
	char *m = pages(64, PROT_NONE);
	char *g;

	munmap(m, 64 * K4);
	g = mmap(m + 60 * K4, K4, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	check(g == m + 60 * K4);
	is(writes(g - 1), 0);
	is(writes(g - K4 - 1), 0);
	check(extent(g) >= 3 * K4);
}

TEST(populate_and_locked)
{
	unsigned char vec[4] = { 0 };
	char *m = mmap(NULL, 4 * K4, RW, ANON | MAP_POPULATE, -1, 0);

	is(mincore(m, 4 * K4, vec), 0);
	check((vec[0] & vec[1] & vec[2] & vec[3] & 1) == 1);
	m = mmap(NULL, 4 * K4, RW, ANON | MAP_LOCKED, -1, 0);
	check(m != MAP_FAILED);
	is(mincore(m, 4 * K4, vec), 0);
	is(vec[3] & 1, 1);
	is(munmap(m, 4 * K4), 0);
}

TEST(lowest_address)
{
	char text[32];
	char *p;

	get("/proc/sys/vm/mmap_min_addr", text, sizeof(text));
	same(text, "65536\n");
	fails(put("/proc/sys/vm/mmap_min_addr", "x"), EINVAL);
	in_child {
		drop(USER);
		fails((long)mmap((void *)0x8000, K4, RW, ANON | MAP_FIXED, -1, 0), EPERM);
		check(mmap((void *)0x10000, K4, RW, ANON | MAP_FIXED, -1, 0) == (void *)0x10000);
		fails(put("/proc/sys/vm/mmap_min_addr", "0"), EACCES);
	}
	is(put("/proc/sys/vm/mmap_min_addr", "131072"), 0);
	in_child {
		drop(USER);
		fails((long)mmap((void *)0x10000, K4, RW, ANON | MAP_FIXED, -1, 0), EPERM);
		check(mmap((void *)0x20000, K4, RW, ANON | MAP_FIXED, -1, 0) == (void *)0x20000);
		/* A hint below means that address. */
		munmap((void *)0x20000, K4);
		p = mmap((void *)0x1000, K4, RW, ANON, -1, 0);
		check(p == (void *)0x20000);
	}
	is(put("/proc/sys/vm/mmap_min_addr", "65536"), 0);
}
