/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Figures about memory: per-CPU counters that all of mm/ keeps, and the texts of
 * /proc/meminfo, /proc/slabinfo, /proc/vmstat, /proc/buddyinfo and /proc/tessera/frames.
 */
#ifndef MM_MEMINFO_H
#define MM_MEMINFO_H

#include "lib/sink.h"
#include "lib/types.h"
#include "percpu/percpu.h"

/* Units are pages unless said otherwise. A level goes up and down, an event only up. */
enum mm_stat {
	/* levels, kept by the address-space half; for others see page_level() */
	/* entries of tables that show pages of page caches */
	MM_MAPPED,
	/* mapped by ranges that are locked */
	MM_MLOCKED,
	MM_DIRTY,
	MM_WRITEBACK,
	MM_ANON_HUGE,
	MM_SWAP_CACHED,
	/* levels, kept by the physical half */
	MM_KSTACK,
	MM_SLAB,
	MM_VMALLOC,
	/* events, kept by the address-space half (not in pages) */
	MM_FAULTS,
	MM_MAJOR_FAULTS,
	MM_COW,
	MM_THP_FAULTS,
	MM_SHOOTDOWNS,
	MM_FINE_LEAVES,
	/* events, kept by the physical half */
	MM_BLOCKS_ALLOCED,
	MM_BLOCKS_FREED,
	MM_ALLOC_FAILED,
	MM_RECLAIM_RUNS,
	MM_RECLAIMED,
	MM_OOM,
	MM_STATS,
};

DECLARE_PERCPU(s64[MM_STATS], mm_stats);

/* Any context; writes this CPU's line only. */
#define mm_stat_add(item, n) this_cpu_add(mm_stats[item], (n))
#define mm_stat_sub(item, n) this_cpu_sub(mm_stats[item], (n))
#define mm_stat_inc(item) this_cpu_inc(mm_stats[item])
#define mm_stat_dec(item) this_cpu_dec(mm_stats[item])
/* Over all CPUs; a level never reads below 0. */
u64 mm_stat_sum(enum mm_stat item);

/* Pages that programs could get without killing anybody: MemAvailable, sysinfo. */
u64 pages_available(void);

/* The files' text; each returns 0 or what the sink returned. May sleep. */
int meminfo_print(const struct sink *out);
int slabinfo_print(const struct sink *out);
int vmstat_print(const struct sink *out);
int buddyinfo_print(const struct sink *out);
/* mm/frames.c */
int frames_print(const struct sink *out);

#endif
