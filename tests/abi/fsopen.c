/* SPDX-License-Identifier: BSD-2-Clause */
/* File systems and mounts step by step: fsopen, fsconfig, fsmount, fspick, open_tree, move_mount, mount_setattr. */
#include "tests/abi/mountns.h"

#include <linux/mount.h>
#include <sys/statfs.h>

#define MS_TYPE(place, type) works(mount(NULL, place, NULL, type, NULL))

static int
fsopen_(const char *type, unsigned int flags)
{
	return syscall(SYS_fsopen, type, flags);
}

static int
fsconfig_(int fd, unsigned int cmd, const char *key, const void *value, int aux)
{
	return syscall(SYS_fsconfig, fd, cmd, key, value, aux);
}

static int
set(int fd, const char *key, const char *value)
{
	return fsconfig_(fd, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value, 0);
}

static int
create(int fd)
{
	return fsconfig_(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

static int
reconfigure(int fd)
{
	return fsconfig_(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
}

static int
fsmount_(int fd, unsigned int flags, unsigned int attr)
{
	return syscall(SYS_fsmount, fd, flags, attr);
}

static int
fspick_(const char *path, unsigned int flags)
{
	return syscall(SYS_fspick, AT_FDCWD, path, flags);
}

static int
open_tree_(const char *path, unsigned int flags)
{
	return syscall(SYS_open_tree, AT_FDCWD, path, flags);
}

static int
move_to(int fd, const char *to)
{
	return syscall(SYS_move_mount, fd, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH);
}

static int
move_paths(const char *from, const char *to, unsigned int flags)
{
	return syscall(SYS_move_mount, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static int
setattr_at(int fd, const char *path, unsigned int flags, struct mount_attr *a)
{
	return syscall(SYS_mount_setattr, fd, path, flags, a, sizeof(*a));
}

static int
change(const char *path, unsigned long set_, unsigned long clear, unsigned int flags)
{
	struct mount_attr a = {.attr_set = set_, .attr_clr = clear};

	return setattr_at(AT_FDCWD, path, flags, &a);
}

/* The next message of a handle without the ends of its lines; "": there is none. */
static const char *
message(int fd)
{
	static char text[512];
	long n = read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	if (n > 0 && text[n - 1] != '\n')
		return "no end of line";
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static const char *
options_of(const char *place)
{
	static struct info in;

	return info_in("/proc/self/mountinfo", place, &in) ? in.opts : NULL;
}

/* A mount of tmpfs that is nowhere. */
static int
new_tmpfs(void)
{
	int fs = works(fsopen_("tmpfs", FSOPEN_CLOEXEC)), m;

	works(create(fs));
	m = works(fsmount_(fs, FSMOUNT_CLOEXEC, 0));
	close(fs);
	return m;
}

TEST(from_open_to_mount)
{
	struct info in;
	struct stat st;
	int fs, m, fd;

	own_mounts();
	works(mkdir("m", 0755));
	fs = works(fsopen_("tmpfs", FSOPEN_CLOEXEC));
	is(fcntl(fs, F_GETFD), FD_CLOEXEC);
	fails(fsmount_(fs, 0, 0), EINVAL);
	works(set(fs, "source", "a source"));
	works(set(fs, "size", "1m"));
	works(set(fs, "mode", "0711"));
	works(create(fs));
	m = works(fsmount_(fs, 0, MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV));
	is(fcntl(m, F_GETFD), 0);
	is(fcntl(m, F_GETFL) & O_PATH, O_PATH);
	works(fstat(m, &st));
	is(st.st_mode, S_IFDIR | 0711);
	/* It can be used before it is anywhere. */
	fd = works(openat(m, "file", O_CREAT | O_WRONLY, 0644));
	close(fd);
	works(move_to(m, "m"));
	works(stat("m/file", &st));
	check(info_in("/proc/self/mountinfo", "m", &in));
	same(in.opts, "rw,nodev,noexec,relatime");
	same(in.source, "a\\040source");
	same(in.type, "tmpfs");
	fails(move_to(m, "m"), ELOOP);
	close(m);
	check(is_mounted("m"));
	works(umount("m"));
}

TEST(dissolves)
{
	int m, lines = mounts_in("/proc/self/mountinfo"), root, fd;

	own_mounts();
	works(mkdir("m", 0755));
	m = new_tmpfs();
	root = works(openat(m, ".", O_RDONLY | O_DIRECTORY));
	fd = works(openat(root, "f", O_CREAT | O_RDWR, 0600));
	close(m);
	is(mounts_in("/proc/self/mountinfo"), lines + 1);
	/* What was open stays usable; it is no tree that could be put anywhere. */
	works(write(fd, "x", 1));
	fails(move_to(root, "m"), EINVAL);
	works(faccessat(root, "f", F_OK, 0));
	/* A second handle of the same does not keep it, a copy of the first does. */
	m = new_tmpfs();
	fd = works(dup(m));
	close(m);
	works(move_to(fd, "m"));
	fails(umount("m"), EBUSY);
	close(fd);
	works(umount("m"));
}

TEST(errors_of_fsopen)
{
	char *long_name = malloc(8192);
	int fs;

	memset(long_name, 'x', 8191);
	long_name[8191] = '\0';
	fails(fsopen_("nosuchfs", 0), ENODEV);
	fails(fsopen_("", 0), ENODEV);
	fails(fsopen_("tmpfs", 2), EINVAL);
	fails(fsopen_(BAD, 0), EFAULT);
	fails(fsopen_(NULL, 0), EFAULT);
	fails(fsopen_(long_name, 0), EINVAL);
	fs = works(fsopen_("tmpfs", 0));
	is(fcntl(fs, F_GETFD), 0);
	is(fcntl(fs, F_GETFL) & O_ACCMODE, O_RDWR);
	fails(lseek(fs, 0, SEEK_SET), ESPIPE);
	fails(write(fs, "x", 1), EINVAL);
	fails(read(fs, long_name, 10), ENODATA);
	in_child
	{
		drop(USER);
		fails(fsopen_("tmpfs", 0), EPERM);
		fails(fspick_("/", 0), EPERM);
		fails(fsmount_(fs, 0, 0), EPERM);
		fails(open_tree_("/", OPEN_TREE_CLONE), EPERM);
		works(open_tree_("/", 0));
		fails(move_paths("/", "/", 0), EPERM);
		fails(change("/", MOUNT_ATTR_RDONLY, 0, 0), EPERM);
		/* A handle that somebody gave: parameters, but no file system. */
		works(set(fs, "mode", "0700"));
		fails(create(fs), EPERM);
	}
}

TEST(errors_of_fsconfig)
{
	int fs = works(fsopen_("tmpfs", 0)), null = open("/dev/null", O_RDWR);
	char *many = malloc(1024 * 1024 + 1), key[300], value[300];

	memset(key, 'k', sizeof(key));
	memset(value, '1', sizeof(value));
	key[299] = value[299] = '\0';
	fails(fsconfig_(-1, FSCONFIG_SET_FLAG, "ro", NULL, 0), EINVAL);
	fails(fsconfig_(1000, FSCONFIG_SET_FLAG, "ro", NULL, 0), EBADF);
	fails(fsconfig_(null, FSCONFIG_SET_FLAG, "ro", NULL, 0), EINVAL);
	fails(fsconfig_(fs, 99, NULL, NULL, 0), EOPNOTSUPP);
	fails(fsconfig_(fs, FSCONFIG_SET_FLAG, NULL, NULL, 0), EINVAL);
	fails(fsconfig_(fs, FSCONFIG_SET_FLAG, "ro", "x", 0), EINVAL);
	fails(fsconfig_(fs, FSCONFIG_SET_FLAG, "ro", NULL, 1), EINVAL);
	fails(fsconfig_(fs, FSCONFIG_SET_STRING, "size", NULL, 0), EINVAL);
	fails(fsconfig_(fs, FSCONFIG_SET_STRING, "size", "1m", 1), EINVAL);
	fails(fsconfig_(fs, FSCONFIG_SET_BINARY, "size", "1m", 0), EINVAL);
	fails(fsconfig_(fs, FSCONFIG_SET_BINARY, "size", many, 1024 * 1024 + 1), EINVAL);
	fails(fsconfig_(fs, FSCONFIG_SET_PATH, "size", "/", -1), EINVAL);
	fails(fsconfig_(fs, FSCONFIG_SET_FD, "size", NULL, -1), EINVAL);
	fails(fsconfig_(fs, FSCONFIG_SET_FD, "size", NULL, 1000), EBADF);
	fails(fsconfig_(fs, FSCONFIG_CMD_CREATE, "x", NULL, 0), EINVAL);
	fails(fsconfig_(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 1), EINVAL);
	fails(fsconfig_(fs, FSCONFIG_SET_FLAG, BAD, NULL, 0), EFAULT);
	fails(fsconfig_(fs, FSCONFIG_SET_STRING, "size", BAD, 0), EFAULT);
	fails(fsconfig_(fs, FSCONFIG_SET_BINARY, "size", BAD, 10), EFAULT);
	fails(fsconfig_(fs, FSCONFIG_SET_PATH, "size", BAD, AT_FDCWD), EFAULT);
	fails(fsconfig_(fs, FSCONFIG_SET_PATH, "size", "", AT_FDCWD), ENOENT);
	fails(set(fs, key, NULL), EINVAL);
	fails(set(fs, "size", value), EINVAL);
	key[255] = '\0';
	fails(read(fs, value, sizeof(value)), ENODATA);
	fails(set(fs, key, NULL), EINVAL);
	check(strstr(message(fs), "Unknown parameter 'kkkk") != NULL);
	/* None of it has done anything. */
	fails(reconfigure(fs), EBUSY);
	works(create(fs));
	fails(create(fs), EBUSY);
	fails(set(fs, "size", "1m"), EBUSY);
	fails(set(fs, "ro", NULL), EBUSY);
}

TEST(messages)
{
	int fs = works(fsopen_("tmpfs", 0));
	char buf[64], want[64];

	fails(set(fs, "nonsense", "1"), EINVAL);
	fails(set(fs, "size", "much"), EINVAL);
	fails(set(fs, "size", NULL), EINVAL);
	fails(fsconfig_(fs, FSCONFIG_SET_BINARY, "mode", "0755", 4), EINVAL);
	works(set(fs, "source", "one"));
	fails(set(fs, "source", "two"), EINVAL);
	fails(read(fs, buf, 3), EMSGSIZE);
	same(message(fs), "e tmpfs: Unknown parameter 'nonsense'");
	same(message(fs), "e tmpfs: Bad value for 'size'");
	same(message(fs), "e tmpfs: Bad value for 'size'");
	same(message(fs), "e tmpfs: Bad value for 'mode'");
	fails(read(fs, BAD, 100), EFAULT);
	fails(read(fs, buf, sizeof(buf)), ENODATA);
	/* Eight are kept. */
	for (int i = 0; i < 12; i++) {
		snprintf(buf, sizeof(buf), "option%d", i);
		fails(set(fs, buf, NULL), EINVAL);
	}
	for (int i = 4; i < 12; i++) {
		snprintf(want, sizeof(want), "e tmpfs: Unknown parameter 'option%d'", i);
		same(message(fs), want);
	}
	same(message(fs), "");
	fails(set(fs, "", NULL), EINVAL);
	same(message(fs), "e tmpfs: Unknown parameter ''");
	works(create(fs));
}

/* Types that know mount(2) only. */
TEST(plain_types)
{
	int fs = works(fsopen_("devpts", 0)), m;
	struct info in;
	char long_value[256];

	own_mounts();
	works(mkdir("m", 0755));
	fails(fsconfig_(fs, FSCONFIG_SET_FD, "mode", NULL, 0), EOPNOTSUPP);
	fails(fsconfig_(fs, FSCONFIG_SET_BINARY, "mode", "600", 3), EOPNOTSUPP);
	fails(fsconfig_(fs, FSCONFIG_SET_PATH, "mode", "600", AT_FDCWD), EOPNOTSUPP);
	fails(set(fs, "a,b", NULL), EINVAL);
	same(message(fs), "e VFS: Legacy: Option 'a,b' contained comma");
	works(set(fs, "mode", "620"));
	works(set(fs, "ptmxmode", "666"));
	works(create(fs));
	m = works(fsmount_(fs, 0, MOUNT_ATTR_NOSUID));
	works(move_to(m, "m"));
	check(info_in("/proc/self/mountinfo", "m", &in));
	same(in.type, "devpts");
	works(access("m/ptmx", R_OK));
	close(fs);
	/* What is wrong shows at the end; then it is over. */
	fs = works(fsopen_("devpts", 0));
	works(set(fs, "nonsense", NULL));
	fails(create(fs), EINVAL);
	fails(create(fs), EBUSY);
	fails(set(fs, "mode", "620"), EBUSY);
	fails(fsmount_(fs, 0, 0), EINVAL);
	close(fs);
	fs = works(fsopen_("devpts", 0));
	memset(long_value, '1', 255);
	long_value[255] = '\0';
	for (int i = 0; i < 15; i++)
		is(set(fs, "o", long_value), 0);
	fails(set(fs, "o", long_value), EINVAL);
	same(message(fs), "e VFS: Legacy: Cumulative options too large");
}

TEST(types_without_options)
{
	int fs = works(fsopen_("sysfs", 0)), m;

	own_mounts();
	works(mkdir("m", 0755));
	fails(set(fs, "mode", "700"), EINVAL);
	same(message(fs), "e sysfs: Unknown parameter 'mode'");
	works(create(fs));
	m = works(fsmount_(fs, 0, 0));
	works(move_to(m, "m"));
	works(access("m/kernel", F_OK));
	close(fs);
	fs = works(fsopen_("proc", 0));
	fails(set(fs, "nonsense", NULL), EINVAL);
	same(message(fs), "e proc: Unknown parameter 'nonsense'");
	works(create(fs));
	m = works(fsmount_(fs, 0, MOUNT_ATTR_RDONLY));
	works(faccessat(m, "self/stat", R_OK, 0));
	fails(openat(m, "self/comm", O_WRONLY), EROFS);
}

TEST(read_only_from_start)
{
	int fs = works(fsopen_("tmpfs", 0)), m;

	own_mounts();
	works(mkdir("m", 0755));
	works(set(fs, "ro", NULL));
	works(create(fs));
	m = works(fsmount_(fs, 0, 0));
	works(move_to(m, "m"));
	fails(mkdir("m/x", 0755), EROFS);
	same(options_of("m"), "rw,relatime");
	/* The handle is for changes now. */
	fails(fsmount_(fs, 0, 0), EBUSY);
	works(set(fs, "rw", NULL));
	works(reconfigure(fs));
	works(mkdir("m/x", 0755));
	works(set(fs, "size", "1m"));
	works(reconfigure(fs));
	works(mkdir("m/y", 0755));
}

TEST(reconfigure_what_is_mounted)
{
	struct statfs sf;
	int fs, fd;

	own_mounts();
	works(mkdir("m", 0755));
	works(symlink("m", "link"));
	works(mount("t", "m", "tmpfs", 0, "size=1m"));
	works(mkdir("m/dir", 0755));
	fails(fspick_("m/dir", 0), EINVAL);
	fails(fspick_("none", 0), ENOENT);
	fails(fspick_("m", 0x100), EINVAL);
	fails(fspick_("link", FSPICK_SYMLINK_NOFOLLOW), EINVAL);
	fails(fspick_("", 0), ENOENT);
	fd = works(open("m", O_PATH));
	fs = works(syscall(SYS_fspick, fd, "", FSPICK_EMPTY_PATH));
	close(fs);
	fs = works(fspick_("link", FSPICK_CLOEXEC | FSPICK_NO_AUTOMOUNT));
	is(fcntl(fs, F_GETFD), FD_CLOEXEC);
	fails(fsmount_(fs, 0, 0), EBUSY);
	fails(create(fs), EBUSY);
	works(set(fs, "size", "2m"));
	works(reconfigure(fs));
	works(statfs("m", &sf));
	is(sf.f_blocks * sf.f_bsize, 2 << 20);
	/* Somebody writes: no. */
	works(set(fs, "ro", NULL));
	fd = works(open("m/file", O_CREAT | O_WRONLY, 0600));
	fails(reconfigure(fs), EBUSY);
	fails(reconfigure(fs), EBUSY);
	close(fs);
	close(fd);
	fs = works(fspick_("m", 0));
	works(set(fs, "ro", NULL));
	works(reconfigure(fs));
	fails(open("m/file", O_WRONLY), EROFS);
	close(fs);
	/* What is not named stays; what once was is named from then on. */
	fs = works(fspick_("m", 0));
	works(set(fs, "size", "3m"));
	works(reconfigure(fs));
	fails(open("m/file", O_WRONLY), EROFS);
	works(set(fs, "ro", NULL));
	works(reconfigure(fs));
	fails(open("m/file", O_WRONLY), EROFS);
	works(reconfigure(fs));
	works(open("m/file", O_WRONLY));
}

TEST(attributes_of_fsmount)
{
	int fs = works(fsopen_("tmpfs", 0)), m;

	own_mounts();
	works(mkdir("m", 0755));
	works(create(fs));
	fails(fsmount_(fs, 2, 0), EINVAL);
	fails(fsmount_(fs, 0, MOUNT_ATTR_IDMAP), EINVAL);
	fails(fsmount_(fs, 0, MOUNT_ATTR__ATIME), EINVAL);
	fails(fsmount_(fs, 0, 0x40), EINVAL);
	fails(fsmount_(1000, 0, 0), EBADF);
	fails(fsmount_(open("/dev/null", O_RDONLY), 0, 0), EINVAL);
	m = works(fsmount_(fs, 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			   MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME |
			   MOUNT_ATTR_NOSYMFOLLOW));
	works(move_to(m, "m"));
	same(options_of("m"), "ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow");
}

/* --- trees --- */

TEST(open_tree_as_place)
{
	int fd;

	own_mounts();
	works(mkdir("m", 0755));
	works(symlink("m", "link"));
	put("m/f", "");
	fails(open_tree_("m", 2), EINVAL);
	fails(open_tree_("m", AT_RECURSIVE), EINVAL);
	fails(open_tree_("none", 0), ENOENT);
	fails(open_tree_("", 0), ENOENT);
	fails(open_tree_(BAD, 0), EFAULT);
	fails(syscall(SYS_open_tree, 1000, "x", 0), EBADF);
	fd = works(open_tree_("link", OPEN_TREE_CLOEXEC));
	is(fcntl(fd, F_GETFD), FD_CLOEXEC);
	is(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
	works(faccessat(fd, "f", F_OK, 0));
	/* It is no tree of its own. */
	fails(move_to(fd, "m"), EINVAL);
	fd = works(syscall(SYS_open_tree, fd, "", AT_EMPTY_PATH));
	works(faccessat(fd, "f", F_OK, 0));
	fd = works(open_tree_("link", AT_SYMLINK_NOFOLLOW));
	fails(faccessat(fd, "f", F_OK, 0), ENOTDIR);
}

TEST(open_tree_clone)
{
	int one, all;
	struct stat st;

	own_mounts();
	works(mkdir("a", 0755));
	works(mkdir("b", 0755));
	works(mkdir("c", 0755));
	works(mount("t", "a", "tmpfs", MS_NOEXEC, NULL));
	works(mkdir("a/in", 0755));
	works(mkdir("a/in/sub", 0755));
	works(mount("t", "a/in", "tmpfs", 0, NULL));
	put("a/in/f", "");
	one = works(open_tree_("a", OPEN_TREE_CLONE));
	all = works(open_tree_("a", OPEN_TREE_CLONE | AT_RECURSIVE | OPEN_TREE_CLOEXEC));
	fails(fstatat(one, "in/f", &st, 0), ENOENT);
	works(fstatat(all, "in/f", &st, 0));
	works(umount("a/in"));
	works(fstatat(all, "in/f", &st, 0));
	works(move_to(one, "b"));
	works(move_to(all, "c"));
	works(stat("c/in/f", &st));
	works(stat("b/in/sub", &st));
	same(options_of("c"), "rw,noexec,relatime");
	/* A directory inside of one. */
	one = works(open_tree_("a/in", OPEN_TREE_CLONE));
	works(fstatat(one, "sub", &st, 0));
	works(mkdir("d", 0755));
	works(move_to(one, "d"));
	works(stat("d/sub", &st));
	/* A file. */
	put("file", "text");
	put("target", "");
	one = works(open_tree_("file", OPEN_TREE_CLONE));
	fails(move_to(one, "d"), EINVAL);
	works(move_to(one, "target"));
	works(stat("target", &st));
	is(st.st_size, 4);
	/* What may not be bound may not be cloned. */
	MS_TYPE("d", MS_UNBINDABLE);
	fails(open_tree_("d", OPEN_TREE_CLONE), EINVAL);
	one = new_tmpfs();
	fails(syscall(SYS_open_tree, one, "", OPEN_TREE_CLONE | AT_EMPTY_PATH), EINVAL);
}

/* Only the root of what is nowhere, only as a whole, only once. */
TEST(use_of_loose_trees)
{
	char path[64];
	int tree, m, fd;

	own_mounts();
	works(mkdir("a", 0755));
	works(mkdir("b", 0755));
	works(mount("t", "a", "tmpfs", 0, NULL));
	works(mkdir("a/in", 0755));
	works(mount("t", "a/in", "tmpfs", 0, NULL));
	tree = works(open_tree_("a", OPEN_TREE_CLONE | AT_RECURSIVE));
	fails(syscall(SYS_move_mount, tree, "in", AT_FDCWD, "b", 0), EINVAL);
	m = new_tmpfs();
	/* Nothing is mounted in them. */
	fails(syscall(SYS_move_mount, m, "", tree, "in",
		      MOVE_MOUNT_F_EMPTY_PATH), EINVAL);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", tree);
	fails(mount("t", path, "tmpfs", 0, NULL), EINVAL);
	fails(umount2(path, MNT_DETACH), EINVAL);
	fails(mount(path, "b", NULL, MS_BIND, NULL), EINVAL);
	fails(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), EINVAL);
	/* They have rooms and names as others. */
	works(mkdirat(m, "dir", 0755));
	fd = works(openat(m, "dir/file", O_CREAT | O_RDWR, 0644));
	works(write(fd, "x", 1));
	works(move_to(m, "b"));
	works(access("b/dir/file", F_OK));
	fails(umount("b"), EBUSY);
	close(fd);
	close(m);
	works(umount("b"));
}

TEST(move_mount_by_paths)
{
	struct info before, after;

	own_mounts();
	works(mkdir("a", 0755));
	works(mkdir("b", 0755));
	works(symlink("b", "to"));
	works(mount("t", "a", "tmpfs", 0, NULL));
	works(mkdir("a/deep", 0755));
	works(symlink("a", "from"));
	check(info_in("/proc/self/mountinfo", "a", &before));
	fails(move_paths("a", "b", 0x8), EINVAL);
	fails(move_paths("a", "b", 0x200), EINVAL);
	fails(move_paths("from", "b", 0), EINVAL);
	fails(move_paths("a", "to", 0), EINVAL);
	fails(move_paths("a", "none", 0), ENOENT);
	fails(move_paths("", "b", 0), ENOENT);
	fails(move_paths("a/deep", "b", 0), EINVAL);
	fails(move_paths("a", "a/deep", 0), ELOOP);
	fails(syscall(SYS_move_mount, 1000, "", AT_FDCWD, "b", MOVE_MOUNT_F_EMPTY_PATH), EBADF);
	works(move_paths("from", "to", MOVE_MOUNT_F_SYMLINKS | MOVE_MOUNT_T_SYMLINKS |
			 MOVE_MOUNT_F_AUTOMOUNTS | MOVE_MOUNT_T_AUTOMOUNTS));
	check(!is_mounted("a"));
	check(info_in("/proc/self/mountinfo", "b", &after));
	is(after.id, before.id);
	works(syscall(SYS_move_mount, AT_FDCWD, "b", works(open("a", O_PATH)), "",
		      MOVE_MOUNT_T_EMPTY_PATH));
	check(is_mounted("a"));
}

/* A loose tree put below what is shared. */
TEST(move_into_shared)
{
	int tree;

	own_mounts();
	works(mkdir("a", 0755));
	works(mkdir("b", 0755));
	works(mkdir("c", 0755));
	works(mount("t", "a", "tmpfs", 0, NULL));
	MS_TYPE("a", MS_SHARED);
	works(mkdir("a/x", 0755));
	works(mount("a", "b", NULL, MS_BIND, NULL));
	works(mount("t", "c", "tmpfs", 0, NULL));
	works(mkdir("c/in", 0755));
	works(mount("t", "c/in", "tmpfs", 0, NULL));
	tree = works(open_tree_("c", OPEN_TREE_CLONE | AT_RECURSIVE));
	works(move_to(tree, "a/x"));
	check(is_mounted("b/x/in"));
	is(group_of("b/x/in", "shared:"), group_of("a/x/in", "shared:"));
	check(group_of("a/x", "shared:") > 0);
	same(fields_of("c"), "");
	/* Peers that are nowhere get nothing. */
	tree = works(open_tree_("a", OPEN_TREE_CLONE));
	works(mkdir("a/y", 0755));
	works(mount("t", "a/y", "tmpfs", 0, NULL));
	put("a/y/f", "");
	fails(faccessat(tree, "y/f", F_OK, 0), ENOENT);
	works(umount("a/y"));
	close(tree);
	works(mount("t", "a/y", "tmpfs", 0, NULL));
	check(is_mounted("b/y"));
}

TEST(set_group)
{
	own_mounts();
	works(mkdir("a", 0755));
	works(mkdir("b", 0755));
	works(mkdir("c", 0755));
	works(mount("t", "a", "tmpfs", 0, NULL));
	works(mkdir("a/x", 0755));
	works(mkdir("a/x/in", 0755));
	works(mount("a/x", "b", NULL, MS_BIND, NULL));
	fails(move_paths("a", "b", MOVE_MOUNT_SET_GROUP), EINVAL);
	MS_TYPE("a", MS_SHARED);
	fails(move_paths("a", "a/x", MOVE_MOUNT_SET_GROUP), EINVAL);
	works(mount("t", "c", "tmpfs", 0, NULL));
	fails(move_paths("a", "c", MOVE_MOUNT_SET_GROUP), EINVAL);
	works(move_paths("a", "b", MOVE_MOUNT_SET_GROUP));
	is(group_of("b", "shared:"), group_of("a", "shared:"));
	fails(move_paths("a", "b", MOVE_MOUNT_SET_GROUP), EINVAL);
	works(mount("t", "a/x/in", "tmpfs", 0, NULL));
	check(is_mounted("b/in"));
	works(umount("b/in"));
	check(!is_mounted("a/x/in"));
	/* The wider cannot follow the narrower. */
	MS_TYPE("a", MS_PRIVATE);
	fails(move_paths("b", "a", MOVE_MOUNT_SET_GROUP), EINVAL);
	/* Slaves too. */
	works(umount("b"));
	MS_TYPE("a", MS_SHARED);
	works(mount("a", "b", NULL, MS_BIND, NULL));
	MS_TYPE("b", MS_SLAVE);
	works(umount("c"));
	works(mount("a", "c", NULL, MS_BIND, NULL));
	MS_TYPE("c", MS_PRIVATE);
	works(move_paths("b", "c", MOVE_MOUNT_SET_GROUP));
	is(group_of("c", "master:"), group_of("a", "shared:"));
	is(group_of("c", "shared:"), 0);
}

/* --- mount_setattr --- */

TEST(setattr_of_one)
{
	struct mount_attr a = {.attr_set = MOUNT_ATTR_RDONLY};
	struct { struct mount_attr a; char more[8]; } big = {.a = a};

	own_mounts();
	works(mkdir("m", 0755));
	works(mount("t", "m", "tmpfs", 0, NULL));
	works(mkdir("m/dir", 0755));
	fails(change("m/dir", MOUNT_ATTR_RDONLY, 0, 0), EINVAL);
	fails(change("none", MOUNT_ATTR_RDONLY, 0, 0), ENOENT);
	fails(change("m", MOUNT_ATTR_RDONLY, 0, 0x2000), EINVAL);
	fails(change("m", 0x40000000, 0, 0), EINVAL);
	fails(change("m", 0, 1ull << 40, 0), EINVAL);
	fails(syscall(SYS_mount_setattr, AT_FDCWD, "m", 0, &a, 31), EINVAL);
	fails(syscall(SYS_mount_setattr, AT_FDCWD, "m", 0, &a, 5000), E2BIG);
	fails(syscall(SYS_mount_setattr, AT_FDCWD, "m", 0, BAD, 32), EFAULT);
	fails(syscall(SYS_mount_setattr, AT_FDCWD, BAD, 0, &a, 32), EFAULT);
	big.more[3] = 1;
	fails(syscall(SYS_mount_setattr, AT_FDCWD, "m", 0, &big, sizeof(big)), E2BIG);
	/* Nothing to do is done anywhere. */
	works(change("none", 0, 0, 0));
	works(change("m", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, 0));
	same(options_of("m"), "ro,nosuid,relatime");
	fails(mkdir("m/x", 0755), EROFS);
	works(change("m", MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV, MOUNT_ATTR_RDONLY, 0));
	same(options_of("m"), "rw,nosuid,nodev,noexec,relatime");
	works(mkdir("m/x", 0755));
	/* Both: it is set. */
	works(change("m", MOUNT_ATTR_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW | MOUNT_ATTR_NOSUID, 0));
	same(options_of("m"), "rw,nodev,noexec,relatime,nosymfollow");
	big.more[3] = 0;
	works(syscall(SYS_mount_setattr, AT_FDCWD, "m", 0, &big, sizeof(big)));
	same(options_of("m"), "ro,nodev,noexec,relatime,nosymfollow");
}

TEST(setattr_of_times)
{
	own_mounts();
	works(mkdir("m", 0755));
	works(mount("t", "m", "tmpfs", 0, NULL));
	fails(change("m", MOUNT_ATTR_NOATIME, 0, 0), EINVAL);
	fails(change("m", MOUNT_ATTR_NOATIME, MOUNT_ATTR_STRICTATIME, 0), EINVAL);
	fails(change("m", MOUNT_ATTR__ATIME, MOUNT_ATTR__ATIME, 0), EINVAL);
	works(change("m", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, 0));
	same(options_of("m"), "rw,noatime");
	works(change("m", MOUNT_ATTR_NODIRATIME, 0, 0));
	same(options_of("m"), "rw,noatime,nodiratime");
	works(change("m", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, 0));
	same(options_of("m"), "rw,nodiratime");
	works(change("m", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME, 0));
	same(options_of("m"), "rw,relatime");
}

TEST(setattr_of_tree)
{
	struct mount_attr a = {.propagation = MS_SHARED};
	int fd, tree;

	own_mounts();
	works(mkdir("m", 0755));
	works(mount("t", "m", "tmpfs", 0, NULL));
	works(mkdir("m/x", 0755));
	works(mount("t", "m/x", "tmpfs", MS_NOEXEC, NULL));
	works(change("m", MOUNT_ATTR_NODEV, 0, AT_RECURSIVE));
	same(options_of("m"), "rw,nodev,relatime");
	same(options_of("m/x"), "rw,nodev,noexec,relatime");
	/* All or nothing. */
	fd = works(open("m/x/f", O_CREAT | O_WRONLY, 0600));
	fails(change("m", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, AT_RECURSIVE), EBUSY);
	same(options_of("m"), "rw,nodev,relatime");
	works(mkdir("m/y", 0755));
	works(change("m", MOUNT_ATTR_RDONLY, 0, 0));
	fails(mkdir("m/z", 0755), EROFS);
	close(fd);
	works(change("m", MOUNT_ATTR_RDONLY, 0, AT_RECURSIVE));
	fails(open("m/x/f", O_WRONLY), EROFS);
	works(change("m", 0, MOUNT_ATTR_RDONLY, AT_RECURSIVE));
	works(setattr_at(AT_FDCWD, "m", AT_RECURSIVE, &a));
	check(group_of("m", "shared:") > 0 && group_of("m/x", "shared:") > 0);
	a.propagation = MS_PRIVATE;
	works(setattr_at(AT_FDCWD, "m", 0, &a));
	same(fields_of("m"), "");
	check(group_of("m/x", "shared:") > 0);
	a.propagation = MS_UNBINDABLE;
	a.attr_set = MOUNT_ATTR_NOSUID;
	works(setattr_at(AT_FDCWD, "m", 0, &a));
	same(fields_of("m"), " unbindable");
	same(options_of("m"), "rw,nosuid,nodev,relatime");
	a.propagation = MS_PRIVATE | MS_SHARED;
	fails(setattr_at(AT_FDCWD, "m", 0, &a), EINVAL);
	a.propagation = MS_REC;
	fails(setattr_at(AT_FDCWD, "m", 0, &a), EINVAL);
	/* One that is nowhere yet. */
	a = (struct mount_attr){.attr_set = MOUNT_ATTR_RDONLY};
	tree = works(open_tree_("m/x", OPEN_TREE_CLONE));
	works(setattr_at(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &a));
	fails(openat(tree, "f", O_WRONLY), EROFS);
	works(open("m/x/f", O_WRONLY));
}

/* Owners cannot be mapped by the initial user namespace. */
TEST(setattr_idmap)
{
	struct mount_attr a = {.attr_set = MOUNT_ATTR_IDMAP};
	int tree;

	own_mounts();
	works(mkdir("m", 0755));
	works(mount("t", "m", "tmpfs", 0, NULL));
	tree = works(open_tree_("m", OPEN_TREE_CLONE));
	a.userns_fd = works(open("/proc/self/ns/user", O_RDONLY));
	fails(setattr_at(tree, "", AT_EMPTY_PATH, &a), EPERM);
	a.userns_fd = works(open("/proc/self/ns/uts", O_RDONLY));
	fails(setattr_at(tree, "", AT_EMPTY_PATH, &a), EINVAL);
	a.userns_fd = works(open("/dev/null", O_RDONLY));
	fails(setattr_at(tree, "", AT_EMPTY_PATH, &a), EINVAL);
	a.userns_fd = 1000;
	fails(setattr_at(tree, "", AT_EMPTY_PATH, &a), EBADF);
	a.userns_fd = 1ull << 40;
	fails(setattr_at(tree, "", AT_EMPTY_PATH, &a), EINVAL);
	a = (struct mount_attr){.attr_clr = MOUNT_ATTR_IDMAP};
	fails(setattr_at(tree, "", AT_EMPTY_PATH, &a), EINVAL);
}

/* --- all at once --- */

static int
make_and_drop(int n)
{
	char dir[16];

	snprintf(dir, sizeof(dir), "d%d", n);
	for (int i = 0; i < 30; i++) {
		int fs = fsopen_("tmpfs", 0), m, tree;

		if (fs < 0 || create(fs))
			return 1;
		m = fsmount_(fs, 0, 0);
		tree = open_tree_("common", OPEN_TREE_CLONE | AT_RECURSIVE);
		if (m < 0 || tree < 0)
			return 2;
		if (i % 3 && (move_to(m, dir) || umount2(dir, MNT_DETACH)))
			return 3;
		if (i % 2 && (move_to(tree, dir) || access(dir, F_OK) || umount2(dir, MNT_DETACH)))
			return 4;
		if (i % 5 == 0 && change("common", i % 2 ? MOUNT_ATTR_NOEXEC : 0,
					 i % 2 ? 0 : MOUNT_ATTR_NOEXEC, AT_RECURSIVE))
			return 5;
		close(fs);
		close(m);
		close(tree);
	}
	return 0;
}

TEST_LIMIT(many_at_once, 60)
{
	pid_t pids[4];
	char dir[16];
	int lines;

	own_mounts();
	works(mkdir("common", 0755));
	works(mount("t", "common", "tmpfs", 0, NULL));
	works(mkdir("common/in", 0755));
	works(mount("t", "common/in", "tmpfs", 0, NULL));
	lines = mounts_in("/proc/self/mountinfo");
	for (int i = 0; i < 4; i++) {
		snprintf(dir, sizeof(dir), "d%d", i);
		works(mkdir(dir, 0755));
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(make_and_drop(i));
	}
	for (int i = 0; i < 4; i++)
		is(reap(pids[i]), 0);
	is(mounts_in("/proc/self/mountinfo"), lines);
}

/* A tree may be made of what stands for this namespace, but not put into it. */
TEST(copy_of_own_namespace)
{
	int fd;

	own_mounts();
	works(close(creat("f", 0600)));
	fd = works(syscall(SYS_open_tree, AT_FDCWD, "/proc/self/ns/mnt", OPEN_TREE_CLONE));
	fails(syscall(SYS_move_mount, fd, "", AT_FDCWD, "f", MOVE_MOUNT_F_EMPTY_PATH), ELOOP);
	close(fd);
}
