/* SPDX-License-Identifier: BSD-2-Clause */
/* The short files of /proc/PID: name, limits, I/O, OOM score, and the places exe, cwd, root. */
#include "fs/proc/pid.h"

#include "fs/context.h"
#include "fs/namei.h"
#include "fs/proc/port.h"
#include "kernel/port.h"
#include "kernel/sched/sched.h"
#include "kernel/signal/coredump.h"
#include "kernel/symbols.h"
#include "kernel/uapi/capability.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/space.h"

int
pid_show_comm(struct seq *s, const struct pid_node *n, struct task *t)
{
	char comm[TASK_COMM_LEN];

	task_get_comm(t, comm);
	seq_puts(s, comm);
	seq_putc(s, '\n');
	return 0;
}

/* Only for the threads of the same process. */
s64
pid_write_comm(struct task *t, char *text, size_t n)
{
	char name[TASK_COMM_LEN];

	if (t->process != current->process)
		return -EINVAL;
	strscpy(name, text, sizeof(name));
	spin_lock(&t->alloc_lock);
	memset(t->comm, 0, sizeof(t->comm));
	strscpy(t->comm, name, sizeof(t->comm));
	spin_unlock(&t->alloc_lock);
	return n;
}

int
pid_show_limits(struct seq *s, const struct pid_node *n, struct task *t)
{
	static const struct {
		const char *name, *unit;
	} rows[RLIM_NLIMITS] = {
		[RLIMIT_CPU] = {"Max cpu time", "seconds"},
		[RLIMIT_FSIZE] = {"Max file size", "bytes"},
		[RLIMIT_DATA] = {"Max data size", "bytes"},
		[RLIMIT_STACK] = {"Max stack size", "bytes"},
		[RLIMIT_CORE] = {"Max core file size", "bytes"},
		[RLIMIT_RSS] = {"Max resident set", "bytes"},
		[RLIMIT_NPROC] = {"Max processes", "processes"},
		[RLIMIT_NOFILE] = {"Max open files", "files"},
		[RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
		[RLIMIT_AS] = {"Max address space", "bytes"},
		[RLIMIT_LOCKS] = {"Max file locks", "locks"},
		[RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
		[RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
		[RLIMIT_NICE] = {"Max nice priority", ""},
		[RLIMIT_RTPRIO] = {"Max realtime priority", ""},
		[RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
	};
	struct rlimit copy[RLIM_NLIMITS];
	unsigned long flags = spin_lock_irq(&t->process->lock);

	memcpy(copy, t->process->rlim, sizeof(copy));
	spin_unlock_irq(&t->process->lock, flags);
	seq_printf(s, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		seq_printf(s, "%-25s ", rows[i].name);
		for (int k = 0; k < 2; k++) {
			u64 v = k ? copy[i].max : copy[i].cur;

			if (v == RLIM_INFINITY)
				seq_printf(s, "%-20s ", "unlimited");
			else
				seq_printf(s, "%-20lu ", v);
		}
		if (rows[i].unit[0])
			seq_printf(s, "%-10s", rows[i].unit);
		seq_putc(s, '\n');
	}
	return 0;
}

struct io_sums {
	u64 rchar, wchar, syscr, syscw, read_bytes, write_bytes;
};

static void
io_add(struct io_sums *io, const struct task *t)
{
	io->rchar += t->io_rchar;
	io->wchar += t->io_wchar;
	io->syscr += t->io_syscr;
	io->syscw += t->io_syscw;
	io->read_bytes += t->io_read_bytes;
	io->write_bytes += t->io_write_bytes;
}

int
pid_show_io(struct seq *s, const struct pid_node *n, struct task *t)
{
	struct process *p = t->process;
	struct io_sums io = {0};
	struct task *each;
	unsigned long flags;

	if (n->thread) {
		io_add(&io, t);
	} else {
		flags = spin_lock_irq(&p->lock);
		io = (struct io_sums){p->io_rchar, p->io_wchar,	     p->io_syscr,
				      p->io_syscw, p->io_read_bytes, p->io_write_bytes};
		/* Threads that have gone are in the sums. */
		for_each_thread(p, each)
			if (!each->exited)
				io_add(&io, each);
		spin_unlock_irq(&p->lock, flags);
	}
	seq_printf(s, "rchar: %lu\nwchar: %lu\nsyscr: %lu\nsyscw: %lu\n", io.rchar, io.wchar,
		   io.syscr, io.syscw);
	seq_printf(s, "read_bytes: %lu\nwrite_bytes: %lu\ncancelled_write_bytes: 0\n",
		   io.read_bytes, io.write_bytes);
	return 0;
}

/* Of 1000 parts of all memory what the process holds, moved by the adjustment, as Linux does. */
int
pid_show_oom_score(struct seq *s, const struct pid_node *n, struct task *t)
{
	struct space *space = task_get_space(t);
	s64 adj = READ_ONCE(t->process->oom_score_adj), total = pages_total(), points = 0;
	struct space_stat st = {0};

	if (space) {
		space_stat(space, &st);
		space_put_user(space);
	}
	if (space && adj != -1000 && total) {
		points = (s64)(st.resident + st.swap + st.tables) + adj * (total / 1000);
		points = (1000 + points * 1000 / total) * 2 / 3;
		points = max(points, (s64)0);
	}
	seq_printf(s, "%ld\n", points);
	return 0;
}

int
pid_show_oom_adj(struct seq *s, const struct pid_node *n, struct task *t)
{
	seq_printf(s, "%d\n", READ_ONCE(t->process->oom_score_adj));
	return 0;
}

/* -1000 to 1000; only a privileged writer goes below the lowest value that one has set. */
s64
pid_write_oom_adj(struct task *t, char *text, size_t len)
{
	struct process *p = t->process;
	bool negative = text[0] == '-', privileged = capable(CAP_SYS_RESOURCE);
	char *end = text + strcspn(text, "\n");
	unsigned long flags;
	s64 r = len;
	u32 v;
	s32 adj;

	*end = '\0';
	if (parse_u32(text + negative, 10, &v) || v > 1000)
		return -EINVAL;
	adj = negative ? -(s32)v : (s32)v;
	flags = spin_lock_irq(&p->lock);
	if (adj < p->oom_score_adj_min && !privileged) {
		r = -EACCES;
	} else {
		WRITE_ONCE(p->oom_score_adj, adj);
		if (privileged)
			p->oom_score_adj_min = adj;
	}
	spin_unlock_irq(&p->lock, flags);
	return r;
}

/* Nothing of a process without a space. */
int
pid_show_core_filter(struct seq *s, const struct pid_node *n, struct task *t)
{
	struct space *space = pid_space_ref(t);

	if (!space)
		return 0;
	space_put(space);
	seq_printf(s, "%08x\n", READ_ONCE(t->process->core_filter));
	return 0;
}

s64
pid_write_core_filter(struct task *t, char *text, size_t len)
{
	struct space *space;
	u32 v;
	int err = parse_u32(text, 0, &v);

	if (err)
		return err;
	space = pid_space_ref(t);
	if (!space)
		return -ESRCH;
	space_put(space);
	WRITE_ONCE(t->process->core_filter, v & CORE_FILTER_BITS);
	return (s64)len;
}

#define STACK_DEPTH 32

/* The function that a task sleeps in; "0": it runs, or it is not the reader's to know. */
int
pid_show_wchan(struct seq *s, const struct pid_node *n, struct task *t)
{
	unsigned long pcs[STACK_DEPTH], offset;
	const char *name = NULL;

	if (!pid_check(t)) {
		unsigned int depth = arch_stack_trace(t, pcs, STACK_DEPTH), i = 0;

		while (i < depth && arch_in_sched_text(pcs[i] - 1))
			i++;
		name = i < depth ? symbol_find(pcs[i] - 1, &offset) : NULL;
	}
	seq_puts(s, name ? name : "0");
	return 0;
}

/* How often t has left its CPU, if it sleeps and has left it; else 0. */
static u64
asleep_since(const struct task *t)
{
	if (!(smp_load_acquire(&t->sched.state) & STATE_ASLEEP) || task_on_cpu(t))
		return 0;
	return READ_ONCE(t->nvcsw) + READ_ONCE(t->nivcsw) + 1;
}

/* The registers with which t entered the kernel. False: it runs. */
static bool
entry_regs(const struct task *t, struct regs *r)
{
	u64 since = asleep_since(t);

	*r = *task_regs(t);
	/* It may have gone on meanwhile. */
	smp_rmb();
	return t == current || (since && asleep_since(t) == since);
}

/* The call that a task is in, its arguments, stack and place in the program. */
int
pid_show_syscall(struct seq *s, const struct pid_node *n, struct task *t)
{
	struct regs r;

	if (task_may_access(t, ACCESS_FSCREDS))
		return -EPERM;
	if (READ_ONCE(t->exited))
		seq_puts(s, "-1 0x0 0x0\n");
	else if (!entry_regs(t, &r))
		seq_puts(s, "running\n");
	else if ((s32)r.orig_rax < 0)
		seq_printf(s, "%d 0x%lx 0x%lx\n", (s32)r.orig_rax, r.rsp, r.rip);
	else
		seq_printf(s, "%d 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx\n",
			   (s32)r.orig_rax, r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9, r.rsp, r.rip);
	return 0;
}

int
pid_show_stack(struct seq *s, const struct pid_node *n, struct task *t)
{
	unsigned long pcs[STACK_DEPTH], offset, size;
	unsigned int depth = arch_stack_trace(t, pcs, STACK_DEPTH);
	bool sleeps = false;

	if (!capable(CAP_SYS_ADMIN))
		return -EACCES;
	for (unsigned int i = 0; i < depth; i++) {
		const char *name = symbol_find_size(pcs[i] - 1, &offset, &size);

		/* As Linux does, it begins with who called the scheduler. */
		sleeps = sleeps || !arch_in_sched_text(pcs[i] - 1);
		if (name && sleeps)
			seq_printf(s, "[<0>] %s+%#lx/%#lx\n", name, offset + 1, size);
	}
	return 0;
}

int
pid_show_schedstat(struct seq *s, const struct pid_node *n, struct task *t)
{
	seq_printf(s, "%lu %lu %lu\n", READ_ONCE(t->sched.sum_exec), READ_ONCE(t->sched.wait_sum),
		   READ_ONCE(t->sched.timeslices));
	return 0;
}

int
pid_show_cgroup(struct seq *s, const struct pid_node *n, struct task *t)
{
	seq_puts(s, "0::/\n");
	return 0;
}

/* --- login sessions (audit): a number that follows who logged in --- */

int
pid_show_loginuid(struct seq *s, const struct pid_node *n, struct task *t)
{
	seq_printf(s, "%u", READ_ONCE(t->loginuid));
	return 0;
}

int
pid_show_sessionid(struct seq *s, const struct pid_node *n, struct task *t)
{
	seq_printf(s, "%u", READ_ONCE(t->sessionid));
	return 0;
}

/* Each may set its own once; to change it needs CAP_AUDIT_CONTROL. */
s64
pid_write_loginuid(struct task *t, char *text, size_t n)
{
	static u32 last_session;
	u32 uid;

	if (t != current)
		return -EPERM;
	text[strcspn(text, "\n")] = '\0';
	if (parse_u32(text, 0, &uid))
		return -EINVAL;
	if (t->loginuid != U32_MAX && !capable(CAP_AUDIT_CONTROL))
		return -EPERM;
	t->sessionid = uid == U32_MAX ? U32_MAX : atomic_add_return(&last_session, 1u);
	t->loginuid = uid;
	return (s64)n;
}

int
pid_show_personality(struct seq *s, const struct pid_node *n, struct task *t)
{
	seq_printf(s, "%08x\n", READ_ONCE(t->personality));
	return 0;
}

/* There is one user namespace: all ids are themselves. */
int
pid_show_idmap(struct seq *s, const struct pid_node *n, struct task *t)
{
	seq_printf(s, "%10u %10u %10u\n", 0u, 0u, U32_MAX);
	return 0;
}

/* --- places --- */

static int
context_path(struct task *t, bool root, struct path *p)
{
	struct fs_context *fs = task_get_fs(t);

	if (!fs)
		return -ENOENT;
	spin_lock(&fs->lock);
	*p = root ? fs->root : fs->pwd;
	path_get(p);
	spin_unlock(&fs->lock);
	fs_context_put(fs);
	return 0;
}

int
pid_jump_cwd(const struct pid_node *n, struct task *t, struct path *p)
{
	return context_path(t, false, p);
}

int
pid_jump_root(const struct pid_node *n, struct task *t, struct path *p)
{
	return context_path(t, true, p);
}

int
pid_jump_exe(const struct pid_node *n, struct task *t, struct path *p)
{
	struct space *space = task_get_space(t);
	struct file *f;
	int err;

	if (!space)
		return -ENOENT;
	f = space_get_exe(space);
	space_put_user(space);
	if (!f)
		return -ENOENT;
	err = file_path_get(f, p);
	file_put(f);
	return err;
}
