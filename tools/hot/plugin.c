/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin for QEMU's TCG that counts which of the guest's code is executed.
 *
 * Model: the unit is the block, a run of instructions without a jump, as QEMU translates
 * them. Each CPU counts each block by itself; at QEMU's end the sums are written,
 *
 *	block PC INSTRUCTIONS TIMES		PC in hex, of blocks that ran
 *	user INSTRUCTIONS			executed below the kernel's half
 *
 * Counting begins and ends where the guest says so, by a NOP that nobody else uses,
 *
 *	0f 1f 80 disp32		nopl disp32(%rax), disp32 = MARK + 1 (begin) or 0 (end)
 *
 * which needs no privilege and does nothing on hardware.
 *
 * Locking: `lock` around the table of blocks, which translation adds to; a block's counts
 * are written by the CPU that they are of.
 *
 * Usage: -plugin hot.so,out=FILE
 */
#include "../conflicts/qemu_plugin.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK 0x7e55e280u
#define KERNEL_HALF (1UL << 63)
#define BUCKETS 65536u

struct block {
	struct block *next;
	uint64_t pc;
	uint64_t instructions;
	/* Of each CPU. */
	uint64_t times[];
};

QEMU_PLUGIN_EXPORT int qemu_plugin_version = 1;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct block *table[BUCKETS];
/* Instructions of programs; of each CPU, a cache line apart. */
static uint64_t *user;
static volatile int counting;
static const char *out = "hot.txt";
static int cpus;

static struct block *
block_find(uint64_t pc, uint64_t instructions)
{
	struct block **bucket = &table[(pc >> 1) % BUCKETS], *b;

	for (b = *bucket; b; b = b->next)
		if (b->pc == pc && b->instructions == instructions)
			return b;
	b = calloc(1, sizeof(*b) + cpus * sizeof(b->times[0]));
	if (!b)
		abort();
	b->pc = pc;
	b->instructions = instructions;
	b->next = *bucket;
	*bucket = b;
	return b;
}

static void
count(unsigned int cpu, void *data)
{
	struct block *b = data;

	if (!counting)
		return;
	if (b->pc >= KERNEL_HALF)
		b->times[cpu]++;
	else
		user[cpu * 8] += b->instructions;
}

static void
turn(unsigned int cpu, void *data)
{
	counting = data != NULL;
}

static void
translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	struct block *b;

	pthread_mutex_lock(&lock);
	b = block_find(qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0)), n);
	pthread_mutex_unlock(&lock);
	qemu_plugin_register_vcpu_tb_exec_cb(tb, count, QEMU_PLUGIN_NO_REGISTERS, b);
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const unsigned char *code = qemu_plugin_insn_data(insn);
		uint32_t mark;

		if (qemu_plugin_insn_size(insn) != 7 || memcmp(code, "\x0f\x1f\x80", 3))
			continue;
		memcpy(&mark, code + 3, sizeof(mark));
		if ((mark & ~1u) == MARK)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, turn, QEMU_PLUGIN_NO_REGISTERS,
							       mark & 1 ? &lock : NULL);
	}
}

static void
finish(uint64_t id, void *data)
{
	FILE *f = fopen(out, "w");
	uint64_t sum = 0;

	if (!f) {
		perror(out);
		return;
	}
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct block *b = table[i]; b; b = b->next) {
			uint64_t times = 0;

			for (int cpu = 0; cpu < cpus; cpu++)
				times += b->times[cpu];
			if (times)
				fprintf(f, "block %" PRIx64 " %" PRIu64 " %" PRIu64 "\n", b->pc,
					b->instructions, times);
		}
	for (int cpu = 0; cpu < cpus; cpu++)
		sum += user[cpu * 8];
	fprintf(f, "user %" PRIu64 "\n", sum);
	fclose(f);
}

QEMU_PLUGIN_EXPORT int
qemu_plugin_install(uint64_t id, const struct qemu_plugin_info *info, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], "out=", 4))
			out = strdup(argv[i] + 4);
	cpus = qemu_plugin_n_max_vcpus();
	user = calloc((size_t)cpus * 8, sizeof(*user));
	if (!user)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
