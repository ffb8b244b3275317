/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Extended state: saved when a user task is switched out, restored when it is
 * switched in unless this CPU's registers still hold it (only kernel threads
 * ran in between). The kernel itself never uses these registers.
 *
 * The area has XSAVE's standard format, as signal frames show it.
 */
#include "arch/x86_64/fpu.h"

#include "arch/x86_64/asm/irqflags.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/pkey.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/task/task.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"

#define FXSAVE_SIZE FPU_LEGACY_SIZE
#define XSAVE_HEADER 64
/* x87, SSE, AVX, AVX-512 (three), PKRU: no state that the kernel would have to manage. */
#define XCR0_WANTED (0x7UL | 0xe0UL | 0x200UL)

u32 fpu_size __read_mostly = FXSAVE_SIZE;
u64 fpu_xcr0 __read_mostly;
static struct slab_cache *fpu_cache;
static struct fpu *fpu_init_state;

/* Bytes of an area that components fill. */
struct run {
	u32 start, end;
};
#define RUNS_MAX 8
static struct run runs[RUNS_MAX];
static u32 nr_runs;

/* o  whose state this CPU's registers hold; compared only */
static DEFINE_PERCPU(struct fpu *, fpu_owner);

static void
state_save(struct fpu *f)
{
	if (fpu_xcr0)
		__asm__ volatile("xsave64 %0" : "+m"(f->area) : "a"(-1), "d"(-1) : "memory");
	else
		__asm__ volatile("fxsave64 %0" : "=m"(f->area)::"memory");
}

/* area: aligned to 64 bytes. */
static void
state_restore(const u8 *area)
{
	if (fpu_xcr0)
		__asm__ volatile("xrstor64 %0" ::"m"(*area), "a"(-1), "d"(-1) : "memory");
	else
		__asm__ volatile("fxrstor64 %0" ::"m"(*area) : "memory");
}

/* Notes where components lie: one after the other, or with gaps for what we do not enable. */
static void
runs_init(void)
{
	u32 end = fpu_xcr0 ? FXSAVE_SIZE + 64 : FXSAVE_SIZE;

	runs[nr_runs++] = (struct run){.start = 0, .end = end};
	for (u32 i = 2; fpu_xcr0 >> i; i++) {
		struct cpuid c;

		if (!(fpu_xcr0 >> i & 1))
			continue;
		c = cpuid(0xd, i);
		if (c.b != runs[nr_runs - 1].end && nr_runs < RUNS_MAX)
			runs[nr_runs++].start = c.b;
		runs[nr_runs - 1].end = c.b + c.a;
	}
}

void
fpu_init_oncpu(void)
{
	if (cpu_features.xsave) {
		fpu_xcr0 = (cpuid(0xd, 0).a | (u64)cpuid(0xd, 0).d << 32) & XCR0_WANTED;
		if (!cpu_features.pku)
			fpu_xcr0 &= ~XFEATURE_PKRU_BIT;
		xsetbv(0, fpu_xcr0);
		fpu_size = cpuid(0xd, 0).b;
	}
	__asm__ volatile("fninit");
	/* Whose registers it had before it went. */
	this_cpu_write(fpu_owner, NULL);
}

void
fpu_init(void)
{
	struct fpu *f;

	fpu_cache = slab_cache_create("fpu", sizeof(struct fpu) + fpu_size, 64, SLAB_ZERO);
	f = slab_alloc(fpu_cache, GFP_KERNEL);
	if (!f)
		panic("fpu: no memory");
	/* FCW: all masked, 64-bit precision; MXCSR: all masked (psABI, 3.4.1). */
	*(u16 *)f->area = 0x37f;
	*(u32 *)(f->area + 24) = 0x1f80;
	f->cpu = U32_MAX;
	/* What the CPU itself writes fills in the mask of MXCSR bits. */
	state_restore(f->area);
	state_save(f);
	if (fpu_xcr0)
		memset(f->area + FXSAVE_SIZE, 0, 8);
	if (fpu_xcr0 & XFEATURE_PKRU_BIT) {
		*(u64 *)(f->area + FXSAVE_SIZE) = XFEATURE_PKRU_BIT;
		*(u32 *)(f->area + cpuid(0xd, XFEATURE_PKRU).b) = PKRU_INIT;
	}
	fpu_init_state = f;
	runs_init();
	log_info("fpu: %s, components %#lx, %u bytes", fpu_xcr0 ? "XSAVE" : "FXSAVE", fpu_xcr0,
		 fpu_size);
}

const u8 *
fpu_initial(void)
{
	return fpu_init_state->area;
}

void
fpu_switch(struct task *prev, struct task *next)
{
	if (prev->fpu) {
		state_save(prev->fpu);
		prev->fpu->cpu = cpu_id();
		this_cpu_write(fpu_owner, prev->fpu);
	}
	if (!next->fpu || (this_cpu_read(fpu_owner) == next->fpu && next->fpu->cpu == cpu_id()))
		return;
	state_restore(next->fpu->area);
	this_cpu_write(fpu_owner, next->fpu);
}

void
fpu_sync(void)
{
	unsigned long f = irq_save();

	state_save(current->fpu);
	irq_restore(f);
}

void
fpu_load(const u8 *area)
{
	struct fpu *f = current->fpu;
	unsigned long flags = irq_save();

	/* f->area is written by the next save. */
	state_restore(area);
	this_cpu_write(fpu_owner, f);
	irq_restore(flags);
}

int
fpu_copy_to_user(u8 __user *to, const u8 *area)
{
	for (u32 i = 0; i < nr_runs; i++)
		if (copy_to_user(to + runs[i].start, area + runs[i].start,
				 runs[i].end - runs[i].start))
			return -EFAULT;
	return 0;
}

int
fpu_copy_from_user(u8 *area, const u8 __user *from)
{
	for (u32 i = 0; i < nr_runs; i++)
		if (copy_from_user(area + runs[i].start, from + runs[i].start,
				   runs[i].end - runs[i].start))
			return -EFAULT;
	return 0;
}

u32
fpu_mxcsr_mask(void)
{
	u32 mask;

	memcpy(&mask, fpu_init_state->area + 28, 4);
	return mask ? mask : 0xffbf;
}

bool
fpu_header_ok(const u8 *area)
{
	u64 head[8];
	u32 i;

	memcpy(head, area + FXSAVE_SIZE, sizeof(head));
	if (head[0] & ~fpu_xcr0)
		return false;
	for (i = 1; i < 8; i++)
		if (head[i])
			return false;
	return true;
}

/* --- a stopped task's state, for its tracer --- */

static bool
mxcsr_ok(const u8 *area)
{
	u32 mxcsr;

	memcpy(&mxcsr, area + 24, 4);
	return !(mxcsr & ~fpu_mxcsr_mask());
}

/* What XRSTOR would make of components that the header does not name stands in the area. */
static void
fill_absent(u8 *area)
{
	u64 present;

	memcpy(&present, area + FXSAVE_SIZE, 8);
	if (!(present & 1)) {
		memcpy(area, fpu_init_state->area, 24);
		memcpy(area + 32, fpu_init_state->area + 32, 128);
	}
	if (!(present & 2))
		memset(area + 160, 0, 256);
	if (!(present & 6))
		memcpy(area + 24, fpu_init_state->area + 24, 4);
	for (u32 i = 2; i < 63; i++) {
		struct cpuid c;

		if (!(fpu_xcr0 & ~present & BIT(i)))
			continue;
		c = cpuid(0xd, i);
		memset(area + c.b, 0, c.a);
	}
}

void
fpu_get_image(const struct fpu *f, u8 *image)
{
	memcpy(image, f->area, fpu_size);
	if (!fpu_xcr0)
		return;
	memset(image + 464, 0, 48);
	memcpy(image + 464, &fpu_xcr0, 8);
	fill_absent(image);
}

int
fpu_set_image(struct fpu *f, u8 *image)
{
	if (!fpu_header_ok(image) || !mxcsr_ok(image))
		return -EINVAL;
	fill_absent(image);
	memcpy(f->area, image, fpu_size);
	/* No CPU's registers hold it. */
	f->cpu = U32_MAX;
	return 0;
}

int
fpu_set_legacy(struct fpu *f, const u8 *image)
{
	u64 present;

	if (!mxcsr_ok(image))
		return -EINVAL;
	memcpy(f->area, image, FXSAVE_SIZE);
	if (fpu_xcr0) {
		memcpy(&present, f->area + FXSAVE_SIZE, 8);
		present |= 3;
		memcpy(f->area + FXSAVE_SIZE, &present, 8);
	}
	f->cpu = U32_MAX;
	return 0;
}

int
arch_fpu_fork(struct task *child, struct task *parent)
{
	child->fpu = slab_alloc(fpu_cache, GFP_KERNEL);
	if (!child->fpu)
		return -ENOMEM;
	if (parent->fpu) {
		fpu_sync();
		memcpy(child->fpu->area, parent->fpu->area, fpu_size);
	} else {
		memcpy(child->fpu->area, fpu_init_state->area, fpu_size);
	}
	child->fpu->cpu = U32_MAX;
	return 0;
}

/* exec: t is current (a kernel thread that becomes a program gets its area here). */
void
arch_fpu_reset(struct task *t)
{
	if (!t->fpu && arch_fpu_fork(t, t))
		panic("fpu: no memory for init");
	fpu_load(fpu_init_state->area);
}

void
arch_fpu_free(struct task *t)
{
	if (!t->fpu)
		return;
	/* A CPU that still names it as owner compares ->cpu, which a new user sets afresh. */
	t->fpu->cpu = U32_MAX;
	slab_free(fpu_cache, t->fpu);
	t->fpu = NULL;
}
