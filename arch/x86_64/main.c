/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order in which the kernel comes up.
 *
 * x86_start() runs on the boot stack with interrupts off: memory, tables,
 * clocks, scheduler. It ends as the boot CPU's idle task. init_main() is task 1:
 * starts the other CPUs, runs the registered initialisation, unpacks the
 * initramfs and becomes /init.
 */
#include "arch/x86_64/acpi.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/asm/irqflags.h"
#include "arch/x86_64/bootinfo.h"
#include "arch/x86_64/clock.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/early_serial.h"
#include "fs/init.h"
#include "kernel/console.h"
#include "kernel/init.h"
#include "kernel/log.h"
#include "kernel/ports.h"
#include "kernel/sched/sched.h"
#include "kernel/task/task.h"
#include "kernel/test_run.h"
#include "kernel/version.h"
#include "lib/errno.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/kmap.h"
#include "mm/memblock.h"
#include "mm/percpu_mem.h"
#include "mm/space.h"
#include "mm/vmalloc.h"
#include "percpu/cpumask.h"
#include "percpu/ref.h"
#include "sync/kcsan.h"
#include "sync/rcu.h"

void x86_start(u32 magic, u32 info);

static u64 mem_limit = U64_MAX;
static u32 max_cpus = CONFIG_MAX_CPUS, start_cpus = CONFIG_MAX_CPUS;

static int
param_mem(const char *v)
{
	return v ? parse_size(v, &mem_limit) : -EINVAL;
}
PARAM("mem", param_mem);

static int
param_cpus(const char *v)
{
	u32 n;

	if (!v || parse_u32(v, 0, &n))
		return -EINVAL;
	max_cpus = clamp(n, 1u, (u32)CONFIG_MAX_CPUS);
	return 0;
}
PARAM("nr_cpus", param_cpus);

/* The rest can be started later; 0 means one. */
static int
param_maxcpus(const char *v)
{
	u32 n;

	if (!v || parse_u32(v, 0, &n))
		return -EINVAL;
	start_cpus = max(n, 1u);
	return 0;
}
PARAM("maxcpus", param_maxcpus);

/* For a loader that cannot say it: where the RSDP lies. */
static int
param_acpi_rsdp(const char *v)
{
	u64 pa;

	if (!v || parse_u64(v, 0, &pa))
		return -EINVAL;
	boot_info.rsdp = pa;
	return 0;
}
PARAM("acpi_rsdp", param_acpi_rsdp);

/* mem= may have cut off where the loader put the initrd: copies it to what is left. */
static void
initrd_move(void)
{
	struct boot_info *b = &boot_info;
	void *to;

	if (!b->initrd_size || b->initrd + b->initrd_size <= mem_limit)
		return;
	to = memblock_alloc(b->initrd_size, PAGE_SIZE);
	memcpy(to, phys_to_virt(b->initrd), b->initrd_size);
	b->initrd = virt_to_phys(to);
}

static void
memory_setup(void)
{
	const struct boot_info *b = &boot_info;
	u32 i;

	for (i = 0; i < b->nr_memmap; i++)
		if (b->memmap[i].type == MEM_RAM)
			memblock_add_ram(b->memmap[i].start,
					 b->memmap[i].start + b->memmap[i].size);
	/* Real-mode vectors, the BIOS's data and the trampoline; then ROMs. */
	memblock_reserve(0, 0x10000);
	memblock_reserve(0x9f000, 0x100000);
	memblock_reserve(KERNEL_PHYS_START, virt_to_phys(__kernel_end));
	if (b->initrd_size)
		memblock_reserve(b->initrd, b->initrd + b->initrd_size);
	if (mem_limit != U64_MAX) {
		memblock_limit(mem_limit);
		initrd_move();
	}
	log_info("memory: %lu MiB by %s", memblock_ram_bytes() >> 20, b->loader);
}

static void
initrd_unpack(void)
{
	phys_t start = boot_info.initrd;
	u64 size = boot_info.initrd_size;

	if (size == 0)
		return;
	initramfs_unpack(phys_to_virt(start), size);
	mm_free_reserved(start, start + size);
}

/* Task 1 until it becomes /init. */
static int
init_main(void *arg)
{
	smp_start_cpus(start_cpus);
	kernel_ports_init();
	initcalls_run();
	kcsan_start();
	if (CONFIG_TESTS)
		test_run_requested();
	initrd_unpack();
	mm_free_reserved(virt_to_phys(__init_start), virt_to_phys(__init_end));
	kernel_init_user();
	return 0;
}

static void
machine_setup(void)
{
	cpu_detect();
	idt_init();
	cpu_init_oncpu(0);
	memory_setup();
	acpi_init(boot_info.rsdp, max_cpus);
	kmap_init();
	mm_init();
	percpu_areas_init();
	space_init();
	fpu_init();
	pic_init();
	apic_init(acpi_info.lapic);
	ioapic_init();
	clock_init();
}

/* What does the loader's data occupy? PVH and Multiboot2 put it in RAM below 4 GiB. */
void
x86_start(u32 magic, u32 info)
{
	struct task *init;

	percpu_early_init();
	early_serial_init();
	boot_parse(magic, info);
	params_parse(boot_info.cmdline);
	consoles_choose();
	log_notice("Tessera %s %s", kernel_release, kernel_version);
	log_info("command line: %s", boot_info.cmdline);
	if (boot_info.cmdline_cut)
		log_err("command line: longer than %d bytes, cut", BOOT_CMDLINE_MAX - 1);
	machine_setup();
	rcu_init();
	task_init();
	sched_init();
	cpumask_set_atomic(&cpu_online_mask, 0);
	cpumask_set_atomic(&cpu_active_mask, 0);
	/* Before the first timer can fire: references are put from here on. */
	ref_cache_init();
	init = task_create_init(init_main, NULL);
	if (is_err(init))
		panic("no memory for init");
	irq_enable();
	sched_idle_loop();
}
