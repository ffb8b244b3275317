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
#include "kernel/console.h"
#include "kernel/init.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/sched/sched.h"
#include "kernel/sysctl.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "sync/debug.h"
#include "sync/spinlock.h"

#include <stdarg.h>

/* Linux's for an oops: nothing is left out. */
#define CONSOLE_VERBOSE 15

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

/* oops=panic, kernel.panic_on_oops */
static u32 panic_on_oops;
SYSCTL_U32(panic_on_oops, "kernel/panic_on_oops", &panic_on_oops, 0, 1);

static int
param_oops(const char *v)
{
	if (!v || strcmp(v, "panic") != 0)
		return -EINVAL;
	panic_on_oops = 1;
	return 0;
}
PARAM("oops", param_oops);

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

/* The console shows all of what follows. */
static void
console_verbose(void)
{
	console_loglevel = max(console_loglevel, CONSOLE_VERBOSE);
}

void
oops_begin(void)
{
	/* The report is this CPU's: the task must not move before oops_end(). */
	irq_disable();
	reporter_wait();
	console_verbose();
}

/*
 * Does nobody wait for what the task has? A lock that it holds is known in debug
 * kernels only; a kernel thread's work is everybody's.
 */
static bool
may_end(const struct task *t)
{
	return t->tid > 1 && !task_is_kthread(t) && !in_interrupt() && !pinned_by_count() &&
	       !locks_held() && !READ_ONCE(panic_on_oops);
}

void
oops_end(const char *what, bool interrupts)
{
	struct task *t = current_task_or_null();

	assert_no_locks_held(what);
	if (!interrupts || !t || !may_end(t))
		panic("Fatal exception: %s", what);
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
