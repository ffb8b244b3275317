/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /dev/kmsg: a record of the kernel's log a read, a record a write.
 *
 * A record is "PRIORITY,NUMBER,MICROSECONDS,FLAGS;TEXT\n"; bytes of the text that
 * are not printable ASCII are \xNN. A reader that was overtaken by the ring gets
 * -EPIPE once and goes on with the oldest record that is left.
 */
#include "kernel/file.h"

#include "kernel/dev/klog.h"
#include "kernel/handle/handle.h"
#include "kernel/init.h"
#include "kernel/log_impl.h"
#include "kernel/port_fs.h"
#include "kernel/time/clock.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "mm/slab.h"

#define FACILITY_USER 1u
#define LEVEL_DEFAULT 4u
/* Each byte of the text may become four. */
#define LINE_MAX_ESCAPED (4 * LOG_LINE_MAX + 80)

struct kmsg_reader {
	struct mutex lock;
	/* (lock)  all below */
	u64 seq;
	struct log_record rec;
	char line[LINE_MAX_ESCAPED];
};

static LOCK_CLASS(kmsg_class, RANK_TTY);

static size_t
format(struct kmsg_reader *k)
{
	const struct log_record *r = &k->rec;
	struct fmt_out out = {.buf = k->line, .size = sizeof(k->line)};
	unsigned int i;

	fmt_printf(&out, "%u,%lu,%lu,-;", r->prio, r->seq, r->time / NSEC_PER_USEC);
	for (i = 0; i < r->len; i++) {
		u8 c = (u8)r->text[i];

		if (c < ' ' || c >= 127 || c == '\\')
			fmt_printf(&out, "\\x%02x", c);
		else
			fmt_putc(&out, (char)c);
	}
	fmt_putc(&out, '\n');
	return out.len;
}

static bool
there(struct kmsg_reader *k)
{
	return READ_ONCE(k->seq) < log_next_seq();
}

/* The next record; caller holds k->lock. */
static s64
read_locked(struct kmsg_reader *k, struct iter *to, bool nonblock)
{
	bool overtaken;
	size_t n;
	int err;

	while (!log_read(k->seq, &k->rec)) {
		if (nonblock)
			return -EAGAIN;
		err = wait_event_interruptible(&log_wait, there(k));
		if (err)
			return err;
	}
	overtaken = k->rec.seq != k->seq;
	WRITE_ONCE(k->seq, k->rec.seq);
	if (overtaken)
		return -EPIPE;
	WRITE_ONCE(k->seq, k->rec.seq + 1);
	n = format(k);
	if (n > iter_left(to))
		return -EINVAL;
	return iter_copy_to(to, k->line, n) == n ? (s64)n : -EFAULT;
}

static s64
kmsg_read(struct file *f, struct iter *to, u64 *pos)
{
	struct kmsg_reader *k = f->private;
	s64 ret;

	ret = mutex_lock_interruptible(&k->lock);
	if (ret)
		return ret;
	ret = read_locked(k, to, file_nonblock(f));
	mutex_unlock(&k->lock);
	return ret;
}

/* "<N>" in front: level in the low three bits, facility above. The rest is the text. */
static const char *
parse_priority(const char *s, u16 *prio)
{
	const char *p = s + 1;
	u64 v;

	*prio = FACILITY_USER << 3 | LEVEL_DEFAULT;
	if (*s != '<' || parse_u64_prefix(&p, 10, &v) || *p != '>')
		return s;
	*prio = (u16)((v & 7) | ((v >> 3 & 0x1fff ? v >> 3 & 0x1fff : FACILITY_USER) << 3));
	return p + 1;
}

static s64
kmsg_write(struct file *f, struct iter *from, u64 *pos)
{
	size_t n = iter_left(from), len;
	const char *text;
	char *buf;
	u16 prio;

	if (n > LOG_LINE_MAX)
		return -EINVAL;
	buf = kmalloc(n + 1, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	if (iter_copy_from(buf, from, n) != n) {
		kfree(buf);
		return -EFAULT;
	}
	buf[n] = '\0';
	text = parse_priority(buf, &prio);
	len = n - (size_t)(text - buf);
	if (len && text[len - 1] == '\n')
		len--;
	log_store_user(prio, text, len);
	kfree(buf);
	return (s64)n;
}

static s64
kmsg_seek(struct file *f, s64 offset, int whence)
{
	struct kmsg_reader *k = f->private;
	u64 seq;

	if (!k)
		return -EBADF;
	if (offset)
		return -ESPIPE;
	switch (whence) {
	case 0:
		seq = log_first_seq();
		break;
	case 2:
		seq = log_next_seq();
		break;
	case 3:
		/* SEEK_DATA: behind the last clearing. */
		seq = klog_clear_seq();
		break;
	default:
		return -EINVAL;
	}
	mutex_lock(&k->lock);
	WRITE_ONCE(k->seq, seq);
	mutex_unlock(&k->lock);
	return 0;
}

static u32
kmsg_poll(struct file *f, struct poll_table *pt)
{
	struct kmsg_reader *k = f->private;
	u32 ev = 0;

	if (!k)
		return POLLERR | POLLNVAL;
	poll_wait(f, &log_wait, pt);
	if (there(k))
		ev |= POLLIN | POLLRDNORM;
	if (READ_ONCE(k->seq) < log_first_seq())
		ev |= POLLERR | POLLPRI;
	return ev;
}

static int
kmsg_open(struct file *f, u32 major, u32 minor, void *arg)
{
	struct kmsg_reader *k;
	int err;

	f->private = NULL;
	if (!(f->mode & FMODE_READ))
		return 0;
	err = klog_permission(KLOG_READ_ALL);
	if (err)
		return err;
	k = kmalloc(sizeof(*k), GFP_KERNEL);
	if (!k)
		return -ENOMEM;
	mutex_init(&k->lock, &kmsg_class);
	k->seq = log_first_seq();
	f->private = k;
	return 0;
}

static void
kmsg_release(struct file *f)
{
	kfree(f->private);
}

static const struct file_ops kmsg_ops = {
	.name = "kmsg",
	.read = kmsg_read,
	.write = kmsg_write,
	.seek = kmsg_seek,
	.poll = kmsg_poll,
	.release = kmsg_release,
};

static int
kmsg_init(void)
{
	static const struct dev_desc d = {
		.name = "kmsg",
		.mode = 0644,
		.major = 1,
		.minor = 11,
		.ops = &kmsg_ops,
		.open = kmsg_open,
	};

	return dev_register_desc(&d);
}
INITCALL(INIT_DRIVER, kmsg_init);
