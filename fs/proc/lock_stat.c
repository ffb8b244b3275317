/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/lock_stat: how locks are waited for and held, a line a class, those most
 * often waited for first; times in microseconds. Writing "0" starts over. In debug
 * kernels only, and counted while /proc/sys/kernel/lock_stat is 1.
 *
 * Model: a contention is between CPUs always, hence con-bounces is the number of
 * contentions; on which CPU a lock was held last is not kept: acq-bounces is 0.
 */
#include "sync/lock_stat.h"
#include "fs/proc/proc.h"
#include "kernel/sysctl.h"
#include "lib/sort.h"
#include "lib/string.h"
#include "mm/slab.h"

SYSCTL_U32(lock_stat, "kernel/lock_stat", &lock_stat_on, 0, 1);

#define COLUMNS 12

struct row {
	const struct lock_class *class;
	struct lock_stat stat;
};

static void
show_line(struct seq *s)
{
	for (unsigned int i = 0; i < 41 + COLUMNS * 15; i++)
		seq_putc(s, '-');
	seq_putc(s, '\n');
}

static void
show_head(struct seq *s)
{
	static const char *const names[COLUMNS] = {
		"con-bounces",	  "contentions",  "waittime-min",   "waittime-max",
		"waittime-total", "waittime-avg", "acq-bounces",    "acquisitions",
		"holdtime-min",	  "holdtime-max", "holdtime-total", "holdtime-avg"};

	seq_puts(s, "lock_stat version 0.4\n");
	show_line(s);
	seq_printf(s, "%40s", "class name");
	for (unsigned int i = 0; i < COLUMNS; i++)
		seq_printf(s, " %14s", names[i]);
	seq_putc(s, '\n');
	show_line(s);
	seq_putc(s, '\n');
}

static void
show_us(struct seq *s, u64 ns)
{
	seq_printf(s, " %11lu.%02lu", ns / 1000, ns % 1000 / 10);
}

static void
show_row(struct seq *s, const struct row *r)
{
	const struct lock_stat *t = &r->stat;

	seq_printf(s, "%39s: %14lu %14lu", r->class->name, t->contentions, t->contentions);
	show_us(s, t->wait_min);
	show_us(s, t->wait_max);
	show_us(s, t->wait_total);
	show_us(s, t->contentions ? t->wait_total / t->contentions : 0);
	seq_printf(s, " %14u %14lu", 0u, t->acquisitions);
	show_us(s, t->hold_min);
	show_us(s, t->hold_max);
	show_us(s, t->hold_total);
	show_us(s, t->acquisitions ? t->hold_total / t->acquisitions : 0);
	seq_putc(s, '\n');
}

static int
by_contentions(const void *a, const void *b, void *ctx)
{
	const struct lock_stat *x = &((const struct row *)a)->stat;
	const struct lock_stat *y = &((const struct row *)b)->stat;

	if (x->contentions != y->contentions)
		return x->contentions < y->contentions ? 1 : -1;
	if (x->acquisitions != y->acquisitions)
		return x->acquisitions < y->acquisitions ? 1 : -1;
	return 0;
}

static int
show_all(struct seq *s, u64 *pos)
{
	struct lock_stat st;
	const struct lock_class *class;
	struct row *rows;
	u32 n = 0;

	if (*pos > 0)
		return 1;
	*pos = 1;
	while (lock_stat_read(n, &class, &st))
		n++;
	rows = kvmalloc(n * sizeof(*rows), GFP_KERNEL);
	if (!rows)
		return -ENOMEM;
	for (u32 i = 0; i < n; i++)
		(void)!lock_stat_read(i, &rows[i].class, &rows[i].stat);
	sort(rows, n, sizeof(*rows), by_contentions, NULL);
	show_head(s);
	for (u32 i = 0; i < n; i++)
		if (rows[i].stat.acquisitions || rows[i].stat.contentions)
			show_row(s, &rows[i]);
	kvfree(rows);
	return 0;
}

static s64
write_clear(struct file *f, void *data, char *text, size_t n)
{
	if (text[0] == '0')
		lock_stat_clear();
	return (s64)n;
}

static const struct seq_source lock_stat_source = {.show = show_all, .write = write_clear};

int
proc_add_lock_stat(struct dentry *root)
{
	struct pseudo_entry e = {
		.name = "lock_stat", .mode = S_IFREG | 0600, .source = &lock_stat_source};
	struct dentry *d = pseudo_add(root, &e);

	return is_err(d) ? (int)ptr_err(d) : 0;
}
