/* SPDX-License-Identifier: BSD-2-Clause */
/* KCOV: a task is told which code of the kernel it runs, and what that compares. */
#include "abi.h"

#include <linux/kcov.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#define KCOV "/sys/kernel/debug/kcov"
#define WORDS 65536
#define CMP_WORDS 4
#define TEXT 0xffffffff80000000UL

/* False: this kernel has none, which is told. */
static bool
there(void)
{
	mkdir("/sys", 0755);
	if (access("/sys/kernel", F_OK))
		mount("sysfs", "/sys", "sysfs", 0, NULL);
	if (access(KCOV, F_OK))
		mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	if (!access(KCOV, F_OK))
		return true;
	skip("no kcov in this kernel");
	return false;
}

static uint64_t *
map(int fd, long words)
{
	void *p = mmap(NULL, words * 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* A kcov of WORDS words, mapped. */
static int
make(uint64_t **area)
{
	int fd = works(open(KCOV, O_RDWR));

	works(ioctl(fd, KCOV_INIT_TRACE, WORDS));
	*area = map(fd, WORDS);
	check(*area != NULL);
	return fd;
}

#define COUNT(area) __atomic_load_n(&(area)[0], __ATOMIC_RELAXED)
#define RESET(area) __atomic_store_n(&(area)[0], 0, __ATOMIC_RELAXED)

TEST(states)
{
	uint64_t *area;
	int fd;

	if (!there())
		return;
	fd = works(open(KCOV, O_RDWR));
	fails(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC), EINVAL);
	fails(ioctl(fd, KCOV_DISABLE, 0), EINVAL);
	fails(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0, EINVAL);
	fails(ioctl(fd, KCOV_INIT_TRACE, 1), EINVAL);
	fails(ioctl(fd, KCOV_INIT_TRACE, 0), EINVAL);
	fails(ioctl(fd, KCOV_INIT_TRACE, INT_MAX), EINVAL);
	fails(ioctl(fd, KCOV_INIT_TRACE, -1L), EINVAL);
	is(ioctl(fd, KCOV_INIT_TRACE, 1024), 0);
	fails(ioctl(fd, KCOV_INIT_TRACE, 1024), EBUSY);
	fails(ioctl(fd, TCGETS, 0), ENOTTY);
	/* All of it or nothing. */
	check(!map(fd, 512));
	check(!map(fd, 2048));
	check(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096) == MAP_FAILED);
	area = map(fd, 1024);
	check(area != NULL);
	is(area[0], 0);
	is(area[1023], 0);
	fails(ioctl(fd, KCOV_ENABLE, 2), EINVAL);
	fails(ioctl(fd, KCOV_DISABLE, 0), EINVAL);
	is(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC), 0);
	fails(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC), EINVAL);
	fails(ioctl(fd, KCOV_INIT_TRACE, 1024), EBUSY);
	fails(ioctl(fd, KCOV_DISABLE, 1), EINVAL);
	is(ioctl(fd, KCOV_DISABLE, 0), 0);
	is(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_CMP), 0);
	is(ioctl(fd, KCOV_DISABLE, 0), 0);
	close(fd);
	/* The memory outlives the handle. */
	RESET(area);
	is(area[0], 0);
}

TEST(is_for_root)
{
	struct stat st;

	if (!there())
		return;
	works(stat(KCOV, &st));
	is(st.st_mode, S_IFREG | 0600);
	in_child {
		drop(USER);
		fails(open(KCOV, O_RDWR), EACCES);
	}
}

/* How many of the first n records of a are not among the first m of b. */
static long
others(const uint64_t *a, long n, const uint64_t *b, long m)
{
	long count = 0, j;

	for (long i = 1; i <= n; i++) {
		for (j = 1; j <= m && b[j] != a[i]; j++)
			;
		count += j > m;
	}
	return count;
}

/* What a call runs, into `to` without the count; how much. */
#define RUN(area, to, call) ({						\
	long run_n;							\
	RESET(area);							\
	(void)(call);							\
	run_n = COUNT(area);						\
	memcpy((to) + 1, (area) + 1, run_n * 8);			\
	run_n; })

TEST(pcs)
{
	static uint64_t first[WORDS], second[WORDS], third[WORDS];
	long n, m, k, outside = 0;
	uint64_t *area;
	int fd;

	if (!there())
		return;
	fd = make(&area);
	if (!area)
		return;
	is(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC), 0);
	n = RUN(area, first, mkdir("kcov", 0755));
	rmdir("kcov");
	m = RUN(area, second, umask(022));
	k = RUN(area, third, mkdir("kcov", 0755));
	is(ioctl(fd, KCOV_DISABLE, 0), 0);
	check(n > 50);
	check(m > 0);
	check(n > m);
	for (long i = 1; i <= n; i++)
		outside += first[i] < TEXT;
	is(outside, 0);
	/* Other calls run other code, the same call mostly the same. */
	check(others(first, n, second, m) > 30);
	check(others(third, k, first, n) < k / 4);
	/* Nothing more comes when it is off. */
	RESET(area);
	umask(022);
	rmdir("kcov");
	is(COUNT(area), 0);
	close(fd);
}

TEST(a_full_one_stays_full)
{
	uint64_t *area;
	int fd;

	if (!there())
		return;
	fd = works(open(KCOV, O_RDWR));
	is(ioctl(fd, KCOV_INIT_TRACE, 512), 0);
	area = map(fd, 512);
	if (!check(area != NULL))
		return;
	is(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC), 0);
	for (int i = 0; i < 100; i++) {
		mkdir("kcov", 0755);
		rmdir("kcov");
	}
	is(COUNT(area), 511);
	/* Whatever the count is, nothing is written elsewhere. */
	__atomic_store_n(&area[0], -3UL, __ATOMIC_RELAXED);
	umask(022);
	__atomic_store_n(&area[0], 1UL << 61, __ATOMIC_RELAXED);
	umask(022);
	is(ioctl(fd, KCOV_DISABLE, 0), 0);
	RESET(area);
	is(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_CMP), 0);
	for (int i = 0; i < 100; i++) {
		mkdir("kcov", 0755);
		rmdir("kcov");
	}
	is(COUNT(area), (512 - 1) / CMP_WORDS);
	is(ioctl(fd, KCOV_DISABLE, 0), 0);
}

TEST(comparisons)
{
	const unsigned int number = 0x5a17c0de;
	bool constant = false;
	long n, odd = 0;
	uint64_t *area;
	int fd;

	if (!there())
		return;
	fd = make(&area);
	if (!area)
		return;
	is(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_CMP), 0);
	RESET(area);
	prctl(number, 0, 0, 0, 0);
	n = COUNT(area);
	is(ioctl(fd, KCOV_DISABLE, 0), 0);
	check(n > 0);
	for (long i = 0; i < n; i++) {
		const uint64_t *r = area + 1 + i * CMP_WORDS;

		odd += r[0] > 7 || r[3] < TEXT;
		/* Against one of the numbers that prctl knows. */
		constant |= (r[0] & KCOV_CMP_CONST) && (uint32_t)r[2] == number && r[1] < 4096;
	}
	is(odd, 0);
	check(constant);
}

/* A task and a kcov belong to each other. */
TEST(one_task_one_kcov)
{
	uint64_t *area, *other;
	int fd, second;

	if (!there())
		return;
	fd = make(&area);
	second = make(&other);
	if (!area || !other)
		return;
	is(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC), 0);
	fails(ioctl(second, KCOV_ENABLE, KCOV_TRACE_PC), EBUSY);
	fails(ioctl(second, KCOV_DISABLE, 0), EINVAL);
	in_child {
		/* Not told of what the child runs, and its kcov is in use. */
		fails(ioctl(fd, KCOV_DISABLE, 0), EINVAL);
		fails(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC), EINVAL);
		is(ioctl(second, KCOV_ENABLE, KCOV_TRACE_PC), 0);
		RESET(other);
		umask(022);
		check(COUNT(other) > 0);
		/* It ends with the task. */
	}
	is(ioctl(fd, KCOV_DISABLE, 0), 0);
	is(ioctl(second, KCOV_ENABLE, KCOV_TRACE_PC), 0);
	is(ioctl(second, KCOV_DISABLE, 0), 0);
}

TEST(a_child_is_not_told_of)
{
	uint64_t *area;
	int fd, st;
	pid_t pid;

	if (!there())
		return;
	fd = make(&area);
	if (!area)
		return;
	is(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC), 0);
	pid = fork();
	if (pid == 0) {
		/* The parent sleeps in wait. */
		msleep(200);
		RESET(area);
		for (int i = 0; i < 10; i++)
			umask(022);
		_exit(COUNT(area) != 0);
	}
	wait4(pid, &st, 0, NULL);
	is(ioctl(fd, KCOV_DISABLE, 0), 0);
	is(st, 0);
}

/* The handle is closed, the task goes on; then the task ends. */
TEST(closed_while_on)
{
	uint64_t *area;
	int fd;

	if (!there())
		return;
	in_child {
		fd = make(&area);
		is(ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC), 0);
		close(fd);
		RESET(area);
		umask(022);
		check(COUNT(area) > 0);
		munmap(area, WORDS * 8);
		umask(022);
	}
}
