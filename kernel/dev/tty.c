/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Terminals: life, opening and closing, names.
 *
 * Model: a struct tty is a terminal: a driver below (serial port, pty, display),
 * the line discipline in it, handles above. Input goes from the driver into
 * a queue (any context), from there to the line discipline (task context), from
 * there to readers. Output goes through the line discipline straight into the
 * driver, which says how much it takes.
 *
 * A terminal that hangs up counts ->hangups on: handles opened before are dead.
 * They read end of file and nothing else works. /dev/console stays alive.
 *
 * Ownership: handles hold a reference each, the driver one; a pty is freed with
 * the last. Sessions point to their terminal without a reference: it is taken
 * away from all their processes before a driver lets its terminal go.
 *
 * Locking: outermost first; all but the last two are mutexes:
 *   1 ctty_mutex  who has which controlling terminal (tty_job.c)
 *   2 open_lock   opening, closing, hang-up of one terminal
 *   3 read_lock, write_lock   one reader, one writer; never both
 *   4 lock        line discipline, modes, size
 *   5 ctrl_lock   session and foreground group; never with another
 *   6 in_lock     the input queue; interrupts off
 * Nothing on the way of data is shared between terminals.
 */
#include "kernel/dev/tty_impl.h"

#include "kernel/console.h"
#include "kernel/cred.h"
#include "kernel/init.h"
#include "kernel/log.h"
#include "kernel/port_fs.h"
#include "kernel/task/task.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"

static LOCK_CLASS(tty_open_class, RANK_TTY);
static LOCK_CLASS(tty_rw_class, RANK_TTY + 1);
static LOCK_CLASS(tty_class, RANK_TTY_WRITE);
static LOCK_CLASS(tty_ctrl_class, RANK_TTY_SPIN);
static LOCK_CLASS(tty_in_class, RANK_TTY_SPIN + 1);
static LOCK_CLASS(tty_list_class, RANK_LEAF);
/* Outside the locks that sending a signal takes. */
static LOCK_CLASS(tty_files_class, RANK_FDTABLE + 1);

/* Terminals that exist for ever, for /dev/console; only added to. */
static struct spinlock list_lock = SPINLOCK_INIT(tty_list_class);
static struct tty *terminals;

static const struct file_ops tty_fops;

/* --- the object --- */

int
tty_init(struct tty *tty, const struct tty_ops *ops, enum tty_kind kind,
	 const struct termios2 *initial)
{
	tty->refs = 1;
	tty->ops = ops;
	tty->kind = kind;
	list_init(&tty->files);
	spin_init(&tty->files_lock, &tty_files_class);
	mutex_init(&tty->open_lock, &tty_open_class);
	mutex_init(&tty->read_lock, &tty_rw_class);
	mutex_init(&tty->write_lock, &tty_rw_class);
	mutex_init(&tty->lock, &tty_class);
	spin_init(&tty->ctrl_lock, &tty_ctrl_class);
	spin_init(&tty->in_lock, &tty_in_class);
	waitq_init(&tty->read_wait);
	waitq_init(&tty->write_wait);
	tty->termios_initial = *initial;
	tty->termios = *initial;
	tty->inq = kmalloc(TTY_INPUT * sizeof(*tty->inq), GFP_KERNEL);
	tty->write_buf = kmalloc(TTY_WRITE_CHUNK, GFP_KERNEL);
	if (ldisc_init(tty) || !tty->inq || !tty->write_buf) {
		tty_fini(tty);
		return -ENOMEM;
	}
	return 0;
}

void
tty_fini(struct tty *tty)
{
	ldisc_fini(tty);
	kfree(tty->inq);
	kfree(tty->write_buf);
}

struct tty *
tty_get(struct tty *tty)
{
	atomic_inc(&tty->refs);
	return tty;
}

void
tty_put(struct tty *tty)
{
	if (atomic_dec_and_test(&tty->refs) && tty->ops->free)
		tty->ops->free(tty);
}

void
tty_reset(struct tty *tty)
{
	mutex_lock(&tty->lock);
	tty_input_forget(tty);
	ldisc_reset(tty);
	tty->stopped = false;
	tty->tco_stopped = false;
	mutex_unlock(&tty->lock);
}

/* --- opening and closing --- */

bool
tty_file_dead(const struct tty_file *tf)
{
	return !tf->console && tf->hangups != atomic_read(&tf->tty->hangups);
}

static int
open_locked(struct tty *tty, struct file *f, struct tty_file *tf)
{
	int err;

	if (tty->exclusive && tty->count && !capable(CAP_SYS_ADMIN))
		return -EBUSY;
	err = tty->ops->open ? tty->ops->open(tty, f) : 0;
	if (err)
		return err;
	tf->hangups = atomic_read(&tty->hangups);
	spin_lock(&tty->files_lock);
	list_add_tail(&tf->link, &tty->files);
	spin_unlock(&tty->files_lock);
	tty->count++;
	return 0;
}

int
tty_open_file(struct tty *tty, struct file *f, bool noctty, bool console)
{
	struct tty_file *tf;
	int err = tty->ops->wait_ready && !console ? tty->ops->wait_ready(tty, f) : 0;

	if (err)
		return err;
	tf = kzalloc(sizeof(*tf), GFP_KERNEL);
	if (!tf)
		return -ENOMEM;
	tf->tty = tty;
	tf->file = f;
	tf->console = console;
	mutex_lock(&tty->open_lock);
	err = open_locked(tty, f, tf);
	mutex_unlock(&tty->open_lock);
	if (err) {
		kfree(tf);
		return err;
	}
	tty_get(tty);
	f->private = tf;
	f->ops = &tty_fops;
	if (!noctty)
		tty_open_ctty(tty, f);
	return 0;
}

static void
tty_release(struct file *f)
{
	struct tty_file *tf = f->private;
	struct tty *tty = tf->tty;

	mutex_lock(&tty->open_lock);
	spin_lock(&tty->files_lock);
	list_del(&tf->link);
	spin_unlock(&tty->files_lock);
	if (--tty->count == 0) {
		if (tty->ops->close)
			tty->ops->close(tty);
		tty->exclusive = false;
	}
	mutex_unlock(&tty->open_lock);
	kfree(tf);
	tty_put(tty);
}

static int
tty_set_flags(struct file *f, u32 flags)
{
	return tty_async_owner(((struct tty_file *)f->private)->tty, f, flags);
}

static const struct file_ops tty_fops = {
	.name = "tty",
	.read = tty_read,
	.write = tty_write,
	.poll = tty_poll,
	.ioctl = tty_ioctl,
	.set_flags = tty_set_flags,
	.release = tty_release,
};

/* --- names --- */

static int
open_fixed(struct file *f, u32 major, u32 minor, void *arg)
{
	return tty_open_file(arg, f, f->flags & O_NOCTTY, false);
}

int
tty_register(struct tty *tty)
{
	struct dev_desc d = {
		.name = tty->name,
		.mode = 0600,
		.major = tty->major,
		.minor = tty->minor,
		.ops = &tty_fops,
		.open = open_fixed,
		.arg = tty,
	};

	spin_lock(&list_lock);
	tty->next = terminals;
	smp_store_release(&terminals, tty);
	spin_unlock(&list_lock);
	return dev_register_desc(&d);
}

static struct tty *
find_by_name(const char *name)
{
	struct tty *t;

	for (t = smp_load_acquire(&terminals); t; t = t->next) {
		if (str_equal(t->name, name) || (str_equal(name, "tty0") && t->kind == TTY_VT))
			return t;
	}
	return NULL;
}

/* The last of those that console= names and that exist; if there is none: any, a display first. */
static struct tty *
console_tty(void)
{
	struct tty *t, *best = NULL;
	const char *name;
	unsigned int i;

	for (i = 0; (name = console_choice(i)) != NULL; i++) {
		t = find_by_name(name);
		if (t)
			return t;
	}
	for (t = smp_load_acquire(&terminals); t; t = t->next) {
		if (!best || t->minor < best->minor)
			best = t;
	}
	return best;
}

const char *
tty_console_name(void)
{
	struct tty *t = console_tty();

	return t ? t->name : "";
}

static int
open_console(struct file *f, u32 major, u32 minor, void *arg)
{
	struct tty *tty = console_tty();

	return tty ? tty_open_file(tty, f, true, true) : -ENODEV;
}

/* /dev/tty */
static int
open_current(struct file *f, u32 major, u32 minor, void *arg)
{
	struct tty *tty = tty_current_get();
	int err;

	if (!tty)
		return -ENXIO;
	err = tty_open_file(tty, f, true, false);
	tty_put(tty);
	return err;
}

static int
tty_init_nodes(void)
{
	static const struct dev_desc nodes[] = {
		{.name = "tty", .mode = 0666, .major = 5, .minor = 0, .open = open_current},
		{.name = "console", .mode = 0600, .major = 5, .minor = 1, .open = open_console},
	};
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(nodes) && !err; i++) {
		struct dev_desc d = nodes[i];

		d.ops = &tty_fops;
		err = dev_register_desc(&d);
	}
	return err;
}
INITCALL(INIT_DRIVER, tty_init_nodes);
