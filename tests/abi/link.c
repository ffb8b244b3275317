/* SPDX-License-Identifier: BSD-2-Clause */
/* link, unlink, rename with its flags, mkdir and rmdir; sticky directories. */
#include "tests/abi/abi.h"

static ino_t
ino(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : st.st_ino;
}

static nlink_t
nlinks(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : st.st_nlink;
}

TEST(hard_links)
{
	put("f", "one");
	is(link("f", "g"), 0);
	is(ino("f"), ino("g"));
	is(nlinks("f"), 2);
	fails(link("f", "g"), EEXIST);
	fails(link("none", "h"), ENOENT);
	fails(link("f", "none/h"), ENOENT);
	fails(link("f", "g/h"), ENOTDIR);
	works(mkdir("d", 0755));
	fails(link("d", "d2"), EPERM);
	fails(link("f", ""), ENOENT);
	fails(link("", "h"), ENOENT);
	fails(link("f", "/dev/h"), EXDEV);
	fails(link("f", "h/"), ENOENT);
	is(unlink("f"), 0);
	is(nlinks("g"), 1);
	works(symlink("g", "l"));
	is(link("l", "l2"), 0);
	is(nlinks("l"), 2);
	is(nlinks("g"), 1);
	chown("g", USER, USER);
	in_child {
		drop(USER);
		fails(link("g", "mine"), EACCES);
	}
}

TEST(link_times)
{
	struct stat a, b, d1, d2;

	put("f", "");
	stat("f", &a);
	stat(".", &d1);
	msleep(20);
	is(link("f", "g"), 0);
	stat("f", &b);
	stat(".", &d2);
	check(b.st_ctim.tv_sec > a.st_ctim.tv_sec ||
	      b.st_ctim.tv_nsec > a.st_ctim.tv_nsec);
	is(b.st_mtim.tv_nsec, a.st_mtim.tv_nsec);
	check(d2.st_mtim.tv_sec > d1.st_mtim.tv_sec ||
	      d2.st_mtim.tv_nsec > d1.st_mtim.tv_nsec);
}

TEST(unlink_errors)
{
	works(mkdir("d", 0755));
	fails(unlink("d"), EISDIR);
	fails(unlink("none"), ENOENT);
	fails(unlink(""), ENOENT);
	fails(unlink("."), EISDIR);
	fails(unlink(BAD), EFAULT);
	put("d/f", "");
	chmod("d", 0755);
	in_child {
		drop(USER);
		fails(unlink("d/f"), EACCES);
	}
	is(unlink("d/f"), 0);
}

TEST(rmdir_errors)
{
	works(mkdir("d", 0755));
	put("d/f", "");
	fails(rmdir("d"), ENOTEMPTY);
	fails(rmdir("d/f"), ENOTDIR);
	fails(rmdir("none"), ENOENT);
	fails(rmdir(""), ENOENT);
	fails(rmdir("."), EINVAL);
	is(unlink("d/f"), 0);
	in_child {
		drop(USER);
		fails(rmdir("d"), EACCES);
	}
	is(rmdir("d"), 0);
	fails(rmdir("/proc"), EBUSY);
}

TEST(directory_link_count)
{
	nlink_t n = nlinks(".");

	works(mkdir("a", 0755));
	is(nlinks("."), n + 1);
	is(nlinks("a"), 2);
	works(mkdir("a/b", 0755));
	is(nlinks("a"), 3);
	works(mkdir("c", 0755));
	is(rename("a/b", "c/b"), 0);
	is(nlinks("a"), 2);
	is(nlinks("c"), 3);
	is(rmdir("a"), 0);
	is(nlinks("."), n + 1);
}

TEST(rename_files)
{
	ino_t i;

	put("a", "A");
	put("b", "B");
	i = ino("a");
	is(rename("a", "c"), 0);
	is(ino("c"), i);
	fails(rename("a", "x"), ENOENT);
	is(rename("c", "b"), 0);
	is(ino("b"), i);
	is(ino("c"), 0);
	is(rename("b", "b"), 0);
	/* Two names of one file: rename does nothing and keeps both. */
	is(link("b", "same"), 0);
	is(rename("b", "same"), 0);
	is(nlinks("b"), 2);
	is(ino("same"), i);
	works(symlink("b", "l"));
	is(rename("l", "l2"), 0);
	check(ino("l2") != i);
	fails(rename("b", ""), ENOENT);
	fails(rename("", "b"), ENOENT);
	fails(rename("b", "no/b"), ENOENT);
	fails(rename("b", "same/b"), ENOTDIR);
	fails(rename("b", "new/"), ENOTDIR);
	fails(rename("b", "/proc/b"), EXDEV);
	fails(rename(BAD, "b"), EFAULT);
}

TEST(rename_directories)
{
	put("f", "");
	works(mkdir("d", 0755));
	works(mkdir("e", 0755));
	works(mkdir("d/sub", 0755));
	put("e/x", "");
	fails(rename("f", "d"), EISDIR);
	fails(rename("d", "f"), ENOTDIR);
	fails(rename("d", "e"), ENOTEMPTY);
	fails(rename("d", "d/sub/in"), EINVAL);
	fails(rename("d", "d/sub"), EINVAL);
	fails(rename("d/sub", "d"), ENOTEMPTY);
	fails(rename(".", "g"), EBUSY);
	fails(rename("d/.", "g"), EBUSY);
	fails(rename("d/..", "g"), EBUSY);
	fails(rename("d", "e/."), EBUSY);
	fails(rename("d", ".."), EBUSY);
	is(unlink("e/x"), 0);
	is(rename("d/", "e/"), 0);
	is(access("e/sub", F_OK), 0);
	fails(access("d", F_OK), ENOENT);
	is(rename("e", "newdir/"), 0);
}

TEST(renameat2_flags)
{
	ino_t a, d;

	put("a", "A");
	works(mkdir("d", 0755));
	put("d/x", "");
	a = ino("a");
	d = ino("d");
	fails(renameat2(AT_FDCWD, "a", AT_FDCWD, "d", RENAME_NOREPLACE), EEXIST);
	fails(renameat2(AT_FDCWD, "a", AT_FDCWD, "a", RENAME_NOREPLACE), EEXIST);
	is(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE), 0);
	is(ino("b"), a);
	is(renameat2(AT_FDCWD, "b", AT_FDCWD, "d", RENAME_EXCHANGE), 0);
	is(ino("d"), a);
	is(ino("b"), d);
	is(access("b/x", F_OK), 0);
	fails(renameat2(AT_FDCWD, "b", AT_FDCWD, "q", RENAME_EXCHANGE), ENOENT);
	fails(renameat2(AT_FDCWD, "q", AT_FDCWD, "b", RENAME_EXCHANGE), ENOENT);
	fails(renameat2(AT_FDCWD, "d", AT_FDCWD, "b/x/y", RENAME_EXCHANGE),
	      ENOTDIR);
	fails(renameat2(AT_FDCWD, "b", AT_FDCWD, "b/x", RENAME_EXCHANGE), EINVAL);
	fails(renameat2(AT_FDCWD, "b", AT_FDCWD, "d",
			RENAME_EXCHANGE | RENAME_NOREPLACE), EINVAL);
	fails(renameat2(AT_FDCWD, "b", AT_FDCWD, "d", 0x80), EINVAL);
	fails(renameat2(-1, "b", AT_FDCWD, "d", 0), EBADF);
}

/* Exchange of two directories keeps ".." and the link counts right. */
TEST(exchange_parents)
{
	ino_t parent;

	mkdir("p", 0755);
	mkdir("q", 0755);
	mkdir("p/a", 0755);
	put("q/f", "");
	is(nlinks("p"), 3);
	is(nlinks("q"), 2);
	is(renameat2(AT_FDCWD, "p/a", AT_FDCWD, "q/f", RENAME_EXCHANGE), 0);
	is(nlinks("p"), 2);
	is(nlinks("q"), 3);
	parent = ino("q");
	is(ino("q/f/.."), parent);
}

TEST(open_survives_rename)
{
	char buf[8] = "";
	int fd;

	put("a", "old");
	put("b", "new");
	fd = works(open("b", O_RDONLY));
	is(rename("a", "b"), 0);
	is(read(fd, buf, 8), 3);
	same(buf, "new");
	is(get("b", buf, 8), 3);
	same(buf, "old");
}

TEST(rename_permissions)
{
	mkdir("ro", 0755);
	put("ro/f", "");
	mkdir("rw", 0777);
	chmod("rw", 0777);
	put("rw/g", "");
	in_child {
		drop(USER);
		fails(rename("ro/f", "rw/f"), EACCES);
		fails(rename("rw/g", "ro/g"), EACCES);
		is(rename("rw/g", "rw/h"), 0);
	}
}

TEST(sticky)
{
	mkdir("s", 0777);
	chmod("s", 01777);
	put("s/root", "");
	put("s/user", "");
	mkdir("s/dir", 0777);
	chown("s/user", USER, USER);
	in_child {
		drop(USER + 1);
		fails(unlink("s/root"), EPERM);
		fails(unlink("s/user"), EPERM);
		fails(rmdir("s/dir"), EPERM);
		fails(rename("s/user", "s/x"), EPERM);
		is(put("s/mine", ""), 0);
		fails(rename("s/mine", "s/user"), EPERM);
		is(rename("s/mine", "s/still"), 0);
		is(unlink("s/still"), 0);
	}
	chown("s", USER + 1, 0);
	in_child {
		drop(USER + 1);
		is(unlink("s/user"), 0);
	}
	is(unlink("s/root"), 0);
}

/* 8 processes rename one name over another while one reads: never absent. */
TEST(replace_is_atomic)
{
	long end = now_ns() + NSEC;
	pid_t pid[3];
	long misses = 0;
	long seen = 0;
	char buf[8];

	put("t", "x");
	for (int i = 0; i < 3; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			char tmp[8];

			snprintf(tmp, sizeof(tmp), "t%d", i);
			while (now_ns() < end) {
				put(tmp, "x");
				if (rename(tmp, "t"))
					_exit(1);
			}
			_exit(0);
		}
	}
	while (now_ns() < end) {
		if (get("t", buf, sizeof(buf)) != 1)
			misses++;
		seen++;
	}
	is(misses, 0);
	check(seen > 0);
	for (int i = 0; i < 3; i++)
		is(reap(pid[i]), 0);
}

TEST(mkdir_modes)
{
	struct stat st;
	mode_t old = umask(027);

	is(old, 022);
	is(mkdir("d", 0777), 0);
	is(stat("d", &st), 0);
	is(st.st_mode, S_IFDIR | 0750);
	is(mkdir("t", 01777), 0);
	is(stat("t", &st), 0);
	is(st.st_mode, S_IFDIR | 01750);
	fails(mkdir("d", 0700), EEXIST);
	fails(mkdir("no/d", 0700), ENOENT);
	/* A directory in a set-group-id one inherits group and bit. */
	is(mkdir("g", 0777), 0);
	is(chown("g", 0, 77), 0);
	is(chmod("g", 02755), 0);
	is(mkdir("g/d", 0700), 0);
	is(stat("g/d", &st), 0);
	is(st.st_mode & 07777, 02700);
	is(st.st_gid, 77);
	is(put("g/f", ""), 0);
	is(stat("g/f", &st), 0);
	is(st.st_gid, 77);
}
