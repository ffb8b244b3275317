/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the registered tests (lib/test.h) and prints TAP on the console. A test
 * is named FOLDER/NAME, from the file it is in; test=GLOB,... chooses ("all": all).
 *
 * test_seconds=N repeats the chosen tests until so many seconds are over (each is
 * run once at least), with other random numbers each round, and prints one result
 * for each at the end;
 * test_seed=N begins with those of another run. test_hotplug has CPUs leave and
 * come meanwhile (kernel/test_hotplug.c).
 */
#include "kernel/test_run.h"

#include <stdarg.h>

#include "arch/x86_64/asm/atomic.h"
#include "kernel/init.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/tap.h"
#include "kernel/time/clock.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/glob.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/slab.h"
#include "sync/test_port.h"

/* What is kept for repeated tests. */
struct tally {
	const struct test *test;
	u32 rounds;
	u32 failed;
	const char *skipped;
};

static u32 seconds;
static u64 seed;
static bool with_hotplug;
/* Patterns, each with its end; how long they are together. */
static char wanted[256];
static size_t wanted_size;
/* a  of the running test */
static u32 failures;
static const char *skip_reason;

static int
param_test(const char *v)
{
	char *comma = wanted;

	if (!v || strscpy(wanted, v, sizeof(wanted)) < 0)
		return -EINVAL;
	wanted_size = strlen(wanted) + 1;
	while ((comma = strchr(comma, ',')) != NULL)
		*comma++ = '\0';
	return 0;
}
PARAM("test", param_test);

static int
param_seconds(const char *v)
{
	return v ? parse_u32(v, 0, &seconds) : -EINVAL;
}
PARAM("test_seconds", param_seconds);

static int
param_seed(const char *v)
{
	return v ? parse_u64(v, 0, &seed) : -EINVAL;
}
PARAM("test_seed", param_seed);

static int
param_hotplug(const char *v)
{
	with_hotplug = true;
	return v ? -EINVAL : 0;
}
PARAM("test_hotplug", param_hotplug);

u64
test_seed(void)
{
	/* Far apart: threads add their numbers. */
	return seed << 16;
}

void
test_printf(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vscnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tap_write(text);
}

void
test_note_failure(void)
{
	atomic_inc(&failures);
}

void
test_note_skip(const char *reason)
{
	skip_reason = reason;
}

static void
test_name(const struct test *t, char *name, size_t size)
{
	const char *slash = strrchr(t->file, '/');
	size_t dir = slash ? (size_t)(slash - t->file) : 0;

	snprintf(name, size, "%.*s/%s", (int)dir, t->file, t->name);
}

static bool
test_wanted(const struct test *t)
{
	const char *p;
	char name[96];

	test_name(t, name, sizeof(name));
	for (p = wanted; p < wanted + wanted_size; p += strlen(p) + 1)
		if (strcmp(p, "all") == 0 || glob_match(p, name))
			return true;
	return false;
}

/* True if it passed; or was skipped: skip_reason. */
static bool
test_one(const struct test *t)
{
	/* Those have CPUs of their own leave; these post to CPUs by number, which must be there. */
	bool hot = with_hotplug && strncmp(t->name, "hotplug", 7) != 0 &&
		   strncmp(t->file, "percpu/", 7) != 0;

	atomic_set(&failures, 0);
	skip_reason = NULL;
	if (hot)
		test_hotplug_start();
	t->fn();
	if (hot)
		test_hotplug_stop();
	return atomic_read(&failures) == 0;
}

static void
print_result(const struct test *t, bool ok, unsigned int number, const char *rounds)
{
	char name[96];

	test_name(t, name, sizeof(name));
	test_printf("%sok %u - %s%s%s%s\n", ok ? "" : "not ", number, name, rounds,
		    skip_reason ? " # SKIP " : "", skip_reason ? skip_reason : "");
}

static void
run_once(unsigned int count)
{
	const struct test *t;
	unsigned int n = 0, bad = 0;

	for_each_test(t) {
		bool ok;

		if (!test_wanted(t))
			continue;
		ok = test_one(t);
		bad += !ok;
		print_result(t, ok, ++n, "");
	}
	test_printf("# %u tests, %u failed\n", count, bad);
}

/* The first round is finished, however long it takes: each test was run. */
static void
run_round(struct tally *tallies, unsigned int count, u64 end)
{
	for (unsigned int i = 0; i < count && (!tallies[i].rounds || ktime_get() < end); i++) {
		struct tally *y = &tallies[i];
		char name[96];
		bool ok;

		test_name(y->test, name, sizeof(name));
		log_info("test: %s, seed %lu", name, seed);
		ok = test_one(y->test);
		y->rounds++;
		y->skipped = skip_reason;
		if (ok)
			continue;
		y->failed++;
		test_printf("# failed with test_seed=%lu: %s\n", seed, name);
	}
}

static void
run_repeated(unsigned int count)
{
	struct tally *tallies = kcalloc(count, sizeof(*tallies), GFP_KERNEL);
	u64 end = ktime_get() + seconds * NSEC_PER_SEC, first = seed;
	const struct test *t;
	unsigned int n = 0;
	u32 bad = 0, runs = 0;

	if (!tallies)
		return;
	for_each_test(t)
		if (test_wanted(t))
			tallies[n++].test = t;
	do {
		run_round(tallies, count, end);
		seed++;
	} while (ktime_get() < end);
	for (n = 0; n < count; n++) {
		char text[64];

		snprintf(text, sizeof(text), ": %u times, %u failed", tallies[n].rounds,
			 tallies[n].failed);
		skip_reason = tallies[n].skipped;
		print_result(tallies[n].test, tallies[n].failed == 0, n + 1, text);
		bad += tallies[n].failed;
		runs += tallies[n].rounds;
	}
	test_printf("# %u tests, %u runs, %u failed, seeds %lu to %lu, %u CPUs left and came\n",
		    count, runs, bad, first, seed - 1, test_hotplug_count());
	kfree(tallies);
}

void
test_run_requested(void)
{
	const struct test *t;
	unsigned int count = 0;

	if (!wanted[0])
		return;
	for_each_test(t)
		count += test_wanted(t);
	test_printf("TAP version 13\n1..%u\n", count);
	if (seconds)
		run_repeated(count);
	else
		run_once(count);
	arch_poweroff();
}
