/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console on the display: /dev/tty0 and /dev/tty1, one terminal with screen
 * and keyboard, and the kernel console "tty0".
 *
 * Model: there is one virtual terminal, number 1, always in the foreground.
 * Programs' output goes through the emulator, the kernel's log past it, both
 * into the same cells.
 *
 * Locking: vt.lock, interrupts off, covers emulator and screen. It is the
 * innermost of all locks, since log records are shown in any context. A program's
 * output takes it for VT_CHUNK bytes and then for one row of drawing at a time.
 * When the kernel panics it is only tried.
 */
#include "kernel/dev/vt_impl.h"

#include "kernel/console.h"
#include "kernel/cred.h"
#include "kernel/init.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/port_fs.h"
#include "kernel/signal/signal.h"
#include "kernel/task/task.h"
#include "kernel/uapi/capability.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"
#include "percpu/work.h"

#define VT_CHUNK 128u
/* What the terminal takes in one write: it never makes a writer wait. */
#define VT_ROOM 32768u

#define KIOCSOUND 0x4b2f
#define KDMKTONE 0x4b30
#define KDGETLED 0x4b31
#define KDSETLED 0x4b32
#define KDGKBTYPE 0x4b33
#define KDSETMODE 0x4b3a
#define KDGETMODE 0x4b3b
#define KDGKBMODE 0x4b44
#define KDSKBMODE 0x4b45
#define KDGKBMETA 0x4b62
#define KDGKBLED 0x4b64
#define KDSKBLED 0x4b65
#define VT_OPENQRY 0x5600
#define VT_GETMODE 0x5601
#define VT_SETMODE 0x5602
#define VT_GETSTATE 0x5603
#define VT_RELDISP 0x5605
#define VT_ACTIVATE 0x5606
#define VT_WAITACTIVE 0x5607
#define VT_DISALLOCATE 0x5608
#define KB_101 2
#define KD_TEXT 0
#define KD_GRAPHICS 1
#define K_ESCPREFIX 4
#define VT_AUTO 0
/* Subcommands of TIOCLINUX */
#define TIOCL_GETSHIFTSTATE 6
#define TIOCL_GETFGCONSOLE 12
#define TIOCL_GETKMSGREDIRECT 17

/* struct vt_mode, vt_stat */
struct vt_mode {
	u8 mode;
	u8 waitv;
	s16 relsig;
	s16 acqsig;
	s16 frsig;
};
struct vt_stat {
	u16 active;
	u16 signal;
	u16 state;
};

static LOCK_CLASS(vt_class, RANK_LEAF + 1);

static struct {
	struct spinlock lock;
	/* (lock) */
	struct screen screen;
	struct emul emul;
	struct tty tty;
	/* pushes on what was typed */
	struct work work;
} vt = {.lock = SPINLOCK_INIT(vt_class)};

/* --- output --- */

static void
cursor_update(void)
{
	const struct emul *e = &vt.emul;

	screen_cursor(&vt.screen, e->cursor_visible ? e->pen.x : vt.screen.cols, e->pen.y);
}

/* Draws all rows that have changed, letting go of the lock in between. */
static void
draw(void)
{
	unsigned long flags;
	u32 y;

	flags = spin_lock_irq(&vt.lock);
	cursor_update();
	spin_unlock_irq(&vt.lock, flags);
	for (y = 0; y < vt.screen.rows; y++) {
		if (!(READ_ONCE(vt.screen.dirty[y / 64]) & BIT(y % 64)))
			continue;
		flags = spin_lock_irq(&vt.lock);
		screen_draw_row(&vt.screen, y);
		spin_unlock_irq(&vt.lock, flags);
	}
}

static size_t
vt_room(struct tty *tty)
{
	return READ_ONCE(tty->stopped) ? 0 : VT_ROOM;
}

/* Answers of the emulator are typed. */
static void
type_reply(const u8 *s, u32 n)
{
	tty_input_add(&vt.tty, s, n, INPUT_NORMAL);
	work_post_here(&vt.work);
}

static void
vt_write(struct tty *tty, const u8 *s, size_t n)
{
	u8 reply[sizeof(vt.emul.reply)];
	unsigned long flags;
	u32 len;
	size_t i;

	while (n) {
		flags = spin_lock_irq(&vt.lock);
		for (i = 0; i < n && i < VT_CHUNK; i++)
			emul_byte(&vt.emul, s[i]);
		len = vt.emul.reply_len;
		memcpy(reply, vt.emul.reply, len);
		vt.emul.reply_len = 0;
		keyboard_set_app(vt.emul.app_cursor, vt.emul.app_keypad);
		spin_unlock_irq(&vt.lock, flags);
		if (len)
			type_reply(reply, len);
		s += i;
		n -= i;
	}
	draw();
}

/* The kernel's log; any context. */
static void
log_write_vt(struct console *c, const char *s, size_t n)
{
	unsigned long flags = irq_save();
	bool locked = true;
	u32 y;

	if (likely(!READ_ONCE(panicking)))
		spin_lock(&vt.lock);
	else
		locked = spin_try_lock(&vt.lock);
	while (n--)
		emul_log_byte(&vt.emul, (u8)*s++);
	cursor_update();
	for (y = 0; y < vt.screen.rows; y++)
		screen_draw_row(&vt.screen, y);
	if (locked)
		spin_unlock(&vt.lock);
	irq_restore(flags);
}

/* console=tty0, tty1 or tty: all are this one. */
static char console_name[8] = "tty0";
static struct console vt_console = {
	.name = console_name, .major = 4, .minor = 1, .display = true, .write = log_write_vt};

static int
param_console_vt(const char *v)
{
	if (v && (str_equal(v, "tty0") || str_equal(v, "tty1") || str_equal(v, "tty")))
		strscpy(console_name, v, sizeof(console_name));
	return 0;
}
PARAM("console", param_console_vt);

/* --- ioctls --- */

/* Who may change what the keyboard and the screen do. */
static bool
may_configure(void)
{
	return READ_ONCE(current->process->tty) == &vt.tty || capable(CAP_SYS_TTY_CONFIG);
}

static long
set_display_mode(unsigned long mode)
{
	unsigned long flags;
	u32 y;

	if (mode != KD_TEXT && mode != KD_GRAPHICS)
		return -EINVAL;
	flags = spin_lock_irq(&vt.lock);
	vt.screen.graphics = mode == KD_GRAPHICS;
	for (y = 0; y < vt.screen.rows; y++)
		screen_touch(&vt.screen, y);
	if (mode == KD_TEXT)
		memset(vt.screen.shown, 0xff,
		       (size_t)vt.screen.cols * vt.screen.rows * sizeof(*vt.screen.shown));
	spin_unlock_irq(&vt.lock, flags);
	draw();
	return 0;
}

static long
set_key_mode(unsigned long mode)
{
	/* Medium raw is a code of its own that we do not make. */
	if (mode > KEYS_OFF || mode == KEYS_MEDIUMRAW)
		return -EINVAL;
	keyboard_set_mode((enum key_mode)mode);
	return 0;
}

static long
kd_ioctl(unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case KDGKBTYPE:
		return put_user(KB_101, (u8 __user *)arg);
	case KDGETMODE:
		return put_user(READ_ONCE(vt.screen.graphics) ? KD_GRAPHICS : KD_TEXT,
				(int __user *)arg);
	case KDGKBMODE:
		return put_user((int)keyboard_get_mode(), (int __user *)arg);
	case KDGKBMETA:
		return put_user(K_ESCPREFIX, (int __user *)arg);
	case KDGETLED:
	case KDGKBLED:
		return put_user(keyboard_leds(), (u8 __user *)arg);
	case KDSETMODE:
	case KDSKBMODE:
	case KDSETLED:
	case KDSKBLED:
	case KIOCSOUND:
	case KDMKTONE:
		break;
	default:
		return -ENOTTY;
	}
	if (!may_configure())
		return -EPERM;
	switch (cmd) {
	case KDSETMODE:
		return set_display_mode(arg);
	case KDSKBMODE:
		return set_key_mode(arg);
	case KDSETLED:
	case KDSKBLED:
		keyboard_set_leds(arg & 7);
		return 0;
	default:
		/* No loudspeaker: as Linux without its driver. */
		return 0;
	}
}

/* Number n is the one that there is. */
static long
activate(unsigned long n)
{
	if (!may_configure())
		return -EPERM;
	return n == 1 ? 0 : -ENXIO;
}

static long
set_switching(const void __user *u)
{
	struct vt_mode m;

	if (!may_configure())
		return -EPERM;
	if (copy_from_user(&m, u, sizeof(m)))
		return -EFAULT;
	/* Nothing is ever switched, so no process can be asked about it. */
	return m.mode == VT_AUTO ? 0 : -EINVAL;
}

static long
vt_switch_ioctl(unsigned int cmd, unsigned long arg)
{
	static const struct vt_mode mode = {.mode = VT_AUTO};
	static const struct vt_stat state = {.active = 1, .state = 0x03};
	void __user *u = (void __user *)arg;

	switch (cmd) {
	case VT_OPENQRY:
		return put_user(READ_ONCE(vt.tty.count) ? -1 : 1, (int __user *)u);
	case VT_GETMODE:
		return copy_to_user(u, &mode, sizeof(mode));
	case VT_SETMODE:
		return set_switching(u);
	case VT_GETSTATE:
		return copy_to_user(u, &state, sizeof(state));
	case VT_RELDISP:
		return -EINVAL;
	case VT_ACTIVATE:
	case VT_WAITACTIVE:
		return activate(arg);
	case VT_DISALLOCATE:
		return arg > 1 ? -ENXIO : arg == 1 ? -EBUSY : 0;
	default:
		return -ENOTTY;
	}
}

static long
linux_ioctl(const char __user *u)
{
	char sub;

	if (!may_configure())
		return -EPERM;
	if (get_user(sub, u))
		return -EFAULT;
	switch (sub) {
	case TIOCL_GETSHIFTSTATE:
		return put_user((char)keyboard_shift_state(), (char __user *)u);
	case TIOCL_GETFGCONSOLE:
	case TIOCL_GETKMSGREDIRECT:
		return 0;
	default:
		return -EINVAL;
	}
}

static long
vt_ioctl(struct tty *tty, struct file *f, unsigned int cmd, unsigned long arg)
{
	long ret;

	if (cmd == TIOCLINUX)
		return linux_ioctl((const char __user *)arg);
	ret = kd_ioctl(cmd, arg);
	return ret == -ENOTTY ? vt_switch_ioctl(cmd, arg) : ret;
}

/* --- the terminal --- */

static void
vt_close(struct tty *tty)
{
	tty_reset(tty);
}

/* As when it was new: the next session finds usual modes and can see what it types. */
static void
vt_hangup(struct tty *tty)
{
	unsigned long flags;

	mutex_lock(&tty->lock);
	tty->termios = tty->termios_initial;
	mutex_unlock(&tty->lock);
	keyboard_set_mode(KEYS_UNICODE);
	flags = spin_lock_irq(&vt.lock);
	vt.screen.graphics = false;
	spin_unlock_irq(&vt.lock, flags);
}

static const struct tty_ops vt_ops = {
	.close = vt_close,
	.room = vt_room,
	.write = vt_write,
	.hangup = vt_hangup,
	.ioctl = vt_ioctl,
};

static void
vt_work(struct work *w)
{
	tty_input_push(&vt.tty);
}

static void
vt_typed(void)
{
	work_post_here(&vt.work);
}

static int
open_tty0(struct file *f, u32 major, u32 minor, void *arg)
{
	return tty_open_file(&vt.tty, f, true, false);
}

static int
vt_register(void)
{
	static const struct file_ops none = {.name = "tty"};
	static const struct dev_desc tty0 = {
		.name = "tty0",
		.mode = 0600,
		.major = 4,
		.minor = 0,
		.ops = &none,
		.open = open_tty0,
	};
	int err = dev_register_desc(&tty0);

	return err ? err : tty_register(&vt.tty);
}

static int
vt_init(void)
{
	struct termios2 t;
	int err = screen_init(&vt.screen);

	/* Many machines have no display: nothing to complain about. */
	if (err)
		return err == -ENODEV ? 0 : err;
	font_init();
	emul_init(&vt.emul, &vt.screen);
	work_init(&vt.work, vt_work);
	vt.tty.major = 4;
	vt.tty.minor = 1;
	strscpy(vt.tty.name, "tty1", sizeof(vt.tty.name));
	termios_init_std(&t, B38400 | CS8 | CREAD | HUPCL);
	t.iflag |= IUTF8;
	err = tty_init(&vt.tty, &vt_ops, TTY_VT, &t);
	if (err)
		return err;
	vt.tty.winsize = (struct winsize){.row = (u16)vt.screen.rows, .col = (u16)vt.screen.cols};
	log_info("vt: %u columns, %u lines, %s", vt.screen.cols, vt.screen.rows,
		 vt.screen.pixels ? "frame buffer" : "text mode");
	err = keyboard_init(&vt.tty, vt_typed);
	if (err && err != -ENODEV)
		log_err("keyboard: %d", err);
	err = vt_register();
	if (!err)
		console_register(&vt_console);
	return err;
}
INITCALL(INIT_DRIVER, vt_init);
