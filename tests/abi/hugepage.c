/* SPDX-License-Identifier: BSD-2-Clause */
/* Transparent huge pages: the switch in sysfs, advice, and what /proc tells of them. */
#include "tests/abi/mem.h"

#define MIB (1L << 20)
#define SWITCH "/sys/kernel/mm/transparent_hugepage/enabled"

static bool
sysfs_there(void)
{
	if (access(SWITCH, R_OK))
		mount("sysfs", "/sys", "sysfs", 0, NULL);
	return !access(SWITCH, R_OK);
}

static const char *
choice(void)
{
	static char buf[64];

	get(SWITCH, buf, sizeof(buf));
	return buf;
}

/* kB in large pages around @p, by smaps. */
static long
huge_at(const char *p)
{
	static char line[512];
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long a, b, start = 0, end = 0;
	long kib = -1;

	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &a, &b) == 2) {
			start = a;
			end = b;
		}
		if ((unsigned long)p >= start && (unsigned long)p < end)
			sscanf(line, "AnonHugePages: %ld", &kib);
	}
	fclose(f);
	return kib;
}

/* Four MiB that begin at a border of two. */
static char *
aligned(void)
{
	char *m = mmap(NULL, 8 * MIB, RW, ANON, -1, 0);
	char *a = (char *)(((long)m + 2 * MIB - 1) & -(2 * MIB));

	munmap(m, a - m);
	munmap(a + 4 * MIB, m + 8 * MIB - a - 4 * MIB);
	return a;
}

TEST(switch_in_sysfs)
{
	check(sysfs_there());
	is(put(SWITCH, "never\n"), 0);
	same(choice(), "always madvise [never]\n");
	is(put(SWITCH, "always"), 0);
	same(choice(), "[always] madvise never\n");
	is(put(SWITCH, "madvise"), 0);
	same(choice(), "always [madvise] never\n");
	check(put(SWITCH, "sometimes") != 0);
	is(field("/proc/meminfo", "Hugepagesize"), 2048);
	same(choice(), "always [madvise] never\n");
}

TEST(by_advice)
{
	long all = field("/proc/meminfo", "AnonHugePages");
	char *m;

	check(sysfs_there());
	is(put(SWITCH, "madvise"), 0);
	m = aligned();
	m[0] = 1;
	is(huge_at(m), 0);
	munmap(m, 4 * MIB);
	m = aligned();
	is(madvise(m, 4 * MIB, MADV_HUGEPAGE), 0);
	memset(m, 1, 4 * MIB);
	is(huge_at(m), 4 << 10);
	check(field("/proc/meminfo", "AnonHugePages") - all >= 4 << 10);
	/* A part goes: the rest is small pages with what they held. */
	is(munmap(m + 5 * K4, K4), 0);
	is(huge_at(m + 6 * K4), 2 << 10);
	is(m[4 * K4], 1);
	is(m[6 * K4], 1);
	is(reads(m + 5 * K4), SEGV_MAPERR);
	is(munmap(m, 4 * MIB), 0);
	soon(field("/proc/meminfo", "AnonHugePages") <= all);
}

TEST(always_and_never)
{
	char *m;

	check(sysfs_there());
	is(put(SWITCH, "always"), 0);
	m = aligned();
	memset(m, 1, 4 * MIB);
	is(huge_at(m), 4 << 10);
	munmap(m, 4 * MIB);
	m = aligned();
	is(madvise(m, 4 * MIB, MADV_NOHUGEPAGE), 0);
	memset(m, 1, 4 * MIB);
	is(huge_at(m), 0);
	munmap(m, 4 * MIB);
	is(put(SWITCH, "never"), 0);
	m = aligned();
	is(madvise(m, 4 * MIB, MADV_HUGEPAGE), 0);
	memset(m, 1, 4 * MIB);
	is(huge_at(m), 0);
	is(put(SWITCH, "madvise"), 0);
}

/* The child's copy is its own; both keep what they had. */
TEST(forked)
{
	long sum = 0;
	char *m;

	check(sysfs_there());
	is(put(SWITCH, "madvise"), 0);
	m = aligned();
	madvise(m, 4 * MIB, MADV_HUGEPAGE);
	memset(m, 1, 4 * MIB);
	is(huge_at(m), 4 << 10);
	in_child {
		memset(m + MIB, 2, MIB);
		for (long i = 0; i < 4 * MIB; i += K4)
			sum += m[i];
		is(sum, 4 * MIB / K4 + MIB / K4);
	}
	for (long i = 0; i < 4 * MIB; i += K4)
		sum += m[i];
	is(sum, 4 * MIB / K4);
}
