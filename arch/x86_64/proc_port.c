/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's paragraphs of /proc: CPUs and interrupts. */
#include "fs/proc/port.h"

#include "arch/x86_64/clock.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/irq.h"
#include "kernel/seq.h"
#include "percpu/cpumask.h"
#include "percpu/percpu.h"

DECLARE_PERCPU(u64, irq_count)[256];

/* Names of CPUID feature bits in Linux's spelling; NULL: reserved or not shown. */
/* clang-format off */
static const char *const leaf1_d[32] = {
	"fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic", NULL, "sep", "mtrr",
	"pge", "mca", "cmov", "pat", "pse36", "pn", "clflush", NULL, "dts", "acpi", "mmx", "fxsr",
	"sse", "sse2", "ss", "ht", "tm", "ia64", "pbe",
};
static const char *const ext1_d[32] = {
	[11] = "syscall", [19] = "mp", [20] = "nx", [22] = "mmxext", [25] = "fxsr_opt",
	[26] = "pdpe1gb", [27] = "rdtscp", [29] = "lm", [30] = "3dnowext", [31] = "3dnow",
};
static const char *const leaf1_c[32] = {
	"pni", "pclmulqdq", "dtes64", "monitor", "ds_cpl", "vmx", "smx", "est", "tm2", "ssse3",
	"cid", "sdbg", "fma", "cx16", "xtpr", "pdcm", NULL, "pcid", "dca", "sse4_1", "sse4_2",
	"x2apic", "movbe", "popcnt", "tsc_deadline_timer", "aes", "xsave", NULL, "avx", "f16c",
	"rdrand", "hypervisor",
};
static const char *const ext1_c[32] = {
	"lahf_lm", "cmp_legacy", "svm", "extapic", "cr8_legacy", "abm", "sse4a", "misalignsse",
	"3dnowprefetch", "osvw", "ibs", "xop", "skinit", "wdt", NULL, "lwp", "fma4", "tce", NULL,
	"nodeid_msr", NULL, "tbm", "topoext",
};
static const char *const leaf7_b[32] = {
	"fsgsbase", "tsc_adjust", "sgx", "bmi1", "hle", "avx2", NULL, "smep", "bmi2", "erms",
	"invpcid", "rtm", "cqm", NULL, "mpx", "rdt_a", "avx512f", "avx512dq", "rdseed", "adx",
	"smap", "avx512ifma", NULL, "clflushopt", "clwb", "intel_pt", "avx512pf", "avx512er",
	"avx512cd", "sha_ni", "avx512bw", "avx512vl",
};
static const char *const leaf7_c[32] = {
	"prefetchwt1", "avx512vbmi", "umip", "pku", "ospke", "waitpkg", "avx512_vbmi2", NULL,
	"gfni", "vaes", "vpclmulqdq", "avx512_vnni", "avx512_bitalg", [14] = "avx512_vpopcntdq",
	[16] = "la57", [22] = "rdpid",
};
/* clang-format on */

static void
show_bits(struct seq *s, u32 v, const char *const names[32])
{
	unsigned int i;

	for (i = 0; i < 32; i++)
		if (v & BIT(i) && names[i])
			seq_printf(s, " %s", names[i]);
}

void
arch_show_cpuinfo(struct seq *s, unsigned int cpu)
{
	const struct cpu_features *f = &cpu_features;
	unsigned int cores = cpumask_weight(&cpu_active_mask);
	u64 khz = clock_tsc_khz();

	seq_printf(s, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n", cpu,
		   f->vendor, f->family, f->model);
	seq_printf(s, "model name\t: %s\nstepping\t: %u\ncpu MHz\t\t: %lu.%03lu\n",
		   f->brand[0] ? f->brand : "unknown", f->stepping, khz / 1000, khz % 1000);
	seq_printf(s, "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n", cores,
		   cpu, cores);
	seq_printf(s, "apicid\t\t: %u\ninitial apicid\t: %u\nfpu\t\t: yes\nfpu_exception\t: yes\n",
		   cpu_apic_id[cpu], cpu_apic_id[cpu]);
	seq_printf(s, "cpuid level\t: %u\nwp\t\t: yes\nflags\t\t:", f->max_leaf);
	show_bits(s, f->leaf1_d, leaf1_d);
	show_bits(s, f->ext1_d, ext1_d);
	show_bits(s, f->leaf1_c, leaf1_c);
	show_bits(s, f->ext1_c, ext1_c);
	show_bits(s, f->leaf7_b, leaf7_b);
	show_bits(s, f->leaf7_c, leaf7_c);
	seq_printf(
		s,
		"\nbugs\t\t:\nbogomips\t: %lu.%02lu\nclflush size\t: 64\ncache_alignment\t: 64\n",
		khz / 500, khz / 5 % 100);
	seq_printf(s, "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n",
		   f->phys_bits, f->virt_bits);
}

void
arch_show_interrupts(struct seq *s)
{
	irq_show(s);
}

u64
arch_interrupts_total(void)
{
	unsigned int cpu, v;
	u64 n = 0;

	for_each_possible_cpu(cpu)
		for (v = 32; v < 256; v++)
			n += cpu_of(irq_count[v], cpu);
	return n;
}
