/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vectors of a CPU and what is bound to them.
 *
 * Ownership: the table of a CPU is per-CPU data that its interrupts read; it is
 * changed under irq_lock by whoever sets a device up, with the handler stored
 * before the argument's vector can fire.
 */
#include "arch/x86_64/irq.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/trap.h"
#include "kernel/log.h"
#include "kernel/seq.h"
#include "lib/errno.h"
#include "percpu/cpumask.h"
#include "percpu/trace/events.h"
#include "sync/spinlock.h"

#define VECTORS (VEC_DEVICE_LAST - VEC_DEVICE_FIRST + 1)

struct vector {
	irq_handler handler;
	void *arg;
	const char *name;
	/* its number and controller for /proc/interrupts, and how the device raises it */
	unsigned int irq;
	unsigned int input;
	const char *chip;
	const char *way;
};

/* Numbers below are those of ISA. */
#define IRQ_MSI_FIRST 24

static LOCK_CLASS(irq_class, RANK_DEVICE);
static struct spinlock irq_lock = SPINLOCK_INIT(irq_class);
static DEFINE_PERCPU(struct vector, vectors)[VECTORS];
DECLARE_PERCPU(u64, irq_count)[256];

int
irq_vector_alloc(unsigned int cpu, irq_handler handler, void *arg, const char *name)
{
	struct vector *v = cpu_ptr(&vectors[0], cpu);
	unsigned long f = spin_lock_irq(&irq_lock);
	int i, ret = -ENOSPC;

	for (i = 0; i < VECTORS; i++) {
		if (v[i].handler)
			continue;
		v[i].arg = arg;
		v[i].name = name;
		v[i].irq = v[i].input = IRQ_MSI_FIRST + (unsigned int)i;
		v[i].chip = "PCI-MSI";
		v[i].way = "edge";
		smp_store_release(&v[i].handler, handler);
		ret = VEC_DEVICE_FIRST + i;
		break;
	}
	spin_unlock_irq(&irq_lock, f);
	return ret;
}

void
irq_vector_free(unsigned int cpu, int vector)
{
	unsigned long f = spin_lock_irq(&irq_lock);

	cpu_of(vectors[vector - VEC_DEVICE_FIRST], cpu) = (struct vector){0};
	spin_unlock_irq(&irq_lock, f);
}

void
irq_dispatch(u32 vector)
{
	const struct vector *v = &this_cpu(vectors[vector - VEC_DEVICE_FIRST]);
	irq_handler fn = smp_load_acquire(&v->handler);

	trace_irq_handler_entry((int)vector - VEC_DEVICE_FIRST, v->name ? v->name : "none");
	if (fn)
		fn(v->arg);
	else
		log_ratelimited(LOG_WARNING, "irq: CPU %u: vector %#x has no handler", cpu_id(),
				vector);
	trace_irq_handler_exit((int)vector - VEC_DEVICE_FIRST, fn != NULL);
	apic_eoi();
}

static void
vector_is_isa(unsigned int cpu, int vector, u8 irq, u32 gsi, bool level)
{
	struct vector *v = &cpu_of(vectors[vector - VEC_DEVICE_FIRST], cpu);

	v->irq = irq;
	v->input = gsi;
	v->chip = "IO-APIC";
	v->way = level ? "fasteoi" : "edge";
}

int
irq_isa_request(u8 irq, unsigned int cpu, irq_handler handler, void *arg, const char *name)
{
	bool level, low;
	u32 gsi = ioapic_isa_gsi(irq, &level, &low);
	int vector = irq_vector_alloc(cpu, handler, arg, name), err;

	if (vector < 0)
		return vector;
	vector_is_isa(cpu, vector, irq, gsi, level);
	err = ioapic_route(gsi, cpu_apic_id[cpu], (u8)vector, level, low);
	if (err)
		irq_vector_free(cpu, vector);
	return err;
}

void
irq_msi_message(unsigned int cpu, int vector, u64 *addr, u32 *data)
{
	*addr = 0xfee00000UL | (u64)(cpu_apic_id[cpu] & 0xff) << 12;
	*data = (u32)vector;
}

static void
show_row(struct seq *s, unsigned int vector, const char *label, const char *name)
{
	unsigned int cpu;

	seq_printf(s, "%3s:", label);
	for_each_online_cpu(cpu)
		seq_printf(s, " %10lu", cpu_of(irq_count[vector], cpu));
	seq_printf(s, "   %s\n", name);
}

/* The row of a device: its vector may be another one on each CPU, its number is not. */
static void
show_device(struct seq *s, const struct vector *v)
{
	unsigned int cpu;

	seq_printf(s, "%3u:", v->irq);
	for_each_online_cpu(cpu) {
		u64 n = 0;

		for (int i = 0; i < VECTORS; i++)
			if (cpu_of(vectors[i], cpu).name && cpu_of(vectors[i], cpu).irq == v->irq)
				n += cpu_of(irq_count[VEC_DEVICE_FIRST + i], cpu);
		seq_printf(s, " %10lu", n);
	}
	seq_printf(s, "  %8s %3u-%-8s  %s\n", v->chip, v->input, v->way, v->name);
}

/* The vector of the lowest number from `irq` on, of any CPU; NULL. */
static const struct vector *
next_device(unsigned int irq)
{
	const struct vector *best = NULL;
	unsigned int cpu;

	for_each_online_cpu(cpu)
		for (int i = 0; i < VECTORS; i++) {
			const struct vector *v = &cpu_of(vectors[i], cpu);

			if (v->name && v->irq >= irq && (!best || v->irq < best->irq))
				best = v;
		}
	return best;
}

void
irq_show(struct seq *s)
{
	const struct vector *v;
	unsigned int cpu;
	u64 errors = 0;

	seq_printf(s, "%11s", "");
	for_each_online_cpu(cpu)
		seq_printf(s, "CPU%-8u", cpu);
	seq_putc(s, '\n');
	for (v = next_device(0); v; v = next_device(v->irq + 1))
		show_device(s, v);
	show_row(s, VEC_NMI, "NMI", "Non-maskable interrupts");
	show_row(s, VEC_TIMER, "LOC", "Local timer interrupts");
	show_row(s, VEC_SPURIOUS, "SPU", "Spurious interrupts");
	show_row(s, VEC_RESCHEDULE, "RES", "Rescheduling interrupts");
	show_row(s, VEC_MAILBOX, "CAL", "Function call interrupts");
	show_row(s, VEC_MC, "MCE", "Machine check exceptions");
	for_each_online_cpu(cpu)
		errors += cpu_of(irq_count[VEC_ERROR], cpu);
	seq_printf(s, "ERR: %10lu\n", errors);
}
