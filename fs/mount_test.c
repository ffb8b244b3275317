/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * New mounts beside each other (fs/mount_local.c): threads mount in directories of
 * their own, on each other's mounts and on one directory that all want, and
 * take away again; in between the tree must be whole.
 */
#include "fs/mount_impl.h"
#include "fs/namei.h"
#include "fs/vfs.h"
#include "lib/fmt.h"
#include "lib/test.h"
#include "sync/test_port.h"
#include "sync/torture_test.h"

#define BASE "/mount-test"
#define COMMON BASE "/common"
#define NAME 48

struct mount_torture {
	struct torture t;
	/* a  mounts that were made, and taken away */
	u32 made, gone;
};

static int
mount_on(const char *where)
{
	struct mount_request r = {.source = "test", .type = "tmpfs"};
	struct path p;
	int err = path_lookup(AT_FDCWD, where, WALK_FOLLOW, &p);

	if (err)
		return err;
	/* What others do with the place meanwhile is what the test is about. */
	test_yield();
	err = mount_at(&p, &r);
	path_put(&p);
	return err;
}

static int
umount_from(const char *where)
{
	struct path p;
	int err = path_lookup(AT_FDCWD, where, WALK_FOLLOW, &p);

	if (err)
		return err;
	err = mount_umount(&p, 0);
	path_put(&p);
	return err;
}

/* Is m at its place, alone, and behind what it is on? */
static bool
well_placed(const struct mount *m)
{
	struct mount *found;

	if (!m->parent)
		return true;
	rcu_read_lock();
	found = mount_find_rcu(m->parent, m->mountpoint);
	rcu_read_unlock();
	return found == m && m->ns_seq > m->parent->ns_seq && !list_empty(&m->child_link);
}

/* What is wrong with the namespace. */
static u64
tree_faults(void)
{
	struct mount_ns *ns = &init_mount_ns;
	u64 bad = 0, last = 0;
	struct mount *m;
	u32 n = 0;

	mount_tree_lock();
	list_for_each_entry(m, &ns->mounts, ns_link) {
		bad += m->ns != ns || !m->attached || m->ns_seq <= last || !well_placed(m);
		last = m->ns_seq;
		n++;
	}
	bad += n != ns->count || last > ns->last_seq;
	bad += mount_tree_size(ns->root) != n;
	mount_tree_unlock();
	return bad;
}

/* Own directory, a mount in it, and one on top of a directory there. */
static u64
alone_once(struct mount_torture *mt, unsigned int index)
{
	char dir[NAME], sub[NAME];
	u64 bad = 0;

	snprintf(dir, sizeof(dir), BASE "/%u", index);
	snprintf(sub, sizeof(sub), BASE "/%u/sub", index);
	bad += mount_on(dir) != 0;
	bad += vfs_mkdir(AT_FDCWD, sub, 0755) != 0;
	bad += mount_on(sub) != 0;
	bad += umount_from(dir) != -EBUSY;
	bad += umount_from(sub) != 0;
	bad += umount_from(dir) != 0;
	atomic_add(&mt->made, 2);
	atomic_add(&mt->gone, 2);
	return bad;
}

/* The common directory: all mount there, one on top of the other. */
static void
common_once(struct mount_torture *mt)
{
	if (mount_on(COMMON) == 0)
		atomic_inc(&mt->made);
	if (umount_from(COMMON) == 0)
		atomic_inc(&mt->gone);
}

static void
mount_run(struct torture_thread *th)
{
	struct mount_torture *mt = container_of(th->torture, struct mount_torture, t);

	while (!torture_over(th)) {
		if (!mount_local_blind && (test_rand(&th->seed) & 1))
			th->result += alone_once(mt, th->index);
		else
			common_once(mt);
		th->result += tree_faults();
		if (th->result && mount_local_blind)
			torture_stop(th);
		torture_turn(th);
	}
}

static u64
mount_torture(bool blind)
{
	struct torture_plan plan = {
		.fn = mount_run,
		.threads = clamp(2 * test_cpus(), 4u, 8u),
		.share = 4,
		.work = 200,
	};
	static struct mount_torture mt;
	char dir[NAME];
	u64 bad;

	mt.made = mt.gone = 0;
	EXPECT_EQ(vfs_mkdir(AT_FDCWD, BASE, 0755), 0);
	EXPECT_EQ(vfs_mkdir(AT_FDCWD, COMMON, 0755), 0);
	for (u32 i = 0; i < plan.threads; i++) {
		snprintf(dir, sizeof(dir), BASE "/%u", i);
		EXPECT_EQ(vfs_mkdir(AT_FDCWD, dir, 0755), 0);
	}
	mount_local_blind = blind;
	bad = torture_run(&mt.t, &plan);
	mount_local_blind = false;
	while (umount_from(COMMON) == 0)
		mt.gone++;
	EXPECT_EQ(mt.made, mt.gone);
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, COMMON), 0);
	for (u32 i = 0; i < plan.threads; i++) {
		snprintf(dir, sizeof(dir), BASE "/%u", i);
		EXPECT_EQ(vfs_rmdir(AT_FDCWD, dir), 0);
	}
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, BASE), 0);
	EXPECT_EQ(tree_faults(), 0);
	return bad;
}

TEST(mount_local_torture)
{
	EXPECT_EQ(mount_torture(false), 0);
}

TEST(mount_local_finds_broken)
{
	u64 bad = 0;

	for (int i = 0; i < TORTURE_TRIES && bad == 0 && test_cpus() > 1; i++)
		bad = mount_torture(true);
	EXPECT(bad != 0 || test_cpus() == 1);
}

/* A shard that is full hands over, and what is pending counts. */
TEST(mount_local_many)
{
	u32 before = init_mount_ns.count, n = 0;

	EXPECT_EQ(vfs_mkdir(AT_FDCWD, BASE, 0755), 0);
	for (; n < 50; n++)
		EXPECT_EQ(mount_on(BASE), 0);
	EXPECT_EQ(tree_faults(), 0);
	EXPECT_EQ(init_mount_ns.count, before + n);
	for (; n; n--)
		EXPECT_EQ(umount_from(BASE), 0);
	EXPECT_EQ(init_mount_ns.count, before);
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, BASE), 0);
}
