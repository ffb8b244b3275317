/* SPDX-License-Identifier: BSD-2-Clause */
/* stat, statx, utimensat, time stamps, statfs. */
#include "tests/abi/abi.h"

#include <linux/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#define TMPFS 0x01021994
#define PROCFS 0x9fa0

static long
ns(struct timespec t)
{
	return t.tv_sec * NSEC + t.tv_nsec;
}

static long
wall(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	return ns(ts);
}

TEST(stat_fields)
{
	struct stat st, ds;
	long before = wall();

	put("f", "12345");
	is(stat("f", &st), 0);
	is(stat(".", &ds), 0);
	is(st.st_dev, ds.st_dev);
	check(st.st_ino != ds.st_ino && st.st_ino != 0);
	is(st.st_size, 5);
	is(st.st_nlink, 1);
	is(st.st_blksize, 4096);
	is(st.st_blocks, 8);
	check(ns(st.st_mtim) >= before);
	check(ns(st.st_ctim) >= before);
	check(ns(st.st_mtim) <= before + 20 * NSEC);
	is(stat("/dev/null", &st), 0);
	is(st.st_rdev, makedev(1, 3));
	check(S_ISCHR(st.st_mode));
	is(stat("/dev/zero", &st), 0);
	is(st.st_rdev, makedev(1, 5));
	mkfifo("p", 0600);
	is(stat("p", &st), 0);
	check(S_ISFIFO(st.st_mode));
	is(st.st_size, 0);
	works(symlink("123456789", "l"));
	is(lstat("l", &st), 0);
	is(st.st_size, 9);
}

TEST(fstat_kinds)
{
	struct stat st;
	int p[2];

	pipe(p);
	is(fstat(p[0], &st), 0);
	check(S_ISFIFO(st.st_mode));
	is(st.st_mode & 0777, 0600);
	is(st.st_uid, 0);
	fails(fstat(-1, &st), EBADF);
	fails(fstat(p[0], BAD), EFAULT);
}

static long
statx_(int d, const char *path, int flags, unsigned int mask, struct statx *x)
{
	memset(x, 0xa5, sizeof(*x));
	return syscall(SYS_statx, d, path, flags, mask, x);
}

TEST(statx_call)
{
	struct statx x;
	struct stat st;
	int fd;

	put("f", "12345");
	chown("f", 3, 4);
	stat("f", &st);
	is(statx_(AT_FDCWD, "f", 0, STATX_BASIC_STATS, &x), 0);
	is(x.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
	is(x.stx_size, 5);
	is(x.stx_mode, S_IFREG | 0644);
	is(x.stx_uid, 3);
	is(x.stx_gid, 4);
	is(x.stx_nlink, 1);
	is(x.stx_ino, st.st_ino);
	is(x.stx_blocks, st.st_blocks);
	is(x.stx_blksize, st.st_blksize);
	is(makedev(x.stx_dev_major, x.stx_dev_minor), st.st_dev);
	is(x.stx_mtime.tv_sec, st.st_mtim.tv_sec);
	is(x.stx_mtime.tv_nsec, st.st_mtim.tv_nsec);
	is(statx_(AT_FDCWD, "/dev/null", 0, STATX_BASIC_STATS, &x), 0);
	is(x.stx_rdev_major, 1);
	is(x.stx_rdev_minor, 3);
	fd = works(open("f", O_RDONLY));
	is(statx_(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &x), 0);
	is(x.stx_ino, st.st_ino);
	fails(statx_(fd, "", 0, STATX_BASIC_STATS, &x), ENOENT);
	fails(statx_(AT_FDCWD, "f", 0, 0x80000000, &x), EINVAL);
	fails(statx_(AT_FDCWD, "f", 0x8, STATX_BASIC_STATS, &x), EINVAL);
	fails(statx_(AT_FDCWD, "f", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC,
		     STATX_BASIC_STATS, &x), EINVAL);
	fails(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_BASIC_STATS, BAD),
	      EFAULT);
	fails(statx_(-1, "f", 0, STATX_BASIC_STATS, &x), EBADF);
	works(symlink("f", "l"));
	is(statx_(AT_FDCWD, "l", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &x), 0);
	is(x.stx_mode & S_IFMT, S_IFLNK);
	is(statx_(AT_FDCWD, "l", 0, STATX_TYPE, &x), 0);
	is(x.stx_mode & S_IFMT, S_IFREG);
}

TEST(statx_mount)
{
	struct statx x, y;

	is(statx_(AT_FDCWD, "/proc", 0, STATX_BASIC_STATS | 0x1000, &x), 0);
	is(x.stx_mask & 0x1000, 0x1000);
	check(x.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT);
	check(x.stx_attributes & STATX_ATTR_MOUNT_ROOT);
	is(statx_(AT_FDCWD, "/proc/self", 0, STATX_BASIC_STATS | 0x1000, &y), 0);
	is(y.stx_mnt_id, x.stx_mnt_id);
	check(!(y.stx_attributes & STATX_ATTR_MOUNT_ROOT));
	is(statx_(AT_FDCWD, ".", 0, STATX_BASIC_STATS | 0x1000, &y), 0);
	check(y.stx_mnt_id != x.stx_mnt_id);
}

TEST(set_times)
{
	struct timespec ts[2] = { { 1000, 123456789 }, { 2000, 987654321 } };
	struct stat st;
	int fd;

	put("f", "");
	is(utimensat(AT_FDCWD, "f", ts, 0), 0);
	is(stat("f", &st), 0);
	is(ns(st.st_atim), 1000 * NSEC + 123456789);
	is(ns(st.st_mtim), 2000 * NSEC + 987654321);
	check(ns(st.st_ctim) > 100000 * NSEC || wall() < 200000 * NSEC);
	ts[0].tv_nsec = UTIME_OMIT;
	ts[1].tv_nsec = UTIME_NOW;
	is(utimensat(AT_FDCWD, "f", ts, 0), 0);
	is(stat("f", &st), 0);
	is(st.st_atim.tv_sec, 1000);
	check(st.st_mtim.tv_sec != 2000);
	ts[1].tv_nsec = UTIME_OMIT;
	is(utimensat(AT_FDCWD, "f", ts, 0), 0);
	ts[0].tv_nsec = 1000000000;
	fails(utimensat(AT_FDCWD, "f", ts, 0), EINVAL);
	ts[0].tv_nsec = -1;
	fails(utimensat(AT_FDCWD, "f", ts, 0), EINVAL);
	fails(utimensat(AT_FDCWD, "none", NULL, 0), ENOENT);
	fails(utimensat(AT_FDCWD, "f", NULL, 0x8000), EINVAL);
	fails(utimensat(AT_FDCWD, "f", BAD, 0), EFAULT);
	fd = works(open("f", O_RDONLY));
	ts[0] = (struct timespec){ 5, 5 };
	ts[1] = (struct timespec){ -5, 5 };
	is(futimens(fd, ts), 0);
	is(fstat(fd, &st), 0);
	is(st.st_atim.tv_sec, 5);
	is(st.st_mtim.tv_sec, -5);
	is(st.st_mtim.tv_nsec, 5);
	works(symlink("f", "l"));
	ts[0] = (struct timespec){ 77, 0 };
	is(utimensat(AT_FDCWD, "l", ts, AT_SYMLINK_NOFOLLOW), 0);
	is(lstat("l", &st), 0);
	is(st.st_atim.tv_sec, 77);
	is(stat("f", &st), 0);
	is(st.st_atim.tv_sec, 5);
}

/* Moves all stamps of @path to long ago so that any update shows. */
static void
age(const char *path)
{
	struct timespec ts[2] = { { 1000, 0 }, { 1000, 0 } };

	utimensat(AT_FDCWD, path, ts, AT_SYMLINK_NOFOLLOW);
	msleep(10);
}

TEST(stamps_of_operations)
{
	struct stat a, b;
	char buf[8];
	int fd;

	put("f", "data");
	fd = works(open("f", O_RDWR));
	age("f");
	fstat(fd, &a);
	is(read(fd, buf, 4), 4);
	fstat(fd, &b);
	check(b.st_atim.tv_sec > 1000);
	is(b.st_mtim.tv_sec, 1000);
	age("f");
	fstat(fd, &a);
	is(pwrite(fd, "x", 1, 0), 1);
	fstat(fd, &b);
	check(b.st_mtim.tv_sec > 1000);
	check(ns(b.st_ctim) > ns(a.st_ctim));
	is(b.st_atim.tv_sec, 1000);
	age("f");
	is(ftruncate(fd, 2), 0);
	fstat(fd, &b);
	check(b.st_mtim.tv_sec > 1000);
	age("f");
	fstat(fd, &a);
	is(fchmod(fd, 0600), 0);
	fstat(fd, &b);
	check(ns(b.st_ctim) > ns(a.st_ctim));
	is(b.st_mtim.tv_sec, 1000);
	age("f");
	close(open("f", O_WRONLY | O_TRUNC));
	fstat(fd, &b);
	check(b.st_mtim.tv_sec > 1000);
}

TEST(stamps_of_directories)
{
	struct stat st;

	mkdir("d", 0755);
#define touches(e) ({ age("d"); is(e, 0); stat("d", &st);		\
		check(st.st_mtim.tv_sec > 1000); })
	touches(mknod("d/f", S_IFREG | 0600, 0));
	touches(rename("d/f", "d/g"));
	touches(link("d/g", "d/h"));
	touches(unlink("d/h"));
	touches(mkdir("d/sub", 0700));
	touches(rmdir("d/sub"));
	touches(symlink("x", "d/l"));
#undef touches
	age("d");
	put("d/g", "content");
	stat("d", &st);
	is(st.st_mtim.tv_sec, 1000);
}

TEST(statfs_call)
{
	struct statfs s;
	int fd;

	is(statfs("/proc", &s), 0);
	is(s.f_type, PROCFS);
	is(s.f_namelen, 255);
	mkdir("m", 0755);
	works(mount("t", "m", "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,nr_inodes=50"));
	is(statfs("m", &s), 0);
	is(s.f_type, TMPFS);
	is(s.f_bsize, 4096);
	is(s.f_blocks, 256);
	is(s.f_bfree, 256);
	is(s.f_bavail, 256);
	is(s.f_files, 50);
	is(s.f_namelen, 255);
	check(s.f_flags & ST_NOSUID);
	check(s.f_flags & ST_NODEV);
	check(!(s.f_flags & ST_RDONLY));
	put("m/f", "x");
	is(statfs("m/f", &s), 0);
	is(s.f_bfree, 255);
	is(s.f_ffree, 48);
	fd = works(open("m/f", O_RDONLY));
	is(fstatfs(fd, &s), 0);
	is(s.f_type, TMPFS);
	close(fd);
	fails(statfs("none", &s), ENOENT);
	fails(statfs(".", BAD), EFAULT);
	fails(fstatfs(-1, &s), EBADF);
	is(umount("m"), 0);
}

TEST(tmpfs_limits)
{
	static char block[65536];
	char name[16];
	int fd, i;
	int e = 0;

	mkdir("m", 0755);
	works(mount("t", "m", "tmpfs", 0, "size=256k,nr_inodes=10,mode=700"));
	fd = works(open("m/f", O_CREAT | O_RDWR, 0600));
	for (i = 0; i < 4; i++)
		is(write(fd, block, sizeof(block)), sizeof(block));
	fails(write(fd, block, sizeof(block)), ENOSPC);
	fails(fallocate(fd, 0, 0, 1 << 20), ENOSPC);
	is(ftruncate(fd, 0), 0);
	is(write(fd, block, sizeof(block)), sizeof(block));
	is(ftruncate(fd, 1 << 30), 0);
	for (i = 0; i < 20 && !e; i++) {
		snprintf(name, sizeof(name), "m/%d", i);
		if (put(name, "") < 0)
			e = errno;
	}
	is(e, ENOSPC);
	is(i, 9);
	is(unlink("m/0"), 0);
	is(put("m/new", ""), 0);
	close(fd);
	works(mount("t", "m", "tmpfs", MS_REMOUNT, "size=1m,nr_inodes=20"));
	is(put("m/more", ""), 0);
	fails(mount("t", "m", "tmpfs", MS_REMOUNT, "size=junk"), EINVAL);
	fails(mount("t", "m", "tmpfs", MS_REMOUNT, "nr_inodes=1"), EINVAL);
	is(umount("m"), 0);
}
