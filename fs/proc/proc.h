/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of procfs and how they register files at its root. */
#ifndef FS_PROC_PROC_H
#define FS_PROC_PROC_H

#include "fs/pseudo.h"
#include "lib/section.h"

/*
 * A file of /proc whose text one function makes: REGISTER(proc_entries) static
 * const struct proc_entry x = {"name", mode, show}; a name may contain one
 * slash (tessera/syscalls).
 */
struct proc_entry {
	const char *name;
	u32 mode;
	/* The whole text; 0 or -Exxx. May sleep, may be called again. */
	int (*show)(struct seq *s);
};
DECLARE_REGISTRY(proc_entries, const struct proc_entry);

#define PROC_FILE(id, pname, pmode, fn)                                                            \
	REGISTER(proc_entries)                                                                     \
	static const struct proc_entry proc_entry_##id = {(pname), (pmode), (fn)}

/* sysctl.c: the folder sys. */
void proc_add_sysctls(struct dentry *root);

/* tables.c: the file kmsg. kallsyms.c: kallsyms. 0 or -Exxx. */
int proc_add_kmsg(struct dentry *root);
int proc_add_kallsyms(struct dentry *root);
/* lock_stat.c, in debug kernels. 0 or -Exxx. */
int proc_add_lock_stat(struct dentry *root);
/* trigger.c: sysrq-trigger and, once the other files are there, tessera/provoke. 0 or -Exxx. */
int proc_add_triggers(struct dentry *root);

/* A sink (lib/sink.h) that appends to a seq, for texts that mm/ makes. */
struct sink;
struct sink seq_sink(struct seq *s);

#endif
