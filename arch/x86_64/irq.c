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
};

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

int
irq_isa_request(u8 irq, unsigned int cpu, irq_handler handler, void *arg, const char *name)
{
	bool level, low;
	u32 gsi = ioapic_isa_gsi(irq, &level, &low);
	int vector = irq_vector_alloc(cpu, handler, arg, name), err;

	if (vector < 0)
		return vector;
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

void
irq_show(struct seq *s)
{
	unsigned int cpu;
	char label[8];
	int i;

	seq_printf(s, "%11s", "");
	for_each_online_cpu(cpu)
		seq_printf(s, "CPU%-8u", cpu);
	seq_putc(s, '\n');
	for (i = 0; i < VECTORS; i++)
		for_each_online_cpu(cpu) {
			const char *name = cpu_of(vectors[i], cpu).name;

			if (!name)
				continue;
			label[0] = (char)('0' + i / 100);
			label[1] = (char)('0' + i / 10 % 10);
			label[2] = (char)('0' + i % 10);
			label[3] = '\0';
			show_row(s, VEC_DEVICE_FIRST + i, label, name);
			break;
		}
	show_row(s, VEC_NMI, "NMI", "Non-maskable interrupts");
	show_row(s, VEC_TIMER, "LOC", "Local timer interrupts");
	show_row(s, VEC_RESCHEDULE, "RES", "Rescheduling interrupts");
	show_row(s, VEC_MAILBOX, "CAL", "Mailbox interrupts");
	show_row(s, VEC_SPURIOUS, "SPU", "Spurious interrupts");
}
