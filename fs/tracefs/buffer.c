/* SPDX-License-Identifier: BSD-2-Clause */
/* tracefs: the rings' sizes and switches, trace and trace_marker, the folders of the CPUs. */
#include "fs/attr.h"
#include "fs/tracefs/pipe.h"
#include "fs/tracefs/tracefs.h"
#include "kernel/iter.h"
#include "kernel/time/clock.h"
#include "kernel/trace/trace.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "percpu/cpumask.h"

/* --- trace: all there is, which stays; arg: CPU --- */

/* ->private of a handle. A record that did not fit is asked for again. */
struct walk {
	struct trace_reader *reader;
	unsigned int cpu;
	/* the record that is shown for `number` */
	u64 number;
	const struct trace_record *rec;
	unsigned int rec_cpu;
	u64 lost;
};

static int
walk_show(struct seq *s, u64 *pos)
{
	struct walk *w = s->private;

	if (*pos == 0) {
		trace_reader_rewind(w->reader);
		w->number = 0;
		trace_show_head(s, w->cpu);
		*pos = 1;
		return 0;
	}
	if (*pos != w->number) {
		w->number = *pos;
		w->rec = trace_reader_next(w->reader, &w->rec_cpu, &w->lost);
	}
	if (!w->rec)
		return 1;
	trace_show_record(s, w->rec_cpu, w->rec, w->lost);
	++*pos;
	return 0;
}

static void
walk_release(struct file *f, void *data)
{
	struct walk *w = data;

	trace_reader_free(w->reader);
	kfree(w);
}

/* The text does not matter: opening it emptied the ring. */
static s64
walk_write(struct file *f, void *data, char *text, size_t n)
{
	return (s64)n;
}

static const struct seq_source walk_source = {
	.show = walk_show, .write = walk_write, .release = walk_release};

static int
walk_open(struct inode *i, struct file *f)
{
	unsigned int cpu = (unsigned int)(unsigned long)i->private;
	struct walk *w = kzalloc(sizeof(*w), GFP_KERNEL);
	int err;

	if (!w)
		return -ENOMEM;
	w->cpu = cpu;
	w->reader = trace_reader_alloc(cpu, false);
	err = w->reader ? seqfile_open(f, &walk_source, w) : -ENOMEM;
	if (err) {
		trace_reader_free(w->reader);
		kfree(w);
	}
	return err;
}

/* O_TRUNC empties the ring. */
static int
walk_setattr(struct dentry *d, struct iattr *a)
{
	if (a->valid & ATTR_OPEN)
		trace_clear((unsigned int)(unsigned long)d->inode->private);
	return pseudo_file_ops.setattr(d, a);
}

static const struct inode_ops walk_ops = {.open = walk_open, .setattr = walk_setattr};

/* --- trace_marker --- */

static s64
marker_write(struct file *f, struct iter *from, u64 *pos)
{
	char text[TRACE_TEXT_MAX];
	size_t n = min(iter_left(from), sizeof(text) - 1), len;
	int err;

	if (iter_copy_from(text, from, n) != n)
		return -EFAULT;
	text[n] = '\0';
	len = n;
	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	err = trace_mark(text);
	return err ? err : (s64)n;
}

static const struct file_ops marker_fops = {.name = "trace_marker", .write = marker_write};

static int
marker_open(struct inode *i, struct file *f)
{
	f->ops = &marker_fops;
	return 0;
}

static int
marker_setattr(struct dentry *d, struct iattr *a)
{
	return pseudo_file_ops.setattr(d, a);
}

static const struct inode_ops marker_ops = {.open = marker_open, .setattr = marker_setattr};

/* --- switches and sizes --- */

static int
show_on(struct seq *s, unsigned long arg)
{
	seq_printf(s, "%u\n", READ_ONCE(trace_recording));
	return 0;
}

static int
store_on(char *text, unsigned long arg)
{
	u32 on;
	int err = parse_u32(text, 10, &on);

	if (!err)
		WRITE_ONCE(trace_recording, on != 0);
	return err;
}

static int
show_tracers(struct seq *s, unsigned long arg)
{
	seq_puts(s, "nop\n");
	return 0;
}

static int
store_tracer(char *text, unsigned long arg)
{
	return strcmp(text, "nop") ? -EINVAL : 0;
}

static int
show_clock(struct seq *s, unsigned long arg)
{
	seq_puts(s, "[mono]\n");
	return 0;
}

static int
store_clock(char *text, unsigned long arg)
{
	return strcmp(text, "mono") ? -EINVAL : 0;
}

static int
show_size(struct seq *s, unsigned long cpu)
{
	unsigned long kb = trace_size_kb(cpu == TRACE_ALL_CPUS ? 0 : (unsigned int)cpu);
	unsigned int c;

	if (!trace_expanded()) {
		seq_printf(s, "0 (expanded: %lu)\n", kb);
		return 0;
	}
	if (cpu == TRACE_ALL_CPUS) {
		for_each_online_cpu(c) {
			if (trace_size_kb(c) != kb) {
				seq_puts(s, "X\n");
				return 0;
			}
		}
	}
	seq_printf(s, "%lu\n", kb);
	return 0;
}

static int
store_size(char *text, unsigned long cpu)
{
	u64 kb;
	int err = parse_u64(text, 10, &kb);

	return err ? err : trace_resize((unsigned int)cpu, kb);
}

static int
show_total(struct seq *s, unsigned long arg)
{
	unsigned long sum = 0;
	unsigned int cpu;

	for_each_online_cpu(cpu)
		sum += trace_size_kb(cpu);
	if (trace_expanded())
		seq_printf(s, "%lu\n", sum);
	else
		seq_printf(s, "0 (expanded: %lu)\n", sum);
	return 0;
}

static void
show_time(struct seq *s, const char *name, u64 ns)
{
	seq_printf(s, "%s: %5lu.%06lu\n", name, ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / 1000);
}

static int
show_stats(struct seq *s, unsigned long cpu)
{
	struct trace_ring_stats st;

	trace_stats((unsigned int)cpu, &st);
	seq_printf(s, "entries: %lu\noverrun: %lu\ncommit overrun: 0\nbytes: %lu\n",
		   st.written - st.taken - st.overrun, st.overrun, st.bytes);
	show_time(s, "oldest event ts", st.oldest);
	show_time(s, "now ts", ktime_get());
	seq_printf(s, "dropped events: %lu\nread events: %lu\n", st.dropped, st.taken);
	return 0;
}

static const struct trace_file root_files[] = {
	{"available_tracers", 0440, show_tracers, NULL, NULL},
	{"current_tracer", 0640, show_tracers, store_tracer, NULL},
	{"trace_clock", 0640, show_clock, store_clock, NULL},
	{"tracing_on", 0640, show_on, store_on, NULL},
	{"buffer_total_size_kb", 0440, show_total, NULL, NULL},
};

/* In the root for all CPUs together, and in each CPU's folder. */
static const struct trace_file size_file[] = {
	{"buffer_size_kb", 0640, show_size, store_size, NULL},
};
static const struct trace_file stats_file[] = {
	{"stats", 0440, show_stats, NULL, NULL},
};

static int
fill_for(struct dentry *dir, unsigned int cpu)
{
	int err = tracefs_add(dir, size_file, ARRAY_SIZE(size_file), cpu);

	if (!err)
		err = tracefs_add_special(dir, "trace", 0640, &walk_ops, cpu);
	if (!err)
		err = tracefs_add_special(dir, "trace_pipe", 0440, &trace_pipe_ops, cpu);
	return err;
}

int
tracefs_fill_buffer(struct dentry *root)
{
	struct dentry *cpus = tracefs_mkdir(root, "per_cpu"), *dir;
	int err = tracefs_add(root, root_files, ARRAY_SIZE(root_files), 0);
	unsigned int cpu;
	char name[16];

	if (is_err(cpus))
		return (int)ptr_err(cpus);
	if (!err)
		err = fill_for(root, TRACE_ALL_CPUS);
	if (!err)
		err = tracefs_add_special(root, "trace_marker", 0222, &marker_ops, 0);
	for (cpu = 0; cpu < nr_cpus && !err; cpu++) {
		scnprintf(name, sizeof(name), "cpu%u", cpu);
		dir = tracefs_mkdir(cpus, name);
		if (is_err(dir))
			return (int)ptr_err(dir);
		err = fill_for(dir, cpu);
		if (!err)
			err = tracefs_add(dir, stats_file, ARRAY_SIZE(stats_file), cpu);
	}
	return err;
}
