/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Core dumps (core(5)).
 *
 * Model: a process that dies of a signal that dumps core, and whose dumpable
 * attribute allows it, writes what its threads and its memory look like to a
 * file, as far as RLIMIT_CORE goes, or to a program that kernel.core_pattern
 * names. The wait status has the bit 0x80 if there was something to write to,
 * whether or not all of it got there.
 *
 * States, of process->core and the thread that dumps (the dumper):
 * 1. NULL: none.
 * 2. Set, with group_exit: every other thread has got SIGKILL, and the dumper
 *    waits for those that have not passed core_task_exit() yet (`missing`).
 * 3. All have come: they stand in core_task_exit() with everything that they
 *    have, and the dumper writes. Signals that come now are dropped, SIGKILL
 *    ends the dump.
 * 4. NULL again: all go on to exit.
 *
 * Ownership: registers and extended state of the others belong to the dumper in
 * state 3.
 *
 * Locking: process->lock for the states.
 *
 * Contexts: the task that dies, on its way to user mode; may sleep.
 */
#include "kernel/signal/coredump.h"

#include "kernel/file.h"
#include "kernel/handle/pipe.h"
#include "kernel/init.h"
#include "kernel/log.h"
#include "kernel/port.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/core_impl.h"
#include "kernel/signal/port.h"
#include "kernel/signal/signal_impl.h"
#include "kernel/sysctl.h"
#include "kernel/task/task_impl.h"
#include "lib/errno.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/slab.h"

/* A process with this limit is itself one that gets a dump: none of it. */
#define LIMIT_OF_HELPERS 1

/* Huge pages of hugetlbfs that are private are in it too, as in Linux. */
u16 core_filter_default __read_mostly =
	CORE_ANON_PRIVATE | CORE_ANON_SHARED | CORE_ELF_HEADERS | 0x20u;

static int
param_filter(const char *v)
{
	u32 filter;

	if (!v || parse_u32(v, 0, &filter))
		return -EINVAL;
	core_filter_default = filter & CORE_FILTER_BITS;
	return 0;
}
PARAM("coredump_filter", param_filter);

/* kernel.core_pipe_limit: so many programs at once are waited for; 0: none is. */
static u32 pipe_limit;
SYSCTL_U32(core_pipe_limit, "kernel/core_pipe_limit", &pipe_limit, 0, 0x7fffffffu);

/* a  dumps to programs that are under way: a word that all write, a few times a second at most */
static u32 pipes_busy;

/* --- writing --- */

int
core_emit(struct core *c, const void *data, size_t n)
{
	struct iter it;
	s64 done;

	if (fatal_signal_pending())
		return -EINTR;
	if (c->written + n > c->limit)
		return -EFBIG;
	iter_init_kernel(&it, (void *)data, n);
	done = c->file->ops->write(c->file, &it, &c->pos);
	if (done < 0)
		return (int)done;
	c->written += (u64)done;
	/* A pipe has no position of its own. */
	if (c->pipe)
		c->pos += (u64)done;
	return (size_t)done == n ? 0 : -ENOSPC;
}

int
core_skip(struct core *c, u64 pos)
{
	static const u8 zeros[PAGE_SIZE];
	int err = 0;

	if (!c->pipe) {
		c->pos = pos;
		return 0;
	}
	while (!err && c->pos < pos)
		err = core_emit(c, zeros, min(pos - c->pos, sizeof(zeros)));
	return err;
}

/* --- threads --- */

void
core_task_exit(struct task *t)
{
	struct core_thread me = {.task = t};
	struct process *p = t->process;
	unsigned long flags;
	struct core *c;

	/* Alone: nobody is left who could dump beside us. */
	if (READ_ONCE(p->nr_threads) == 1)
		return;
	flags = spin_lock_irq(&p->lock);
	t->flags |= TASK_PAST_CORE;
	c = p->core;
	if (c) {
		list_add_tail(&me.link, &c->threads);
		if (--c->missing == 0)
			unpark(c->dumper);
	}
	while (c && p->core) {
		park_prepare(PARK_UNINTERRUPTIBLE);
		spin_unlock_irq(&p->lock, flags);
		park(NO_DEADLINE);
		flags = spin_lock_irq(&p->lock);
	}
	spin_unlock_irq(&p->lock, flags);
}

/* Ends the others and waits for them. False: the process is ended already, or execs. */
static bool
core_begin(struct core *c, struct process *p, int sig)
{
	unsigned long flags = spin_lock_irq(&p->lock);
	struct core_thread *ct;
	struct task *t;

	if (p->group_exit || p->group_exec) {
		spin_unlock_irq(&p->lock, flags);
		return false;
	}
	p->group_exit = true;
	process_zap_threads(p, sig, current);
	p->core = c;
	for_each_thread(p, t)
		c->missing += t != current && !(t->flags & TASK_PAST_CORE);
	/* What came before does not disturb the writing; what comes now is dropped. */
	atomic_and(&current->work, ~(u32)WORK_SIGNAL);
	while (c->missing) {
		park_prepare(PARK_UNINTERRUPTIBLE);
		spin_unlock_irq(&p->lock, flags);
		park(NO_DEADLINE);
		flags = spin_lock_irq(&p->lock);
	}
	spin_unlock_irq(&p->lock, flags);
	/* Nobody else touches the list any more. */
	list_for_each_entry(ct, &c->threads, link)
		task_wait_inactive(ct->task);
	return true;
}

static void
core_end(struct core *c, struct process *p, bool dumped)
{
	unsigned long flags = spin_lock_irq(&p->lock);
	struct core_thread *ct;

	p->core = NULL;
	/* They go once the lock is free. */
	list_for_each_entry(ct, &c->threads, link)
		unpark(ct->task);
	if (dumped && !(current->signals.pending.set & sigmask(SIGKILL))) {
		p->exit_code |= 0x80;
		current->flags |= TASK_DUMPED;
	}
	spin_unlock_irq(&p->lock, flags);
}

/* --- where it goes --- */

static void
report(const char *why)
{
	log_warn("Pid %d(%s) %s", current->process->tgid, current->comm, why);
}

static bool
write_file(struct core *c, const char *name, bool safe)
{
	bool ok;

	if (c->limit < PAGE_SIZE)
		return false;
	if (safe && *name != '/') {
		report("can only dump core to fully qualified path!");
		log_warn("Skipping core dump");
		return false;
	}
	c->file = core_file_open(name, safe);
	if (is_err(c->file))
		return false;
	ok = core_elf_write(c);
	file_put(c->file);
	return ok;
}

/* Starts the command, its standard input being what c->file writes to. 0 or -Exxx. */
static int
start_command(struct core *c, const struct core_name *n)
{
	const char **argv = kmalloc((n->words + 1) * sizeof(*argv), GFP_KERNEL);
	struct file *end[2] = {NULL, NULL};
	const char *word = n->text;
	int err;

	if (!argv)
		return -ENOMEM;
	for (u32 i = 0; i < n->words; i++, word += strlen(word) + 1)
		argv[i] = word;
	argv[n->words] = NULL;
	err = pipe_create(end, 0);
	if (!err) {
		err = core_helper_start(argv, end[0], n->pidfd ? current->process->pid : NULL);
		file_put(end[0]);
		if (err)
			file_put(end[1]);
	}
	kfree(argv);
	c->file = end[1];
	return err;
}

static bool
write_command(struct core *c, const struct core_name *n)
{
	bool ok;

	if (start_command(c, n)) {
		log_info("Core dump to |%s pipe failed", n->text);
		return false;
	}
	ok = core_elf_write(c);
	/* It may look at /proc/PID as long as it reads. */
	if (READ_ONCE(pipe_limit))
		pipe_wait_no_reader(c->file);
	file_put(c->file);
	return ok;
}

static bool
write_pipe(struct core *c, const struct core_name *n)
{
	u32 limit = READ_ONCE(pipe_limit);
	bool ok = false;

	if (c->limit == LIMIT_OF_HELPERS) {
		report("has RLIMIT_CORE set to 1");
		log_warn("Aborting core");
		return false;
	}
	c->limit = U64_MAX;
	c->pipe = true;
	if (atomic_add_return(&pipes_busy, 1) > limit && limit) {
		report("over core_pipe_limit");
		log_warn("Skipping core dump");
	} else {
		ok = write_command(c, n);
	}
	atomic_dec(&pipes_busy);
	return ok;
}

static bool
core_write(struct core *c, bool safe)
{
	struct core_name n;
	bool ok;

	if (core_name_make(&n, c)) {
		report("has no name for its core dump");
		return false;
	}
	ok = n.pipe ? write_pipe(c, &n) : write_file(c, n.text, safe);
	kvfree(n.text);
	return ok;
}

void
core_dump(int sig, const struct siginfo *info)
{
	struct process *p = current->process;
	struct core c = {.dumper = current, .info = info, .limit = rlimit(RLIMIT_CORE)};
	unsigned int dumpable = READ_ONCE(p->dumpable);

	if (!dumpable || (c.limit < PAGE_SIZE && !core_name_is_pipe()))
		return;
	list_init(&c.threads);
	if (!core_begin(&c, p, sig))
		return;
	core_end(&c, p, core_write(&c, dumpable == 2));
}
