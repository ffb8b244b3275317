/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What we use of QEMU's interface for TCG plugins, version 1 (QEMU 4.2 to 8.x). QEMU
 * exports the functions; its own header is not packaged by Debian.
 */
#ifndef TOOLS_CONFLICTS_QEMU_PLUGIN_H
#define TOOLS_CONFLICTS_QEMU_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QEMU_PLUGIN_EXPORT __attribute__((visibility("default")))
#define QEMU_PLUGIN_INTERFACE 1

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;

/* Passed by QEMU; only the first field, the target's name, is read. */
struct qemu_plugin_info {
	const char *target;
};

/* Whether a callback looks at registers: no version 1 plugin can. */
enum qemu_plugin_registers { QEMU_PLUGIN_NO_REGISTERS };
enum qemu_plugin_access { QEMU_PLUGIN_READ = 1, QEMU_PLUGIN_WRITE, QEMU_PLUGIN_READ_WRITE };

/* Defined by the plugin. */
extern QEMU_PLUGIN_EXPORT int qemu_plugin_version;
/* 0, or not: QEMU refuses to start. */
QEMU_PLUGIN_EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_plugin_info *info,
					   int argc, char **argv);

/* What the rest of this file declares is defined by QEMU. */
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_atexit_cb(uint64_t id, void (*cb)(uint64_t id, void *data), void *data);

/* Within the callback of a translation: its instructions, and what shall happen at one. */
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  void (*cb)(unsigned int cpu, void *data),
					  enum qemu_plugin_registers registers, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int cpu, void *data),
					    enum qemu_plugin_registers registers, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      void (*cb)(unsigned int cpu, uint32_t info, uint64_t vaddr,
						 void *data),
				      enum qemu_plugin_registers registers,
				      enum qemu_plugin_access access, void *data);

/* Within the callback of an access. */
unsigned int qemu_plugin_mem_size_shift(uint32_t info);
bool qemu_plugin_mem_is_store(uint32_t info);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(uint32_t info, uint64_t vaddr);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *hw);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *hw);

int qemu_plugin_n_max_vcpus(void);

#endif
