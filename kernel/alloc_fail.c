/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch of mm/fail.c: fail_alloc=N on the command line, or at run time
 * /proc/sys/vm/fail_alloc: one of N allocations fails, 0 for none.
 * /proc/sys/vm/fail_alloc_count tells how many have. Debug kernels only.
 *
 * By place (mm/fail_sites.c): /proc/sys/vm/fail_sites takes
 *
 *	off	nothing is noted any more
 *	count	places are noted
 *	each	and each fails the first time that it is reached
 *	again	those that have failed will once more
 *	N	place N fails once, the next time that it is reached
 *
 * and shows "number hits failed place < caller < ...", under a line of all.
 *
 * Spared by "each" are the tasks of init's session: whoever drives a sweep lives
 * there, and gives what shall meet the failures a session of its own.
 */
#include "kernel/init.h"
#include "kernel/sysctl.h"
#include "kernel/task/task.h"
#include "lib/errno.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/fail.h"
#include "mm/port.h"
#include "sync/rcu.h"

/* Of the command line: boot itself may not fail, so it counts from init on. */
static u32 from_init;

static int
param_fail_alloc(const char *v)
{
	return v != NULL ? parse_u32(v, 10, &from_init) : -EINVAL;
}
PARAM("fail_alloc", param_fail_alloc);

void
alloc_fail_begin(void)
{
	fail_alloc_set(from_init);
}

static int
show_fail_alloc(struct seq *s)
{
	seq_printf(s, "%u\n", fail_alloc_get());
	return 0;
}

static int
store_fail_alloc(char *text)
{
	u32 n;

	if (parse_u32(text, 10, &n) != 0)
		return -EINVAL;
	fail_alloc_set(n);
	return 0;
}
SYSCTL_RW(fail_alloc, "vm/fail_alloc", show_fail_alloc, store_fail_alloc);

static int
show_count(struct seq *s)
{
	seq_printf(s, "%lu\n", fail_alloc_count());
	return 0;
}
SYSCTL_SHOW(fail_alloc_count, "vm/fail_alloc_count", show_count);

/* --- by place --- */

#define INIT_PID 1

static const char *const modes[] = {
	[FAIL_SITES_OFF] = "off",
	[FAIL_SITES_COUNT] = "count",
	[FAIL_SITES_EACH] = "each",
};

bool
mm_port_fail_spared(void)
{
	struct task *t = current_task_or_null();
	const struct pid *session;
	bool spared;

	if (!t)
		return true;
	/* Kernel threads work for all: they are not spared. */
	if (task_is_kthread(t))
		return false;
	rcu_read_lock();
	session = rcu_load(t->process->session);
	/* Init has none (0) until it makes one. */
	spared = !session || session->nr <= INIT_PID;
	rcu_read_unlock();
	return spared;
}

static void
show_site(struct seq *s, u32 number, const struct fail_site *site)
{
	seq_printf(s, "%u %lu %u", number, site->hits, site->failed);
	for (u32 i = 0; i < FAIL_SITE_DEPTH && site->pcs[i]; i++)
		seq_printf(s, "%s%pS", i ? " < " : " ", (void *)(site->pcs[i] - 1));
	seq_putc(s, '\n');
}

static int
show_sites(struct seq *s)
{
	struct fail_site site;
	u32 all = 0, failed = 0;

	for (u32 i = 0; i < fail_sites_max(); i++) {
		if (fail_site_get(i, &site)) {
			all++;
			failed += site.failed != 0;
		}
	}
	seq_printf(s, "# mode %s sites %u failed %u lost %lu\n", modes[fail_sites_get()], all,
		   failed, fail_sites_lost());
	for (u32 i = 0; i < fail_sites_max(); i++)
		if (fail_site_get(i, &site))
			show_site(s, i, &site);
	return 0;
}

static int
store_sites(char *text)
{
	u32 n;

	for (n = 0; n < ARRAY_SIZE(modes); n++) {
		if (strcmp(text, modes[n]) == 0) {
			fail_sites_set((enum fail_mode)n);
			return 0;
		}
	}
	if (strcmp(text, "again") == 0) {
		fail_sites_again();
		return 0;
	}
	return parse_u32(text, 10, &n) ? -EINVAL : fail_site_arm(n);
}
SYSCTL_RW(fail_sites, "vm/fail_sites", show_sites, store_sites);
