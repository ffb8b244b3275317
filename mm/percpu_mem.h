/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of the per-CPU areas (mm/percpu_mem.c). */
#ifndef MM_PERCPU_MEM_H
#define MM_PERCPU_MEM_H

#include "lib/types.h"

/*
 * First thing on the boot CPU: its area exists, %gs leads there, this_cpu()
 * works. Uses nothing but the boot tables.
 */
void percpu_early_init(void);
/* kmap_init(): the same area in the final tables. */
void percpu_map_boot_area(void);
/*
 * Areas for CPUs 1 to nr_cpus - 1, from the template, and gives the template
 * back. Once, after nr_cpus is known and before an AP starts. Without memory
 * for all, nr_cpus shrinks and the log says so.
 */
void percpu_areas_init(void);
/* Pages that the areas of all CPUs take. */
u64 percpu_area_pages(void);
/* Sets GS base: the AP's first step once it runs on kernel_pml4. */
void percpu_enter_oncpu(unsigned int cpu);

#endif
