/* SPDX-License-Identifier: BSD-2-Clause */
/* /sys/kernel/mm/transparent_hugepage: who gets large pages, and how large they are. */
#include "fs/sysfs/sysfs.h"

#include "arch/x86_64/asm/layout.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/space.h"

/* In the order in which they are shown. */
static const struct {
	const char *name;
	int policy;
} choices[] = {{"always", THP_ALWAYS}, {"madvise", THP_MADVISE}, {"never", THP_NEVER}};

static int
enabled_show(struct seq *s, u64 *pos)
{
	int policy = READ_ONCE(thp_policy);

	if ((*pos)++ > 0)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++)
		seq_printf(s, "%s%s%s%s", i ? " " : "", choices[i].policy == policy ? "[" : "",
			   choices[i].name, choices[i].policy == policy ? "]" : "");
	seq_putc(s, '\n');
	return 0;
}

static s64
enabled_write(struct file *f, void *data, char *text, size_t n)
{
	if (n && text[n - 1] == '\n')
		text[n - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		if (strcmp(text, choices[i].name) == 0) {
			WRITE_ONCE(thp_policy, choices[i].policy);
			return (s64)n;
		}
	}
	return -EINVAL;
}

static int
show_size(struct seq *s, unsigned long arg)
{
	seq_printf(s, "%lu\n", LARGE_SIZE);
	return 0;
}

static const struct seq_source enabled_source = {.show = enabled_show, .write = enabled_write};
static const struct sysfs_attr size_attr = {"hpage_pmd_size", show_size};

int
sysfs_fill_mm(struct dentry *root)
{
	struct pseudo_entry enabled = {
		.name = "enabled", .mode = S_IFREG | 0644, .source = &enabled_source};
	struct dentry *d = sysfs_dir(root, "kernel/mm/transparent_hugepage"), *file;

	if (is_err(d))
		return (int)ptr_err(d);
	file = pseudo_add(d, &enabled);
	return is_err(file) ? (int)ptr_err(file) : sysfs_file(d, &size_attr, 0);
}
