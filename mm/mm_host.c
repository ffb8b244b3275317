/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine for the host tests of mm/: frames, CPUs, interrupts.
 *
 * Model: memory of the machine is mapped where the host's layout.h says. A CPU
 * is an area, a token and a thread that holds the token; %gs leads to the area,
 * so that the kernel's own per-CPU code runs as it is. Threads of one CPU take
 * turns: a turn ends in test_yield(), test_join() or at the end of the thread.
 * An interrupt is a signal to the thread that runs: it allocates and frees as a
 * driver would, and runs calls that other CPUs posted.
 */
#include "mm/mm_host.h"

#include <asm/prctl.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/test.h"
#include "mm/kmap.h"
#include "mm/memblock_impl.h"
#include "mm/page_impl.h"
#include "mm/percpu_mem.h"
#include "mm/port.h"
#include "mm/reclaim.h"
#include "mm/slab.h"
#include "percpu/counter.h"
#include "percpu/cpumask.h"
#include "percpu/mailbox.h"
#include "percpu/port.h"
#include "sync/debug.h"
#include "sync/port.h"
#include "sync/rcu.h"
#include "sync/test_port.h"

#define CPUS 4
#define SIG_IRQ SIGUSR1
#define IRQ_PERIOD_NS 50000

struct host_cpu {
	pthread_mutex_t token;
	/* a  thread that holds the token, 0: idle */
	pid_t tid;
	/* a  one call at a time */
	struct host_call *call;
};

struct host_call {
	void (*fn)(void *arg);
	void *arg;
	u32 done;
};

struct test_thread {
	pthread_t thread;
	unsigned int cpu;
	void (*fn)(void *arg);
	void *arg;
};

extern char __percpu_start[], __percpu_end[];

static struct host_cpu cpus[CPUS];
static _Thread_local unsigned int my_cpu;
static _Thread_local u64 my_task __cacheline_aligned;
_Thread_local volatile bool host_irq_off;
_Thread_local volatile bool host_irq_pending;
static _Thread_local u64 irq_seed;
/* a  interrupts allocate while a test wants it */
static bool irq_storm;
DEFINE_PERCPU(struct task *, current_task);
DEFINE_PERCPU(void *[16], irq_held);
DEFINE_COUNTER(committed_pages);
u32 overcommit_ratio = 50;
u64 kmap_direct_bytes[3];
const u8 __text_start[1], __kernel_end[1];

/* --- CPUs --- */

static void
set_gs(unsigned int cpu)
{
	syscall(SYS_arch_prctl, ARCH_SET_GS, percpu_offset[cpu]);
}

static void
cpu_enter(unsigned int cpu)
{
	pthread_mutex_lock(&cpus[cpu].token);
	my_cpu = cpu;
	set_gs(cpu);
	/* A task is a thread: its address serves as its name. */
	this_cpu_write(current_task, (struct task *)&my_task);
	atomic_set(&cpus[cpu].tid, gettid());
}

static void
run_call(unsigned int cpu)
{
	struct host_call *c = atomic_xchg(&cpus[cpu].call, NULL);

	if (c != NULL) {
		c->fn(c->arg);
		smp_store_release(&c->done, 1);
	}
}

static void
cpu_leave(void)
{
	unsigned long flags = irq_save();

	atomic_set(&cpus[my_cpu].tid, 0);
	run_call(my_cpu);
	pthread_mutex_unlock(&cpus[my_cpu].token);
	host_irq_pending = false;
	irq_restore(flags);
}

/* What a driver does in its handler: a few objects and pages come, others go. */
static void
irq_allocate(void)
{
	static const u16 sizes[4] = {16, 72, 200, 1500};

	for (int i = 0; i < 4; i++) {
		u64 r = test_rand(&irq_seed);
		void **slot = &this_cpu(irq_held)[r % 16];

		if (r % 16 < 12) {
			kfree(*slot);
			*slot = kmalloc(sizes[r >> 8 & 3], GFP_ATOMIC);
		} else {
			if (*slot != NULL)
				page_put(*slot);
			*slot = page_alloc(0, GFP_ATOMIC);
		}
	}
}

void
host_irq_run(void)
{
	host_irq_off = true;
	host_irq_pending = false;
	this_cpu_add(pin_count, PIN_HARDIRQ);
	run_call(my_cpu);
	if (atomic_read(&irq_storm))
		irq_allocate();
	this_cpu_sub(pin_count, PIN_HARDIRQ);
	host_irq_off = false;
}

static void
on_signal(int sig)
{
	int saved = errno;

	if (host_irq_off)
		host_irq_pending = true;
	else if (atomic_read(&cpus[my_cpu].tid) == gettid())
		host_irq_run();
	errno = saved;
}

static void
raise_irq(unsigned int cpu)
{
	pid_t tid = atomic_read(&cpus[cpu].tid);

	if (tid != 0)
		syscall(SYS_tgkill, getpid(), tid, SIG_IRQ);
}

static void *
ticker(void *arg)
{
	struct timespec ts = {.tv_nsec = IRQ_PERIOD_NS};

	for (;;) {
		nanosleep(&ts, NULL);
		if (atomic_read(&irq_storm)) {
			for (unsigned int cpu = 0; cpu < CPUS; cpu++)
				raise_irq(cpu);
		}
	}
	return NULL;
}

static void
call_one(unsigned int cpu, void (*fn)(void *), void *arg)
{
	struct host_call c = {.fn = fn, .arg = arg}, *none = NULL;
	unsigned int here = my_cpu;

	while (none = NULL, !atomic_try_cmpxchg(&cpus[cpu].call, &none, &c))
		sched_yield();
	while (!smp_load_acquire(&c.done)) {
		if (pthread_mutex_trylock(&cpus[cpu].token) != 0) {
			raise_irq(cpu);
			sched_yield();
			continue;
		}
		/* Nobody runs there: we do, as that CPU. */
		host_irq_off = true;
		my_cpu = cpu;
		set_gs(cpu);
		run_call(cpu);
		set_gs(here);
		my_cpu = here;
		pthread_mutex_unlock(&cpus[cpu].token);
		irq_restore(1);
	}
}

void
cpu_call_mask(const struct cpumask *mask, void (*fn)(void *arg), void *arg)
{
	unsigned int cpu;

	for_each_cpu(cpu, mask) {
		if (cpu == my_cpu) {
			unsigned long flags = irq_save();

			fn(arg);
			irq_restore(flags);
		} else {
			call_one(cpu, fn, arg);
		}
	}
}

/* --- threads of tests --- */

static void *
thread_main(void *arg)
{
	struct test_thread *t = arg;

	irq_seed = (u64)t;
	cpu_enter(t->cpu);
	t->fn(t->arg);
	cpu_leave();
	return NULL;
}

struct test_thread *
test_spawn(unsigned int cpu, void (*fn)(void *arg), void *arg)
{
	struct test_thread *t = malloc(sizeof(*t));

	*t = (struct test_thread){.cpu = cpu % CPUS, .fn = fn, .arg = arg};
	pthread_create(&t->thread, NULL, thread_main, t);
	return t;
}

void
test_join(struct test_thread *t)
{
	unsigned int here = my_cpu;

	atomic_set(&irq_storm, true);
	cpu_leave();
	pthread_join(t->thread, NULL);
	cpu_enter(here);
	atomic_set(&irq_storm, false);
	free(t);
}

void
test_yield(void)
{
	unsigned int here = my_cpu;

	cpu_leave();
	sched_yield();
	cpu_enter(here);
}

unsigned int
test_cpus(void)
{
	return CPUS;
}

void
host_release_irq_memory(void)
{
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		for (int i = 0; i < 16; i++) {
			void **slot = &cpu_of(irq_held, cpu)[i];

			if (*slot != NULL && i < 12)
				kfree(*slot);
			else if (*slot != NULL)
				page_put(*slot);
			*slot = NULL;
		}
	}
}

/* --- ports --- */

static void
map_at(unsigned long at, size_t size)
{
	void *p = mmap((void *)at, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != (void *)at) {
		perror("mmap");
		exit(2);
	}
}

void
pin_resched(void)
{
}

void
park_prepare(enum park_mode mode)
{
}

int
park(u64 deadline)
{
	test_yield();
	return 0;
}

void
park_cancel(void)
{
}

bool
unpark(struct task *t)
{
	return true;
}

bool
task_on_cpu(const struct task *t)
{
	return false;
}

void
rcu_call(struct rcu_head *h, void (*fn)(struct rcu_head *h))
{
	fn(h);
}

void
rcu_barrier(void)
{
}

void
percpu_port_lock(void)
{
}

void
percpu_port_unlock(void)
{
}

bool
percpu_port_fail(void)
{
	return false;
}

int
percpu_port_populate(unsigned long from, unsigned long to)
{
	return 0;
}

u64
percpu_area_pages(void)
{
	return 0;
}

bool
mm_port_task_dying(void)
{
	return false;
}

unsigned int
mm_port_cpu_node(unsigned int cpu)
{
	return cpu % 2;
}

/* Locks that a thread holds: debug builds check ranks. */
struct held_locks *
sync_port_held(void)
{
	static _Thread_local struct held_locks held;

	return &held;
}

void
sync_port_log(int level, const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	test_note_failure();
}

void
sync_port_backtrace(void)
{
}

u64
ktime_get(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

static u64 oom_calls;

bool
mm_port_oom_kill(unsigned int order, gfp_t gfp)
{
	oom_calls++;
	return false;
}

u64
host_oom_calls(void)
{
	return oom_calls;
}

void
kmap_forget_image(phys_t start, phys_t end)
{
}

/* Addresses are not used again: nothing here tests vmalloc. */
void *
vmalloc(size_t size, gfp_t gfp)
{
	static unsigned long next = VMALLOC_BASE;
	unsigned long va = atomic_fetch_add(&next, align_up(size, PAGE_SIZE));

	map_at(va, size);
	return (void *)va;
}

void
vfree(const void *p)
{
}

u64
vmalloc_total(void)
{
	return 0;
}

/* --- start --- */

static void
start_cpus(void)
{
	nr_cpus = CPUS;
	map_at(PERCPU_BASE, CPUS * PERCPU_STRIDE);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		unsigned long va = PERCPU_BASE + cpu * PERCPU_STRIDE;

		memcpy((void *)va, __percpu_start, (size_t)(__percpu_end - __percpu_start));
		percpu_offset[cpu] = va - (unsigned long)__percpu_start;
		cpu_of(percpu_this_offset, cpu) = percpu_offset[cpu];
		cpu_of(percpu_cpu, cpu) = cpu;
		pthread_mutex_init(&cpus[cpu].token, NULL);
		cpumask_set(&cpu_online_mask, cpu);
	}
	cpu_enter(0);
}

/*
 * Two nodes of 32 MiB, with holes and odd ends; the second crosses 4 GiB.
 */
static void
start_memory(void)
{
	phys_t high = DMA32_END - (16UL << 20);

	map_at(DIRECT_MAP_BASE, 5UL << 30);
	map_at(PAGES_BASE, (5UL << 30) / PAGE_SIZE * sizeof(struct page));
	/* What was in the array before means nothing. */
	memset(pfn_to_page(0), 0x5e, (40UL << 20) / PAGE_SIZE * sizeof(struct page));
	memset(phys_to_page(high), 0x5e, (32UL << 20) / PAGE_SIZE * sizeof(struct page));
	memblock_add_ram(0, 0x9fc00);
	memblock_add_ram(0x100000, 32UL << 20);
	memblock_add_ram(high, high + (32UL << 20) - 0x3000);
	memblock_set_node(high, high + (32UL << 20), 1);
	memblock_reserve(0x9f000, 0x100000);
	memblock_reserve(0x100000, 0x234567);
	memblock_reserve(high + 0x555000, high + 0x556000);
	mm_init();
	for (unsigned int cpu = 1; cpu < CPUS; cpu++)
		pcp_cpu_init(cpu);
	pcp_set_batch();
}

static void __attribute__((constructor)) start(void)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	pthread_t t;

	setvbuf(stdout, NULL, _IOLBF, 0);
	start_cpus();
	start_memory();
	sigaction(SIG_IRQ, &sa, NULL);
	pthread_create(&t, NULL, ticker, NULL);
}
