/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls on policies, priorities and affinity (sched(7)).
 *
 * Deadline tasks are admitted while the sum of runtime / period stays below
 * 95 % of the CPUs, which is what real-time tasks may have altogether.
 */
#include "kernel/sched/runq.h"

#include "arch/x86_64/asm/irqflags.h"
#include "kernel/cred.h"
#include "kernel/sched/hotplug.h"
#include "kernel/sched/priority.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/rlimit.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/capability.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"
#include "sync/mutex.h"
#include "sync/pimutex.h"

struct sched_param {
	s32 priority;
};

/* struct sched_attr of sched_setattr(2); size 48 (VER0) or 56 (VER1). */
struct sched_attr {
	u32 size;
	u32 policy;
	u64 flags;
	s32 nice;
	u32 priority;
	u64 runtime, deadline, period;
	u32 util_min, util_max;
};
#define ATTR_SIZE_VER0 48

#define FLAG_RESET_ON_FORK 0x01
#define FLAG_RECLAIM 0x02
#define FLAG_DL_OVERRUN 0x04
#define FLAG_KEEP_POLICY 0x08
#define FLAG_KEEP_PARAMS 0x10
#define FLAG_ALL 0x1f

#define BW_SHIFT 20
#define DL_RUNTIME_MIN 1024UL
#define DL_PERIOD_MIN 100000UL
#define DL_PERIOD_MAX 4194304000UL

static __maybe_unused LOCK_CLASS(dl_bw_class, RANK_PROCESS);
static struct mutex dl_bw_lock = MUTEX_INIT(dl_bw_lock, dl_bw_class);
/* dl_bw_lock: sum of runtime / period of all admitted tasks, << BW_SHIFT */
static u64 dl_bw_used;

static bool
is_rt(u32 policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static bool
is_fair(u32 policy)
{
	return policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE;
}

/* pid 0: current. With a reference; NULL: no such task. */
static struct task *
target(int pid)
{
	return pid ? task_find_get(pid) : task_get(current);
}

static bool
same_owner(struct task *t)
{
	const struct cred *me = current_cred(), *c;
	bool same;

	rcu_read_lock();
	c = rcu_load(t->cred);
	same = me->euid == c->euid || me->euid == c->uid;
	rcu_read_unlock();
	return same;
}

static u64
limit_of(struct task *t, unsigned int which)
{
	return READ_ONCE(t->process->rlim[which].cur);
}

/* What a task without CAP_SYS_NICE may do to itself and its own. */
static int
permitted(struct task *t, const struct sched_attr *a)
{
	u64 rt_limit = limit_of(t, RLIMIT_RTPRIO);

	if (capable(CAP_SYS_NICE))
		return 0;
	if (is_fair(a->policy) && a->nice < t->sched.nice &&
	    (u64)(20 - a->nice) > limit_of(t, RLIMIT_NICE))
		return -EPERM;
	if (is_rt(a->policy)) {
		if (a->policy != t->sched.policy && rt_limit == 0)
			return -EPERM;
		if (a->priority > t->sched.rt_priority && a->priority > rt_limit)
			return -EPERM;
	}
	if (a->policy == SCHED_DEADLINE)
		return -EPERM;
	/* Leaving SCHED_IDLE counts as raising the nice value. */
	if (t->sched.policy == SCHED_IDLE && a->policy != SCHED_IDLE &&
	    (u64)(20 - t->sched.nice) > limit_of(t, RLIMIT_NICE))
		return -EPERM;
	if (!same_owner(t))
		return -EPERM;
	if (t->sched.reset_on_fork && !(a->flags & FLAG_RESET_ON_FORK))
		return -EPERM;
	return 0;
}

static int
attr_check(const struct sched_attr *a)
{
	if (a->flags & ~(u64)FLAG_ALL)
		return -EINVAL;
	if (is_rt(a->policy))
		return a->priority >= 1 && a->priority <= 99 ? 0 : -EINVAL;
	if (a->policy == SCHED_DEADLINE) {
		u64 period = a->period ? a->period : a->deadline;

		if (a->priority || a->deadline == 0 || a->runtime < DL_RUNTIME_MIN ||
		    a->deadline >> 63 || period >> 63 || period < a->deadline ||
		    a->deadline < a->runtime || period < DL_PERIOD_MIN || period > DL_PERIOD_MAX)
			return -EINVAL;
		return 0;
	}
	if (!is_fair(a->policy) || a->priority)
		return -EINVAL;
	return 0;
}

static u64
bandwidth(u32 policy, u64 runtime, u64 period)
{
	return policy == SCHED_DEADLINE && period ? (runtime << BW_SHIFT) / period : 0;
}

static void
attr_apply(struct task *t, void *arg)
{
	const struct sched_attr *a = arg;
	struct sched_task *s = &t->sched;

	s->policy = a->policy;
	s->reset_on_fork = a->flags & FLAG_RESET_ON_FORK;
	s->rt_priority = is_rt(a->policy) ? a->priority : 0;
	if (is_fair(a->policy))
		s->nice = a->nice;
	if (a->policy == SCHED_DEADLINE) {
		s->dl_runtime = a->runtime;
		s->dl_deadline = a->deadline;
		s->dl_period = a->period ? a->period : a->deadline;
		s->dl_abs = 0;
		s->dl_left = 0;
	}
	sched_set_class(t);
}

static u64
bandwidth_limit(void)
{
	return ((u64)cpumask_weight(&cpu_active_mask) << BW_SHIFT) * 95 / 100;
}

static int
dl_admit(struct task *t, const struct sched_attr *a)
{
	u64 old, new = bandwidth(a->policy, a->runtime, a->period ? a->period : a->deadline);
	int err = 0;

	if (a->policy == SCHED_DEADLINE && !cpumask_subset(&cpu_active_mask, &t->sched.allowed))
		return -EPERM;
	if (a->policy == SCHED_DEADLINE && dl_task_init(t))
		return -ENOMEM;
	mutex_lock(&dl_bw_lock);
	old = bandwidth(t->sched.policy, t->sched.dl_runtime, t->sched.dl_period);
	/* Against the CPUs of this moment: pairs with the grace period in kernel/hotplug.c. */
	pin();
	if (new > old && dl_bw_used - old + new > bandwidth_limit())
		err = -EBUSY;
	else
		WRITE_ONCE(dl_bw_used, dl_bw_used + new - old);
	unpin();
	mutex_unlock(&dl_bw_lock);
	return err;
}

int
sched_check_bandwidth(void)
{
	return READ_ONCE(dl_bw_used) > bandwidth_limit() ? -EBUSY : 0;
}

void
sched_release_bandwidth(struct task *t)
{
	u64 old = bandwidth(t->sched.policy, t->sched.dl_runtime, t->sched.dl_period);

	if (!old)
		return;
	mutex_lock(&dl_bw_lock);
	dl_bw_used -= old;
	mutex_unlock(&dl_bw_lock);
}

/* A task's own priority as PI locks order it: a deadline task before all others. */
static s32
own_pi_prio(const struct task *t)
{
	u32 policy = READ_ONCE(t->sched.policy);

	if (policy == SCHED_DEADLINE)
		return -1;
	return is_rt(policy) ? 99 - (s32)READ_ONCE(t->sched.rt_priority) : PI_PRIO_NORMAL;
}

/* Tells PI locks of t's new priority; of two changes at once the one that stays is told last. */
static void
pi_follow(struct task *t)
{
	s32 prio;

	do {
		prio = own_pi_prio(t);
		task_pi_set_prio(t, prio);
	} while (prio != own_pi_prio(t));
}

static int
attr_set(struct task *t, struct sched_attr *a)
{
	int err = attr_check(a);

	if (!err)
		err = permitted(t, a);
	if (!err && (a->policy == SCHED_DEADLINE || t->sched.policy == SCHED_DEADLINE))
		err = dl_admit(t, a);
	if (err)
		return err;
	sched_change(t, attr_apply, a);
	pi_follow(t);
	return 0;
}

int
sched_set_policy(struct task *t, u32 policy, s32 nice, u32 priority)
{
	struct sched_attr a = {.policy = policy, .nice = nice, .priority = priority};

	return policy == SCHED_DEADLINE ? -EINVAL : attr_set(t, &a);
}

static long
set_scheduler(int pid, int policy, const struct sched_param __user *up)
{
	struct sched_attr a = {0};
	struct sched_param p;
	struct task *t;
	int err;

	if (!up || pid < 0)
		return -EINVAL;
	if (copy_from_user(&p, up, sizeof(p)))
		return -EFAULT;
	t = target(pid);
	if (!t)
		return -ESRCH;
	a.nice = t->sched.nice;
	a.priority = (u32)p.priority;
	if (policy < 0) {
		a.policy = t->sched.policy;
		a.flags = t->sched.reset_on_fork ? FLAG_RESET_ON_FORK : 0;
	} else {
		a.policy = (u32)policy & ~(u32)SCHED_RESET_ON_FORK;
		a.flags = policy & SCHED_RESET_ON_FORK ? FLAG_RESET_ON_FORK : 0;
	}
	/* Parameters of a deadline task need sched_setattr(). */
	err = a.policy == SCHED_DEADLINE ? -EINVAL : attr_set(t, &a);
	task_put(t);
	return err;
}

long
sys_sched_setscheduler(int pid, int policy, const struct sched_param __user *p)
{
	return policy < 0 ? -EINVAL : set_scheduler(pid, policy, p);
}

long
sys_sched_setparam(int pid, const struct sched_param __user *p)
{
	return set_scheduler(pid, -1, p);
}

long
sys_sched_getscheduler(int pid)
{
	struct task *t;
	long ret;

	if (pid < 0)
		return -EINVAL;
	t = target(pid);
	if (!t)
		return -ESRCH;
	ret = (long)t->sched.policy | (t->sched.reset_on_fork ? SCHED_RESET_ON_FORK : 0);
	task_put(t);
	return ret;
}

long
sys_sched_getparam(int pid, struct sched_param __user *up)
{
	struct sched_param p;
	struct task *t;

	if (!up || pid < 0)
		return -EINVAL;
	t = target(pid);
	if (!t)
		return -ESRCH;
	p.priority = is_rt(t->sched.policy) ? (s32)t->sched.rt_priority : 0;
	task_put(t);
	return copy_to_user(up, &p, sizeof(p));
}

long
sys_sched_get_priority_max(int policy)
{
	if (is_rt((u32)policy))
		return 99;
	return is_fair((u32)policy) || policy == SCHED_DEADLINE ? 0 : -EINVAL;
}

long
sys_sched_get_priority_min(int policy)
{
	if (is_rt((u32)policy))
		return 1;
	return is_fair((u32)policy) || policy == SCHED_DEADLINE ? 0 : -EINVAL;
}

long
sys_sched_rr_get_interval(int pid, struct timespec __user *ts)
{
	struct task *t;
	u64 ns = 0;

	if (pid < 0)
		return -EINVAL;
	t = target(pid);
	if (!t)
		return -ESRCH;
	if (t->sched.policy == SCHED_RR)
		ns = 100 * NSEC_PER_MSEC;
	else if (is_fair(t->sched.policy))
		ns = t->sched.slice;
	task_put(t);
	return put_user_timespec(ts, ns);
}

static int
attr_from_user(struct sched_attr *a, struct sched_attr __user *ua)
{
	u32 size;
	int err;

	if (get_user(size, user_field(ua, size)))
		return -EFAULT;
	if (size == 0)
		size = ATTR_SIZE_VER0;
	if (size < ATTR_SIZE_VER0 || size > PAGE_SIZE) {
		u32 known = sizeof(*a);

		return put_user(known, user_field(ua, size)) ? -EFAULT : -E2BIG;
	}
	err = copy_struct_from_user(a, sizeof(*a), ua, size);
	if (err == -E2BIG) {
		u32 known = sizeof(*a);

		if (put_user(known, user_field(ua, size)))
			return -EFAULT;
	}
	a->nice = clamp(a->nice, -20, 19);
	return err;
}

long
sys_sched_setattr(int pid, struct sched_attr __user *ua, unsigned int flags)
{
	struct sched_attr a;
	struct task *t;
	int err;

	if (!ua || pid < 0 || flags)
		return -EINVAL;
	err = attr_from_user(&a, ua);
	if (err)
		return err;
	if ((s32)a.policy < 0)
		return -EINVAL;
	t = target(pid);
	if (!t)
		return -ESRCH;
	if (a.flags & FLAG_KEEP_POLICY)
		a.policy = t->sched.policy;
	if (a.flags & FLAG_KEEP_PARAMS) {
		a.nice = t->sched.nice;
		a.priority = t->sched.rt_priority;
		a.runtime = t->sched.dl_runtime;
		a.deadline = t->sched.dl_deadline;
		a.period = t->sched.dl_period;
	}
	err = attr_set(t, &a);
	task_put(t);
	return err;
}

long
sys_sched_getattr(int pid, struct sched_attr __user *ua, unsigned int size, unsigned int flags)
{
	struct sched_attr a = {0};
	struct task *t;

	if (!ua || pid < 0 || flags || size < ATTR_SIZE_VER0 || size > PAGE_SIZE)
		return -EINVAL;
	t = target(pid);
	if (!t)
		return -ESRCH;
	a.size = min(size, (unsigned int)sizeof(a));
	a.policy = t->sched.policy;
	a.flags = t->sched.reset_on_fork ? FLAG_RESET_ON_FORK : 0;
	if (is_rt(a.policy))
		a.priority = t->sched.rt_priority;
	else if (is_fair(a.policy))
		a.nice = t->sched.nice;
	else {
		a.runtime = t->sched.dl_runtime;
		a.deadline = t->sched.dl_deadline;
		a.period = t->sched.dl_period;
	}
	task_put(t);
	return copy_to_user(ua, &a, a.size);
}

long
sys_sched_yield(void)
{
	unsigned long f = irq_save();
	struct runq *rq = this_runq();

	spin_lock(&rq->lock);
	rq->yld_count++;
	runq_update(rq);
	current->sched.class->yield(rq, current);
	spin_unlock(&rq->lock);
	irq_restore(f);
	sched_yield_now();
	return 0;
}

/* --- affinity --- */

static void
affinity_apply(struct task *t, void *arg)
{
	t->sched.allowed = *(const struct cpumask *)arg;
	t->sched.nr_allowed = cpumask_weight(&t->sched.allowed);
}

/*
 * CPUs that are not active now stay out of the mask, as in Linux. One that
 * excludes the CPU where t is: t has moved, or sleeps and will be woken elsewhere.
 */
int
sched_set_affinity(struct task *t, const struct cpumask *mask)
{
	struct cpumask m;

	cpumask_and(&m, mask, &cpu_active_mask);
	if (cpumask_empty(&m))
		return -EINVAL;
	sched_change(t, affinity_apply, &m);
	sched_leave_cpu(t);
	return 0;
}

void
sched_get_affinity(struct task *t, struct cpumask *mask)
{
	unsigned long f;
	struct runq *rq = task_runq_lock(t, &f);

	*mask = t->sched.allowed;
	task_runq_unlock(t, rq, f);
}

long
sys_sched_setaffinity(int pid, unsigned int n, const unsigned long __user *umask)
{
	struct cpumask mask;
	struct task *t;
	int err;

	memset(&mask, 0, sizeof(mask));
	if (copy_from_user(&mask, umask, min(n, (unsigned int)sizeof(mask))))
		return -EFAULT;
	t = target(pid);
	if (!t)
		return -ESRCH;
	if (t->sched.bound)
		err = -EINVAL;
	else if (!same_owner(t) && !capable(CAP_SYS_NICE))
		err = -EPERM;
	else if (t->sched.policy == SCHED_DEADLINE)
		err = -EBUSY;
	else
		err = sched_set_affinity(t, &mask);
	task_put(t);
	return err;
}

long
sys_sched_getaffinity(int pid, unsigned int n, unsigned long __user *umask)
{
	struct cpumask mask, online;
	unsigned int bytes = BITS_TO_LONGS(nr_cpus) * 8;
	struct task *t;

	if (n < div_round_up(nr_cpus, 8) || n % sizeof(long))
		return -EINVAL;
	t = target(pid);
	if (!t)
		return -ESRCH;
	sched_get_affinity(t, &mask);
	task_put(t);
	cpumask_and(&online, &mask, &cpu_active_mask);
	bytes = min(bytes, n);
	return copy_to_user(umask, &online, bytes) ? -EFAULT : (long)bytes;
}

/* --- nice, for getpriority and setpriority --- */

static void
nice_apply(struct task *t, void *arg)
{
	t->sched.nice = *(s32 *)arg;
}

int
sched_set_nice(struct task *t, s32 nice)
{
	nice = clamp(nice, -20, 19);
	if (nice < t->sched.nice && !capable(CAP_SYS_NICE) &&
	    (u64)(20 - nice) > limit_of(t, RLIMIT_NICE))
		return -EACCES;
	sched_change(t, nice_apply, &nice);
	return 0;
}

s32
sched_get_nice(const struct task *t)
{
	return READ_ONCE(t->sched.nice);
}
