/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel log.
 *
 * Model: a ring of bytes holds records of variable length; the oldest make
 * room. Records have sequence numbers that never repeat. Consoles show each
 * record once, in order: whoever stores a record tries to become the one that
 * shows; who fails leaves it to the one at work, which looks again before it
 * stops, so that nothing stays unshown.
 *
 * Locking: log_lock covers the ring. showing (a bit) is the consoles' lock; it
 * is only ever tried. While the kernel panics both are ignored.
 *
 * Contexts: any. In NMI the lock is tried; if another holds it the record goes
 * to a per-CPU slot, which the next log_write on that CPU stores.
 */
#include "kernel/log.h"

#include <stdarg.h>

#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/irqflags.h"
#include "kernel/console.h"
#include "kernel/init.h"
#include "kernel/log_impl.h"
#include "kernel/panic.h"
#include "kernel/time/clock.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "percpu/work.h"
#include "sync/spinlock.h"

#define RING_SIZE (128u << 10)

struct record_head {
	u64 seq;
	u64 time;
	u16 prio;
	u16 len;
	u32 size;
};

static LOCK_CLASS(log_class, RANK_LOG);
static struct spinlock log_lock = SPINLOCK_INIT(log_class);
struct waitq log_wait = WAITQ_INIT(log_wait);
int console_loglevel = 7;

/* l  all of the ring */
static u8 ring[RING_SIZE];
static u64 first_seq, next_seq;
/* l  byte positions that only grow; index is position % RING_SIZE */
static u64 head, tail;

/* a  1 while somebody shows records */
static u32 showing;
static struct console *consoles;
/* I  names of console=, the least wanted first, each once */
static char console_wanted[8][16];
static unsigned int nr_console_wanted;

struct nmi_slot {
	u16 len;
	u16 prio;
	char text[256];
};
static DEFINE_PERCPU(struct nmi_slot, nmi_slot);

static unsigned long
ring_lock(void)
{
	unsigned long f;

	if (likely(!READ_ONCE(panicking)))
		return spin_lock_irq(&log_lock);
	f = irq_save();
	return f;
}

static void
ring_unlock(unsigned long f)
{
	if (likely(!READ_ONCE(panicking)) || spin_held(&log_lock))
		spin_unlock_irq(&log_lock, f);
	else
		irq_restore(f);
}

static void
ring_put(u64 pos, const void *src, size_t n)
{
	size_t at = pos % RING_SIZE, first = min(n, RING_SIZE - at);

	memcpy(ring + at, src, first);
	memcpy(ring, (const u8 *)src + first, n - first);
}

static void
ring_get(u64 pos, void *dst, size_t n)
{
	size_t at = pos % RING_SIZE, first = min(n, RING_SIZE - at);

	memcpy(dst, ring + at, first);
	memcpy((u8 *)dst + first, ring, n - first);
}

/* Caller holds log_lock. */
static void
ring_store(u16 prio, const char *text, size_t len)
{
	struct record_head h = {
		.time = ktime_get(),
		.prio = prio,
		.len = (u16)min(len, (size_t)LOG_LINE_MAX - 1),
	};

	h.size = (u32)align_up(sizeof(h) + h.len, 8ul);
	while (head + h.size - tail > RING_SIZE) {
		struct record_head old;

		ring_get(tail, &old, sizeof(old));
		tail += old.size;
		WRITE_ONCE(first_seq, first_seq + 1);
	}
	h.seq = next_seq;
	WRITE_ONCE(next_seq, next_seq + 1);
	ring_put(head, &h, sizeof(h));
	ring_put(head + sizeof(h), text, h.len);
	head += h.size;
}

/* Position of a record at or after seq: walks from the oldest. Caller holds log_lock. */
static bool
ring_find(u64 seq, u64 *pos, struct record_head *h)
{
	u64 p = tail;

	if (seq >= next_seq)
		return false;
	for (;;) {
		ring_get(p, h, sizeof(*h));
		if (h->seq >= seq)
			break;
		p += h->size;
	}
	*pos = p;
	return true;
}

bool
log_read(u64 seq, struct log_record *r)
{
	unsigned long f = ring_lock();
	struct record_head h;
	u64 pos;
	bool found = ring_find(seq, &pos, &h);

	if (found) {
		r->seq = h.seq;
		r->time = h.time;
		r->prio = h.prio;
		r->len = h.len;
		ring_get(pos + sizeof(h), r->text, h.len);
		r->text[h.len] = '\0';
	}
	ring_unlock(f);
	return found;
}

u64
log_first_seq(void)
{
	return READ_ONCE(first_seq);
}

u64
log_next_seq(void)
{
	return READ_ONCE(next_seq);
}

size_t
log_ring_size(void)
{
	return RING_SIZE;
}

size_t
log_ring_used(void)
{
	return head - tail;
}

/* --- consoles --- */

/* Each line of a record gets its time, as dmesg(1) shows it. */
static void
show_record(struct console *c, const struct log_record *r)
{
	const char *line = r->text, *end = r->text + r->len;
	char stamp[32];
	int n;

	if ((r->prio & 7) >= console_loglevel && !READ_ONCE(panicking))
		return;
	n = scnprintf(stamp, sizeof(stamp), "[%5lu.%06lu] ", r->time / NSEC_PER_SEC,
		      r->time / NSEC_PER_USEC % 1000000);
	for (;;) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));

		c->write(c, stamp, n);
		c->write(c, line, (size_t)((stop ? stop : end) - line));
		c->write(c, "\n", 1);
		if (!stop)
			return;
		line = stop + 1;
	}
}

/* Only the one that holds `showing` is here, so one record buffer is enough. */
static void
consoles_show(void)
{
	static struct log_record r;
	struct console *c;

	for (c = consoles; c; c = c->next)
		while (c->enabled && log_read(c->next_seq, &r)) {
			c->next_seq = r.seq + 1;
			show_record(c, &r);
		}
}

static bool
consoles_behind(void)
{
	struct console *c;

	for (c = consoles; c; c = c->next)
		if (c->enabled && c->next_seq < READ_ONCE(next_seq))
			return true;
	return false;
}

static void
consoles_flush(void)
{
	unsigned long f;

	if (READ_ONCE(panicking)) {
		consoles_show();
		return;
	}
	while (consoles_behind()) {
		f = irq_save();
		if (atomic_xchg(&showing, 1)) {
			irq_restore(f);
			return;
		}
		consoles_show();
		smp_store_release(&showing, 0);
		irq_restore(f);
		/* A record stored while we let go has nobody but us: look again. */
		smp_mb();
	}
}

static bool
console_is_wanted(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_console_wanted; i++)
		if (strcmp(console_wanted[i], name) == 0)
			return true;
	return nr_console_wanted == 0;
}

/* Behind the main one; boot's only task registers. */
void
console_register(struct console *c)
{
	struct console **at = &consoles;

	c->enabled = console_is_wanted(c->name);
	if (consoles && strcmp(c->name, console_choice(0)) != 0)
		at = &consoles->next;
	c->next = *at;
	smp_store_release(at, c);
	consoles_flush();
}

void
consoles_choose(void)
{
	struct console *c;

	for (c = consoles; c; c = c->next)
		c->enabled = console_is_wanted(c->name);
}

const struct console *
console_next(const struct console *c)
{
	do
		c = smp_load_acquire(c ? &c->next : &consoles);
	while (c && !c->enabled);
	return c;
}

const char *
console_choice(unsigned int i)
{
	if (i < nr_console_wanted)
		return console_wanted[nr_console_wanted - 1 - i];
	return nr_console_wanted == 0 && i == 0 ? "tty0" : NULL;
}

/* Forgets `name` if it is there: what is named again counts from where it is named last. */
static void
console_forget(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_console_wanted; i++) {
		if (strcmp(console_wanted[i], name) != 0)
			continue;
		nr_console_wanted--;
		memmove(console_wanted[i], console_wanted[i + 1],
			(nr_console_wanted - i) * sizeof(console_wanted[0]));
		return;
	}
}

static int
param_console(const char *v)
{
	char name[sizeof(console_wanted[0])];
	size_t n = v ? strcspn(v, ",") : 0;

	if (n == 0 || n >= sizeof(name))
		return -EINVAL;
	memcpy(name, v, n);
	name[n] = '\0';
	console_forget(name);
	if (nr_console_wanted == ARRAY_SIZE(console_wanted))
		return -EINVAL;
	strscpy(console_wanted[nr_console_wanted++], name, sizeof(name));
	return 0;
}
PARAM("console", param_console);

static int
param_loglevel(const char *v)
{
	s32 n;

	if (!v || parse_s32(v, 0, &n) || n < 0)
		return -EINVAL;
	console_loglevel = n;
	return 0;
}
PARAM("loglevel", param_loglevel);

static int
param_quiet(const char *v)
{
	console_loglevel = 4;
	return 0;
}
PARAM("quiet", param_quiet);

static int
param_debug(const char *v)
{
	console_loglevel = 10;
	return 0;
}
PARAM("debug", param_debug);

/* --- writers --- */

static void
wake_readers(struct work *w)
{
	waitq_wake_all(&log_wait);
}
static struct work wake_work = WORK_INIT(wake_readers);

void
log_flush(void)
{
	consoles_flush();
}

/* How often an NMI tries for the ring. */
#define NMI_TRIES 100000

static void
record_write(u16 prio, const char *text, size_t n)
{
	struct nmi_slot *slot;
	unsigned long f;

	if (in_nmi() && !READ_ONCE(panicking)) {
		bool locked = spin_try_lock(&log_lock);

		/* Not for ever: it may be what we have interrupted that holds it. */
		for (int i = 0; !locked && i < NMI_TRIES; i++) {
			cpu_relax();
			locked = spin_try_lock(&log_lock);
		}
		if (!locked) {
			slot = &this_cpu(nmi_slot);
			slot->len = (u16)min(n, sizeof(slot->text));
			slot->prio = prio;
			memcpy(slot->text, text, slot->len);
			return;
		}
		ring_store(prio, text, n);
		spin_unlock(&log_lock);
		return;
	}
	f = ring_lock();
	slot = &this_cpu(nmi_slot);
	if (unlikely(slot->len)) {
		ring_store(slot->prio, slot->text, slot->len);
		slot->len = 0;
	}
	ring_store(prio, text, n);
	ring_unlock(f);
	consoles_flush();
}

void
log_store_user(u16 prio, const char *text, size_t n)
{
	record_write(prio, text, n);
	waitq_wake_all(&log_wait);
}

static void
log_vwrite(enum log_level level, const char *fmt, va_list ap)
{
	char text[256];
	int n = vscnprintf(text, sizeof(text), fmt, ap);

	if (n > 0 && text[n - 1] == '\n')
		n--;
	record_write((u16)level, text, (size_t)n);
	if (waitq_active(&log_wait) && !in_nmi())
		work_post_here(&wake_work);
}

void
log_write(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vwrite(level, fmt, ap);
	va_end(ap);
}

void mm_port_log(int level, const char *fmt, ...) __printf(2, 3);

void
mm_port_log(int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vwrite((enum log_level)level, fmt, ap);
	va_end(ap);
}

/* Two CPUs in here at once at worst let one record more through. */
bool
log_limit_ok(struct log_limit *l)
{
	u64 now = ktime_get();

	if (now - READ_ONCE(l->since) > 5 * NSEC_PER_SEC || l->since == 0) {
		if (l->missed)
			log_write(LOG_WARNING, "log: %u messages like the next were left out",
				  l->missed);
		WRITE_ONCE(l->since, now);
		l->burst = 0;
		l->missed = 0;
	}
	if (l->burst < 10) {
		l->burst++;
		return true;
	}
	l->missed++;
	return false;
}
