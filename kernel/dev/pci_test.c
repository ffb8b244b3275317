/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI against QEMU's teaching device (edu: 1234:11e8), where the machine has
 * one: registers through a BAR, and MSI on each CPU.
 */
#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/insn.h"
#include "kernel/dev/pci.h"
#include "lib/test.h"
#include "percpu/cpumask.h"
#include "percpu/percpu.h"
#include "sync/test_port.h"

#define EDU_IDENT 0x00
#define EDU_LIVENESS 0x04
#define EDU_IRQ_STATUS 0x24
#define EDU_IRQ_RAISE 0x60
#define EDU_IRQ_ACK 0x64

struct edu {
	char *regs;
	/* a  interrupts, and CPU of the last one plus 1 */
	u32 count;
	u32 cpu;
};

static void
edu_irq(void *arg)
{
	struct edu *e = arg;
	u32 status = mmio_read32(e->regs + EDU_IRQ_STATUS);

	mmio_write32(e->regs + EDU_IRQ_ACK, status);
	e->cpu = cpu_id() + 1;
	atomic_inc(&e->count);
}

TEST(pci_host_bridge_is_there)
{
	struct pci_dev *d;
	unsigned int bridges = 0;

	for_each_pci_dev(d)
		bridges += d->class == 6 && d->subclass == 0;
	EXPECT_GE(bridges, 1u);
}

TEST(pci_msi_on_every_cpu)
{
	struct pci_dev *d = pci_find(0x1234, 0x11e8);
	struct edu e = {0};
	unsigned int cpu;
	int wait;

	if (!d)
		TEST_SKIP("no edu device");
	pci_enable(d);
	e.regs = (char __force *)pci_map_bar(d, 0);
	ASSERT_TRUE(e.regs != NULL);
	EXPECT_EQ(mmio_read32(e.regs + EDU_IDENT) & 0xff, 0xedu);
	mmio_write32(e.regs + EDU_LIVENESS, 0x12345678);
	EXPECT_EQ(mmio_read32(e.regs + EDU_LIVENESS), ~0x12345678u);
	for_each_online_cpu(cpu) {
		ASSERT_EQ(pci_irq(d, 0, cpu, edu_irq, &e), 0);
		atomic_set(&e.count, 0);
		mmio_write32(e.regs + EDU_IRQ_RAISE, 1);
		for (wait = 0; wait < 1000 && !atomic_read(&e.count); wait++)
			test_sleep(1000000);
		EXPECT_EQ(atomic_read(&e.count), 1u);
		EXPECT_EQ(e.cpu, cpu + 1);
		pci_irq_free(d, 0, cpu);
	}
}
