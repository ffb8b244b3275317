/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine for the tests of percpu/ and sync/ on the host: CPUs, interrupts,
 * timers and a scheduler, as small as they can be.
 *
 * Model: a CPU is a baton. Tasks are threads; a task runs while it holds the
 * baton of its CPU, which goes round in the order of asking. It is given up in
 * park(), test_yield() and where the kernel would preempt: when interrupts are
 * taken, or the last pin goes, and others wait. Each CPU has an idle task, which
 * halts (waits for an interrupt or somebody who wants the baton) as the kernel's
 * idle loop does, and a work thread.
 *
 * Ownership: the area of a CPU is touched by whoever holds its baton.
 *
 * See percpu/host_shim.h for where interrupts come.
 */
#include "sync/runtime_host.h"

#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "arch/x86_64/asm/layout.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "percpu/defer.h"
#include "percpu/mailbox.h"
#include "percpu/pin.h"
#include "percpu/port.h"
#include "percpu/ref.h"
#include "percpu/work.h"
#include "sync/debug.h"
#include "sync/pimutex.h"
#include "sync/port.h"
#include "sync/rcu.h"
#include "sync/test_port.h"

#define HOST_CPUS_MAX 64

extern char __percpu_start[], __percpu_end[];

enum { TASK_RUNNING, TASK_PREPARED };

struct task {
	/* a  TASK_* */
	u32 state;
	/* a  1: holds the baton */
	u32 on_cpu;
	/* a  1: the wait ends with -ERESTARTSYS (test_signal()) */
	u32 signal;
	unsigned int cpu;
	struct task_pi pi;
	struct held_locks held;
	/* sleeping: until state, signal or the time changes */
	pthread_mutex_t lock;
	pthread_cond_t cond;
};

struct host_cpu {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	/* (lock)  the baton */
	u64 tickets;
	u64 serving;
	/* a  interrupts that wait */
	u32 mail;
	u32 kick;
	u64 rcu_at;
	u64 ref_at;
	u64 mail_at;
	struct task *worker;
};

struct test_thread {
	pthread_t thread;
	void (*fn)(void *arg);
	void *arg;
	struct task *task;
};

__thread u32 host_fence;
__thread bool host_irqs_off;
__thread unsigned long host_offset;
static __thread struct host_cpu *here;
static __thread struct task *self;
static __thread bool is_idle;
static __thread u32 polls;
static __thread u32 relaxes;

static struct host_cpu cpus[HOST_CPUS_MAX];
DEFINE_PERCPU(struct task *, current_task);

/* --- clock, log --- */

u64
ktime_get(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

/* a  reports of lock rules, stalls: tests look whether there were any */
u32 host_reports;

void
sync_port_log(int level, const char *fmt, ...)
{
	va_list ap;
	char line[256];

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (level <= 3)
		__atomic_add_fetch(&host_reports, 1, __ATOMIC_RELAXED);
	if (getenv("HOST_LOG") != NULL)
		printf("# log: %s\n", line);
}

void
sync_port_backtrace(void)
{
}

void
rcu_port_backtrace(unsigned int cpu)
{
}

/* --- the baton --- */

static void
baton_take(struct host_cpu *c)
{
	u64 ticket;

	pthread_mutex_lock(&c->lock);
	ticket = c->tickets++;
	pthread_cond_broadcast(&c->cond);
	while (c->serving != ticket)
		pthread_cond_wait(&c->cond, &c->lock);
	pthread_mutex_unlock(&c->lock);
	this_cpu_write(current_task, self);
	__atomic_store_n(&self->on_cpu, 1, __ATOMIC_RELEASE);
}

static void
baton_give(struct host_cpu *c)
{
	__atomic_store_n(&self->on_cpu, 0, __ATOMIC_RELEASE);
	pthread_mutex_lock(&c->lock);
	c->serving++;
	pthread_cond_broadcast(&c->cond);
	pthread_mutex_unlock(&c->lock);
}

static bool
baton_wanted(struct host_cpu *c)
{
	bool wanted;

	pthread_mutex_lock(&c->lock);
	wanted = c->tickets > c->serving + 1;
	pthread_mutex_unlock(&c->lock);
	return wanted;
}

/* The two halves of a pass through the scheduler. */
static void
leave_cpu(void)
{
	ASSERT((this_cpu_read(pin_count) & ~PIN_NO_RESCHED) == 0 && !host_irqs_off);
	host_irqs_off = true;
	this_cpu_or(pin_count, PIN_NO_RESCHED);
	rcu_quiescent_oncpu();
	baton_give(here);
}

static void
return_to_cpu(void)
{
	baton_take(here);
	irq_enable();
}

/* Others of this CPU run, if there are any. */
static void
reschedule(void)
{
	leave_cpu();
	return_to_cpu();
}

void
pin_resched(void)
{
	if (host_irqs_off || is_idle)
		this_cpu_or(pin_count, PIN_NO_RESCHED);
	else
		reschedule();
}

/* --- interrupts --- */

static void
cpu_wake(struct host_cpu *c)
{
	pthread_mutex_lock(&c->lock);
	pthread_cond_broadcast(&c->cond);
	pthread_mutex_unlock(&c->lock);
}

void
arch_ipi_mailbox(unsigned int cpu)
{
	__atomic_store_n(&cpus[cpu].mail, 1, __ATOMIC_SEQ_CST);
	cpu_wake(&cpus[cpu]);
}

static void
timer_set(u64 *at, u64 ns)
{
	u64 when = ktime_get() + ns, old = __atomic_load_n(at, __ATOMIC_RELAXED);

	if (old == 0 || when < old)
		__atomic_store_n(at, when, __ATOMIC_RELAXED);
}

void
rcu_port_arm(u64 ns)
{
	timer_set(&here->rcu_at, ns);
}

void
ref_port_arm(u64 ns)
{
	timer_set(&here->ref_at, ns);
}

void
mailbox_port_arm(u64 ns)
{
	timer_set(&here->mail_at, ns);
}

static bool
timer_take(u64 *at, u64 now)
{
	u64 when = __atomic_load_n(at, __ATOMIC_RELAXED);

	if (when == 0 || when > now)
		return false;
	__atomic_store_n(at, 0, __ATOMIC_RELAXED);
	return true;
}

static bool
interrupt_waits(u64 now)
{
	struct host_cpu *c = here;

	return __atomic_load_n(&c->mail, __ATOMIC_ACQUIRE) ||
	       (c->rcu_at != 0 && c->rcu_at <= now) || (c->ref_at != 0 && c->ref_at <= now) ||
	       (c->mail_at != 0 && c->mail_at <= now);
}

/* What the entry code and the vectors of the kernel do. */
static void
interrupt(u64 now)
{
	bool was_idle;

	host_irqs_off = true;
	was_idle = rcu_irq_enter_oncpu();
	this_cpu_add(pin_count, PIN_HARDIRQ);
	if (__atomic_exchange_n(&here->mail, 0, __ATOMIC_SEQ_CST))
		mailbox_interrupt_oncpu();
	if (timer_take(&here->mail_at, now))
		mailbox_timer_oncpu();
	if (timer_take(&here->rcu_at, now))
		rcu_timer_oncpu();
	if (timer_take(&here->ref_at, now))
		ref_timer_oncpu();
	this_cpu_sub(pin_count, PIN_HARDIRQ);
	if (!in_interrupt() && defer_pending_oncpu())
		defer_run_oncpu();
	if ((this_cpu_read(pin_count) & ~PIN_NO_RESCHED) == 0)
		rcu_quiescent_oncpu();
	rcu_irq_leave_oncpu(was_idle);
	host_irqs_off = false;
}

void
host_poll(void)
{
	u64 now;

	if (here == NULL || host_irqs_off)
		return;
	/* The clock and the baton cost more than the rest together. */
	now = ++polls >= 32 ? ktime_get() : 0;
	if (interrupt_waits(now))
		interrupt(now);
	/* Here the look is due until it can be had: a loop may be pinned at every 32nd poll. */
	if (is_idle || (this_cpu_read(pin_count) & ~PIN_NO_RESCHED) != 0)
		return;
	if (now != 0)
		polls = 0;
	if (this_cpu_read(pin_count) == 0 || (now != 0 && baton_wanted(here)))
		reschedule();
}

void
host_relax(void)
{
	host_poll();
	/* There are fewer cores than CPUs. */
	if (++relaxes % 16 == 0)
		sched_yield();
}

/* --- sleeping --- */

void
park_prepare(enum park_mode mode)
{
	__atomic_store_n(&self->state, TASK_PREPARED, __ATOMIC_SEQ_CST);
	smp_mb();
}

void
park_cancel(void)
{
	__atomic_store_n(&self->state, TASK_RUNNING, __ATOMIC_SEQ_CST);
}

/* Time of pthread_cond_timedwait(), at most 10 ms from now. */
static struct timespec
wait_until(u64 deadline)
{
	u64 now = ktime_get(), ns = 10000000;
	struct timespec ts;

	if (deadline < now + ns)
		ns = deadline > now ? deadline - now : 0;
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += (long)ns;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	return ts;
}

static int
park_block(u64 deadline)
{
	int ret = 0;

	pthread_mutex_lock(&self->lock);
	while (__atomic_load_n(&self->state, __ATOMIC_ACQUIRE) == TASK_PREPARED) {
		struct timespec ts = wait_until(deadline);

		if (__atomic_load_n(&self->signal, __ATOMIC_RELAXED))
			ret = -ERESTARTSYS;
		else if (deadline <= ktime_get())
			ret = -ETIMEDOUT;
		if (ret != 0)
			break;
		pthread_cond_timedwait(&self->cond, &self->lock, &ts);
	}
	pthread_mutex_unlock(&self->lock);
	return ret;
}

int
park(u64 deadline)
{
	int ret;

	ASSERT(may_sleep());
	leave_cpu();
	ret = park_block(deadline);
	park_cancel();
	return_to_cpu();
	return ret;
}

bool
unpark(struct task *t)
{
	bool woken;

	smp_mb();
	woken = __atomic_exchange_n(&t->state, TASK_RUNNING, __ATOMIC_SEQ_CST) == TASK_PREPARED;
	if (woken) {
		pthread_mutex_lock(&t->lock);
		pthread_cond_broadcast(&t->cond);
		pthread_mutex_unlock(&t->lock);
	}
	return woken;
}

struct task *
current_task_or_null(void)
{
	return self;
}

bool
task_on_cpu(const struct task *t)
{
	return __atomic_load_n(&t->on_cpu, __ATOMIC_ACQUIRE);
}

struct held_locks *
sync_port_held(void)
{
	return self != NULL ? &self->held : NULL;
}

struct task_pi *
task_pi(struct task *t)
{
	return &t->pi;
}

void
task_pi_changed(struct task *t)
{
}

void
host_signal(struct task *t, bool on)
{
	__atomic_store_n(&t->signal, on, __ATOMIC_RELAXED);
}

/* --- memory --- */

void *
percpu_port_alloc(size_t size)
{
	size = align_up(size, CACHE_LINE);
	return memset(aligned_alloc(CACHE_LINE, size), 0, size);
}

bool
percpu_port_fail(void)
{
	return false;
}

void
percpu_port_free(void *p)
{
	free(p);
}

int
percpu_port_populate(unsigned long from, unsigned long to)
{
	return to <= PERCPU_STRIDE ? 0 : -ENOMEM;
}

/* --- work threads, idle tasks, test threads --- */

void
work_port_kick(unsigned int cpu)
{
	struct task *t = __atomic_load_n(&cpus[cpu].worker, __ATOMIC_ACQUIRE);

	if (t != NULL)
		unpark(t);
}

static void
enter_cpu(unsigned int cpu, struct task *t)
{
	self = t;
	t->cpu = cpu;
	here = &cpus[cpu];
	host_offset = percpu_offset[cpu];
	baton_take(here);
}

static struct task *
task_new(void)
{
	struct task *t = calloc(1, sizeof(*t));

	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->cond, NULL);
	task_pi_init(&t->pi, PI_PRIO_NORMAL);
	return t;
}

static void *
worker_main(void *arg)
{
	struct host_cpu *c = arg;

	enter_cpu((unsigned int)(c - cpus), task_new());
	__atomic_store_n(&c->worker, self, __ATOMIC_RELEASE);
	for (;;) {
		park_prepare(PARK_IDLE);
		if (work_pending_oncpu()) {
			park_cancel();
			work_run_oncpu();
		} else {
			park(NO_DEADLINE);
		}
	}
	return NULL;
}

/* Waits for something to do; holds the baton, as the idle task owns the CPU. */
static void
halt(struct host_cpu *c)
{
	struct timespec until = wait_until(min(min(c->rcu_at - 1, c->ref_at - 1), c->mail_at - 1));

	pthread_mutex_lock(&c->lock);
	if (c->tickets <= c->serving + 1 && !interrupt_waits(ktime_get()))
		pthread_cond_timedwait(&c->cond, &c->lock, &until);
	pthread_mutex_unlock(&c->lock);
}

static void *
idle_main(void *arg)
{
	struct host_cpu *c = arg;
	unsigned int cpu = (unsigned int)(c - cpus);

	is_idle = true;
	enter_cpu(cpu, task_new());
	host_irqs_off = true;
	if (cpu != 0)
		rcu_cpu_up(cpu);
	cpumask_set_atomic(&cpu_online_mask, cpu);
	cpumask_set_atomic(&cpu_active_mask, cpu);
	for (;;) {
		rcu_idle_enter_oncpu();
		halt(c);
		if (interrupt_waits(ktime_get()))
			interrupt(ktime_get());
		host_irqs_off = true;
		rcu_idle_leave_oncpu();
		this_cpu_or(pin_count, PIN_NO_RESCHED);
		baton_give(c);
		baton_take(c);
	}
	return NULL;
}

static void *
thread_main(void *arg)
{
	struct test_thread *t = arg;

	enter_cpu(t->task->cpu, t->task);
	t->fn(t->arg);
	leave_cpu();
	return NULL;
}

struct test_thread *
test_spawn(unsigned int cpu, void (*fn)(void *arg), void *arg)
{
	struct test_thread *t = calloc(1, sizeof(*t));

	t->fn = fn;
	t->arg = arg;
	t->task = task_new();
	t->task->cpu = cpu % nr_cpus;
	if (pthread_create(&t->thread, NULL, thread_main, t) != 0)
		abort();
	return t;
}

void
test_join(struct test_thread *t)
{
	leave_cpu();
	pthread_join(t->thread, NULL);
	return_to_cpu();
	/* Others may look at the task for a grace period. */
	rcu_synchronize();
	free(t->task);
	free(t);
}

void
test_yield(void)
{
	reschedule();
}

void
test_sleep(u64 ns)
{
	park_prepare(PARK_UNINTERRUPTIBLE);
	park(ktime_get() + ns);
}

unsigned int
test_cpus(void)
{
	return nr_cpus;
}

u64
test_seed(void)
{
	return 0;
}

u64
test_duration(void)
{
	const char *ms = getenv("HOST_MS");

	return (ms != NULL ? strtoul(ms, NULL, 10) : 500) * 1000000;
}

static void
areas_make(void)
{
	size_t size = (size_t)(__percpu_end - __percpu_start);

	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		char *area = mmap(NULL, PERCPU_STRIDE + PAGE_SIZE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		ASSERT(area != MAP_FAILED && size <= PERCPU_STRIDE);
		/* Keeps the alignment of the template. */
		area += (unsigned long)__percpu_start % PAGE_SIZE;
		memcpy(area, __percpu_start, size);
		percpu_offset[cpu] = (unsigned long)area - (unsigned long)__percpu_start;
		cpu_of(percpu_this_offset, cpu) = percpu_offset[cpu];
		cpu_of(percpu_cpu, cpu) = cpu;
	}
}

/* Looks at a list that are allowed without its lock; lib/list.h writes with plain stores. */
const char *__tsan_default_suppressions(void);
const char *
__tsan_default_suppressions(void)
{
	return "race_top:list_empty\nrace_top:waiter_linked\n";
}

static void __attribute__((constructor)) machine_start(void)
{
	const char *n = getenv("HOST_CPUS");
	pthread_t thread;

	nr_cpus = n != NULL ? (unsigned int)strtoul(n, NULL, 10) : 4;
	ASSERT(nr_cpus >= 1 && nr_cpus <= HOST_CPUS_MAX);
	areas_make();
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		pthread_mutex_init(&cpus[cpu].lock, NULL);
		pthread_cond_init(&cpus[cpu].cond, NULL);
	}
	enter_cpu(0, task_new());
	host_irqs_off = true;
	rcu_init();
	cpumask_set_atomic(&cpu_online_mask, 0);
	cpumask_set_atomic(&cpu_active_mask, 0);
	host_irqs_off = false;
	ref_cache_init();
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		pthread_create(&thread, NULL, idle_main, &cpus[cpu]);
		pthread_create(&thread, NULL, worker_main, &cpus[cpu]);
	}
	while (cpumask_weight(&cpu_online_mask) != nr_cpus)
		test_yield();
}
