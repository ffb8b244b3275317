/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/kallsyms: the kernel's symbols. Where they lie is for those who had
 * CAP_SYSLOG as they opened it, and by kptr_restrict for nobody; others see zeros.
 */
#include "fs/proc/proc.h"
#include "kernel/cred.h"
#include "kernel/symbols.h"
#include "kernel/sysctl.h"
#include "kernel/uapi/capability.h"

/* 0, 1: as above. 2: nobody. (There are no performance counters that ask for less.) */
static u32 kptr_restrict;
SYSCTL_U32(kptr_restrict, "kernel/kptr_restrict", &kptr_restrict, 0, 2);

/* private of the handle: not NULL, addresses are shown. */
static int
show_symbol(struct seq *s, u64 *pos)
{
	struct symbol sym;

	if (!symbol_at(*pos, &sym))
		return 1;
	seq_printf(s, "%016lx %c %s\n", s->private ? sym.address : 0UL, sym.kind, sym.name);
	++*pos;
	return 0;
}

static const struct seq_source symbols_source = {.show = show_symbol};

static int
kallsyms_open(struct inode *i, struct file *f)
{
	bool see = READ_ONCE(kptr_restrict) < 2 && capable(CAP_SYSLOG);

	return seqfile_open(f, &symbols_source, see ? (void *)&symbols_source : NULL);
}

static const struct inode_ops kallsyms_ops = {.open = kallsyms_open};

int
proc_add_kallsyms(struct dentry *root)
{
	struct pseudo_entry e = {.name = "kallsyms", .mode = S_IFREG | 0444, .ops = &kallsyms_ops};
	struct dentry *d = pseudo_add(root, &e);

	return is_err(d) ? (int)ptr_err(d) : 0;
}
