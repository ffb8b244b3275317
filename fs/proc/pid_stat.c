/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/PID/stat and statm: proc(5) numbers the fields. */
#include "fs/proc/pid.h"

#include "kernel/dev/tty.h"
#include "kernel/sched/priority.h"
#include "kernel/sched/sched.h"
#include "kernel/time/clock.h"
#include "mm/space.h"

#define TICK_NS (NSEC_PER_SEC / CLOCK_TICKS_PER_SEC)
#define PAGE_BYTES 4096UL

/* task->flags as field 9 shows them (PF_* of Linux). */
static u32
flags_shown(const struct task *t)
{
	static const struct {
		u32 ours, shown;
	} map[] = {
		{TASK_EXITING, 0x4},	  {TASK_FORKNOEXEC, 0x40}, {TASK_SUPERPRIV, 0x100},
		{TASK_DUMPED, 0x200},	  {TASK_SIGNALED, 0x400},  {TASK_IDLE, 0x2},
		{TASK_KTHREAD, 0x200000},
	};
	u32 have = READ_ONCE(t->flags), v = 0;

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (have & map[i].ours)
			v |= map[i].shown;
	return v;
}

/* Fields 4 to 8 and others that come from the family. */
struct relations {
	s32 ppid, pgrp, session, tpgid;
	u64 tty;
};

static void
relations_get(struct process *p, struct relations *r)
{
	struct process *parent;
	struct pid *pid;
	u32 major, minor;

	*r = (struct relations){.pgrp = -1, .session = -1, .tpgid = -1};
	rcu_read_lock();
	parent = rcu_load(p->parent);
	r->ppid = parent ? parent->tgid : 0;
	pid = rcu_load(p->pgrp);
	if (pid)
		r->pgrp = pid->nr;
	pid = rcu_load(p->session);
	if (pid)
		r->session = pid->nr;
	rcu_read_unlock();
	if (tty_of_process(p, &major, &minor, &r->tpgid))
		r->tty = dev_encode(DEV_MAKE(major, minor));
}

struct usage {
	u64 minflt, majflt, cminflt, cmajflt, utime, stime, cutime, cstime;
	u32 threads;
};

static void
usage_get(const struct pid_node *n, struct task *t, struct usage *u)
{
	struct process *p = t->process;
	struct task *each;
	unsigned long flags;

	*u = (struct usage){0};
	if (n->thread)
		task_cputime(t, &u->utime, &u->stime);
	else
		process_cputime(p, &u->utime, &u->stime);
	flags = spin_lock_irq(&p->lock);
	u->threads = p->nr_threads;
	u->cutime = p->cutime;
	u->cstime = p->cstime;
	u->cminflt = p->cminflt;
	u->cmajflt = p->cmajflt;
	if (n->thread) {
		u->minflt = t->minflt;
		u->majflt = t->majflt;
	} else {
		u->minflt = p->minflt;
		u->majflt = p->majflt;
		for_each_thread(p, each) {
			u->minflt += each->minflt;
			u->majflt += each->majflt;
		}
	}
	spin_unlock_irq(&p->lock, flags);
}

struct signal_words {
	sigset_t pending, blocked, ignored, caught;
};

/* The 31 signals that the fields can show. */
static void
signals_get(struct task *t, struct signal_words *w)
{
	struct process *p = t->process;
	unsigned long flags = spin_lock_irq(&p->lock);
	struct sighand *h = p->signals.sighand;

	*w = (struct signal_words){.pending = t->signals.pending.set,
				   .blocked = t->signals.blocked};
	for (int i = 0; h && i < NSIG; i++) {
		unsigned long handler = sighand_slot_handler(h, i + 1);

		if (handler == 1)
			w->ignored |= sigmask(i + 1);
		else if (handler)
			w->caught |= sigmask(i + 1);
	}
	spin_unlock_irq(&p->lock, flags);
}

static void
show_memory(struct seq *s, struct task *t, const struct space_layout *l,
	    const struct space_stat *st, bool may)
{
	seq_printf(s, " %lu %lu %lu", st->total * PAGE_BYTES, st->resident,
		   READ_ONCE(t->process->rlim[RLIMIT_RSS].cur));
	if (may)
		seq_printf(s, " %lu %lu %lu", l->start_code, l->end_code, l->start_stack);
	else
		seq_printf(s, " %u %u 0", l->end_code ? 1 : 0, l->end_code ? 1 : 0);
	seq_puts(s, " 0 0");
}

static void
show_tail(struct seq *s, struct task *t, const struct space_layout *l, bool may)
{
	seq_printf(s, " %u 0 0 %d %u %u %u 0 0 0", task_state_char(t) == 'R' ? 0 : 1,
		   t->exit_signal, task_cpu(t), t->sched.rt_priority, t->sched.policy);
	if (may)
		seq_printf(s, " %lu %lu %lu %lu %lu %lu %lu %d\n", l->start_data, l->end_data,
			   l->start_brk, l->arg_start, l->arg_end, l->env_start, l->env_end,
			   t->exit_code);
	else
		seq_puts(s, " 0 0 0 0 0 0 0 0\n");
}

int
pid_show_stat(struct seq *s, const struct pid_node *n, struct task *t)
{
	struct space *space = task_get_space(t);
	struct space_layout none = {0}, *l = space ? space_layout(space) : &none;
	struct space_stat st = {0};
	bool may = !task_may_access(t, ACCESS_FSCREDS);
	struct signal_words w;
	struct relations r;
	struct usage u;

	if (space)
		space_stat(space, &st);
	relations_get(t->process, &r);
	usage_get(n, t, &u);
	signals_get(t, &w);
	seq_printf(s, "%d (", n->pid->nr);
	pid_put_name(s, t);
	seq_printf(s, ") %c %d %d %d %lu %d %u", task_state_char(t), r.ppid, r.pgrp, r.session,
		   r.tty, r.tpgid, flags_shown(t));
	seq_printf(s, " %lu %lu %lu %lu %lu %lu %lu %lu", u.minflt, u.cminflt, u.majflt, u.cmajflt,
		   u.utime / TICK_NS, u.stime / TICK_NS, u.cutime / TICK_NS, u.cstime / TICK_NS);
	seq_printf(s, " %d %d %u 0 %lu", sched_proc_priority(t), sched_get_nice(t), u.threads,
		   t->start_boottime / TICK_NS);
	show_memory(s, t, l, &st, may);
	seq_printf(s, " %lu %lu %lu %lu", w.pending & 0x7fffffff, w.blocked & 0x7fffffff,
		   w.ignored & 0x7fffffff, w.caught & 0x7fffffff);
	show_tail(s, t, l, may);
	if (space)
		space_put_user(space);
	return 0;
}

int
pid_show_statm(struct seq *s, const struct pid_node *n, struct task *t)
{
	struct space *space = task_get_space(t);
	struct space_stat st = {0};

	if (space) {
		space_stat(space, &st);
		space_put_user(space);
	}
	seq_printf(s, "%lu %lu %lu %lu 0 %lu 0\n", st.total, st.resident,
		   st.shared_file + st.shared_anon, st.text, st.data + st.stack);
	return 0;
}
