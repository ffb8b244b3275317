/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Path resolution: symbolic links and their limits, lengths, ".." at roots,
 * trailing slashes, search permission, the *at calls, chdir and getcwd.
 */
#include "tests/abi/abi.h"

static char name256[257];
static char path4096[4097];

static void
make_names(void)
{
	memset(name256, 'n', 256);
	for (int i = 0; i < 4096; i++)
		path4096[i] = i & 1 ? '/' : '.';
}

TEST(too_long)
{
	make_names();
	fails(open(name256, O_RDONLY), ENAMETOOLONG);
	fails(open(name256, O_CREAT | O_WRONLY, 0600), ENAMETOOLONG);
	fails(mkdir(name256, 0700), ENAMETOOLONG);
	fails(symlink("x", name256), ENAMETOOLONG);
	fails(unlink(name256), ENAMETOOLONG);
	fails(access(name256, F_OK), ENAMETOOLONG);
	name256[255] = '\0';
	fails(open(name256, O_RDONLY), ENOENT);
	works(open(name256, O_CREAT | O_WRONLY, 0600));
	is(unlink(name256), 0);
	fails(access(path4096, F_OK), ENAMETOOLONG);
	path4096[4095] = '\0';
	is(access(path4096, F_OK), 0);
	fails(symlink(path4096 + 1, ""), ENOENT);
	fails(symlink("", "l"), ENOENT);
	works(symlink(path4096, "longlink"));
	is(readlink("longlink", path4096, sizeof(path4096)), 4095);
}

TEST(symlink_loops)
{
	char a[16], b[16];

	works(symlink("self", "self"));
	fails(open("self", O_RDONLY), ELOOP);
	fails(access("self", F_OK), ELOOP);
	fails(mkdir("self/d", 0700), ELOOP);
	works(symlink("ping", "pong"));
	works(symlink("pong", "ping"));
	fails(open("ping", O_RDONLY), ELOOP);
	fails(open("ping/x", O_CREAT | O_WRONLY, 0600), ELOOP);
	put("l0", "end");
	for (int i = 1; i <= 41; i++) {
		snprintf(a, sizeof(a), "l%d", i - 1);
		snprintf(b, sizeof(b), "l%d", i);
		if (symlink(a, b))
			ok(false, "symlink %s", b);
	}
	works(open("l1", O_RDONLY));
	works(open("l40", O_RDONLY));
	fails(open("l41", O_RDONLY), ELOOP);
	is(unlink("l41"), 0);
	is(unlink("self"), 0);
}

TEST(not_a_directory)
{
	struct stat st;

	put("f", "");
	fails(stat("f/x", &st), ENOTDIR);
	fails(stat("f/.", &st), ENOTDIR);
	fails(stat("f/..", &st), ENOTDIR);
	fails(stat("f/", &st), ENOTDIR);
	fails(lstat("f/", &st), ENOTDIR);
	fails(mkdir("f/x", 0700), ENOTDIR);
	fails(rmdir("f"), ENOTDIR);
	fails(unlink("f/x"), ENOTDIR);
	fails(rename("f/x", "y"), ENOTDIR);
	fails(chdir("f"), ENOTDIR);
	fails(unlink("f/"), ENOTDIR);
	fails(stat("none/x", &st), ENOENT);
	fails(stat("none/", &st), ENOENT);
	fails(stat("", &st), ENOENT);
	fails(stat(BAD, &st), EFAULT);
	fails(stat("f", BAD), EFAULT);
}

TEST(slashes_and_dots)
{
	struct stat a, b;

	works(mkdir("d", 0755));
	put("d/f", "");
	is(stat("d/f", &a), 0);
	is(stat(".//d///./../d//f", &b), 0);
	is(a.st_ino, b.st_ino);
	is(stat("/", &a), 0);
	is(stat("/../..", &b), 0);
	check(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	works(mkdir("e/", 0755));
	is(rmdir("e///"), 0);
	fails(rmdir("d/."), EINVAL);
	fails(rmdir("d/.."), ENOTEMPTY);
	fails(mkdir("d/.", 0700), EEXIST);
	fails(mkdir("d/..", 0700), EEXIST);
	fails(mkdir("/", 0700), EEXIST);
	fails(rmdir("/"), EBUSY);
	fails(unlink("/"), EISDIR);
	fails(symlink("x", "new/"), ENOENT);
}

TEST(symlinks_in_paths)
{
	char buf[64] = "";
	struct stat st;

	works(mkdir("d", 0755));
	put("d/f", "deep");
	works(symlink("d", "ld"));
	works(symlink("ld/f", "lf"));
	works(symlink("/", "root"));
	works(symlink("d/f/", "slash"));
	is(get("ld/f", buf, sizeof(buf)), 4);
	is(get("lf", buf, sizeof(buf)), 4);
	is(stat("root/proc", &st), 0);
	fails(stat("slash", &st), ENOTDIR);
	is(lstat("ld", &st), 0);
	check(S_ISLNK(st.st_mode));
	is(st.st_size, 1);
	is(st.st_mode & 0777, 0777);
	is(lstat("ld/", &st), 0);
	check(S_ISDIR(st.st_mode));
	is(lstat("ld/.", &st), 0);
	check(S_ISDIR(st.st_mode));
	fails(rmdir("ld"), ENOTDIR);
	fails(rmdir("ld/"), ENOTDIR);
	fails(mkdir("ld", 0700), EEXIST);
	works(symlink("absent", "dang"));
	fails(mkdir("dang", 0700), EEXIST);
	fails(stat("dang", &st), ENOENT);
	fails(open("dang/", O_CREAT | O_WRONLY, 0600), EISDIR);
	is(unlink("ld"), 0);
	is(stat("d", &st), 0);
}

TEST(readlink_rules)
{
	char buf[8];
	int fd;

	works(symlink("target", "l"));
	memset(buf, '#', sizeof(buf));
	is(readlink("l", buf, 3), 3);
	is(buf[3], '#');
	is(readlink("l", buf, 8), 6);
	is(buf[6], '#');
	fails(readlink("l", buf, 0), EINVAL);
	fails(syscall(SYS_readlink, "l", buf, -1), EINVAL);
	fails(readlink(".", buf, 8), EINVAL);
	put("f", "");
	fails(readlink("f", buf, 8), EINVAL);
	fails(readlink("none", buf, 8), ENOENT);
	fails(readlink("l", BAD, 8), EFAULT);
	fd = works(open("f", O_RDONLY));
	fails(readlinkat(fd, "", buf, 8), ENOENT);
	fails(readlinkat(fd, "x", buf, 8), ENOTDIR);
	fails(readlinkat(-1, "x", buf, 8), EBADF);
}

TEST(search_permission)
{
	struct stat st;

	works(mkdir("d", 0755));
	works(mkdir("d/e", 0755));
	put("d/e/f", "");
	chmod("d", 0644);
	in_child {
		drop(USER);
		fails(stat("d/e", &st), EACCES);
		fails(stat("d/e/f", &st), EACCES);
		fails(stat("d/none", &st), EACCES);
		fails(stat("d/.", &st), EACCES);
		is(stat("d", &st), 0);
		fails(chdir("d"), EACCES);
		works(open("d", O_RDONLY | O_DIRECTORY));
	}
	chmod("d", 0711);
	in_child {
		drop(USER);
		is(stat("d/e/f", &st), 0);
		is(chdir("d"), 0);
		fails(open(".", O_RDONLY), EACCES);
	}
}

TEST(at_calls)
{
	struct stat st;
	int d, f;

	works(mkdir("d", 0755));
	put("d/f", "");
	put("top", "");
	d = works(open("d", O_RDONLY | O_DIRECTORY));
	f = works(open("d/f", O_RDONLY));
	works(openat(d, "f", O_RDONLY));
	works(openat(d, "../top", O_RDONLY));
	works(openat(AT_FDCWD, "top", O_RDONLY));
	works(openat(-1, "/proc/self/stat", O_RDONLY));
	fails(openat(-1, "top", O_RDONLY), EBADF);
	fails(openat(f, "x", O_RDONLY), ENOTDIR);
	fails(openat(d, "", O_RDONLY), ENOENT);
	is(fstatat(d, "f", &st, 0), 0);
	is(fstatat(f, "", &st, AT_EMPTY_PATH), 0);
	fails(fstatat(f, "", &st, 0), ENOENT);
	fails(fstatat(d, "f", &st, 0x8000), EINVAL);
	is(mkdirat(d, "sub", 0700), 0);
	is(symlinkat("f", d, "l"), 0);
	is(fstatat(d, "l", &st, AT_SYMLINK_NOFOLLOW), 0);
	check(S_ISLNK(st.st_mode));
	is(linkat(d, "l", d, "l2", 0), 0);
	is(fstatat(d, "l2", &st, AT_SYMLINK_NOFOLLOW), 0);
	check(S_ISLNK(st.st_mode));
	is(linkat(d, "l", d, "f2", AT_SYMLINK_FOLLOW), 0);
	is(fstatat(d, "f2", &st, AT_SYMLINK_NOFOLLOW), 0);
	check(S_ISREG(st.st_mode));
	fails(linkat(d, "f", d, "f3", 0x1), EINVAL);
	fails(unlinkat(d, "sub", 0), EISDIR);
	fails(unlinkat(d, "f", AT_REMOVEDIR), ENOTDIR);
	fails(unlinkat(d, "f", 1), EINVAL);
	is(unlinkat(d, "sub", AT_REMOVEDIR), 0);
	is(unlinkat(d, "f", 0), 0);
	is(renameat(d, "f2", AT_FDCWD, "moved"), 0);
	is(access("moved", F_OK), 0);
	is(mknodat(d, "p", S_IFIFO | 0600, 0), 0);
}

TEST(cwd)
{
	char want[PATH_MAX], buf[PATH_MAX];
	int fd;

	check(getcwd(want, sizeof(want)) != NULL);
	is(syscall(SYS_getcwd, buf, sizeof(buf)), strlen(want) + 1);
	same(buf, want);
	fails(syscall(SYS_getcwd, buf, strlen(want)), ERANGE);
	fails(syscall(SYS_getcwd, BAD, 4096), EFAULT);
	works(mkdir("d", 0755));
	works(symlink("d", "l"));
	fd = works(open("d", O_RDONLY));
	is(chdir("l"), 0);
	strcat(want, "/d");
	syscall(SYS_getcwd, buf, sizeof(buf));
	same(buf, want);
	is(chdir(".."), 0);
	is(fchdir(fd), 0);
	syscall(SYS_getcwd, buf, sizeof(buf));
	same(buf, want);
	is(rename("../d", "../e"), 0);
	want[strlen(want) - 1] = 'e';
	syscall(SYS_getcwd, buf, sizeof(buf));
	same(buf, want);
	fails(chdir("none"), ENOENT);
	fails(fchdir(-1), EBADF);
	put("f", "");
	fails(fchdir(works(open("f", O_RDONLY))), ENOTDIR);
	unlink("f");
	is(rmdir("../e"), 0);
	fails(syscall(SYS_getcwd, buf, sizeof(buf)), ENOENT);
	fails(open("f", O_CREAT | O_WRONLY, 0600), ENOENT);
	fails(mkdir("sub", 0700), ENOENT);
	works(open(".", O_RDONLY));
	is(chdir(".."), 0);
	check(!access("l", F_OK) || errno == ENOENT);
}

TEST(chroot_jail)
{
	char buf[64];
	struct stat in, out;
	int fd;

	works(mkdir("jail", 0755));
	put("jail/inside", "");
	works(mkdir("jail/proc", 0755));
	works(symlink("/inside", "jail/abs"));
	put("outside", "");
	in_child {
		drop(USER);
		fails(chroot("jail"), EPERM);
	}
	fails(chroot("none"), ENOENT);
	fails(chroot("outside"), ENOTDIR);
	in_child {
		fd = open(".", O_RDONLY);
		is(chroot("jail"), 0);
		is(access("/inside", F_OK), 0);
		is(access("/abs", F_OK), 0);
		fails(access("/outside", F_OK), ENOENT);
		fails(access("/../outside", F_OK), ENOENT);
		/* The directory where we are is still outside. */
		is(access("outside", F_OK), 0);
		works(syscall(SYS_getcwd, buf, sizeof(buf)));
		is(strncmp(buf, "(unreachable)", 13), 0);
		is(chdir("/"), 0);
		works(syscall(SYS_getcwd, buf, sizeof(buf)));
		same(buf, "/");
		is(stat("/", &in), 0);
		is(stat("/..", &out), 0);
		is(in.st_ino, out.st_ino);
		is(fchdir(fd), 0);
		is(access("outside", F_OK), 0);
	}
}

/* /proc/self/fd links jump to the object whatever its name has become. */
TEST(magic_links)
{
	char self[64], buf[PATH_MAX], cwd[PATH_MAX];
	ssize_t n;
	int fd;

	check(getcwd(cwd, sizeof(cwd)) != NULL);
	put("f", "x");
	fd = works(open("f", O_RDONLY));
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = works(readlink(self, buf, sizeof(buf) - 1));
	buf[n] = '\0';
	strcat(cwd, "/f");
	same(buf, cwd);
	is(unlink("f"), 0);
	n = works(readlink(self, buf, sizeof(buf) - 1));
	buf[n] = '\0';
	strcat(cwd, " (deleted)");
	same(buf, cwd);
	works(open(self, O_RDONLY));
	n = works(readlink("/proc/self/root", buf, sizeof(buf)));
	check(n == 1 && buf[0] == '/');
	n = works(readlink("/proc/self/cwd", buf, sizeof(buf) - 1));
	cwd[strlen(cwd) - strlen("/f (deleted)")] = '\0';
	buf[n] = '\0';
	same(buf, cwd);
	fails(open("/proc/self/fd/9999", O_RDONLY), ENOENT);
}
