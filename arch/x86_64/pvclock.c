/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvmclock: time as KVM tells it.
 *
 * Model: each CPU has a page in which the hypervisor keeps a moment, by the TSC
 * and in nanoseconds, and the TSC's rate. It writes a new moment whenever the
 * CPU is moved, stopped or started on a processor whose TSC is another. Where the
 * pages do not say that they agree, the latest time that any CPU has read is kept,
 * and none reads an earlier one.
 *
 * It is the clock where the TSC may change its rate or stop, which a guest cannot
 * see; where the TSC is invariant that is the better clock, as programs can read it
 * themselves (clock.c), and the page tells its rate.
 *
 * Ordering:
 *      hypervisor                      pvclock_page_time
 *      version is made odd             version is read: even
 *      the rest is written             the rest is read
 *      version is made even            version is read: the same
 *
 * Contexts: any. The CPU must not change between looking up the page and reading
 * the TSC, hence the pin; the hypervisor never leaves a version odd while the CPU
 * of the page runs.
 */
#include "arch/x86_64/pvclock_impl.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/layout.h"
#include "arch/x86_64/cpu.h"
#include "kernel/log.h"
#include "kernel/time/clock.h"
#include "lib/muldiv.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "percpu/cpumask.h"
#include "percpu/pin.h"

#define KVM_FEATURES 0x40000001
#define KVM_FEATURE_CLOCKSOURCE2 BIT(3)
#define KVM_FEATURE_CLOCKSOURCE_STABLE_BIT BIT(24)
#define MSR_KVM_SYSTEM_TIME_NEW 0x4b564d01
#define SYSTEM_TIME_ENABLE 1UL

static struct pvclock pvclock;

u64
pvclock_scale(u64 cycles, u32 mul, s8 shift)
{
	return mul_u64_u32_shr(shift < 0 ? cycles >> -shift : cycles << shift, mul, 32);
}

u64
pvclock_hz(u32 mul, s8 shift)
{
	u64 hz;

	if (mul == 0)
		return 0;
	hz = (NSEC_PER_SEC << 32) / mul;
	return shift < 0 ? hz << -shift : hz >> shift;
}

u64
pvclock_page_time(const struct pvclock_page *p, u8 *flags)
{
	u32 version;
	u64 ns;

	for (;;) {
		version = smp_load_acquire(&p->version);
		/* The TSC may have wrapped since: the difference has not. */
		ns = READ_ONCE(p->ns) + pvclock_scale(rdtsc_ordered() - READ_ONCE(p->tsc),
						      READ_ONCE(p->mul), READ_ONCE(p->shift));
		*flags = READ_ONCE(p->flags);
		smp_rmb();
		if (!(version & 1) && READ_ONCE(p->version) == version)
			return ns;
		cpu_relax();
	}
}

u64
pvclock_time(struct pvclock *c)
{
	const struct pvclock_page *p;
	u64 ns, latest;
	u8 flags;

	pin();
	p = &c->pages[cpu_id()];
	/* A CPU that comes up, before it has its own. */
	ns = pvclock_page_time(READ_ONCE(p->mul) ? p : &c->pages[0], &flags);
	unpin();
	if (flags & c->known & PVCLOCK_STABLE)
		return ns;
	latest = READ_ONCE(c->latest);
	do
		if (latest >= ns)
			return latest;
	while (!atomic_try_cmpxchg(&c->latest, &latest, ns));
	return ns;
}

bool
pvclock_init(void)
{
	u32 features;

	if (memcmp(cpu_features.hypervisor, "KVMKVMKVM\0\0\0", 12) != 0)
		return false;
	features = cpuid(KVM_FEATURES, 0).a;
	if (!(features & KVM_FEATURE_CLOCKSOURCE2))
		return false;
	pvclock.known = features & KVM_FEATURE_CLOCKSOURCE_STABLE_BIT ? PVCLOCK_STABLE : 0;
	pvclock.pages = kcalloc(nr_cpus, sizeof(struct pvclock_page), GFP_KERNEL);
	if (!pvclock.pages) {
		log_err("kvmclock: no memory");
		return false;
	}
	pvclock_init_oncpu();
	return true;
}

void
pvclock_init_oncpu(void)
{
	wrmsr(MSR_KVM_SYSTEM_TIME_NEW, virt_to_phys(&pvclock.pages[cpu_id()]) | SYSTEM_TIME_ENABLE);
}

u64
pvclock_tsc_hz(void)
{
	return pvclock_hz(pvclock.pages[0].mul, pvclock.pages[0].shift);
}

u64
pvclock_read(void)
{
	return pvclock_time(&pvclock);
}
