/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clock source and clock interrupts.
 *
 * Model: time is a counter and a factor: ns = (cycles - base) * mult >> 32. The
 * counter is the TSC, kvmclock where KVM has that and does not say that the TSC is
 * invariant, or the HPET where the TSC is missing. The TSC's rate is told by
 * kvmclock, else measured against the HPET, the ACPI timer or the PIT, whichever
 * exists first. The interrupt is the TSC deadline where the CPU has it and the TSC
 * is the counter, else the local APIC timer in one-shot mode.
 *
 * Rejected: a long measurement. CALIBRATE_NS with the tightest of several
 * brackets at each end gives about 20 ppm, and boots in milliseconds.
 */
#include "arch/x86_64/clock.h"

#include "arch/x86_64/acpi.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/pvclock.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/time/clock.h"
#include "lib/muldiv.h"
#include "lib/string.h"
#include "mm/vmalloc.h"
#include "sync/port.h"

#define CALIBRATE_NS 10000000UL
#define LONGEST_NS (4 * NSEC_PER_SEC)
#define PIT_HZ 1193182UL
#define PM_TIMER_HZ 3579545UL

/* HPET registers (IA-PC HPET specification 1.0a, 2.3). */
enum { HPET_CAP = 0x0, HPET_CONFIG = 0x10, HPET_COUNTER = 0xf0 };

/* I  after clock_init() */
u64 arch_clock_start __read_mostly;
u64 arch_clock_mult __read_mostly;
static enum { SOURCE_TSC, SOURCE_HPET, SOURCE_KVMCLOCK } source __read_mostly;
static bool use_deadline __read_mostly;
static bool has_kvmclock __read_mostly;
static void __iomem *hpet __read_mostly;
static u64 hpet_hz;
static u64 tsc_hz;
static u64 apic_hz __read_mostly;

u64
arch_clock_cycles(void)
{
	if (likely(source == SOURCE_TSC))
		return rdtsc();
	if (source == SOURCE_KVMCLOCK)
		return pvclock_read();
	return mmio_read64((char __force *)hpet + HPET_COUNTER);
}

bool
clock_is_tsc(void)
{
	return source == SOURCE_TSC;
}

u64
clock_tsc_khz(void)
{
	return tsc_hz / 1000;
}

/* --- reference counters --- */

struct reference {
	const char *name;
	u64 hz;
	/* The counter wraps at this mask. */
	u64 mask;
	u64 (*read)(void);
};

static u64
hpet_read(void)
{
	return mmio_read64((char __force *)hpet + HPET_COUNTER);
}

static u64
pm_timer_read(void)
{
	return inl((u16)acpi_info.pm_timer);
}

/* Counts up while the PIT's channel 2 counts down from 65536. */
static u64
pit_read(void)
{
	u8 lo, hi;

	outb(0x43, 0x80);
	lo = inb(0x42);
	hi = inb(0x42);
	return 0xffffu - (u32)(lo | hi << 8);
}

static void
pit_start(void)
{
	/* Gate on, speaker off; channel 2, both bytes, rate generator. */
	outb(0x61, (inb(0x61) & ~2) | 1);
	outb(0x43, 0xb4);
	outb(0x42, 0xff);
	outb(0x42, 0xff);
}

static void
hpet_setup(void)
{
	u64 cap;

	if (!acpi_info.hpet)
		return;
	hpet = ioremap(acpi_info.hpet, 0x400, MAP_UC);
	if (!hpet)
		return;
	cap = mmio_read64((char __force *)hpet + HPET_CAP);
	/* Period in femtoseconds, at most 100 ns; a 64-bit counter. */
	if (cap >> 32 == 0 || cap >> 32 > 100000000 || !(cap & BIT(13))) {
		hpet = NULL;
		return;
	}
	hpet_hz = 1000000000000000UL / (cap >> 32);
	mmio_write64((char __force *)hpet + HPET_CONFIG,
		     mmio_read64((char __force *)hpet + HPET_CONFIG) | 1);
}

static struct reference
reference_pick(void)
{
	if (hpet)
		return (struct reference){"HPET", hpet_hz, U64_MAX, hpet_read};
	if (acpi_info.pm_timer)
		return (struct reference){"ACPI timer", PM_TIMER_HZ, 0xffffff, pm_timer_read};
	pit_start();
	return (struct reference){"PIT", PIT_HZ, 0xffff, pit_read};
}

/* One look at all three counters, as close together as possible. */
struct sample {
	u64 ref, tsc, apic;
};

static struct sample
sample_take(const struct reference *r)
{
	struct sample best = {0};
	u64 width = U64_MAX, t0, t1, ref, apic;
	int i;

	for (i = 0; i < 5; i++) {
		t0 = rdtsc_ordered();
		ref = r->read();
		apic = apic_timer_current();
		t1 = rdtsc_ordered();
		if (t1 - t0 < width) {
			width = t1 - t0;
			best = (struct sample){ref, t0 + (t1 - t0) / 2, apic};
		}
	}
	return best;
}

static void
calibrate(void)
{
	struct reference r = reference_pick();
	struct sample a, b;
	u64 ticks = r.hz / 1000 * (CALIBRATE_NS / NSEC_PER_USEC) / 1000, passed;

	apic_timer_oneshot(U32_MAX);
	a = sample_take(&r);
	while (((r.read() - a.ref) & r.mask) < ticks)
		cpu_relax();
	b = sample_take(&r);
	passed = (b.ref - a.ref) & r.mask;
	tsc_hz = muldiv_u64(b.tsc - a.tsc, r.hz, passed);
	apic_hz = muldiv_u64(a.apic - b.apic, r.hz, passed);
	apic_timer_oneshot(0);
	log_info("clock: TSC %lu kHz, local APIC timer %lu kHz by %s", tsc_hz / 1000,
		 apic_hz / 1000, r.name);
}

/* The counter, and its rate. */
static u64
source_choose(void)
{
	bool tsc = (cpu_features.leaf1_d & BIT(4)) && tsc_hz;

	if (tsc && (!has_kvmclock || cpu_features.tsc_invariant)) {
		source = SOURCE_TSC;
		return tsc_hz;
	}
	if (has_kvmclock) {
		source = SOURCE_KVMCLOCK;
		return NSEC_PER_SEC;
	}
	if (!hpet)
		panic("clock: neither TSC nor HPET");
	source = SOURCE_HPET;
	return hpet_hz;
}

void
clock_init(void)
{
	static const char *const names[] = {"TSC", "HPET", "kvmclock"};
	u64 told, hz;

	hpet_setup();
	apic_timer_setup_oncpu(false);
	calibrate();
	has_kvmclock = pvclock_init();
	told = has_kvmclock ? pvclock_tsc_hz() : 0;
	if (told) {
		tsc_hz = told;
		log_info("clock: TSC %lu kHz by kvmclock", tsc_hz / 1000);
	}
	hz = source_choose();
	use_deadline = cpu_features.tsc_deadline && source == SOURCE_TSC;
	log_info("clock: time by the %s, interrupts by the %s", names[source],
		 use_deadline ? "TSC deadline" : "local APIC timer");
	arch_clock_mult = muldiv_u64(NSEC_PER_SEC, 1UL << 32, hz);
	arch_clock_start = ktime_get();
	apic_timer_setup_oncpu(use_deadline);
}

void
clock_init_oncpu(void)
{
	if (has_kvmclock)
		pvclock_init_oncpu();
	apic_timer_setup_oncpu(use_deadline);
}

void
arch_clock_program(u64 deadline)
{
	u64 now, delta;

	if (deadline == NO_DEADLINE) {
		if (use_deadline)
			apic_timer_deadline(0);
		else
			apic_timer_oneshot(0);
		return;
	}
	if (use_deadline) {
		apic_timer_deadline(clock_cycles_at(deadline, LONGEST_NS));
		return;
	}
	now = ktime_get();
	delta = deadline > now ? deadline - now : 0;
	/* A longer sleep than the counter holds wakes early and programs again. */
	delta = min(delta, LONGEST_NS);
	delta = delta * (apic_hz / 1000) / 1000000 + 1;
	apic_timer_oneshot((u32)min(delta, (u64)U32_MAX));
}

/* --- real-time clock (MC146818) --- */

static u8
cmos(u8 reg)
{
	outb(0x70, reg);
	return inb(0x71);
}

static u32
bcd(u8 v, bool binary)
{
	return binary ? v : (v >> 4) * 10u + (v & 15);
}

/* Days from 1970 to a date of the Gregorian calendar. */
static u64
days_from_date(u32 y, u32 m, u32 d)
{
	u32 era_year = m <= 2 ? y - 1 : y;
	u32 shifted = (m + 9) % 12;

	return 365UL * era_year + era_year / 4 - era_year / 100 + era_year / 400 +
	       (153 * shifted + 2) / 5 + d - 1 - 719468;
}

u64
rtc_read(void)
{
	u8 v[6], again[6], b;
	u64 days, hours;
	static const u8 reg[6] = {0, 2, 4, 7, 8, 9};
	bool binary;
	int i, tries;

	/* Twice the same with no update under way. */
	for (tries = 0; tries < 1000; tries++) {
		for (i = 0; i < 6; i++)
			v[i] = cmos(reg[i]);
		for (i = 0; i < 6; i++)
			again[i] = cmos(reg[i]);
		if (!(cmos(0xa) & 0x80) && memcmp(v, again, 6) == 0)
			break;
	}
	b = cmos(0xb);
	binary = b & 4;
	days = days_from_date(2000 + bcd(v[5], binary), clamp(bcd(v[4], binary), 1u, 12u),
			      clamp(bcd(v[3], binary), 1u, 31u));
	hours = days * 24 + bcd(v[2] & 0x7f, binary);
	return (hours * 60 + bcd(v[1], binary)) * 60 + bcd(v[0], binary);
}
