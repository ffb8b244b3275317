/* SPDX-License-Identifier: BSD-2-Clause */
/* The log and the panics of the host tests of mm/: a test may expect a panic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mm/mm_host.h"
#include "mm/port.h"

static jmp_buf *panic_to;
static char panic_text[512];

const char *
host_catch_panic(void (*fn)(void *), void *arg)
{
	jmp_buf env;

	panic_text[0] = 0;
	panic_to = &env;
	if (setjmp(env) == 0)
		fn(arg);
	panic_to = NULL;
	return panic_text[0] != 0 ? panic_text : NULL;
}

void
mm_port_panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(panic_text, sizeof(panic_text), fmt, ap);
	va_end(ap);
	if (panic_to != NULL)
		longjmp(*panic_to, 1);
	printf("Bail out! panic: %s\n", panic_text);
	fflush(stdout);
	abort();
}

void
mm_port_log(int level, const char *fmt, ...)
{
	va_list ap;

	printf("# log: ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}
