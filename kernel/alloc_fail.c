/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch of mm/fail.c: fail_alloc=N on the command line, or at run time
 * /proc/sys/vm/fail_alloc: one of N allocations fails, 0 for none.
 * /proc/sys/vm/fail_alloc_count tells how many have. Debug kernels only.
 */
#include "kernel/init.h"
#include "kernel/sysctl.h"
#include "lib/errno.h"
#include "lib/parse.h"
#include "mm/fail.h"

/* Of the command line: boot itself may not fail, so it counts from init on. */
static u32 from_init;

static int
param_fail_alloc(const char *v)
{
	return v != NULL ? parse_u32(v, 10, &from_init) : -EINVAL;
}
PARAM("fail_alloc", param_fail_alloc);

void
alloc_fail_begin(void)
{
	fail_alloc_set(from_init);
}

static int
show_fail_alloc(struct seq *s)
{
	seq_printf(s, "%u\n", fail_alloc_get());
	return 0;
}

static int
store_fail_alloc(char *text)
{
	u32 n;

	if (parse_u32(text, 10, &n) != 0)
		return -EINVAL;
	fail_alloc_set(n);
	return 0;
}
SYSCTL_RW(fail_alloc, "vm/fail_alloc", show_fail_alloc, store_fail_alloc);

static int
show_count(struct seq *s)
{
	seq_printf(s, "%lu\n", fail_alloc_count());
	return 0;
}
SYSCTL_SHOW(fail_alloc_count, "vm/fail_alloc_count", show_count);
