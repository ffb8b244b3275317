/* SPDX-License-Identifier: BSD-2-Clause */
/* Path walks and mounts, in a directory of the root that is removed afterwards. */
#include "fs/attr.h"
#include "fs/generic.h"
#include "fs/mount.h"
#include "fs/namei.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "lib/test.h"
#include "mm/slab.h"

#define BASE "/fs-test"

static int
mkdir_at(const char *name)
{
	return vfs_mkdir(AT_FDCWD, name, 0755);
}

static int
put_file(const char *name, const char *text)
{
	struct file *f = file_open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	u64 pos = 0;
	s64 n;

	if (is_err(f))
		return ptr_err(f);
	n = file_write_kernel(f, text, strlen(text), &pos);
	file_put(f);
	return n == (s64)strlen(text) ? 0 : -EIO;
}

static int
begin(void)
{
	return mkdir_at(BASE);
}

static long
lookup(const char *name, u32 flags)
{
	struct path p;
	long err = path_lookup(AT_FDCWD, name, flags, &p);

	if (!err)
		path_put(&p);
	return err;
}

/* Size of the file a path leads to, or -Exxx. */
static s64
size_of(const char *name)
{
	struct kstat st;
	struct path p;
	int err = path_lookup(AT_FDCWD, name, WALK_FOLLOW, &p);

	if (err)
		return err;
	err = path_getattr(&p, &st);
	path_put(&p);
	return err ? err : (s64)st.size;
}

TEST(namei_walks)
{
	ASSERT_EQ(begin(), 0);
	EXPECT_EQ(mkdir_at(BASE "/d"), 0);
	EXPECT_EQ(mkdir_at(BASE "/d"), -EEXIST);
	EXPECT_EQ(put_file(BASE "/d/f", "12345"), 0);
	EXPECT_EQ(size_of(BASE "//d/./../d///f"), 5);
	EXPECT_EQ(lookup(BASE "/d/f/", 0), -ENOTDIR);
	EXPECT_EQ(lookup(BASE "/d/f/x", 0), -ENOTDIR);
	EXPECT_EQ(lookup(BASE "/none/x", 0), -ENOENT);
	EXPECT_EQ(lookup(BASE "/d/", WALK_DIRECTORY), 0);
	EXPECT_EQ(lookup("", 0), -ENOENT);
	EXPECT_EQ(lookup("/../..", WALK_DIRECTORY), 0);
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, BASE "/d"), -ENOTEMPTY);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, BASE "/d"), -EISDIR);
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, BASE "/d/f"), -ENOTDIR);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, BASE "/d/f"), 0);
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, BASE "/d/."), -EINVAL);
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, BASE "/d"), 0);
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, BASE), 0);
}

TEST(namei_links)
{
	ASSERT_EQ(begin(), 0);
	EXPECT_EQ(put_file(BASE "/f", "abc"), 0);
	EXPECT_EQ(vfs_symlink("f", AT_FDCWD, BASE "/l"), 0);
	EXPECT_EQ(vfs_symlink(BASE, AT_FDCWD, BASE "/here"), 0);
	EXPECT_EQ(vfs_symlink("loop", AT_FDCWD, BASE "/loop"), 0);
	EXPECT_EQ(size_of(BASE "/l"), 3);
	EXPECT_EQ(size_of(BASE "/here/here/here/l"), 3);
	EXPECT_EQ(size_of(BASE "/loop"), -ELOOP);
	EXPECT_EQ(lookup(BASE "/loop", 0), 0);
	EXPECT_EQ(lookup(BASE "/l", WALK_FOLLOW | WALK_NO_SYMLINKS), -ELOOP);
	EXPECT_EQ(lookup(BASE "/l/", 0), -ENOTDIR);
	EXPECT_EQ(vfs_link(AT_FDCWD, BASE "/f", AT_FDCWD, BASE "/g", 0), 0);
	EXPECT_EQ(vfs_link(AT_FDCWD, BASE "/f", AT_FDCWD, BASE "/g", 0), -EEXIST);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, BASE "/f"), 0);
	EXPECT_EQ(size_of(BASE "/l"), -ENOENT);
	EXPECT_EQ(size_of(BASE "/g"), 3);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, BASE "/g"), 0);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, BASE "/l"), 0);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, BASE "/here"), 0);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, BASE "/loop"), 0);
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, BASE), 0);
}

TEST(namei_long_names)
{
	char *name = kzalloc(PATH_MAX + 1, GFP_KERNEL);
	size_t base = strlen(BASE "/");

	ASSERT_TRUE(name != NULL);
	ASSERT_EQ(begin(), 0);
	memcpy(name, BASE "/", base);
	memset(name + base, 'n', NAME_MAX + 1);
	EXPECT_EQ(lookup(name, 0), -ENAMETOOLONG);
	EXPECT_EQ(put_file(name, ""), -ENAMETOOLONG);
	name[base + NAME_MAX] = '\0';
	EXPECT_EQ(put_file(name, "x"), 0);
	EXPECT_EQ(size_of(name), 1);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, name), 0);
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, BASE), 0);
	kfree(name);
}

TEST(namei_rename)
{
	struct rename_request r = {.odfd = AT_FDCWD, .ndfd = AT_FDCWD};

	ASSERT_EQ(begin(), 0);
	EXPECT_EQ(put_file(BASE "/a", "1"), 0);
	EXPECT_EQ(put_file(BASE "/b", "22"), 0);
	EXPECT_EQ(mkdir_at(BASE "/d"), 0);
	r.old = BASE "/a";
	r.new_name = BASE "/b";
	r.flags = RENAME_NOREPLACE;
	EXPECT_EQ(vfs_rename(&r), -EEXIST);
	r.flags = RENAME_EXCHANGE;
	EXPECT_EQ(vfs_rename(&r), 0);
	EXPECT_EQ(size_of(BASE "/a"), 2);
	r.flags = 0;
	EXPECT_EQ(vfs_rename(&r), 0);
	EXPECT_EQ(size_of(BASE "/b"), 2);
	EXPECT_EQ(size_of(BASE "/a"), -ENOENT);
	r.old = BASE "/d";
	r.new_name = BASE "/d/in";
	EXPECT_EQ(vfs_rename(&r), -EINVAL);
	r.new_name = BASE "/b";
	EXPECT_EQ(vfs_rename(&r), -ENOTDIR);
	r.old = BASE "/b";
	r.new_name = BASE "/d";
	EXPECT_EQ(vfs_rename(&r), -EISDIR);
	r.new_name = BASE "/w";
	r.flags = RENAME_WHITEOUT;
	EXPECT_EQ(vfs_rename(&r), 0);
	EXPECT_EQ(lookup(BASE "/b", 0), 0);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, BASE "/b"), 0);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, BASE "/w"), 0);
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, BASE "/d"), 0);
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, BASE), 0);
}

static int
mount_request(const char *where, const struct mount_request *r)
{
	struct path p;
	int err = path_lookup(AT_FDCWD, where, WALK_FOLLOW, &p);

	if (err)
		return err;
	err = mount_at(&p, r);
	path_put(&p);
	return err;
}

static int
umount_at(const char *where, int flags)
{
	struct path p;
	int err = path_lookup(AT_FDCWD, where, WALK_FOLLOW, &p);

	if (err)
		return err;
	err = mount_umount(&p, flags);
	dentry_put(p.dentry);
	mount_put_no_expire(p.mnt);
	return err;
}

TEST(mount_basics)
{
	struct mount_request tmpfs = {.source = "t", .type = "tmpfs"};
	struct mount_request bind = {.source = BASE "/m", .flags = MS_BIND};
	struct mount_request ro = {.flags = MS_REMOUNT | MS_BIND | MS_RDONLY};
	u32 before = init_mount_ns.count;

	ASSERT_EQ(begin(), 0);
	EXPECT_EQ(mkdir_at(BASE "/m"), 0);
	EXPECT_EQ(mkdir_at(BASE "/n"), 0);
	EXPECT_EQ(put_file(BASE "/m/under", ""), 0);
	EXPECT_EQ(mount_request(BASE "/m", &tmpfs), 0);
	EXPECT_EQ(lookup(BASE "/m/under", 0), -ENOENT);
	EXPECT_EQ(put_file(BASE "/m/over", "xyz"), 0);
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, BASE "/m"), -EBUSY);
	EXPECT_EQ(mount_request(BASE "/n", &bind), 0);
	EXPECT_EQ(size_of(BASE "/n/over"), 3);
	EXPECT_EQ(mount_request(BASE "/n", &ro), 0);
	EXPECT_EQ(put_file(BASE "/n/no", ""), -EROFS);
	EXPECT_EQ(put_file(BASE "/m/yes", ""), 0);
	EXPECT_EQ(umount_at(BASE "/n", MNT_EXPIRE), -EAGAIN);
	EXPECT_EQ(umount_at(BASE "/n", MNT_EXPIRE), 0);
	EXPECT_EQ(umount_at(BASE "/m", 0), 0);
	EXPECT_EQ(lookup(BASE "/m/under", 0), 0);
	EXPECT_EQ(umount_at(BASE "/m", 0), -EINVAL);
	EXPECT_EQ(init_mount_ns.count, before);
	EXPECT_EQ(vfs_unlink(AT_FDCWD, BASE "/m/under"), 0);
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, BASE "/m"), 0);
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, BASE "/n"), 0);
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, BASE), 0);
}

/* What is mounted in a shared mount appears in its peer and its slave, and goes there too. */
TEST(mount_propagation)
{
	struct mount_request tmpfs = {.source = "t", .type = "tmpfs"};
	struct mount_request bind = {.source = BASE "/a", .flags = MS_BIND};
	struct mount_request shared = {.flags = MS_SHARED};
	struct mount_request slave = {.flags = MS_SLAVE};
	static const char *const dirs[] = {BASE "/a", BASE "/b", BASE "/c"};

	ASSERT_EQ(begin(), 0);
	for (u32 i = 0; i < 3; i++)
		EXPECT_EQ(mkdir_at(dirs[i]), 0);
	EXPECT_EQ(mount_request(BASE "/a", &tmpfs), 0);
	EXPECT_EQ(mkdir_at(BASE "/a/sub"), 0);
	EXPECT_EQ(mount_request(BASE "/a", &shared), 0);
	EXPECT_EQ(mount_request(BASE "/b", &bind), 0);
	EXPECT_EQ(mount_request(BASE "/c", &bind), 0);
	EXPECT_EQ(mount_request(BASE "/c", &slave), 0);
	EXPECT_EQ(mount_request(BASE "/b/sub", &tmpfs), 0);
	EXPECT_EQ(put_file(BASE "/b/sub/f", "1234"), 0);
	EXPECT_EQ(size_of(BASE "/a/sub/f"), 4);
	EXPECT_EQ(size_of(BASE "/c/sub/f"), 4);
	EXPECT_EQ(umount_at(BASE "/a/sub", 0), 0);
	EXPECT_EQ(size_of(BASE "/b/sub/f"), -ENOENT);
	EXPECT_EQ(size_of(BASE "/c/sub/f"), -ENOENT);
	/* The other way the slave keeps to itself. */
	EXPECT_EQ(mount_request(BASE "/c/sub", &tmpfs), 0);
	EXPECT_EQ(put_file(BASE "/c/sub/g", "1"), 0);
	EXPECT_EQ(size_of(BASE "/a/sub/g"), -ENOENT);
	EXPECT_EQ(umount_at(BASE "/c", MNT_DETACH), 0);
	EXPECT_EQ(umount_at(BASE "/b", 0), 0);
	EXPECT_EQ(umount_at(BASE "/a", 0), 0);
	for (u32 i = 0; i < 3; i++)
		EXPECT_EQ(vfs_rmdir(AT_FDCWD, dirs[i]), 0);
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, BASE), 0);
}

TEST(mount_limit)
{
	struct mount_request bind = {.source = BASE, .flags = MS_BIND};
	u32 max = mount_max;
	u32 made = 0;
	int err;

	ASSERT_EQ(begin(), 0);
	WRITE_ONCE(mount_max, init_mount_ns.count + 20);
	while (made < 100 && !(err = mount_request(BASE, &bind)))
		made++;
	EXPECT_EQ(err, -ENOSPC);
	EXPECT_EQ(made, 20u);
	WRITE_ONCE(mount_max, max);
	while (made--)
		EXPECT_EQ(umount_at(BASE, 0), 0);
	EXPECT_EQ(vfs_rmdir(AT_FDCWD, BASE), 0);
}
