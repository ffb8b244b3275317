/* SPDX-License-Identifier: BSD-2-Clause */
/* What /proc/PID reads out of the memory of a process: cmdline, environ, auxv, mem. */
#include "fs/proc/pid.h"

#include "fs/generic.h"
#include "kernel/iter.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/space.h"

/* One page of [start, end) at *pos; 1 behind the end. The text goes to s. */
static int
copy_record(struct seq *s, struct space *space, unsigned long start, unsigned long end, u64 *pos)
{
	unsigned long at = start + *pos;
	size_t n, got;
	char *buf;

	if (at >= end || at < start)
		return 1;
	n = min(end - at, PAGE_SIZE);
	buf = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	got = space_peek(space, at, buf, n);
	seq_write(s, buf, got);
	kfree(buf);
	*pos = got < n ? end - start : *pos + got;
	return 0;
}

/*
 * A program that has written over the NUL behind its arguments may use the room
 * of the environment too, if that begins there: the text is what stands up to
 * the first NUL, which is shown if it lies in the same page.
 */
static int
copy_title(struct seq *s, struct space *space, const struct space_layout *l, u64 *pos)
{
	unsigned long end = l->env_start == l->arg_end ? max(l->env_end, l->arg_end) : l->arg_end;
	size_t got, len;
	char *buf;

	if (*pos)
		return 1;
	buf = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	got = space_peek(space, l->arg_start, buf, PAGE_SIZE);
	len = strnlen(buf, got);
	len += len < got;
	seq_write(s, buf, min(len, end - l->arg_start));
	kfree(buf);
	*pos = 1;
	return 0;
}

static int
show_arguments(struct seq *s, struct space *space, u64 *pos)
{
	const struct space_layout *l = space_layout(space);
	char last = 0;

	if (!l->env_end || l->arg_end <= l->arg_start)
		return 1;
	if (space_peek(space, l->arg_end - 1, &last, 1) == 1 && last)
		return copy_title(s, space, l, pos);
	return copy_record(s, space, l->arg_start, l->arg_end, pos);
}

int
pid_show_cmdline(struct seq *s, struct task *t, u64 *pos)
{
	struct space *space = task_get_space(t);
	int r;

	if (!space)
		return 1;
	r = show_arguments(s, space, pos);
	space_put_user(space);
	return r;
}

int
pid_show_environ(struct seq *s, struct space *space, u64 *pos)
{
	const struct space_layout *l = space_layout(space);

	return l->env_end ? copy_record(s, space, l->env_start, l->env_end, pos) : 1;
}

int
pid_show_auxv(struct seq *s, struct space *space, u64 *pos)
{
	const struct space_layout *l = space_layout(space);

	if ((*pos)++)
		return 1;
	seq_write(s, l->auxv, min(l->auxv_n, (u32)ARRAY_SIZE(l->auxv)) * sizeof(l->auxv[0]));
	return 0;
}

/* --- mem --- */

/* Rights are looked at once, as for every file; the space is that of the open. */
int
pid_open_mem(struct file *f, struct task *t)
{
	f->private = pid_space_ref(t);
	return 0;
}

static void
mem_release(struct file *f)
{
	if (f->private)
		space_put(f->private);
}

/* Moves bytes until one side ends; what was moved, or -Exxx if nothing was. */
static s64
mem_move(struct space *space, struct iter *it, u64 *pos, bool write)
{
	char *buf = kmalloc(PAGE_SIZE, GFP_KERNEL);
	s64 done = 0, err = 0;

	if (!buf)
		return -ENOMEM;
	while (iter_left(it) && !err) {
		size_t n = min(iter_left(it), PAGE_SIZE), got;

		if (write) {
			got = iter_copy_from(buf, it, n);
			err = got ? 0 : -EFAULT;
			n = got;
		}
		/* As a debugger does: what the program may not write is copied for it. */
		got = n ? space_access_force(space, *pos, buf, n, write) : 0;
		if (!err && !got)
			err = -EIO;
		if (!write && got) {
			n = got;
			got = iter_copy_to(it, buf, n);
			err = got < n ? -EFAULT : err;
		}
		done += got;
		*pos += got;
	}
	kfree(buf);
	return done ? done : err;
}

static s64
mem_transfer(struct file *f, struct iter *it, u64 *pos, bool write)
{
	struct space *space = f->private;
	s64 r;

	if (!space || !space_try_get_user(space))
		return 0;
	r = mem_move(space, it, pos, write);
	space_put_user(space);
	return r;
}

static s64
mem_read(struct file *f, struct iter *to, u64 *pos)
{
	return mem_transfer(f, to, pos, false);
}

static s64
mem_write(struct file *f, struct iter *from, u64 *pos)
{
	return mem_transfer(f, from, pos, true);
}

const struct file_ops pid_mem_fops = {
	.name = "mem",
	.read = mem_read,
	.write = mem_write,
	.seek = dcache_seek,
	.release = mem_release,
};
