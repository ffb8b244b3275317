/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the registered tests (lib/test.h) and prints TAP on the console. A test
 * is named FOLDER/NAME, from the file it is in; test=GLOB,... chooses ("all": all).
 */
#include "kernel/test_run.h"

#include <stdarg.h>

#include "arch/x86_64/asm/atomic.h"
#include "kernel/init.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/tap.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/glob.h"
#include "lib/string.h"
#include "lib/test.h"

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

static bool
test_one(const struct test *t, unsigned int number)
{
	char name[96];
	bool ok;

	atomic_set(&failures, 0);
	skip_reason = NULL;
	t->fn();
	test_name(t, name, sizeof(name));
	ok = atomic_read(&failures) == 0;
	test_printf("%sok %u - %s%s%s\n", ok ? "" : "not ", number, name,
		    skip_reason ? " # SKIP " : "", skip_reason ? skip_reason : "");
	return ok;
}

void
test_run_requested(void)
{
	const struct test *t;
	unsigned int n = 0, count = 0, bad = 0;

	if (wanted_size == 0)
		return;
	for_each_test(t)
		count += test_wanted(t);
	test_printf("TAP version 13\n1..%u\n", count);
	for_each_test(t)
		if (test_wanted(t))
			bad += !test_one(t, ++n);
	test_printf("# %u tests, %u failed\n", count, bad);
	arch_poweroff();
}
