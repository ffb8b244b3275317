/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Panics, failed assertions, and faults that end a task.
 *
 * The first CPU that comes here owns the report; others that fail meanwhile
 * wait to be stopped. panic=N restarts after N seconds, at once if negative;
 * 0 (the default) stops for good.
 */
#include "kernel/panic.h"

#include "arch/x86_64/asm/atomic.h"
#include "arch/x86_64/asm/insn.h"
#include "arch/x86_64/asm/irqflags.h"
#include "kernel/init.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/sched/sched.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "sync/spinlock.h"

#include <stdarg.h>

bool panicking;
/* a  CPU that reports, plus one */
static u32 reporter;
static s64 panic_timeout;

static int
param_panic(const char *v)
{
	return v ? parse_s64(v, 0, &panic_timeout) : -EINVAL;
}
PARAM("panic", param_panic);

/* True if we own the report now; nested faults of the owner do too. */
static bool
reporter_take(void)
{
	u32 none = 0, me = cpu_id() + 1;

	return atomic_try_cmpxchg(&reporter, &none, me) || none == me;
}

static void
reporter_wait(void)
{
	while (!reporter_take())
		cpu_relax();
}

static void __noreturn
panic_end(void)
{
	if (panic_timeout > 0) {
		log_write(LOG_EMERG, "Rebooting in %ld seconds..", panic_timeout);
		udelay((u32)min(panic_timeout, (s64)3600) * 1000000u);
	}
	if (panic_timeout != 0)
		arch_reboot();
	log_write(LOG_EMERG, "---[ end Kernel panic ]---");
	arch_halt();
}

void
panic(const char *fmt, ...)
{
	static char text[256];
	static u32 depth;
	va_list ap;

	irq_disable();
	if (!reporter_take())
		arch_halt();
	WRITE_ONCE(panicking, true);
	if (atomic_fetch_add(&depth, 1) > 0) {
		log_write(LOG_EMERG, "panic while panicking");
		if (panic_timeout != 0)
			arch_reboot();
		arch_halt();
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_write(LOG_EMERG, "Kernel panic - not syncing: %s", text);
	arch_backtrace(NULL);
	arch_stop_cpus(true);
	panic_end();
}

void
assert_failed(const char *cond, const char *file, int line)
{
	irq_disable();
	oops_begin();
	log_write(LOG_EMERG, "kernel BUG at %s:%d: %s", file, line, cond);
	panic("assertion failed: %s", cond);
}

void
warn_failed(const char *cond, const char *file, int line)
{
	log_write(LOG_WARNING, "WARNING: CPU %u at %s:%d: %s", cpu_id(), file, line, cond);
	arch_backtrace(NULL);
}

void
oops_begin(void)
{
	reporter_wait();
}

void
oops_end(const char *what, bool interrupts)
{
	struct task *t = current_task_or_null();

	if (!interrupts || !t || in_interrupt() || t->tid <= 1 || pinned())
		panic("Fatal exception: %s", what);
	assert_no_locks_held(what);
	log_write(LOG_EMERG, "task %d (%s) is ended", t->tid, t->comm);
	atomic_set(&reporter, 0);
	irq_enable();
	task_exit(11);
}

/* Other folders' ways in. */
void mm_port_panic(const char *fmt, ...) __printf(1, 2) __noreturn;

void
mm_port_panic(const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	panic("%s", text);
}
