/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the tests of lib/ (and of whatever else is linked in) on the host and
 * prints TAP. Arguments are shell patterns: only tests whose name matches one
 * of them run. The exit status is 0 if none failed.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/assert.h"
#include "lib/fmt.h"
#include "lib/glob.h"
#include "lib/port.h"
#include "lib/test.h"

static unsigned int failures;
static const char *skipped;

void
test_printf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
}

void
test_note_failure(void)
{
	__atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
}

void
test_note_skip(const char *reason)
{
	skipped = reason;
}

void
assert_failed(const char *cond, const char *file, int line)
{
	printf("Bail out! %s:%d: assertion %s failed\n", file, line, cond);
	fflush(stdout);
	abort();
}

void
warn_failed(const char *cond, const char *file, int line)
{
	printf("# %s:%d: warning: %s\n", file, line, cond);
	test_note_failure();
}

/* %pT is the extension that fmt_test.c uses: the string at ptr in brackets. */
size_t
fmt_pointer_port(struct fmt_out *out, const char *spec, const void *ptr)
{
	if (spec[0] != 'T')
		return 0;
	fmt_putc(out, '<');
	fmt_puts(out, ptr);
	fmt_putc(out, '>');
	return 1;
}

static bool
is_selected(const struct test *t, int n, char **patterns)
{
	for (int i = 0; i < n; i++) {
		if (glob_match(patterns[i], t->name))
			return true;
	}
	return n == 0;
}

/* Returns whether it passed. */
static bool
run(const struct test *t, unsigned int number)
{
	failures = 0;
	skipped = NULL;
	t->fn();
	printf("%s %u - %s", failures == 0 ? "ok" : "not ok", number, t->name);
	if (skipped != NULL)
		printf(" # SKIP %s", skipped);
	printf("\n");
	fflush(stdout);
	return failures == 0;
}

int
main(int argc, char **argv)
{
	const struct test *t;
	unsigned int planned = 0, number = 0, failed = 0;

	for_each_test(t)
		planned += is_selected(t, argc - 1, argv + 1);
	printf("1..%u\n", planned);
	for_each_test(t) {
		if (is_selected(t, argc - 1, argv + 1))
			failed += !run(t, ++number);
	}
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
