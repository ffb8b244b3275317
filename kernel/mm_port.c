/* SPDX-License-Identifier: BSD-2-Clause */
/* What mm/ asks of tasks and handles (mm/port_space.h). */
#include "mm/port_space.h"

#include "kernel/cred.h"
#include "kernel/file.h"
#include "kernel/log.h"
#include "kernel/random.h"
#include "kernel/signal/signal.h"
#include "kernel/task/task.h"
#include "kernel/uapi/mman.h"
#include "lib/errno.h"
#include "mm/port.h"

#define ADDR_NO_RANDOMIZE 0x0040000u
#define READ_IMPLIES_EXEC 0x0400000u

void
mm_port_file_get(struct file *f)
{
	file_get(f);
}

void
mm_port_file_put(struct file *f)
{
	file_put(f);
}

struct file *
mm_port_fd(unsigned long fd)
{
	return fd_get_file((unsigned int)fd);
}

/* Does the handle's mode permit a mapping of this kind (mmap(2), EACCES)? */
static int
mode_check(struct file *f, struct map_ask *ask)
{
	bool shared = (ask->flags & MAP_TYPE) != MAP_PRIVATE;

	if (!(f->mode & FMODE_READ))
		return -EACCES;
	if (shared && ask->prot & PROT_WRITE && !(f->mode & FMODE_WRITE))
		return -EACCES;
	ask->max_prot = PROT_READ | PROT_EXEC | (!shared || f->mode & FMODE_WRITE ? PROT_WRITE : 0);
	return 0;
}

int
mm_port_file_map(struct file *f, struct map_ask *ask)
{
	struct map_request req = {
		.prot = ask->prot,
		.flags = ask->flags,
		.len = ask->len,
		.offset = ask->offset,
		.cache = f->cache,
	};
	int err = mode_check(f, ask);

	if (err)
		return err;
	if (!f->ops->mmap)
		return -ENODEV;
	req.max_prot = ask->max_prot;
	err = f->ops->mmap(f, &req);
	ask->max_prot = req.max_prot;
	ask->cache = req.cache;
	ask->pages = req.pages;
	return err;
}

struct space *
mm_port_current_space(void)
{
	return current->space;
}

u64
mm_port_rlimit(unsigned int which)
{
	return current_task_or_null() ? rlimit(which) : U64_MAX;
}

bool
mm_port_capable(unsigned int cap)
{
	return capable(cap);
}

bool
mm_port_no_random(void)
{
	return current->personality & ADDR_NO_RANDOMIZE;
}

u64
mm_port_random(void)
{
	return random_u64();
}

bool
mm_port_read_implies_exec(void)
{
	return current->personality & READ_IMPLIES_EXEC;
}

bool
mm_port_fatal_pending(void)
{
	return fatal_signal_pending();
}

/* --- the OOM killer --- */

struct choice {
	struct process *process;
	s64 points;
	u64 rss;
};

static struct space *
process_space(struct process *p)
{
	struct task *t = rcu_load(p->leader);

	return t ? READ_ONCE(t->space) : NULL;
}

/* Pages that its end would give back, plus what oom_score_adj adds or takes. */
static void
consider(struct process *p, struct choice *c)
{
	struct space *s = process_space(p);
	struct space_stat st;
	s64 points;

	if (!s || p->tgid <= 1 || p->oom_score_adj == -1000 || p->signals.flags & PSIG_UNKILLABLE)
		return;
	space_stat(s, &st);
	points = (s64)(st.resident + st.tables) + p->oom_score_adj * (s64)pages_total() / 1000;
	if (points <= c->points)
		return;
	if (c->process)
		process_put(c->process);
	c->process = process_get(p);
	c->points = points;
	c->rss = st.resident;
}

bool
mm_port_oom_kill(unsigned int order, gfp_t gfp)
{
	struct choice c = {.points = 0};
	struct process *p;
	s32 nr = 0;

	if (!current_task_or_null())
		return false;
	rcu_read_lock();
	while ((p = process_next(nr)) != NULL) {
		nr = p->tgid + 1;
		/* Somebody is on the way out already: wait for that. */
		if (p->group_exit && process_space(p)) {
			rcu_read_unlock();
			if (c.process)
				process_put(c.process);
			return true;
		}
		consider(p, &c);
	}
	rcu_read_unlock();
	if (!c.process) {
		log_err("Out of memory and no killable processes (order %u, %lu of %lu pages free)", order,
			pages_free(), pages_total());
		return false;
	}
	log_err("Out of memory: Killed process %d (%s), rss %lu kB, oom_score_adj %d; %lu of %lu pages free",
		c.process->tgid, rcu_load(c.process->leader) ? rcu_load(c.process->leader)->comm : "?",
		c.rss * 4, c.process->oom_score_adj, pages_free(), pages_total());
	signal_send_process(c.process, SIGKILL, NULL);
	process_put(c.process);
	return true;
}

void
mm_port_fault_done(void)
{
	current->minflt++;
}
