/* SPDX-License-Identifier: BSD-2-Clause */
/* The vDSO's pages: built into the kernel, mapped into each program by exec. */
#include "arch/x86_64/clock.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/vdso.h"
#include "arch/x86_64/vdso/data.h"
#include "kernel/init.h"
#include "kernel/port.h"
#include "kernel/random.h"
#include "kernel/time/clock.h"
#include "kernel/time/clock_impl.h"
#include "kernel/uapi/mman.h"
#include "kernel/uapi/time.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/space.h"

#define VDSO_PAGES_MAX 4
#define LARGE_PAGE (2UL << 20)

/* vdso_image.S: whole pages. */
extern const u8 vdso_image_start[], vdso_image_end[];

/* I  data page first, then code */
static struct page *pages[1 + VDSO_PAGES_MAX];
static unsigned int nr_pages;
static struct vdso_data *data;

static int
vdso_init(void)
{
	size_t size = (size_t)(vdso_image_end - vdso_image_start), i;
	struct clock_scale scale;

	nr_pages = 1 + (unsigned int)(size >> PAGE_SHIFT);
	if (nr_pages > ARRAY_SIZE(pages))
		return -E2BIG;
	for (i = 0; i < nr_pages; i++) {
		pages[i] = page_alloc(0, GFP_KERNEL | GFP_ZERO);
		if (!pages[i])
			return -ENOMEM;
		if (i)
			memcpy(page_to_virt(pages[i]), vdso_image_start + ((i - 1) << PAGE_SHIFT),
			       PAGE_SIZE);
	}
	data = page_to_virt(pages[0]);
	data->seq = 1;
	data->rdtscp = cpu_features.rdtscp;
	clock_scale_get(&scale);
	clock_vdso_update(&scale);
	return 0;
}
INITCALL(INIT_CORE, vdso_init);

static u64
clock_offset(unsigned int clock, const struct clock_scale *c)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		return (u64)c->real_offset - c->start;
	case CLOCK_TAI:
		return (u64)c->real_offset + (u64)c->tai * NSEC_PER_SEC - c->start;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		return -c->start;
	case CLOCK_MONOTONIC_RAW:
		/* The same as long as nobody steers the clock. */
		return c->mult == arch_clock_mult && c->start == arch_clock_start ? -c->start
										  : VDSO_NO_CLOCK;
	default:
		return VDSO_NO_CLOCK;
	}
}

/* Writers are serialised by the caller; readers are in user mode. */
void
clock_vdso_update(const struct clock_scale *c)
{
	unsigned int i;

	if (!data)
		return;
	WRITE_ONCE(data->seq, data->seq | 1);
	smp_wmb();
	WRITE_ONCE(data->mult, c->mult);
	for (i = 0; i < VDSO_CLOCKS; i++)
		WRITE_ONCE(data->offset[i], clock_offset(i, c));
	if (clock_is_tsc())
		smp_store_release(&data->seq, data->seq + 1);
}

/*
 * Room for n pages at a random place of the 2 MiB that the stack ends in, as in
 * Linux; anywhere if there is none.
 */
static long
reserve(struct space *s, unsigned long stack_top, unsigned int n)
{
	unsigned long end = min(align_up(stack_top + 1, LARGE_PAGE), USER_END), at;
	u64 room = (end - stack_top) >> PAGE_SHIFT;
	long r;

	if (room >= n && stack_top < USER_END) {
		at = stack_top + (random_below(room - n + 1) << PAGE_SHIFT);
		r = space_map(s, at, n << PAGE_SHIFT, 0,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_FIXED_NOREPLACE, NULL);
		if (r != -EEXIST)
			return r;
	}
	return space_map(s, 0, n << PAGE_SHIFT, 0, MAP_PRIVATE | MAP_ANONYMOUS, NULL);
}

long
arch_vdso_map(struct space *s, unsigned long stack_top)
{
	struct map_backing vvar = {.name = "[vvar]", .pages = pages};
	struct map_backing code = {.name = "[vdso]", .pages = pages + 1};
	long at;

	if (nr_pages < 2)
		return 0;
	/* One place for both: the data page must lie right below the code. */
	at = reserve(s, stack_top, nr_pages);
	if (at < 0)
		return at;
	at = space_map(s, (unsigned long)at, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED, &vvar);
	if (at < 0)
		return at;
	return space_map(s, (unsigned long)at + PAGE_SIZE, (nr_pages - 1) << PAGE_SHIFT,
			 PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, &code);
}
