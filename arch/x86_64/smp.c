/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bring-up of the application processors, all at once, and the interrupts that
 * CPUs send one another.
 *
 * Model: for every CPU the boot CPU prepares its area, stacks and idle task;
 * then one INIT and one start-up interrupt go to all. Each AP finds its number
 * by its APIC id (trampoline.S), sets itself up and says that it is online; no
 * lock is taken and no line is written by two of them but the online mask.
 */
#include "arch/x86_64/acpi.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/asm/irqflags.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/trap.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/port.h"
#include "kernel/sched/hotplug.h"
#include "kernel/sched/sched.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "lib/assert.h"
#include "lib/endian.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kasan.h"
#include "mm/memblock.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"
#include "percpu/cpumask.h"
#include "percpu/mailbox.h"
#include "sync/rcu.h"

#include "arch/x86_64/clock.h"

#define AP_TIMEOUT_NS (30 * NSEC_PER_SEC)

extern const u8 trampoline_start[], trampoline_end[];
extern u8 tr_gdt_base[], tr_far32[], tr_far64[];

/* I  read by the trampoline: stack of each CPU */
u64 *ap_stack_top;
/* I  read by the trampoline: the kernel's page tables */
u64 kernel_pml4_pa;
/* a  CPUs whose features fell short */
static u32 aps_refused;
/* a  CPUs that stopped for panic or power-off */
static u32 cpus_stopped;

/* Set when those that start together have; hot-plug makes others active. */
static bool aps_started;

void ap_start(unsigned int cpu);

u32
cpu_apic_id_self(void)
{
	if (cpu_features.max_leaf >= 0xb && cpuid(0xb, 0).b)
		return cpuid(0xb, 0).d;
	return cpuid(1, 0).b >> 24;
}

unsigned int
cpu_of_apic(u32 id)
{
	unsigned int cpu = 0;

	while (cpu < nr_cpus && cpu_apic_id[cpu] != id)
		cpu++;
	return cpu;
}

static bool
features_suffice(void)
{
	const struct cpu_features *f = &cpu_features;

	return (cpuid(1, 0).c & f->leaf1_c & ~(BIT(27) | BIT(31))) ==
		       (f->leaf1_c & ~(BIT(27) | BIT(31))) &&
	       (f->max_leaf < 7 || (cpuid(7, 0).b & f->leaf7_b) == f->leaf7_b);
}

/* First C code of an AP: interrupts off, on its idle task's stack. */
void __no_kcsan
ap_start(unsigned int cpu)
{
	wrmsr(MSR_GS_BASE, percpu_offset[cpu]);
	/* It may have been here before: as at the first time. */
	this_cpu_write(pin_count, PIN_NO_RESCHED);
	if (!features_suffice()) {
		atomic_inc(&aps_refused);
		arch_halt();
	}
	cpu_init_oncpu(cpu);
	apic_init_oncpu();
	clock_init_oncpu();
	rcu_cpu_up(cpu);
	cpumask_set_atomic(&cpu_online_mask, cpu);
	/* A CPU that comes later gets work when its thread is there (kernel/hotplug.c). */
	if (!aps_started)
		cpumask_set_atomic(&cpu_active_mask, cpu);
	sched_start_cpu();
}

/* Adds to a number in the trampoline, which lies behind instructions at any address. */
static void
trampoline_patch(u8 *p, const u8 *symbol, u32 add)
{
	p += symbol - trampoline_start;
	put_le32(p, get_le32(p) + add);
}

/* Page below 1 MiB for the trampoline: reserved at boot. */
static void
trampoline_setup(phys_t pa)
{
	u8 *p = phys_to_virt(pa);
	size_t size = (size_t)(trampoline_end - trampoline_start);

	memcpy(p, trampoline_start, size);
	trampoline_patch(p, tr_gdt_base, (u32)pa);
	trampoline_patch(p, tr_far32, (u32)pa);
	trampoline_patch(p, tr_far64, (u32)pa);
}

static unsigned int
cpus_online(void)
{
	return cpumask_weight(&cpu_online_mask);
}

static void
aps_wait(unsigned int want, u64 deadline)
{
	while (cpus_online() + atomic_read(&aps_refused) < want && ktime_get() < deadline)
		cpu_relax();
}

/* What a CPU needs once: idle task and stacks. */
static int
ap_prepare(unsigned int cpu)
{
	struct task *idle;

	if (ap_stack_top[cpu])
		return 0;
	if (cpu_ist_alloc(cpu))
		return -ENOMEM;
	idle = sched_idle_create(cpu);
	if (!idle)
		return -ENOMEM;
	ap_stack_top[cpu] = (u64)idle->stack + KERNEL_STACK_SIZE;
	return 0;
}

static unsigned int
aps_prepare(unsigned int want)
{
	unsigned int cpu;

	ap_stack_top = kcalloc(nr_cpus, sizeof(*ap_stack_top), GFP_KERNEL);
	if (!ap_stack_top)
		return 1;
	for (cpu = 1; cpu < want; cpu++)
		if (ap_prepare(cpu)) {
			log_err("smp: no memory for CPU %u and those after it", cpu);
			break;
		}
	return cpu;
}

static void
ap_start_one(unsigned int cpu)
{
	u32 id = cpu_apic_id[cpu];
	u64 deadline;

	apic_send_init(id);
	udelay(200);
	apic_send_startup(id, TRAMPOLINE_PHYS >> PAGE_SHIFT);
	deadline = ktime_get() + 10 * NSEC_PER_MSEC;
	while (!cpu_online(cpu) && ktime_get() < deadline)
		cpu_relax();
	if (!cpu_online(cpu))
		apic_send_startup(id, TRAMPOLINE_PHYS >> PAGE_SHIFT);
}

int
arch_cpu_start(unsigned int cpu)
{
	int err = ap_stack_top ? ap_prepare(cpu) : -ENOMEM;

	if (err)
		return err;
	/* Frames of its last life. */
	kasan_unpoison((char *)ap_stack_top[cpu] - KERNEL_STACK_SIZE, KERNEL_STACK_SIZE);
	sched_cpu_prepare(cpu);
	ap_start_one(cpu);
	return 0;
}

static void
aps_start(unsigned int want)
{
	apic_broadcast_init();
	udelay(200);
	apic_broadcast_startup(TRAMPOLINE_PHYS >> PAGE_SHIFT);
	aps_wait(want, ktime_get() + 100 * NSEC_PER_MSEC);
	/* A second one is for hardware that missed the first; a running CPU ignores it. */
	if (cpus_online() < want)
		apic_broadcast_startup(TRAMPOLINE_PHYS >> PAGE_SHIFT);
}

void
smp_start_cpus(unsigned int max)
{
	unsigned int want, cpu;
	u64 start = ktime_get();

	if (nr_cpus == 1)
		return;
	/* Those without a stack halt in the trampoline. */
	want = aps_prepare(min(max, cpumask_weight(&cpu_present_mask)));
	kernel_pml4_pa = virt_to_phys(kernel_pml4);
	trampoline_setup(TRAMPOLINE_PHYS);
	aps_start(want);
	aps_wait(want, start + AP_TIMEOUT_NS);
	for (cpu = 0; cpu < want; cpu++)
		if (!cpu_online(cpu))
			log_err("smp: CPU %u (APIC id %u) did not come up", cpu, cpu_apic_id[cpu]);
	aps_started = true;
	log_info("smp: %u CPUs online after %lu us", cpus_online(),
		 (ktime_get() - start) / NSEC_PER_USEC);
}

void
arch_ipi_mailbox(unsigned int cpu)
{
	apic_send(cpu_apic_id[cpu], VEC_MAILBOX);
}

void
arch_ipi_reschedule(unsigned int cpu)
{
	apic_send(cpu_apic_id[cpu], VEC_RESCHEDULE);
}

/* --- stopping and looking at other CPUs --- */

/* a  bit: this CPU shall print its stack at the next NMI; 2: and stop */
static DEFINE_PERCPU(u32, nmi_request);
#define NMI_BACKTRACE 1u
#define NMI_STOP 2u

static void __noreturn
cpu_stop_here(void)
{
	atomic_inc(&cpus_stopped);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void
stop_handle(struct regs *r)
{
	cpu_stop_here();
}

void
nmi_handle(struct regs *r)
{
	u32 req = atomic_read(&this_cpu(nmi_request));

	if (req & NMI_BACKTRACE) {
		log_write(LOG_EMERG, "NMI backtrace of CPU %u:", cpu_id());
		regs_show(r);
		/* Now only: who asked lets the next CPU begin when the bit has gone. */
		atomic_and(&this_cpu(nmi_request), ~NMI_BACKTRACE);
	}
	if (req & NMI_STOP)
		cpu_stop_here();
	if (!req)
		log_ratelimited(LOG_WARNING, "CPU %u: NMI of unknown source", cpu_id());
}

static void
nmi_send(unsigned int cpu, u32 req)
{
	atomic_or(&cpu_of(nmi_request, cpu), req);
	apic_send_nmi(cpu_apic_id[cpu]);
}

void
arch_backtrace_cpu(unsigned int cpu)
{
	u64 deadline = ktime_get() + NSEC_PER_SEC;

	if (cpu == cpu_id()) {
		arch_backtrace(NULL);
		return;
	}
	nmi_send(cpu, NMI_BACKTRACE);
	while (atomic_read(&cpu_of(nmi_request, cpu)) & NMI_BACKTRACE && ktime_get() < deadline)
		cpu_relax();
	/* An NMI shows nothing itself. */
	log_flush();
}

void
arch_stop_cpus(bool backtrace)
{
	unsigned int cpu, others = 0;
	u64 deadline;

	ASSERT(irqs_disabled());
	for_each_online_cpu(cpu) {
		if (cpu == cpu_id())
			continue;
		/* One after the other, so that reports do not mix. */
		if (backtrace && others < 64)
			arch_backtrace_cpu(cpu);
		nmi_send(cpu, NMI_STOP);
		others++;
	}
	deadline = ktime_get() + NSEC_PER_SEC;
	while (atomic_read(&cpus_stopped) < others && ktime_get() < deadline)
		cpu_relax();
}

void
arch_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* Halts with interrupts off on entry; the sti shadow keeps a wakeup from slipping in between. */
void
arch_idle(void)
{
	sti_hlt();
	irq_disable();
}

void
rcu_port_backtrace(unsigned int cpu)
{
	arch_backtrace_cpu(cpu);
}

void
sync_port_backtrace(void)
{
	arch_backtrace(NULL);
}
