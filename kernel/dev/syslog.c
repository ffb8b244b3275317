/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syslog(2): the kernel's log as lines "<PRIORITY>[SECONDS] TEXT\n".
 *
 * Model: `unread` is the place that destructive reading has come to, a record
 * and a byte in its line. `cleared` is where reading all of it begins.
 */
#include "kernel/dev/klog.h"

#include "kernel/console.h"
#include "kernel/cred.h"
#include "kernel/file.h"
#include "kernel/handle/handle.h"
#include "kernel/log.h"
#include "kernel/log_impl.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/capability.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/slab.h"

/* Least level that can be set with action 8, so that a panic still shows. */
#define LEVEL_MIN 1

u32 klog_restricted = 1;

static LOCK_CLASS(klog_class, RANK_TTY);
static struct mutex klog_lock = MUTEX_INIT(klog_lock, klog_class);
/* (klog_lock)  read without it by poll */
static u64 unread;
static size_t unread_offset;
static u64 cleared;
/* (klog_lock)  console_loglevel before it was switched off; -1: it is on */
static int saved_level = -1;

/* Room for a record whose every second byte begins a line would be wasted: lines beyond are cut. */
#define TEXT_MAX (LOG_LINE_MAX + 512)

struct klog_line {
	struct log_record rec;
	char text[TEXT_MAX];
	size_t len;
};

u64
klog_clear_seq(void)
{
	return READ_ONCE(cleared);
}

int
klog_permission(enum klog_action a)
{
	if (!READ_ONCE(klog_restricted) && (a == KLOG_READ_ALL || a == KLOG_SIZE_BUFFER))
		return 0;
	if (capable(CAP_SYSLOG) || capable(CAP_SYS_ADMIN))
		return 0;
	return -EPERM;
}

/* The record as syslog(2) shows it: each of its lines with a prefix. */
static void
format(struct klog_line *l)
{
	const struct log_record *r = &l->rec;
	const char *s = r->text, *end = s + r->len, *nl;
	struct fmt_out out = {.buf = l->text, .size = sizeof(l->text)};

	do {
		nl = memchr(s, '\n', (size_t)(end - s));
		nl = nl ? nl : end;
		fmt_printf(&out, "<%u>[%5lu.%06lu] ", r->prio, r->time / NSEC_PER_SEC,
			   r->time / NSEC_PER_USEC % 1000000);
		fmt_write(&out, s, (size_t)(nl - s));
		fmt_putc(&out, '\n');
		s = nl + 1;
	} while (s < end);
	l->len = min(out.len, sizeof(l->text));
}

static bool
line_read(struct klog_line *l, u64 seq)
{
	if (!log_read(seq, &l->rec))
		return false;
	format(l);
	return true;
}

/* --- each byte once --- */

static bool
line_unread(struct klog_line *l)
{
	if (!line_read(l, unread))
		return false;
	if (l->rec.seq != unread) {
		unread = l->rec.seq;
		unread_offset = 0;
	}
	return true;
}

static s64
read_unread(struct klog_line *l, struct iter *to)
{
	s64 done = 0;

	while (iter_left(to) && line_unread(l)) {
		size_t want = min(l->len - unread_offset, iter_left(to)), n;

		/* Whole lines, unless one alone does not fit. */
		if (done && want < l->len - unread_offset)
			break;
		n = iter_copy_to(to, l->text + unread_offset, want);
		done += (s64)n;
		unread_offset += n;
		if (n < want)
			return done ? done : -EFAULT;
		if (unread_offset == l->len) {
			WRITE_ONCE(unread, unread + 1);
			unread_offset = 0;
		}
	}
	return done;
}

static bool
anything_unread(void)
{
	return READ_ONCE(unread) < log_next_seq();
}

s64
klog_read(struct iter *to, bool nonblock)
{
	struct klog_line *l;
	s64 n = 0;
	int err = 0;

	if (!iter_left(to))
		return 0;
	l = kmalloc(sizeof(*l), GFP_KERNEL);
	if (!l)
		return -ENOMEM;
	while (!n && !err) {
		mutex_lock(&klog_lock);
		n = read_unread(l, to);
		mutex_unlock(&klog_lock);
		if (!n)
			err = nonblock ? -EAGAIN
				       : wait_event_interruptible(&log_wait, anything_unread());
	}
	kfree(l);
	return n ? n : err;
}

u32
klog_poll(struct file *f, struct poll_table *pt)
{
	poll_wait(f, &log_wait, pt);
	return anything_unread() ? POLLIN | POLLRDNORM : 0;
}

/* --- all of it --- */

/* The first record from which on everything fits into n bytes. */
static u64
first_that_fits(struct klog_line *l, u64 end, size_t n)
{
	u64 seq, first = max(READ_ONCE(cleared), log_first_seq());
	size_t total = 0;

	for (seq = first; seq < end && line_read(l, seq); seq = l->rec.seq + 1)
		total += l->len;
	for (seq = first; seq < end && total > n && line_read(l, seq); seq = l->rec.seq + 1)
		total -= l->len;
	return seq;
}

static s64
read_all(struct iter *to, bool clear)
{
	struct klog_line *l = kmalloc(sizeof(*l), GFP_KERNEL);
	u64 seq, end = log_next_seq();
	s64 done = 0;

	if (!l)
		return -ENOMEM;
	for (seq = first_that_fits(l, end, iter_left(to)); seq < end && line_read(l, seq);
	     seq = l->rec.seq + 1) {
		/* Records came meanwhile and pushed shorter ones out. */
		if (l->len > iter_left(to))
			break;
		if (iter_copy_to(to, l->text, l->len) != l->len) {
			done = -EFAULT;
			break;
		}
		done += (s64)l->len;
	}
	if (clear && done >= 0)
		WRITE_ONCE(cleared, end);
	kfree(l);
	return done;
}

static s64
size_unread(void)
{
	struct klog_line *l = kmalloc(sizeof(*l), GFP_KERNEL);
	s64 n = 0;
	u64 seq;

	if (!l)
		return -ENOMEM;
	mutex_lock(&klog_lock);
	if (line_unread(l))
		n = -(s64)unread_offset;
	for (seq = unread; line_read(l, seq); seq = l->rec.seq + 1)
		n += (s64)l->len;
	mutex_unlock(&klog_lock);
	kfree(l);
	return n;
}

/* --- the console --- */

static void
console_switch(bool on)
{
	mutex_lock(&klog_lock);
	if (!on && saved_level < 0) {
		saved_level = console_loglevel;
		console_loglevel = LEVEL_MIN;
	} else if (on && saved_level >= 0) {
		console_loglevel = saved_level;
		saved_level = -1;
	}
	mutex_unlock(&klog_lock);
}

static long
console_level(int n)
{
	if (n < 1 || n > 8)
		return -EINVAL;
	mutex_lock(&klog_lock);
	console_loglevel = max(n, LEVEL_MIN);
	saved_level = -1;
	mutex_unlock(&klog_lock);
	return 0;
}

static long
do_read(int type, char __user *buf, int n)
{
	struct iter it;
	int err;

	if (!buf || n < 0)
		return -EINVAL;
	if (n == 0)
		return 0;
	err = iter_init_user(&it, buf, (size_t)n);
	if (err)
		return err;
	return type == KLOG_READ ? klog_read(&it, false) : read_all(&it, type == KLOG_READ_CLEAR);
}

long
sys_syslog(int type, char __user *buf, int n)
{
	int err = klog_permission((enum klog_action)type);

	if (err)
		return err;
	switch (type) {
	case KLOG_CLOSE:
	case KLOG_OPEN:
		return 0;
	case KLOG_READ:
	case KLOG_READ_ALL:
	case KLOG_READ_CLEAR:
		return do_read(type, buf, n);
	case KLOG_CLEAR:
		WRITE_ONCE(cleared, log_next_seq());
		return 0;
	case KLOG_CONSOLE_OFF:
	case KLOG_CONSOLE_ON:
		console_switch(type == KLOG_CONSOLE_ON);
		return 0;
	case KLOG_CONSOLE_LEVEL:
		return console_level(n);
	case KLOG_SIZE_UNREAD:
		return size_unread();
	case KLOG_SIZE_BUFFER:
		return (long)log_ring_size();
	default:
		return -EINVAL;
	}
}
