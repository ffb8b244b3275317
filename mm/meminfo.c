/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Figures about memory.
 *
 * Model: events and levels are counted on the CPU where they happen and summed by
 * the reader; what the allocators know themselves (free pages, slabs) is asked
 * of them. Formats: Linux 6.1, Documentation/filesystems/proc.rst, and
 * slabinfo version 2.1.
 */
#include "mm/meminfo.h"

#include "lib/fmt.h"
#include "mm/kmap.h"
#include "mm/page_impl.h"
#include "mm/percpu_mem.h"
#include "mm/slab.h"
#include "mm/space.h"
#include "percpu/counter.h"
#include "percpu/cpumask.h"

DEFINE_PERCPU(s64[MM_STATS], mm_stats);

u64
mm_stat_sum(enum mm_stat item)
{
	unsigned int cpu;
	s64 sum = 0;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(cpu_of(mm_stats, cpu)[item]);
	return sum < 0 ? 0 : (u64)sum;
}

u64
pages_available(void)
{
	u64 reserve = pages_reserve(), free = pages_free();

	/* Clean file pages can go; tmpfs pages cannot without swap. */
	return (free > reserve ? free - reserve : 0) + page_level(PAGE_CACHE);
}

/* A text as it grows: lines of bounded length handed to the sink. */
struct text {
	const struct sink *out;
	int err;
};

static void __printf(2, 3) text_printf(struct text *t, const char *fmt, ...)
{
	char line[256];
	va_list ap;
	int n;

	if (t->err != 0)
		return;
	va_start(ap, fmt);
	n = vscnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	t->err = t->out->emit(t->out->ctx, line, (size_t)n);
}

/* "Name:" padded, then kB in 8 columns. */
static void
kib(struct text *t, const char *name, u64 pages)
{
	text_printf(t, "%-16s%8lu kB\n", name, pages << (PAGE_SHIFT - 10));
}

static void
print_memory(struct text *t)
{
	u64 anon = page_level(PAGE_ANON), disk = page_level(PAGE_CACHE),
	    shmem = page_level(PAGE_SHMEM);
	u64 locked = mm_stat_sum(MM_MLOCKED);

	kib(t, "MemTotal:", pages_total());
	kib(t, "MemFree:", pages_free());
	kib(t, "MemAvailable:", pages_available());
	kib(t, "Buffers:", 0);
	kib(t, "Cached:", disk + shmem);
	kib(t, "SwapCached:", mm_stat_sum(MM_SWAP_CACHED));
	kib(t, "Active:", anon + shmem);
	kib(t, "Inactive:", disk);
	kib(t, "Active(anon):", anon + shmem);
	kib(t, "Inactive(anon):", 0);
	kib(t, "Active(file):", 0);
	kib(t, "Inactive(file):", disk);
	kib(t, "Unevictable:", locked);
	kib(t, "Mlocked:", locked);
	kib(t, "SwapTotal:", 0);
	kib(t, "SwapFree:", 0);
	kib(t, "Dirty:", mm_stat_sum(MM_DIRTY));
	kib(t, "Writeback:", mm_stat_sum(MM_WRITEBACK));
	kib(t, "AnonPages:", anon);
	/* Pages, that is: not more than there are. */
	kib(t, "Mapped:", min(mm_stat_sum(MM_MAPPED), disk + shmem));
	kib(t, "Shmem:", shmem);
}

static void
print_kernel(struct text *t)
{
	u64 slab = mm_stat_sum(MM_SLAB);

	kib(t, "KReclaimable:", 0);
	kib(t, "Slab:", slab);
	kib(t, "SReclaimable:", 0);
	kib(t, "SUnreclaim:", slab);
	kib(t, "KernelStack:", mm_stat_sum(MM_KSTACK));
	kib(t, "PageTables:", page_level(PAGE_TABLE));
	kib(t, "NFS_Unstable:", 0);
	kib(t, "Bounce:", 0);
	kib(t, "WritebackTmp:", 0);
	/* There is no swap to add. */
	kib(t, "CommitLimit:", pages_total() * overcommit_ratio / 100);
	kib(t, "Committed_AS:", (u64)max(counter_sum(committed_pages), (s64)0));
	kib(t, "VmallocTotal:", vmalloc_total());
	kib(t, "VmallocUsed:", mm_stat_sum(MM_VMALLOC) + mm_stat_sum(MM_KSTACK));
	kib(t, "VmallocChunk:", 0);
	kib(t, "Percpu:", percpu_area_pages());
	kib(t, "HardwareCorrupted:", 0);
	kib(t, "AnonHugePages:", mm_stat_sum(MM_ANON_HUGE));
	kib(t, "ShmemHugePages:", 0);
	kib(t, "ShmemPmdMapped:", 0);
	kib(t, "FileHugePages:", 0);
	kib(t, "FilePmdMapped:", 0);
	text_printf(t, "HugePages_Total:       0\nHugePages_Free:        0\n"
		       "HugePages_Rsvd:        0\nHugePages_Surp:        0\n"
		       "Hugepagesize:       2048 kB\nHugetlb:               0 kB\n");
	kib(t, "DirectMap4k:", kmap_direct_bytes[0] >> PAGE_SHIFT);
	kib(t, "DirectMap2M:", kmap_direct_bytes[1] >> PAGE_SHIFT);
	kib(t, "DirectMap1G:", kmap_direct_bytes[2] >> PAGE_SHIFT);
}

int
meminfo_print(const struct sink *out)
{
	struct text t = {.out = out};

	print_memory(&t);
	print_kernel(&t);
	return t.err;
}

static int
slab_line(const struct slab_info *si, void *ctx)
{
	struct text *t = ctx;

	text_printf(t, "%-17s %6lu %6lu %6u %4u %4d", si->name, si->objects_used, si->objects,
		    si->slot_size, si->objects_per_slab, (int)si->pages_per_slab);
	text_printf(t, " : tunables %4u %4u %4u : slabdata %6lu %6lu %6u\n", 2 * si->limit,
		    si->limit, 0u, si->slabs, si->slabs, 0u);
	return t->err;
}

int
slabinfo_print(const struct sink *out)
{
	struct text t = {.out = out};

	text_printf(
		&t,
		"slabinfo - version: 2.1\n"
		"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
		" : tunables <limit> <batchcount> <sharedfactor>");
	text_printf(&t, " : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
	if (t.err != 0)
		return t.err;
	return slab_for_each(slab_line, &t);
}

/* Events that the per-CPU lists count for themselves. */
static void
pcp_events(u64 *allocs, u64 *frees, u64 *refills)
{
	unsigned int cpu;

	*allocs = *frees = *refills = 0;
	for_each_possible_cpu(cpu) {
		const struct pcp *c = &cpu_of(pcp, cpu);

		*allocs += READ_ONCE(c->allocs);
		*frees += READ_ONCE(c->frees);
		*refills += READ_ONCE(c->refills) + READ_ONCE(c->spills);
	}
}

int
vmstat_print(const struct sink *out)
{
	static const struct {
		const char *name;
		enum mm_stat item;
	} lines[] = {
		{"nr_mapped", MM_MAPPED},
		{"nr_dirty", MM_DIRTY},
		{"nr_writeback", MM_WRITEBACK},
		{"nr_mlock", MM_MLOCKED},
		{"nr_slab_unreclaimable", MM_SLAB},
		{"nr_anon_transparent_hugepages", MM_ANON_HUGE},
		{"pgfault", MM_FAULTS},
		{"pgmajfault", MM_MAJOR_FAULTS},
		{"thp_fault_alloc", MM_THP_FAULTS},
		{"nr_tlb_remote_flush", MM_SHOOTDOWNS},
		{"allocstall_normal", MM_RECLAIM_RUNS},
		{"pgsteal_direct", MM_RECLAIMED},
		{"oom_kill", MM_OOM},
	};
	struct text t = {.out = out};
	u64 allocs, frees, trips;

	pcp_events(&allocs, &frees, &trips);
	text_printf(&t, "nr_free_pages %lu\n", pages_free());
	text_printf(&t, "nr_kernel_stack %lu\n", mm_stat_sum(MM_KSTACK) << (PAGE_SHIFT - 10));
	text_printf(&t, "nr_anon_pages %lu\n", page_level(PAGE_ANON));
	text_printf(&t, "nr_file_pages %lu\n", page_level(PAGE_CACHE) + page_level(PAGE_SHMEM));
	text_printf(&t, "nr_shmem %lu\nnr_page_table_pages %lu\n", page_level(PAGE_SHMEM),
		    page_level(PAGE_TABLE));
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		text_printf(&t, "%s %lu\n", lines[i].name, mm_stat_sum(lines[i].item));
	text_printf(&t, "pgalloc_normal %lu\n", allocs + mm_stat_sum(MM_BLOCKS_ALLOCED));
	text_printf(&t, "pgfree %lu\n", frees + mm_stat_sum(MM_BLOCKS_FREED));
	text_printf(&t, "pcp_zone_trips %lu\n", trips);
	text_printf(&t, "pgalloc_failed %lu\n", mm_stat_sum(MM_ALLOC_FAILED));
	return t.err;
}

int
buddyinfo_print(const struct sink *out)
{
	struct text t = {.out = out};

	for (unsigned int i = 0; i < ZONES_MAX; i++) {
		u64 count[PAGE_MAX_ORDER + 1];

		if (zones[i].total == 0)
			continue;
		zone_count_free(&zones[i], count);
		text_printf(&t, "Node %u, zone %8s", zones[i].node, i % 2 ? "Normal" : "DMA32");
		for (unsigned int o = 0; o <= PAGE_MAX_ORDER; o++)
			text_printf(&t, " %6lu", count[o]);
		text_printf(&t, " \n");
	}
	return t.err;
}
