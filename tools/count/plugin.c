/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin for QEMU's TCG that counts the guest's instructions: once a second it writes
 * the number that all CPUs have executed in that second.
 *
 * Locking: a CPU's count is written by its own thread only; the clock's thread reads it.
 *
 * Usage: -plugin count.so,out=FILE
 */
#include "tools/conflicts/qemu_plugin.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CPUS_MAX 1024

QEMU_PLUGIN_EXPORT int qemu_plugin_version = 1;

static struct {
	uint64_t n;
	/* A line each. */
	char pad[56];
} counts[CPUS_MAX];
static FILE *out;

static void
block_runs(unsigned int cpu, void *instructions)
{
	if (cpu < CPUS_MAX)
		counts[cpu].n += (uint64_t)(uintptr_t)instructions;
}

static void
block_made(uint64_t id, struct qemu_plugin_tb *tb)
{
	qemu_plugin_register_vcpu_tb_exec_cb(tb, block_runs, QEMU_PLUGIN_NO_REGISTERS,
					     (void *)(uintptr_t)qemu_plugin_tb_n_insns(tb));
}

static uint64_t
sum(void)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < CPUS_MAX; i++)
		n += __atomic_load_n(&counts[i].n, __ATOMIC_RELAXED);
	return n;
}

static void *
clock_main(void *unused)
{
	uint64_t before = 0;

	for (;;) {
		uint64_t now;

		nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
		now = sum();
		fprintf(out, "%" PRIu64 "\n", now - before);
		fflush(out);
		before = now;
	}
	return NULL;
}

QEMU_PLUGIN_EXPORT int
qemu_plugin_install(uint64_t id, const struct qemu_plugin_info *info, int argc, char **argv)
{
	pthread_t thread;

	if (argc != 1 || strncmp(argv[0], "out=", 4) != 0)
		return -1;
	out = fopen(argv[0] + 4, "w");
	if (!out || pthread_create(&thread, NULL, clock_main, NULL))
		return -1;
	pthread_detach(thread);
	qemu_plugin_register_vcpu_tb_trans_cb(id, block_made);
	return 0;
}
