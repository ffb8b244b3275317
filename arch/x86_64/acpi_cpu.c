/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUs that are plugged into the running machine and pulled out, as QEMU does it.
 *
 * Model: ACPI leaves to byte code how a machine tells of such CPUs. QEMU's byte code
 * does no more than read and write twelve bytes of I/O ports, which its documentation
 * describes; so do we, where the firmware's table declares exactly these ports
 * (acpi_info.cpu_ports). General-purpose event 2 says that some CPU came or shall
 * go; a thread, made for that, then asks for one after the other.
 *
 * A CPU that came is present and can be started by root (cpuN/online), as on Linux.
 * One that shall go is stopped first; if that fails it stays and QEMU is told why.
 *
 * Ownership: the ports belong to that thread; there is one at a time (taker).
 *
 * See: QEMU, docs/specs/acpi_cpu_hotplug; ACPI 6.4, 4.8.4.1 (events), 6.3.5 (_OST).
 */
#include "arch/x86_64/acpi.h"
#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/irq.h"
#include "kernel/hotplug.h"
#include "kernel/init.h"
#include "kernel/log.h"
#include "kernel/task/task.h"
#include "lib/errno.h"
#include "percpu/cpumask.h"
#include "percpu/work.h"

/* Offsets of the ports. */
enum { SELECT = 0, ID_HIGH = 0, CONTROL = 4, COMMAND = 5, DATA = 8 };
/* Bits of CONTROL: the first two read as state and write as "seen". */
#define CPU_ENABLED 1u
#define CPU_CAME 2u
#define CPU_SHALL_GO 4u
#define CPU_EJECT 8u
enum { CMD_NEXT_EVENT = 0, CMD_OST_EVENT = 1, CMD_OST_STATUS = 2, CMD_APIC_ID = 3 };
/* _OST: what happened, and what came of it. */
enum { OST_DEVICE_CHECK = 1, OST_EJECT = 3 };
enum { OST_SUCCESS = 0, OST_FAILURE = 1, OST_BUSY = 0x81 };
/* The event, a bit of the first register. */
#define GPE_CPU 4u

/* a  the thread, and whether there was another event after it began to look */
enum { TAKER_NONE, TAKER_RUNS, TAKER_AGAIN };
static u32 taker;

static u16
port(u16 offset)
{
	return (u16)(acpi_info.cpu_ports + offset);
}

/* About the selected CPU. */
static void
answer(u32 event, int err)
{
	outb(port(COMMAND), CMD_OST_EVENT);
	outl(port(DATA), event);
	outb(port(COMMAND), CMD_OST_STATUS);
	outl(port(DATA), !err ? OST_SUCCESS : err == -EBUSY ? OST_BUSY : OST_FAILURE);
}

/* The selected CPU's number; nr_cpus: it is beyond our limit. */
static unsigned int
selected_cpu(void)
{
	outb(port(COMMAND), CMD_APIC_ID);
	return cpu_of_apic(inl(port(DATA)));
}

static void
cpu_came(void)
{
	unsigned int cpu = selected_cpu();
	int err = cpu < nr_cpus ? cpu_plug(cpu) : -ENOSPC;

	if (cpu >= nr_cpus)
		log_err("acpi: a CPU beyond the limit of %u came, not used", nr_cpus);
	answer(OST_DEVICE_CHECK, err);
}

static void
cpu_shall_go(void)
{
	unsigned int cpu = selected_cpu();
	int err = cpu < nr_cpus ? cpu_unplug(cpu) : 0;

	if (err)
		log_err("acpi: CPU %u shall go but stays: error %d", cpu, err);
	else
		outb(port(CONTROL), CPU_EJECT);
	answer(OST_EJECT, err);
}

/* One event. False: there is none. */
static bool
take_event(void)
{
	u8 state;

	outb(port(COMMAND), CMD_NEXT_EVENT);
	state = inb(port(CONTROL));
	if (state & CPU_CAME) {
		outb(port(CONTROL), CPU_CAME);
		cpu_came();
	} else if (state & CPU_SHALL_GO) {
		outb(port(CONTROL), CPU_SHALL_GO);
		cpu_shall_go();
	}
	return state & (CPU_CAME | CPU_SHALL_GO);
}

static int
take_events(void *arg)
{
	do {
		atomic_set(&taker, TAKER_RUNS);
		while (take_event())
			;
	} while (atomic_cmpxchg(&taker, TAKER_RUNS, TAKER_NONE) != TAKER_RUNS);
	return 0;
}

static void
start_taker(struct work *w)
{
	struct task *t;

	if (atomic_xchg(&taker, TAKER_AGAIN) != TAKER_NONE)
		return;
	t = kthread_create(0, take_events, NULL, "acpi_cpu");
	if (!is_err(t)) {
		task_put(t);
		return;
	}
	log_err("acpi: no thread for CPUs that come or go: error %d", (int)ptr_err(t));
	atomic_set(&taker, TAKER_NONE);
}

static void
on_event(void *arg)
{
	static struct work work = WORK_INIT(start_taker);

	if (!(inb(acpi_info.gpe0) & GPE_CPU))
		return;
	outb(acpi_info.gpe0, GPE_CPU);
	work_post(0, &work);
}

static int
acpi_cpu_init(void)
{
	u16 enable = (u16)(acpi_info.gpe0 + acpi_info.gpe0_status_bytes);
	int err;

	if (!acpi_info.cpu_ports || !acpi_info.gpe0 || !acpi_info.gpe0_status_bytes)
		return 0;
	err = irq_isa_request((u8)acpi_info.sci_irq, 0, on_event, NULL, "acpi");
	if (err)
		return err;
	acpi_mode();
	/* The first write of a selector turns an older interface of these ports into this. */
	outl(port(SELECT), 0);
	outb(enable, inb(enable) | GPE_CPU);
	return 0;
}
INITCALL(INIT_DRIVER, acpi_cpu_init);
