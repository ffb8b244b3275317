/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/slab_allocators: objects in use by the place that allocated them. Debug
 * kernels only, since others do not note it.
 *
 * A line is the cache's name, the number of objects, the place (symbol+offset/size).
 */
#include "fs/proc/proc.h"
#include "mm/slab.h"

static int
show_slab_allocators(struct seq *s)
{
	struct sink out = seq_sink(s);

	return slab_report_users(NULL, &out);
}
PROC_FILE(slab_allocators, "slab_allocators", 0400, show_slab_allocators);
