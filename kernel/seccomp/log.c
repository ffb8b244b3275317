/* SPDX-License-Identifier: BSD-2-Clause */
/* seccomp(2): actions by name, and the log of what became of calls. */
#include "kernel/seccomp/seccomp_impl.h"

#include "kernel/cred.h"
#include "kernel/log.h"
#include "kernel/sysctl.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/capability.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Number of such records as Linux's audit has it. */
#define AUDIT_SECCOMP 1326

static const struct {
	const char *name;
	u32 action;
} actions[] = {
	{"kill_process", SECCOMP_RET_KILL_PROCESS},
	{"kill_thread", SECCOMP_RET_KILL_THREAD},
	{"trap", SECCOMP_RET_TRAP},
	{"errno", SECCOMP_RET_ERRNO},
	{"user_notif", SECCOMP_RET_USER_NOTIF},
	{"trace", SECCOMP_RET_TRACE},
	{"log", SECCOMP_RET_LOG},
	/* The last: it is not logged. */
	{"allow", SECCOMP_RET_ALLOW},
};
#define NR_ACTIONS ARRAY_SIZE(actions)
#define LOGGABLE (BIT(NR_ACTIONS - 1) - 1)

/* a  bits of actions[] that are logged */
static u32 logged = LOGGABLE;
/* a */
static u32 serial;

/* Its place in actions[]; NR_ACTIONS: none. */
static unsigned int
action_index(u32 action)
{
	unsigned int i = 0;

	while (i < NR_ACTIONS && actions[i].action != action)
		i++;
	return i;
}

bool
seccomp_action_known(u32 action)
{
	return action_index(action) < NR_ACTIONS;
}

/* What is not in the table kills the process. */
static u32
action_bit(u32 action)
{
	unsigned int i = action_index(action);

	return (u32)BIT(i < NR_ACTIONS ? i : 0);
}

void
seccomp_log(const struct seccomp_data *d, int sig, u32 action, bool asked)
{
	const struct cred *c = current_cred();
	u64 now = ktime_get_coarse_real();

	if (!asked || !(READ_ONCE(logged) & action_bit(action)))
		return;
	log_ratelimited(LOG_NOTICE,
			"audit: type=%d audit(%lu.%03lu:%u): auid=%u uid=%u gid=%u ses=%u pid=%d "
			"comm=\"%s\" sig=%d arch=%x syscall=%d compat=0 ip=0x%lx code=0x%x",
			AUDIT_SECCOMP, now / NSEC_PER_SEC, now % NSEC_PER_SEC / NSEC_PER_MSEC,
			atomic_add_return(&serial, 1), current->loginuid, c->uid, c->gid,
			current->sessionid, current->process->tgid, current->comm, sig, d->arch,
			d->nr, d->instruction_pointer, action);
}

/* --- /proc/sys/kernel/seccomp --- */

static void
show_names(struct seq *s, u32 set)
{
	const char *gap = "";

	for (unsigned int i = 0; i < NR_ACTIONS; i++) {
		if (!(set & BIT(i)))
			continue;
		seq_printf(s, "%s%s", gap, actions[i].name);
		gap = " ";
	}
	seq_putc(s, '\n');
}

static int
show_avail(struct seq *s)
{
	show_names(s, LOGGABLE | (u32)BIT(NR_ACTIONS - 1));
	return 0;
}
SYSCTL_SHOW(seccomp_avail, "kernel/seccomp/actions_avail", show_avail);

static int
show_logged(struct seq *s)
{
	show_names(s, READ_ONCE(logged));
	return 0;
}

static int
store_logged(char *text)
{
	unsigned int i;
	u32 set = 0;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	/* Names with one blank between them; an empty one is the end. */
	while (*text) {
		size_t n = 0;

		while (text[n] && text[n] != ' ')
			n++;
		if (n == 0)
			break;
		for (i = 0; i < NR_ACTIONS; i++)
			if (strlen(actions[i].name) == n && !memcmp(actions[i].name, text, n))
				break;
		if (i == NR_ACTIONS)
			return -EINVAL;
		set |= (u32)BIT(i);
		text += n + (text[n] == ' ');
	}
	if (set & ~LOGGABLE)
		return -EINVAL;
	WRITE_ONCE(logged, set);
	return 0;
}
SYSCTL_RW(seccomp_logged, "kernel/seccomp/actions_logged", show_logged, store_logged);
