/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PS/2 keyboard behind an 8042 controller: from scan codes of set 1 to what
 * is typed into the terminal.
 *
 * Model: each interrupt brings bytes; E0 and E1 introduce longer codes, bit 7
 * says released. Everything happens in the interrupt, which adds what a key
 * types to the terminal's input queue.
 *
 * Lamps are set by two bytes, each of which the keyboard acknowledges; the
 * second is sent from the interrupt of the first acknowledgement.
 *
 * Locking: kbd.lock, interrupts off.
 *
 * See: Intel 8042; IBM PS/2 Technical Reference, keyboard.
 */
#include "kernel/dev/vt_impl.h"

#include "arch/x86_64/asm/insn.h"
#include "kernel/log.h"
#include "kernel/task/reboot.h"
#include "lib/errno.h"
#include "lib/string.h"

#define PORT_DATA 0x60
#define PORT_STATUS 0x64
#define PORT_COMMAND 0x64
#define STATUS_OUTPUT 0x01u
#define STATUS_INPUT 0x02u
#define STATUS_AUX 0x20u
#define CMD_READ_CONFIG 0x20
#define CMD_WRITE_CONFIG 0x60
#define CMD_DISABLE_AUX 0xa7
#define CMD_DISABLE_KBD 0xad
#define CMD_ENABLE_KBD 0xae
#define CONFIG_IRQ_KBD 0x01u
#define CONFIG_IRQ_AUX 0x02u
#define CONFIG_KBD_OFF 0x10u
#define CONFIG_TRANSLATE 0x40u
#define KBD_SET_LEDS 0xed
#define KBD_ENABLE 0xf4
#define KBD_ACK 0xfa
#define KBD_RESEND 0xfe
#define IRQ_KBD 1

#define CODE_CTRL 0x1d
#define CODE_LEFT_SHIFT 0x2a
#define CODE_RIGHT_SHIFT 0x36
#define CODE_ALT 0x38
#define CODE_CAPS 0x3a
#define CODE_NUM 0x45
#define CODE_SCROLL 0x46
#define CODE_DELETE 0x53
#define CODE_ENTER 0x1c
#define CODE_SLASH 0x35
#define CODE_PRINT 0x37

#define LED_SCROLL 1u
#define LED_NUM 2u
#define LED_CAPS 4u

/* Left and right of each, so that releasing one leaves the other. */
#define SHIFT_LEFT 0x01u
#define SHIFT_RIGHT 0x02u
#define CTRL_LEFT 0x04u
#define CTRL_RIGHT 0x08u
#define ALT_LEFT 0x10u
#define ALT_RIGHT 0x20u
#define SHIFT (SHIFT_LEFT | SHIFT_RIGHT)
#define CTRL (CTRL_LEFT | CTRL_RIGHT)
#define ALT (ALT_LEFT | ALT_RIGHT)

enum led_state { LEDS_IDLE, LEDS_COMMAND_SENT, LEDS_VALUE_SENT };

static LOCK_CLASS(kbd_class, RANK_TTY_SPIN);

static struct {
	struct spinlock lock;
	/* I */
	struct tty *tty;
	void (*typed)(void);
	/* (lock)  all below */
	enum key_mode mode;
	bool app_cursor;
	bool app_keypad;
	u8 held;
	u8 leds;
	enum led_state led_state;
	/* Ctrl-Alt-Del: acted on when the lock is free */
	bool reboot;
	/* E0 came; bytes of an E1 code that are still to come */
	bool extended;
	u8 skip;
} kbd = {.lock = SPINLOCK_INIT(kbd_class), .mode = KEYS_UNICODE};

/* --- the controller --- */

/* Bounded: a controller that does not take a byte in 10 ms is not there. */
static bool
wait_status(u8 mask, u8 want)
{
	unsigned int i;

	for (i = 0; i < 10000; i++) {
		if ((inb(PORT_STATUS) & mask) == want)
			return true;
		/* A port access takes about a microsecond. */
		inb(0x80);
	}
	return false;
}

static bool
send(u16 port, u8 v)
{
	if (!wait_status(STATUS_INPUT, 0))
		return false;
	outb(port, v);
	return true;
}

/* --- lamps; lock is held --- */

static void
leds_send(void)
{
	if (kbd.led_state != LEDS_IDLE)
		return;
	if (send(PORT_DATA, KBD_SET_LEDS))
		kbd.led_state = LEDS_COMMAND_SENT;
}

static void
leds_acknowledged(void)
{
	if (kbd.led_state == LEDS_COMMAND_SENT && send(PORT_DATA, kbd.leds))
		kbd.led_state = LEDS_VALUE_SENT;
	else
		kbd.led_state = LEDS_IDLE;
}

static void
leds_toggle(u8 led)
{
	kbd.leds ^= led;
	leds_send();
}

/* --- typing; lock is held --- */

static void
type(const char *s, size_t n)
{
	tty_input_add(kbd.tty, (const u8 *)s, n, INPUT_NORMAL);
}

static void
type_char(u8 c)
{
	/* The meta key is a prefix, as Linux has it. */
	char s[2] = {27, (char)c};

	if (kbd.held & ALT)
		type(s, 2);
	else
		type(s + 1, 1);
}

/* What Ctrl makes of a character; 0xff: nothing. */
static u8
control(u8 c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 1;
	if (c >= '@' && c <= '_')
		return c - '@';
	switch (c) {
	case ' ':
	case '2':
	case '`':
		return 0;
	case '3':
		return 27;
	case '4':
		return 28;
	case '5':
		return 29;
	case '6':
		return 30;
	case '7':
	case '/':
	case '-':
		return 31;
	case '8':
	case '?':
		return 127;
	case 127:
		return 8;
	case '\r':
	case '\t':
	case 27:
		return c;
	default:
		return 0xff;
	}
}

static void
key_plain(u8 code)
{
	const struct keymap_entry *k = &keymap[code];
	bool shift = kbd.held & SHIFT;
	u8 c;

	if ((kbd.leds & LED_CAPS) && k->plain >= 'a' && k->plain <= 'z')
		shift = !shift;
	c = shift ? k->shifted : k->plain;
	if (!c)
		return;
	if (kbd.held & CTRL) {
		c = control(c);
		if (c == 0xff)
			return;
	}
	type_char(c);
}

static void
key_pressed(u8 code, bool extended)
{
	const char *s;
	u8 digit = extended ? 0 : keymap_keypad(code);

	if (code == CODE_DELETE && (kbd.held & CTRL) && (kbd.held & ALT)) {
		kbd.reboot = true;
		return;
	}
	if (digit && (kbd.leds & LED_NUM) && !kbd.app_keypad) {
		type_char(digit);
		return;
	}
	s = keymap_sequence(code, extended, kbd.app_cursor);
	if (s)
		type(s, strlen(s));
	else if (!extended || code == CODE_ENTER || code == CODE_SLASH)
		key_plain(code);
}

/* The bit of ->held for a key that is held down with others, or 0. */
static u8
modifier(u8 code, bool extended)
{
	switch (code) {
	case CODE_LEFT_SHIFT:
		/* Behind E0 it is no key: keyboards send it around others. */
		return extended ? 0 : SHIFT_LEFT;
	case CODE_RIGHT_SHIFT:
		return extended ? 0 : SHIFT_RIGHT;
	case CODE_CTRL:
		return extended ? CTRL_RIGHT : CTRL_LEFT;
	case CODE_ALT:
		return extended ? ALT_RIGHT : ALT_LEFT;
	default:
		return 0;
	}
}

static void
key_event(u8 code, bool extended, bool pressed)
{
	u8 mod = modifier(code, extended);

	if (mod) {
		kbd.held = pressed ? kbd.held | mod : kbd.held & (u8)~mod;
		return;
	}
	if (extended && (code == CODE_LEFT_SHIFT || code == CODE_RIGHT_SHIFT || code == CODE_PRINT))
		return;
	if (!pressed || kbd.mode == KEYS_OFF)
		return;
	if (code == CODE_CAPS)
		leds_toggle(LED_CAPS);
	else if (code == CODE_NUM && !extended)
		leds_toggle(LED_NUM);
	else if (code == CODE_SCROLL && !extended)
		leds_toggle(LED_SCROLL);
	else
		key_pressed(code, extended);
}

static void
scan_code(u8 c)
{
	char raw = (char)c;
	bool extended = kbd.extended;

	if (kbd.led_state != LEDS_IDLE && (c == KBD_ACK || c == KBD_RESEND)) {
		leds_acknowledged();
		return;
	}
	if (kbd.mode == KEYS_RAW) {
		type(&raw, 1);
		return;
	}
	if (kbd.skip) {
		kbd.skip--;
		return;
	}
	if (c == 0xe0 || c == 0xe1) {
		/* E1 is the Pause key: two more bytes, and the same again on release. */
		kbd.extended = c == 0xe0;
		kbd.skip = c == 0xe1 ? 2 : 0;
		return;
	}
	kbd.extended = false;
	if (c == 0 || c >= KBD_ACK)
		return;
	key_event(c & 0x7f, extended, !(c & 0x80));
}

static void
keyboard_interrupt(void *arg)
{
	unsigned long flags = spin_lock_irq(&kbd.lock);
	unsigned int i;
	bool reboot;
	u8 status;

	for (i = 0; i < 16; i++) {
		status = inb(PORT_STATUS);
		if (status == 0xff || !(status & STATUS_OUTPUT))
			break;
		if (status & STATUS_AUX)
			inb(PORT_DATA);
		else
			scan_code(inb(PORT_DATA));
	}
	reboot = kbd.reboot;
	kbd.reboot = false;
	spin_unlock_irq(&kbd.lock, flags);
	if (tty_input_waits(kbd.tty))
		kbd.typed();
	if (reboot)
		reboot_ctrl_alt_del();
}

static void
drain_output(void)
{
	unsigned int i;

	for (i = 0; i < 64 && (inb(PORT_STATUS) & STATUS_OUTPUT); i++)
		inb(PORT_DATA);
}

/* Set 1 by translation, interrupts of the keyboard only. */
static bool
controller_setup(void)
{
	u8 config;

	if (!send(PORT_COMMAND, CMD_DISABLE_KBD) || !send(PORT_COMMAND, CMD_DISABLE_AUX))
		return false;
	drain_output();
	if (!send(PORT_COMMAND, CMD_READ_CONFIG) || !wait_status(STATUS_OUTPUT, STATUS_OUTPUT))
		return false;
	config = inb(PORT_DATA);
	config = (config & (u8) ~(CONFIG_IRQ_AUX | CONFIG_KBD_OFF)) | CONFIG_IRQ_KBD |
		 CONFIG_TRANSLATE;
	return send(PORT_COMMAND, CMD_WRITE_CONFIG) && send(PORT_DATA, config) &&
	       send(PORT_COMMAND, CMD_ENABLE_KBD);
}

int
keyboard_init(struct tty *tty, void (*typed)(void))
{
	int err;

	if (inb(PORT_STATUS) == 0xff)
		return -ENODEV;
	kbd.tty = tty;
	kbd.typed = typed;
	if (!controller_setup())
		return -ENODEV;
	err = dev_irq_request(IRQ_KBD, keyboard_interrupt, NULL, "i8042");
	if (err)
		return err;
	send(PORT_DATA, KBD_ENABLE);
	log_info("keyboard: PS/2, irq %d", IRQ_KBD);
	return 0;
}

/* --- what ioctls ask and set --- */

void
keyboard_set_mode(enum key_mode m)
{
	unsigned long flags = spin_lock_irq(&kbd.lock);

	kbd.mode = m;
	kbd.held = 0;
	spin_unlock_irq(&kbd.lock, flags);
}

enum key_mode
keyboard_get_mode(void)
{
	return READ_ONCE(kbd.mode);
}

void
keyboard_set_app(bool cursor, bool keypad)
{
	WRITE_ONCE(kbd.app_cursor, cursor);
	WRITE_ONCE(kbd.app_keypad, keypad);
}

u8
keyboard_leds(void)
{
	return READ_ONCE(kbd.leds);
}

void
keyboard_set_leds(u8 leds)
{
	unsigned long flags = spin_lock_irq(&kbd.lock);

	kbd.leds = leds;
	if (kbd.tty)
		leds_send();
	spin_unlock_irq(&kbd.lock, flags);
}

u8
keyboard_shift_state(void)
{
	u8 held = READ_ONCE(kbd.held);

	return (held & SHIFT ? 1 : 0) | (held & ALT_RIGHT ? 2 : 0) | (held & CTRL ? 4 : 0) |
	       (held & ALT_LEFT ? 8 : 0);
}
