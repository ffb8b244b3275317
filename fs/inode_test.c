/* SPDX-License-Identifier: BSD-2-Clause */
/* What CPUs keep of inodes: times of access, writers and programs that forbid them. */
#include "fs/atime.h"
#include "fs/attr.h"
#include "fs/namei.h"
#include "fs/vfs.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/fcntl.h"
#include "lib/errno.h"
#include "lib/test.h"
#include "mm/slab.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

/* A file of the root file system without a name. */
static struct file *
make_file(void)
{
	struct file *f = file_open("/", O_TMPFILE | O_RDWR, 0600);

	EXPECT(!is_err(f));
	return is_err(f) ? NULL : f;
}

/* --- times of access --- */

struct noter {
	struct inode *i;
	s64 time;
};

static void
note_run(void *arg)
{
	struct noter *n = arg;

	atime_note(n->i, n->time);
}

static void
note_on(unsigned int cpu, struct inode *i, s64 time)
{
	struct noter n = {i, time};

	test_join(test_spawn(cpu, note_run, &n));
}

TEST(inode_atime_slots)
{
	struct file *f = make_file();
	struct iattr a = {.valid = ATTR_ATIME};
	struct inode *i;
	s64 first;

	ASSERT_TRUE(f != NULL);
	i = f->inode;
	first = i->time[TIME_ACCESS];
	EXPECT_EQ(atime_latest(i), first);
	note_on(0, i, first + 10);
	note_on(1, i, first + 30);
	note_on(2, i, first + 20);
	EXPECT_EQ(atime_latest(i), first + (test_cpus() > 1 ? 30 : 20));
	/* Nobody wrote to the inode. */
	EXPECT_EQ(i->time[TIME_ACCESS], first);
	a.atime = first - 5;
	a.ctime = i->time[TIME_CHANGE];
	setattr_apply(i, &a);
	EXPECT_EQ(atime_latest(i), first - 5);
	note_on(0, i, first + 40);
	EXPECT_EQ(atime_latest(i), first + 40);
	file_put(f);
}

/* More inodes than slots: what is driven out is handed in. And their end leaves nothing behind. */
TEST(inode_atime_evicted)
{
	static struct file *f[80];
	unsigned int k;
	s64 later = inode_now() + 3600 * (s64)NSEC_PER_SEC;

	for (k = 0; k < ARRAY_SIZE(f); k++) {
		f[k] = make_file();
		ASSERT_TRUE(f[k] != NULL);
		note_on(0, f[k]->inode, later + k);
	}
	for (k = 0; k < ARRAY_SIZE(f); k++)
		EXPECT_EQ(atime_latest(f[k]->inode), later + k);
	for (k = 0; k < ARRAY_SIZE(f); k++)
		file_put(f[k]);
	inode_settle_all();
	EXPECT_EQ(atime_slots_used(), 0);
}

/* --- writers and programs --- */

struct deny_torture {
	struct torture t;
	struct inode *i;
	/* a  writers, programs that were let in */
	u32 writers, programs;
	/* programs are made to believe that there never was a writer */
	bool broken;
};

static u64
write_once(struct deny_torture *d)
{
	u64 bad = 0;

	if (inode_get_write(d->i))
		return 0;
	atomic_inc(&d->writers);
	bad += atomic_read(&d->programs) != 0;
	if (d->broken)
		WRITE_ONCE(d->i->writers_seen, false);
	torture_window();
	bad += atomic_read(&d->programs) != 0;
	atomic_dec(&d->writers);
	inode_put_write(d->i);
	return bad;
}

static u64
deny_once(struct deny_torture *d)
{
	u64 bad = 0;

	if (inode_deny_write(d->i))
		return 0;
	atomic_inc(&d->programs);
	bad += atomic_read(&d->writers) != 0;
	torture_window();
	bad += atomic_read(&d->writers) != 0;
	atomic_dec(&d->programs);
	inode_allow_write(d->i);
	return bad;
}

static void
deny_run(struct torture_thread *th)
{
	struct deny_torture *d = container_of(th->torture, struct deny_torture, t);

	while (!torture_over(th)) {
		/* Mostly of one kind, so that flags are taken back. */
		if ((test_rand(&th->seed) & 15) < (th->index & 1 ? 2 : 14))
			th->result += deny_once(d);
		else
			th->result += write_once(d);
		if (th->turns % 16 == 0)
			test_yield();
		torture_turn(th);
	}
}

static u64
deny_torture(bool broken)
{
	struct torture_plan plan = {
		.fn = deny_run, .threads = min(test_cpus() * 2, 16u), .share = 20, .work = 100000};
	static struct deny_torture d;
	struct file *f = make_file();
	u64 bad;

	if (!f)
		return ~0UL;
	d.i = f->inode;
	d.broken = broken;
	/* The handle itself may write. */
	EXPECT_EQ(inode_deny_write(d.i), -ETXTBSY);
	inode_put_write(d.i);
	bad = torture_run(&d.t, &plan);
	EXPECT_EQ(inode_deny_write(d.i), 0);
	EXPECT_EQ(inode_get_write(d.i), -ETXTBSY);
	inode_allow_write(d.i);
	EXPECT_EQ(inode_get_write(d.i), 0);
	file_put(f);
	return bad;
}

TEST(inode_deny_torture)
{
	EXPECT_EQ(deny_torture(false), 0);
}

TEST(inode_deny_finds_broken)
{
	u64 bad = 0;

	for (int i = 0; i < TORTURE_TRIES && bad == 0 && test_cpus() > 1; i++)
		bad = deny_torture(true);
	EXPECT(bad != 0 || test_cpus() == 1);
}
