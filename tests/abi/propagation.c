/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared, slave, private and unbindable mounts, in one namespace and between several. */
#include "tests/abi/mountns.h"

#define MANY 1200
#define MS_TYPE(place, type) works(mount(NULL, place, NULL, type, NULL))

static void
dirs(const char *names)
{
	char list[256], *save = NULL;

	snprintf(list, sizeof(list), "%s", names);
	for (char *d = strtok_r(list, " ", &save); d; d = strtok_r(NULL, " ", &save))
		works(mkdir(d, 0755));
}

static void
tmpfs_on(const char *place)
{
	works(mount("t", place, "tmpfs", 0, NULL));
}

static void
bind_on(const char *from, const char *place)
{
	works(mount(from, place, NULL, MS_BIND, NULL));
}

/* A shared file system at a, with directory x. */
static void
shared_a(void)
{
	own_mounts();
	dirs("a b c d");
	tmpfs_on("a");
	MS_TYPE("a", MS_SHARED);
	dirs("a/x a/y");
}

TEST(types_are_shown)
{
	shared_a();
	check(group_of("a", "shared:") > 0);
	bind_on("a", "b");
	is(group_of("b", "shared:"), group_of("a", "shared:"));
	MS_TYPE("b", MS_SLAVE);
	is(group_of("b", "shared:"), 0);
	is(group_of("b", "master:"), group_of("a", "shared:"));
	MS_TYPE("b", MS_SHARED);
	check(group_of("b", "shared:") > 0);
	check(group_of("b", "shared:") != group_of("a", "shared:"));
	is(group_of("b", "master:"), group_of("a", "shared:"));
	MS_TYPE("b", MS_PRIVATE);
	same(fields_of("b"), "");
	MS_TYPE("b", MS_UNBINDABLE);
	same(fields_of("b"), " unbindable");
	/* One that has no master cannot be a slave; it stays what it is. */
	MS_TYPE("b", MS_SLAVE);
	same(fields_of("b"), " unbindable");
	MS_TYPE("b", MS_SHARED);
	check(group_of("b", "shared:") > 0);
	check(!strstr(fields_of("b"), "unbindable"));
	MS_TYPE("a", MS_SLAVE);
	same(fields_of("a"), "");
}

TEST(errors)
{
	own_mounts();
	dirs("a");
	fails(mount(NULL, "a", NULL, MS_SHARED, NULL), EINVAL);
	tmpfs_on("a");
	fails(mount(NULL, "a", NULL, MS_SHARED | MS_PRIVATE, NULL), EINVAL);
	fails(mount(NULL, "a", NULL, MS_SHARED | MS_RDONLY, NULL), EINVAL);
	works(mount(NULL, "a", NULL, MS_SHARED | MS_REC | MS_SILENT, NULL));
	dirs("a/x");
	fails(mount(NULL, "a/x", NULL, MS_PRIVATE, NULL), EINVAL);
	in_child
	{
		drop(USER);
		fails(mount(NULL, "a", NULL, MS_PRIVATE, NULL), EPERM);
	}
}

TEST(recursive)
{
	own_mounts();
	dirs("a");
	tmpfs_on("a");
	dirs("a/x");
	tmpfs_on("a/x");
	MS_TYPE("a", MS_SHARED);
	is(group_of("a/x", "shared:"), 0);
	MS_TYPE("a", MS_SHARED | MS_REC);
	check(group_of("a/x", "shared:") > 0);
	MS_TYPE("a", MS_PRIVATE);
	check(group_of("a/x", "shared:") > 0);
	MS_TYPE("a", MS_PRIVATE | MS_REC);
	is(group_of("a/x", "shared:"), 0);
}

TEST(peers_see_mounts)
{
	shared_a();
	bind_on("a", "b");
	bind_on("a/x", "c");
	tmpfs_on("a/x");
	check(is_mounted("a/x") && is_mounted("b/x"));
	/* c shows a/x itself: there it is seen at its root. */
	is(group_of("b/x", "shared:"), group_of("a/x", "shared:"));
	check(group_of("a/x", "shared:") > 0);
	put("a/x/f", "");
	is(access("b/x/f", F_OK), 0);
	is(access("c/f", F_OK), 0);
	works(umount("b/x"));
	check(!is_mounted("a/x"));
	check(!is_mounted("b/x"));
	fails(access("c/f", F_OK), ENOENT);
	/* Outside of what a peer shows nothing comes. */
	tmpfs_on("a/y");
	check(is_mounted("b/y"));
	fails(access("c/y", F_OK), ENOENT);
	works(umount("a/y"));
	check(!is_mounted("b/y"));
}

TEST(slaves_follow_only)
{
	shared_a();
	bind_on("a", "b");
	MS_TYPE("b", MS_SLAVE);
	tmpfs_on("a/x");
	check(is_mounted("b/x"));
	is(group_of("b/x", "master:"), group_of("a/x", "shared:"));
	is(group_of("b/x", "shared:"), 0);
	tmpfs_on("b/y");
	check(!is_mounted("a/y"));
	works(umount("b/x"));
	check(is_mounted("a/x"));
	works(umount("a/x"));
	check(is_mounted("b/y"));
	works(umount("b/y"));
}

/* Slaves that are peers of each other get peers. */
TEST(group_of_slaves)
{
	shared_a();
	bind_on("a", "b");
	MS_TYPE("b", MS_SLAVE);
	MS_TYPE("b", MS_SHARED);
	bind_on("b", "c");
	bind_on("b", "d");
	is(group_of("c", "master:"), group_of("a", "shared:"));
	is(group_of("c", "shared:"), group_of("b", "shared:"));
	tmpfs_on("a/x");
	check(is_mounted("b/x") && is_mounted("c/x") && is_mounted("d/x"));
	check(group_of("b/x", "shared:") != group_of("a/x", "shared:"));
	is(group_of("c/x", "shared:"), group_of("b/x", "shared:"));
	is(group_of("d/x", "shared:"), group_of("b/x", "shared:"));
	is(group_of("b/x", "master:"), group_of("a/x", "shared:"));
	is(group_of("c/x", "master:"), group_of("a/x", "shared:"));
	/* What is done in one of them its peers see, not the master. */
	tmpfs_on("c/y");
	check(is_mounted("b/y") && is_mounted("d/y") && !is_mounted("a/y"));
	works(umount("d/y"));
	check(!is_mounted("b/y") && !is_mounted("c/y"));
	works(umount("a/x"));
	check(!is_mounted("b/x") && !is_mounted("c/x") && !is_mounted("d/x"));
}

/* Slaves of slaves, of which one shows nothing of the place. */
TEST(chain_of_slaves)
{
	shared_a();
	bind_on("a/y", "b");
	MS_TYPE("b", MS_SLAVE);
	MS_TYPE("b", MS_SHARED);
	bind_on("a", "c");
	MS_TYPE("c", MS_SLAVE);
	MS_TYPE("c", MS_SHARED);
	bind_on("c", "d");
	MS_TYPE("d", MS_SLAVE);
	is(group_of("d", "master:"), group_of("c", "shared:"));
	tmpfs_on("a/x");
	is(group_of("c/x", "master:"), group_of("a/x", "shared:"));
	is(group_of("d/x", "master:"), group_of("c/x", "shared:"));
	fails(access("b/x", F_OK), ENOENT);
	works(umount("c/x"));
	check(!is_mounted("d/x"));
	check(is_mounted("a/x"));
	works(umount("a/x"));
}

TEST(unbindable)
{
	own_mounts();
	dirs("a b");
	tmpfs_on("a");
	dirs("a/x a/y");
	tmpfs_on("a/x");
	tmpfs_on("a/y");
	MS_TYPE("a/x", MS_UNBINDABLE);
	fails(mount("a/x", "b", NULL, MS_BIND, NULL), EINVAL);
	works(mount("a", "b", NULL, MS_BIND | MS_REC, NULL));
	check(is_mounted("b/y") && !is_mounted("b/x"));
	works(umount2("b", MNT_DETACH));
	/* It moves, but not into what is shared. */
	tmpfs_on("b");
	MS_TYPE("b", MS_SHARED);
	dirs("b/z");
	fails(mount("a/x", "b/z", NULL, MS_MOVE, NULL), EINVAL);
	works(mount("a/y", "b/z", NULL, MS_MOVE, NULL));
	check(group_of("b/z", "shared:") > 0);
	/* A namespace of its own has a copy of it. */
	in_child
	{
		works(unshare(CLONE_NEWNS));
		same(fields_of("a/x"), " unbindable");
	}
}

TEST(moves)
{
	struct info before, after;

	shared_a();
	tmpfs_on("a/x");
	fails(mount("a/x", "b", NULL, MS_MOVE, NULL), EINVAL);
	bind_on("a", "c");
	tmpfs_on("b");
	dirs("b/in");
	tmpfs_on("b/in");
	check(info_in("/proc/self/mountinfo", "b", &before));
	/* Into a shared one: it becomes shared with all that is on it, and peers get copies. */
	works(mount("b", "a/y", NULL, MS_MOVE, NULL));
	check(info_in("/proc/self/mountinfo", "a/y", &after));
	is(after.id, before.id);
	check(!is_mounted("b"));
	check(is_mounted("c/y") && is_mounted("c/y/in") && is_mounted("a/y/in"));
	is(group_of("c/y/in", "shared:"), group_of("a/y/in", "shared:"));
	check(group_of("a/y", "shared:") > 0);
	fails(mount("a/y", "a", NULL, MS_MOVE, NULL), EINVAL);
	tmpfs_on("b");
	put("b/file", "");
	put("d/file", "");
	fails(mount("b", "d/file", NULL, MS_MOVE, NULL), EINVAL);
	works(mount("b", "d", NULL, MS_MOVE, NULL));
	dirs("d/deep");
	fails(mount("d", "d/deep", NULL, MS_MOVE, NULL), ELOOP);
}

/* A copy comes below what somebody has mounted at its place. */
TEST(covered_places)
{
	struct info top, below;

	shared_a();
	bind_on("a", "b");
	MS_TYPE("b", MS_SLAVE);
	tmpfs_on("b/x");
	put("b/x/by-hand", "");
	tmpfs_on("a/x");
	put("a/x/from-a", "");
	is(access("b/x/by-hand", F_OK), 0);
	fails(access("b/x/from-a", F_OK), ENOENT);
	check(info_in("/proc/self/mountinfo", "b", &below));
	works(umount("b/x"));
	is(access("b/x/from-a", F_OK), 0);
	is(group_of("b/x", "master:"), group_of("a/x", "shared:"));
	/* And goes from below it. */
	works(umount("a/x"));
	check(!is_mounted("b/x"));
	tmpfs_on("b/x");
	put("b/x/by-hand", "");
	tmpfs_on("a/x");
	works(umount("a/x"));
	is(access("b/x/by-hand", F_OK), 0);
	check(info_in("/proc/self/mountinfo", "b/x", &top));
	is(top.parent, below.id);
	works(umount("b/x"));
	check(!is_mounted("b/x"));
	/* What stands where a copy would goes instead of one. */
	tmpfs_on("a/x");
	works(umount("b/x"));
	tmpfs_on("b/x");
	works(umount("a/x"));
	check(!is_mounted("b/x"));
}

/* What is used elsewhere is busy; what has something of its own on it stays. */
TEST(umount_with_followers)
{
	int fd;

	shared_a();
	bind_on("a", "b");
	MS_TYPE("b", MS_SLAVE);
	tmpfs_on("a/x");
	fd = works(open("b/x", O_RDONLY));
	fails(umount("a/x"), EBUSY);
	check(is_mounted("a/x") && is_mounted("b/x"));
	works(umount2("a/x", MNT_DETACH));
	check(!is_mounted("a/x") && !is_mounted("b/x"));
	close(fd);
	tmpfs_on("a/x");
	works(mkdir("a/x/deep", 0755));
	tmpfs_on("b/x/deep");
	works(umount("a/x"));
	check(!is_mounted("a/x"));
	check(is_mounted("b/x"));
	check(is_mounted("b/x/deep"));
	works(umount("b/x/deep"));
	works(umount("b/x"));
}

/* A whole tree goes, and with it what followed it. */
TEST(umount_of_tree)
{
	shared_a();
	bind_on("a", "b");
	tmpfs_on("a/x");
	dirs("a/x/one a/x/two");
	tmpfs_on("a/x/one");
	tmpfs_on("a/x/two");
	check(is_mounted("b/x/one") && is_mounted("b/x/two"));
	works(umount2("b/x", MNT_DETACH));
	check(!is_mounted("a/x") && !is_mounted("a/x/one") && !is_mounted("b/x/two"));
	is(mounts_in("/proc/self/mountinfo"), mounts_in("/proc/thread-self/mountinfo"));
	/* Twice the same tree, one inside the other. */
	works(mount("a", "a/y", NULL, MS_BIND, NULL));
	check(is_mounted("b/y"));
	works(umount2("a/y", MNT_DETACH));
	check(!is_mounted("b/y"));
}

TEST(recursive_bind)
{
	shared_a();
	tmpfs_on("a/x");
	dirs("a/x/in");
	tmpfs_on("a/x/in");
	works(mount("a", "b", NULL, MS_BIND | MS_REC, NULL));
	is(group_of("b/x/in", "shared:"), group_of("a/x/in", "shared:"));
	works(mount("a/x", "c", NULL, MS_BIND | MS_REC, NULL));
	check(is_mounted("c/in"));
	is(group_of("c", "shared:"), group_of("a/x", "shared:"));
	works(umount("c/in"));
	check(!is_mounted("a/x/in") && !is_mounted("b/x/in"));
}

TEST(remount_of_binds)
{
	struct info in;

	own_mounts();
	dirs("a b");
	works(mount("t", "a", "tmpfs", MS_NOEXEC, NULL));
	bind_on("a", "b");
	check(info_in("/proc/self/mountinfo", "b", &in));
	same(in.opts, "rw,noexec,relatime");
	works(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV, NULL));
	check(info_in("/proc/self/mountinfo", "b", &in));
	same(in.opts, "ro,nodev,relatime");
	check(info_in("/proc/self/mountinfo", "a", &in));
	same(in.opts, "rw,noexec,relatime");
	works(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_NOATIME, NULL));
	works(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID, NULL));
	check(info_in("/proc/self/mountinfo", "b", &in));
	same(in.opts, "rw,nosuid,noatime");
}

/* --- between namespaces --- */

TEST(peers_in_another_namespace)
{
	struct gate ready = gate_new(), go = gate_new(), seen = gate_new(), back = gate_new();
	long group;
	pid_t pid;

	shared_a();
	group = group_of("a", "shared:");
	pid = fork();
	if (pid == 0) {
		works(unshare(CLONE_NEWNS));
		is(group_of("a", "shared:"), group);
		gate_open(&ready);
		gate_wait(&go);
		check(is_mounted("a/x"));
		is(access("a/x/f", F_OK), 0);
		works(umount("a/x"));
		tmpfs_on("a/y");
		gate_open(&seen);
		gate_wait(&back);
		_exit(0);
	}
	gate_wait(&ready);
	tmpfs_on("a/x");
	put("a/x/f", "");
	gate_open(&go);
	gate_wait(&seen);
	check(!is_mounted("a/x"));
	check(is_mounted("a/y"));
	/* With the last task the other namespace goes; what it gave us stays. */
	gate_open(&back);
	is(reap(pid), 0);
	check(is_mounted("a/y"));
	works(umount("a/y"));
}

TEST(slaves_in_another_namespace)
{
	struct gate ready = gate_new(), go = gate_new(), seen = gate_new(), back = gate_new();
	long group;
	pid_t pid;

	shared_a();
	group = group_of("a", "shared:");
	pid = fork();
	if (pid == 0) {
		works(unshare(CLONE_NEWNS));
		MS_TYPE("/", MS_SLAVE | MS_REC);
		is(group_of("a", "master:"), group);
		gate_open(&ready);
		gate_wait(&go);
		check(is_mounted("a/x"));
		tmpfs_on("a/y");
		works(chdir("a/x"));
		gate_open(&seen);
		gate_wait(&back);
		check(!is_mounted("a/x"));
		_exit(0);
	}
	gate_wait(&ready);
	tmpfs_on("a/x");
	gate_open(&go);
	gate_wait(&seen);
	check(!is_mounted("a/y"));
	/* Somebody there stands on it. */
	fails(umount("a/x"), EBUSY);
	works(umount2("a/x", MNT_DETACH));
	gate_open(&back);
	is(reap(pid), 0);
}

/* propagate_from: the nearest master that can be seen, when the master cannot. */
TEST(distant_master)
{
	struct gate ready = gate_new(), done = gate_new();
	char buf[PATH_MAX];
	long a_group;
	pid_t pid;

	shared_a();
	a_group = group_of("a", "shared:");
	/* The one between is in another namespace only. */
	pid = fork();
	if (pid == 0) {
		works(unshare(CLONE_NEWNS));
		MS_TYPE("a", MS_SLAVE);
		MS_TYPE("a", MS_SHARED);
		gate_open(&ready);
		gate_wait(&done);
		_exit(0);
	}
	gate_wait(&ready);
	in_child
	{
		int fd;

		snprintf(buf, sizeof(buf), "/proc/%d/ns/mnt", pid);
		fd = works(open(buf, O_RDONLY));
		getcwd(buf, sizeof(buf));
		is(setns(fd, CLONE_NEWNS), 0);
		works(chdir(buf));
		works(unshare(CLONE_NEWNS));
		MS_TYPE("a", MS_SLAVE);
		check(group_of("a", "master:") > 0);
		check(group_of("a", "master:") != a_group);
		is(group_of("a", "propagate_from:"), 0);
	}
	gate_open(&done);
	is(reap(pid), 0);
}

/* In one namespace: the master of our master is here, our master is outside of our root. */
TEST(master_outside_of_root)
{
	char list[65536], *line;

	shared_a();
	dirs("jail");
	tmpfs_on("jail");
	dirs("jail/far jail/near jail/proc");
	works(mount("proc", "jail/proc", "proc", 0, NULL));
	bind_on("a", "jail/far");
	bind_on("a", "b");
	MS_TYPE("b", MS_SLAVE);
	MS_TYPE("b", MS_SHARED);
	bind_on("b", "jail/near");
	MS_TYPE("jail/near", MS_SLAVE);
	is(group_of("jail/near", "master:"), group_of("b", "shared:"));
	is(group_of("jail/near", "propagate_from:"), 0);
	in_child
	{
		long far = group_of("jail/far", "shared:"), b = group_of("b", "shared:");
		char want[64];

		works(chroot("jail"));
		works(chdir("/"));
		get("/proc/self/mountinfo", list, sizeof(list));
		line = strstr(list, " /near ");
		snprintf(want, sizeof(want), " master:%ld propagate_from:%ld - ", b, far);
		check(line && strstr(line, want));
	}
}

/* The room of each namespace is counted, and nothing comes when one is full. */
TEST(no_room_for_copies)
{
	struct gate ready = gate_new(), go = gate_new();
	char before[32], small[32];
	int lines;
	pid_t pid;

	get("/proc/sys/fs/mount-max", before, sizeof(before));
	shared_a();
	pid = fork();
	if (pid == 0) {
		works(unshare(CLONE_NEWNS));
		for (int i = 0; i < 10; i++)
			tmpfs_on("d");
		gate_open(&ready);
		gate_wait(&go);
		_exit(0);
	}
	gate_wait(&ready);
	lines = mounts_in("/proc/self/mountinfo");
	snprintf(small, sizeof(small), "%d", lines + 10);
	is(put("/proc/sys/fs/mount-max", small), 0);
	fails(mount("t", "a/x", "tmpfs", 0, NULL), ENOSPC);
	check(!is_mounted("a/x"));
	tmpfs_on("b");
	/* A move that fails changes nothing, not even the type. */
	fails(mount("b", "a/x", NULL, MS_MOVE, NULL), ENOSPC);
	same(fields_of("b"), "");
	is(put("/proc/sys/fs/mount-max", before), 0);
	gate_open(&go);
	is(reap(pid), 0);
	tmpfs_on("a/x");
}

/* So many copies of so much come to an end where the room does. */
TEST_LIMIT(no_room_for_all_copies, 120)
{
	char before[32], small[32], name[32];

	get("/proc/sys/fs/mount-max", before, sizeof(before));
	snprintf(small, sizeof(small), "%d", mounts_in("/proc/self/mountinfo") + 4000);
	is(put("/proc/sys/fs/mount-max", small), 0);
	shared_a();
	tmpfs_on("b");
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		works(mkdir(name, 0755));
		works(mount("a", name, NULL, MS_BIND, NULL));
		snprintf(name, sizeof(name), "b/%d", i);
		works(mkdir(name, 0755));
		works(mount(name, name, NULL, MS_BIND, NULL));
	}
	fails(mount("b", "a/x", NULL, MS_BIND | MS_REC, NULL), ENOSPC);
	fails(mount("b", "a/x", NULL, MS_MOVE, NULL), ENOSPC);
	check(!is_mounted("a/x"));
	is(put("/proc/sys/fs/mount-max", before), 0);
}

/* --- all at once --- */

/* Mounts and takes away in what all share, each in a namespace of its own. */
static int
in_common(int n)
{
	char dir[16];
	int tries;

	snprintf(dir, sizeof(dir), "a/d%d", n);
	if (unshare(CLONE_NEWNS))
		return 1;
	for (int i = 0; i < 20; i++) {
		if (mount("t", dir, "tmpfs", 0, NULL))
			return 2;
		/* Others may stand on its copies for a moment. */
		for (tries = 0; umount(dir); tries++) {
			if (errno != EBUSY || tries == 10000)
				return 3;
			usleep(100);
		}
		if (mount("t", dir, "tmpfs", 0, NULL) || umount2(dir, MNT_DETACH))
			return 4;
		if (i % 5 == 0 && unshare(CLONE_NEWNS))
			return 5;
	}
	return 0;
}

TEST_LIMIT(namespaces_in_common, 60)
{
	pid_t pids[4];
	char dir[16];
	int lines;

	shared_a();
	for (int i = 0; i < 4; i++) {
		snprintf(dir, sizeof(dir), "a/d%d", i);
		works(mkdir(dir, 0755));
	}
	lines = mounts_in("/proc/self/mountinfo");
	for (int i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(in_common(i));
	}
	for (int i = 0; i < 4; i++)
		is(reap(pids[i]), 0);
	is(mounts_in("/proc/self/mountinfo"), lines);
}
