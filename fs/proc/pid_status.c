/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/PID/status: lines of "Name:\tvalue" that proc(5) lists, in Linux's order. */
#include "fs/proc/pid.h"

#include "fs/context.h"
#include "kernel/handle/handle.h"
#include "kernel/port.h"
#include "kernel/ptrace/ptrace.h"
#include "kernel/sched/sched.h"
#include "lib/bitmap.h"
#include "mm/page.h"
#include "mm/space.h"

#define KB(pages) ((pages) * (PAGE_SIZE / 1024))

static const char *
state_name(char c)
{
	switch (c) {
	case 'R':
		return "running";
	case 'S':
		return "sleeping";
	case 'D':
		return "disk sleep";
	case 'T':
		return "stopped";
	case 't':
		return "tracing stop";
	case 'Z':
		return "zombie";
	case 'I':
		return "idle";
	default:
		return "dead";
	}
}

void
pid_put_name(struct seq *s, struct task *t)
{
	char comm[TASK_COMM_LEN];

	task_get_comm(t, comm);
	for (const char *c = comm; *c; c++) {
		if (*c == '\n' || *c == '\\')
			seq_printf(s, "\\%s", *c == '\n' ? "n" : "\\");
		else
			seq_putc(s, *c);
	}
}

static void
show_head(struct seq *s, const struct pid_node *n, struct task *t)
{
	struct fs_context *fs = task_get_fs(t);
	char state = task_state_char(t);
	struct process *parent;
	s32 ppid;

	rcu_read_lock();
	parent = rcu_load(t->process->parent);
	ppid = parent ? parent->tgid : 0;
	rcu_read_unlock();
	seq_puts(s, "Name:\t");
	pid_put_name(s, t);
	if (fs) {
		seq_printf(s, "\nUmask:\t%04o", READ_ONCE(fs->umask));
		fs_context_put(fs);
	}
	seq_printf(
		s, "\nState:\t%c (%s)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n",
		state, state_name(state), t->process->tgid, n->pid->nr, ppid, ptrace_tracer_tid(t));
}

static void
show_ids(struct seq *s, const struct pid_node *n, struct task *t)
{
	struct files *files = task_get_files(t);
	const struct cred *c;
	struct pid *pgrp, *session;
	u32 slots = 0;

	rcu_read_lock();
	if (files)
		slots = files_slots(files);
	c = task_cred(t);
	seq_printf(s, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nFDSize:\t%u\nGroups:\t", c->uid,
		   c->euid, c->suid, c->fsuid, c->gid, c->egid, c->sgid, c->fsgid, slots);
	for (u32 i = 0; c->groups && i < c->groups->n; i++)
		seq_printf(s, i ? " %u" : "%u", c->groups->gid[i]);
	pgrp = rcu_load(t->process->pgrp);
	session = rcu_load(t->process->session);
	seq_printf(s, " \nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", t->process->tgid,
		   n->pid->nr, pgrp ? pgrp->nr : 0, session ? session->nr : 0);
	rcu_read_unlock();
	if (files)
		files_put(files);
}

static void
show_memory(struct seq *s, struct task *t)
{
	struct space *space = task_get_space(t);
	struct space_stat st;
	u64 anon, own;

	if (!space)
		return;
	space_stat(space, &st);
	anon = st.resident - min(st.resident, st.shared_file + st.shared_anon);
	own = min(st.text, (u64)(space_layout(space)->end_code - space_layout(space)->start_code) /
					   PAGE_SIZE +
				   1);
	seq_printf(s, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmPin:\t%8u kB\n",
		   KB(max(st.peak_total, st.total)), KB(st.total), KB(st.locked), 0u);
	seq_printf(s,
		   "VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nRssAnon:\t%8lu kB\nRssFile:\t%8lu kB\n"
		   "RssShmem:\t%8lu kB\n",
		   KB(max(st.peak_resident, st.resident)), KB(st.resident), KB(anon),
		   KB(st.shared_file), KB(st.shared_anon));
	seq_printf(s, "VmData:\t%8lu kB\nVmStk:\t%8lu kB\nVmExe:\t%8lu kB\nVmLib:\t%8lu kB\n",
		   KB(st.data), KB(st.stack), KB(own), KB(st.text - own));
	seq_printf(s, "VmPTE:\t%8lu kB\nVmSwap:\t%8lu kB\nHugetlbPages:\t%8u kB\n", KB(st.tables),
		   KB(st.swap), 0u);
	seq_printf(s, "CoreDumping:\t%d\nTHP_enabled:\t%d\n", READ_ONCE(t->process->core) != NULL,
		   !READ_ONCE(t->process->thp_disabled));
	space_put_user(space);
}

/* Sets of signals as they are under the process's lock. */
static void
show_signals(struct seq *s, struct task *t)
{
	struct process *p = t->process;
	sigset_t own, shared, blocked, ignored = 0, caught = 0;
	u64 limit = READ_ONCE(p->rlim[RLIMIT_SIGPENDING].cur);
	s64 queued;
	unsigned long flags = spin_lock_irq(&p->lock);
	u32 threads = p->nr_threads;

	own = t->signals.pending.set;
	shared = p->signals.pending.set;
	blocked = t->signals.blocked;
	for (int i = 0; p->signals.sighand && i < NSIG; i++) {
		unsigned long handler = sighand_slot_handler(p->signals.sighand, i + 1);

		if (handler == 1)
			ignored |= sigmask(i + 1);
		else if (handler)
			caught |= sigmask(i + 1);
	}
	spin_unlock_irq(&p->lock, flags);
	rcu_read_lock();
	queued = user_count_sum(task_cred(t)->user, USER_SIGPENDING);
	rcu_read_unlock();
	seq_printf(s, "Threads:\t%u\nSigQ:\t%ld/%lu\nSigPnd:\t%016lx\nShdPnd:\t%016lx\n", threads,
		   queued, limit, own, shared);
	seq_printf(s, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n", blocked, ignored,
		   caught);
}

static void
show_rights(struct seq *s, struct task *t)
{
	const struct cred *c;

	rcu_read_lock();
	c = task_cred(t);
	seq_printf(s,
		   "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\n"
		   "CapAmb:\t%016lx\n",
		   c->cap_inheritable, c->cap_permitted, c->cap_effective, c->cap_bounding,
		   c->cap_ambient);
	rcu_read_unlock();
	seq_printf(s, "NoNewPrivs:\t%d\nSeccomp:\t%u\nSeccomp_filters:\t%u\n",
		   READ_ONCE(t->no_new_privs), READ_ONCE(t->seccomp.mode),
		   READ_ONCE(t->seccomp.count));
	seq_puts(s, "Speculation_Store_Bypass:\tunknown\nSpeculationIndirectBranch:\tunknown\n");
}

static void
show_cpus(struct seq *s, struct task *t)
{
	struct cpumask mask;
	char text[512];

	sched_get_affinity(t, &mask);
	bitmap_hex_print(text, sizeof(text), mask.bits, nr_cpus);
	seq_printf(s, "Cpus_allowed:\t%s\n", text);
	bitmap_list_print(text, sizeof(text), mask.bits, nr_cpus);
	seq_printf(s, "Cpus_allowed_list:\t%s\nMems_allowed:\t1\nMems_allowed_list:\t0\n", text);
}

int
pid_show_status(struct seq *s, const struct pid_node *n, struct task *t)
{
	show_head(s, n, t);
	show_ids(s, n, t);
	show_memory(s, t);
	show_signals(s, t);
	show_rights(s, t);
	show_cpus(s, t);
	seq_printf(s, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
		   READ_ONCE(t->nvcsw), READ_ONCE(t->nivcsw));
	return 0;
}
