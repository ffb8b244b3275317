/* SPDX-License-Identifier: BSD-2-Clause */
/* Terminals as kernel/dev sees them: the object, its driver, its line discipline. */
#ifndef KERNEL_DEV_TTY_IMPL_H
#define KERNEL_DEV_TTY_IMPL_H

#include "kernel/dev/tty.h"
#include "kernel/file.h"
#include "kernel/uapi/tty.h"
#include "lib/list.h"
#include "lib/types.h"
#include "sync/mutex.h"
#include "sync/spinlock.h"
#include "sync/waitq.h"

struct pid;
struct tty;

/* The line discipline's buffer; one byte of it stays free except for the end of a line. */
#define LDISC_BUF 4096u
/* Echoes that wait for room in the driver. */
#define LDISC_ECHO 4096u
/* Input that waits for room in the line discipline. */
#define TTY_INPUT 4096u

/* What came with an input byte, in bits 8 to 15 of an entry of the input queue. */
#define INPUT_NORMAL 0u
#define INPUT_BREAK 1u
#define INPUT_FRAME 2u
#define INPUT_PARITY 3u
#define INPUT_OVERRUN 4u

/* Marks a line that end of file ended, and control characters that are switched off. */
#define CC_DISABLED 0

/*
 * All under tty->lock. Positions only grow; index is position % size. head, tail
 * and canon_head are looked at without the lock by whoever waits.
 */
struct ldisc {
	u8 *buf;
	u32 head;
	u32 tail;
	/* end of the last complete line */
	u32 canon_head;
	/* bit: this byte ends a line (CC_DISABLED: is no part of it) */
	unsigned long ends[LDISC_BUF / 64];
	/* output that echoing made, processed, in order before all other output */
	u8 *echo;
	u32 echo_head;
	u32 echo_tail;
	/* where the cursor is; where it was when the line that is typed began */
	u32 column;
	u32 canon_column;
	/* the next byte is literal; a deletion is being shown between \ and / */
	bool lnext;
	bool erasing;
	/* input is stopped since the buffer is nearly full */
	bool throttled;
};

enum tty_kind { TTY_SERIAL, TTY_PTY, TTY_VT, TTY_TEST };

/*
 * A driver. room, write, start and stop are called with tty->lock held, room
 * also without any. NULL where nothing is to be done.
 */
struct tty_ops {
	/* Before a handle is opened: waits until the line is there. 0, -ERESTARTSYS. */
	int (*wait_ready)(struct tty *tty, struct file *f);
	/* A handle is opened (tty->open_lock; tty->count is without it) or the last one closed. */
	int (*open)(struct tty *tty, struct file *f);
	void (*close)(struct tty *tty);
	/* Bytes that write() takes now; 0 while output is stopped if it is to wait for that. */
	size_t (*room)(struct tty *tty);
	/* n is at most room(). */
	void (*write)(struct tty *tty, const u8 *s, size_t n);
	/* Bytes accepted and not yet sent. */
	size_t (*pending)(struct tty *tty);
	void (*flush_output)(struct tty *tty);
	/* Waits until all is sent; may sleep, ends at a signal. */
	void (*drain)(struct tty *tty);
	/* tty->termios has changed; corrects what it cannot do. (lock) */
	void (*set_termios)(struct tty *tty, const struct termios2 *old);
	void (*stop)(struct tty *tty);
	void (*start)(struct tty *tty);
	/* Input is flushed. */
	void (*input_flushed)(struct tty *tty);
	/* The input queue has room again. */
	void (*input_taken)(struct tty *tty);
	/* Stops or lets the sender go on by hardware; c: XON or XOFF to send out of turn. */
	void (*throttle)(struct tty *tty, bool stop);
	void (*send_xchar)(struct tty *tty, u8 c);
	/* on: begin a break condition. */
	void (*set_break)(struct tty *tty, bool on);
	void (*hangup)(struct tty *tty);
	/* -ENOTTY: not mine. */
	long (*ioctl)(struct tty *tty, struct file *f, unsigned int cmd, unsigned long arg);
	/* The last reference is gone. NULL: never. */
	void (*free)(struct tty *tty);
};

struct tty {
	/* a  handles, and the driver's one */
	u32 refs;
	/* I */
	const struct tty_ops *ops;
	void *driver;
	enum tty_kind kind;
	u32 major;
	u32 minor;
	char name[12];
	struct tty *next;

	/* opening, closing, hang-up */
	struct mutex open_lock;
	/* (open_lock) */
	u32 count;
	/* struct tty_file by link, for SIGIO */
	struct spinlock files_lock;
	/* (files_lock) */
	struct list files;
	/* a  some handle had O_ASYNC once */
	bool async;
	/* (open_lock)  TIOCEXCL */
	bool exclusive;
	/* a  how often it was hung up: handles that remember another number are dead */
	u32 hangups;

	/* one reader, one writer at a time */
	struct mutex read_lock;
	struct mutex write_lock;
	/* (write_lock) */
	u8 *write_buf;
	struct waitq read_wait;
	struct waitq write_wait;

	/* guards what follows, unless it says more */
	struct mutex lock;
	struct termios2 termios;
	struct termios2 termios_locked;
	/* I  what the first open finds */
	struct termios2 termios_initial;
	struct winsize winsize;
	/* output is stopped by ^S or TCOOFF; tco_stopped: by TCOOFF, ^Q does not help */
	bool stopped;
	bool tco_stopped;
	struct ldisc ld;

	/* input on its way from the driver; taken out under ->lock too */
	struct spinlock in_lock;
	u16 *inq;
	u32 in_head;
	u32 in_tail;
	/* (in_lock)  bytes that found no room */
	u64 in_lost;

	/* session and foreground group, each a reference or NULL */
	struct spinlock ctrl_lock;
	/* (ctrl_lock) */
	struct pid *session;
	struct pid *pgrp;
};

/* What a handle of a terminal has as its private. */
struct tty_file {
	struct tty *tty;
	struct file *file;
	/* I  tty->hangups when it was opened */
	u32 hangups;
	/* I  /dev/console: never hung up, no job control on it */
	bool console;
	/* (tty->files_lock) */
	struct list link;
};

#define TTY_WRITE_CHUNK 2048u
/* A writer that waits is woken, and poll says so, when less than this is unsent. */
#define TTY_WAKE_BELOW 256u

/* --- tty.c: life --- */

/* For a zeroed tty: locks, buffers, termios as given. One reference. -ENOMEM. */
int tty_init(struct tty *tty, const struct tty_ops *ops, enum tty_kind kind,
	     const struct termios2 *initial);
/* Frees what tty_init() made. */
void tty_fini(struct tty *tty);
struct tty *tty_get(struct tty *tty);
void tty_put(struct tty *tty);
/* Makes /dev/NAME of a terminal that exists for ever. name, major, minor are set. */
int tty_register(struct tty *tty);
/* Makes f a handle of tty. flags: O_NOCTTY. Drivers with a device of their own call it. */
int tty_open_file(struct tty *tty, struct file *f, bool noctty, bool console);
/* Was it opened before the terminal was hung up? */
bool tty_file_dead(const struct tty_file *tf);
/* Buffers and modes as new; lock is taken. */
void tty_reset(struct tty *tty);

/* --- tty_rw.c --- */

s64 tty_read(struct file *f, struct iter *to, u64 *pos);
s64 tty_write(struct file *f, struct iter *from, u64 *pos);
u32 tty_poll(struct file *f, struct poll_table *pt);

/* Adds input (task or interrupt context); bytes taken. tty_input_push() brings it on. */
size_t tty_input_add(struct tty *tty, const u8 *s, size_t n, unsigned int flag);
size_t tty_input_room(struct tty *tty);
/* Gives what waits to the line discipline. May sleep. */
void tty_input_push(struct tty *tty);
/* Drops what the driver has delivered and the line discipline not yet taken. May sleep. */
void tty_input_flush(struct tty *tty);
/* The same, tty->lock held. */
void tty_input_forget(struct tty *tty);
/* The driver has sent something: echoes and writers go on. May sleep. */
void tty_output_ready(struct tty *tty);
static inline bool
tty_input_waits(const struct tty *tty)
{
	return READ_ONCE(tty->in_head) != READ_ONCE(tty->in_tail);
}
/* Also SIGIO to handles that want it. Task context. */
void tty_wake_readers(struct tty *tty);
void tty_wake_writers(struct tty *tty);
/* F_SETFL asks for these flags: the owner for SIGIO, if f has none, is as Linux chooses it. */
int tty_async_owner(struct tty *tty, struct file *f, u32 flags);

/* Stops and starts output; lock is held. */
void tty_stop(struct tty *tty);
void tty_start(struct tty *tty);

/*
 * TIOCCONS: what programs write to /dev/console goes to tty from now on; by a
 * handle of /dev/console: no longer. 0, -EPERM, -EBUSY.
 */
long tty_redirect_console(struct tty *tty, struct file *f);
/* tty goes away. */
void tty_redirect_forget(struct tty *tty);

/* --- tty_ioctl.c, tty_termios.c --- */

long tty_ioctl(struct file *f, unsigned int cmd, unsigned long arg);
/* Commands on terminal `tty` by a handle of it or of its master. -ENOTTY: unknown command. */
long tty_mode_ioctl(struct tty *tty, struct file *f, unsigned int cmd, unsigned long arg);
long tty_termios_ioctl(struct tty *tty, unsigned int cmd, unsigned long arg);
/* New size; SIGWINCH to the foreground group if it is another. */
void tty_resize(struct tty *tty, const struct winsize *ws);
/* Bits a second of the output line. */
u32 termios_speed(const struct termios2 *t);
/* A termios with the usual control characters and flags; cflag as given. */
void termios_init_std(struct termios2 *t, u32 cflag);

/* --- tty_job.c: sessions, groups, hang-up --- */

/* current may do what `sig` guards: 0, -EIO, -ERESTARTSYS (signal sent). */
int tty_check_change(struct tty *tty, int sig);
/* Opened without O_NOCTTY: becomes the controlling terminal if it can. */
void tty_open_ctty(struct tty *tty, struct file *f);
/* current's controlling terminal with a reference, or NULL. */
struct tty *tty_current_get(void);
/* A reference on the foreground group, or NULL. */
struct pid *tty_pgrp_get(struct tty *tty);
/* Signal to the foreground group, if there is one. */
void tty_signal(struct tty *tty, int sig);
/* Ends all handles, tells the session. May sleep. */
void tty_hangup(struct tty *tty);
/* master: f is a handle of its master. -ENOTTY: not such a command, or the answer to it. */
long tty_job_ioctl(struct tty *tty, struct file *f, bool master, unsigned int cmd,
		   unsigned long arg);

/* --- ldisc*.c; tty->lock is held --- */

int ldisc_init(struct tty *tty);
void ldisc_fini(struct tty *tty);
void ldisc_reset(struct tty *tty);
/* One byte after another until there is no room; bytes taken. */
size_t ldisc_receive(struct tty *tty, const u16 *in, size_t n);
/* Forgets input that nobody has read. */
void ldisc_flush_input(struct tty *tty);
/* Sends echoes as far as the driver takes them. */
void ldisc_echo_flush(struct tty *tty);
static inline bool
ldisc_echo_waits(const struct tty *tty)
{
	return READ_ONCE(tty->ld.echo_head) != READ_ONCE(tty->ld.echo_tail);
}
/*
 * Takes input for a reader: one line or a part of it (*end: the line is over),
 * or what is there when not canonical. Bytes; 0 and not *end: nothing.
 */
size_t ldisc_take(struct tty *tty, u8 *dst, size_t n, bool *end);
/* Would a read find something? poll: as poll(2) counts, with VMIN. Without lock. */
bool ldisc_readable(struct tty *tty, bool poll);
/* Output of a program; bytes taken, which is less than n if the driver is full. */
size_t ldisc_write(struct tty *tty, const u8 *src, size_t n);
/* FIONREAD. */
u32 ldisc_count(struct tty *tty);
/* tty->termios was *old. */
void ldisc_termios_changed(struct tty *tty, const struct termios2 *old);
/* Between the two files: one byte through output processing into the echo queue. */
void ldisc_echo_out(struct tty *tty, u8 c);
/* Lets the sender go on if the buffer has emptied. */
void ldisc_unthrottle(struct tty *tty);

#define I_FLAG(tty, f) ((tty)->termios.iflag & (f))
#define O_FLAG(tty, f) ((tty)->termios.oflag & (f))
#define C_FLAG(tty, f) ((tty)->termios.cflag & (f))
#define L_FLAG(tty, f) ((tty)->termios.lflag & (f))
#define CC(tty, i) ((tty)->termios.cc[i])

/* Lines are edited and handed over whole. */
static inline bool
tty_canonical(const struct tty *tty)
{
	return (READ_ONCE(tty->termios.lflag) & (ICANON | EXTPROC)) == ICANON;
}

#endif
