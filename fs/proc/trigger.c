/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of /proc that root writes to: sysrq-trigger, and tessera/provoke in debug kernels. */
#include "fs/proc/proc.h"
#include "kernel/iter.h"
#include "kernel/sysrq.h"
#include "lib/string.h"

static s64
sysrq_write(struct file *f, struct iter *from, u64 *pos)
{
	size_t n = iter_left(from);
	char key;

	if (n == 0)
		return 0;
	if (iter_copy_from(&key, from, 1) != 1)
		return -EFAULT;
	sysrq_handle(key);
	return (s64)n;
}

static s64
provoke_write(struct file *f, struct iter *from, u64 *pos)
{
	char what[32];
	size_t n = iter_left(from);
	int err;

	if (n >= sizeof(what))
		return -EINVAL;
	if (iter_copy_from(what, from, n) != n)
		return -EFAULT;
	what[n] = '\0';
	what[strcspn(what, "\n")] = '\0';
	err = provoke(what);
	return err ? err : (s64)n;
}

static const struct file_ops sysrq_fops = {.name = "sysrq-trigger", .write = sysrq_write};
static const struct file_ops provoke_fops = {.name = "provoke", .write = provoke_write};

int
proc_add_triggers(struct dentry *root)
{
	struct pseudo_entry sysrq = {
		.name = "sysrq-trigger", .mode = S_IFREG | 0200, .fops = &sysrq_fops};
	struct pseudo_entry fault = {
		.name = "provoke", .mode = S_IFREG | 0200, .fops = &provoke_fops};
	struct dentry *d = pseudo_add(root, &sysrq);

	if (!is_err(d) && CONFIG_DEBUG) {
		d = dentry_find(root, "tessera", strlen("tessera"));
		d = is_err_or_null(d) ? d : pseudo_add(d, &fault);
	}
	return is_err(d) ? (int)ptr_err(d) : 0;
}
