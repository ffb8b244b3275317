/* SPDX-License-Identifier: BSD-2-Clause */
/* open, openat, creat and close: every flag and the errors of each. */
#include "tests/abi/abi.h"

#include <sys/ioctl.h>
#include <sys/sysmacros.h>

TEST(create)
{
	struct stat st;
	int fd;

	fails(open("f", O_RDONLY), ENOENT);
	fd = works(open("f", O_CREAT | O_WRONLY, 0640));
	is(fstat(fd, &st), 0);
	is(st.st_mode, S_IFREG | 0640);
	is(st.st_size, 0);
	is(st.st_nlink, 1);
	is(st.st_uid, 0);
	is(close(fd), 0);
	fails(close(fd), EBADF);
	fails(open("f", O_CREAT | O_EXCL | O_WRONLY, 0600), EEXIST);
	fd = works(open("f", O_CREAT | O_WRONLY, 0777));
	is(fstat(fd, &st), 0);
	is(st.st_mode & 07777, 0640);
	close(fd);
	fd = works(creat("g", 0600));
	is(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
	fails(open("no/f", O_CREAT | O_WRONLY, 0600), ENOENT);
	fails(open("f/x", O_CREAT | O_WRONLY, 0600), ENOTDIR);
	fails(open("", O_RDONLY), ENOENT);
	fails(open(NIL, O_RDONLY), EFAULT);
	fails(open("new/", O_CREAT | O_WRONLY, 0600), EISDIR);
	fails(open("f/", O_RDONLY), ENOTDIR);
}

/* The mode given at creation does not bind the creator's own handle. */
TEST(create_mode_unbound)
{
	chmod(".", 0777);
	in_child {
		int fd;

		drop(USER);
		fd = works(open("f", O_CREAT | O_RDWR, 0));
		is(write(fd, "x", 1), 1);
		is(pread(fd, (char[1]){ 0 }, 1, 0), 1);
		fails(open("f", O_RDONLY), EACCES);
	}
}

TEST(excl_symlink)
{
	works(symlink("target", "dangling"));
	fails(open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0600), EEXIST);
	fails(access("target", F_OK), ENOENT);
	works(open("dangling", O_CREAT | O_WRONLY, 0600));
	is(access("target", F_OK), 0);
	works(open("a", O_EXCL | O_WRONLY | O_CREAT, 0600));
	works(open("a", O_EXCL | O_WRONLY));
}

TEST(truncate_flag)
{
	struct stat st;
	int fd;

	put("f", "hello");
	fd = works(open("f", O_WRONLY | O_TRUNC));
	is(fstat(fd, &st), 0);
	is(st.st_size, 0);
	put("f", "hello");
	works(open("f", O_RDONLY | O_TRUNC));
	is(stat("f", &st), 0);
	is(st.st_size, 0);
	put("f", "hello");
	chmod("f", 0444);
	in_child {
		drop(USER);
		fails(open("f", O_RDONLY | O_TRUNC), EACCES);
	}
	is(stat("f", &st), 0);
	is(st.st_size, 5);
	fails(open(".", O_RDONLY | O_TRUNC), EISDIR);
}

TEST(append)
{
	char buf[16] = "";
	int a, b;

	a = works(open("f", O_CREAT | O_RDWR | O_APPEND, 0600));
	b = works(open("f", O_RDWR));
	is(write(a, "aa", 2), 2);
	is(write(b, "B", 1), 1);
	is(write(a, "cc", 2), 2);
	is(lseek(a, 0, SEEK_CUR), 4);
	is(lseek(a, 0, SEEK_SET), 0);
	is(write(a, "d", 1), 1);
	is(lseek(a, 0, SEEK_CUR), 5);
	is(pread(b, buf, 16, 0), 5);
	same(buf, "Baccd");
	/* Linux appends even with an explicit offset. */
	is(pwrite(a, "e", 1, 0), 1);
	is(pread(b, buf, 16, 0), 6);
	same(buf, "Baccde");
	is(fcntl(a, F_SETFL, 0), 0);
	is(pwrite(a, "Z", 1, 0), 1);
	is(pread(b, buf, 1, 0), 1);
	is(buf[0], 'Z');
}

/* Appends from several processes lose nothing and do not interleave. */
TEST(append_race)
{
	static char buf[4096];
	int counts[4] = { 0 };
	bool torn = false;
	ssize_t n;

	close(creat("f", 0600));
	for (int i = 0; i < 4; i++) {
		if (!fork()) {
			int fd = open("f", O_WRONLY | O_APPEND);
			char line[8];

			memset(line, 'a' + i, 7);
			line[7] = '\n';
			for (int j = 0; j < 100; j++) {
				if (write(fd, line, 8) != 8)
					_exit(1);
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		is(reap(-1), 0);
	n = get("f", buf, sizeof(buf));
	is(n, 3200);
	for (ssize_t i = 0; i + 8 <= n; i += 8) {
		for (int j = 1; j < 7; j++)
			torn |= buf[i + j] != buf[i];
		torn |= buf[i + 7] != '\n';
		counts[(buf[i] - 'a') & 3]++;
	}
	check(!torn);
	check(counts[0] == 100 && counts[1] == 100);
	check(counts[2] == 100 && counts[3] == 100);
}

TEST(access_modes)
{
	char c;
	int r, w, x;

	put("f", "x");
	r = works(open("f", O_RDONLY));
	w = works(open("f", O_WRONLY));
	fails(write(r, "y", 1), EBADF);
	fails(read(w, &c, 1), EBADF);
	fails(ftruncate(r, 0), EINVAL);
	fails(pread(w, &c, 1, 0), EBADF);
	fails(pwrite(r, &c, 1, 0), EBADF);
	/* The third mode needs both rights and gives neither. */
	x = works(open("f", 3));
	fails(read(x, &c, 1), EBADF);
	fails(write(x, &c, 1), EBADF);
	is(fcntl(x, F_GETFL) & O_ACCMODE, 3);
	fails(read(-1, &c, 1), EBADF);
	fails(read(9999, &c, 1), EBADF);
	fails(read(r, BAD, 1), EFAULT);
	fails(write(w, BAD, 1), EFAULT);
	is(read(r, NULL, 0), 0);
	is(write(w, NULL, 0), 0);
}

TEST(directories)
{
	char c;
	int fd;

	works(mkdir("d", 0755));
	put("f", "");
	fails(open("d", O_WRONLY), EISDIR);
	fails(open("d", O_RDWR), EISDIR);
	fails(open("d", O_CREAT | O_RDONLY, 0600), EISDIR);
	fd = works(open("d", O_RDONLY | O_DIRECTORY));
	fails(read(fd, &c, 1), EISDIR);
	fails(write(fd, &c, 1), EBADF);
	fails(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
	works(symlink("d", "ld"));
	works(open("ld", O_DIRECTORY));
	fails(open("ld", O_DIRECTORY | O_NOFOLLOW), ENOTDIR);
	works(open("ld/.", O_DIRECTORY | O_NOFOLLOW));
	works(open("ld/", O_DIRECTORY | O_NOFOLLOW));
	fails(openat(fd, "../f/", O_RDONLY), ENOTDIR);
	works(openat(fd, "../f", O_RDONLY));
}

TEST(nofollow)
{
	put("f", "");
	works(symlink("f", "l"));
	fails(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
	fails(open("l", O_RDONLY | O_NOFOLLOW | O_CREAT, 0600), ELOOP);
	works(open("f", O_RDONLY | O_NOFOLLOW));
	works(mkdir("d", 0755));
	works(symlink("d", "ld"));
	put("d/f", "");
	works(open("ld/f", O_RDONLY | O_NOFOLLOW));
}

TEST(o_path)
{
	char link[PATH_MAX] = "";
	char self[64];
	struct stat st;
	char c;
	int fd, lfd, dfd;

	put("f", "data");
	chmod("f", 0);
	works(symlink("f", "l"));
	fd = works(open("f", O_PATH));
	fails(read(fd, &c, 1), EBADF);
	fails(write(fd, &c, 1), EBADF);
	fails(lseek(fd, 0, SEEK_SET), EBADF);
	fails(fchmod(fd, 0600), EBADF);
	fails(fchown(fd, 0, 0), EBADF);
	fails(ftruncate(fd, 0), EBADF);
	fails(ioctl(fd, FIONREAD, &c), EBADF);
	fails(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0), EBADF);
	is(fstat(fd, &st), 0);
	is(st.st_size, 4);
	is(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
	works(fcntl(fd, F_DUPFD, 0));
	works(fcntl(fd, F_GETFD));
	fails(fcntl(fd, F_SETFL, O_APPEND), EBADF);
	lfd = works(open("l", O_PATH | O_NOFOLLOW));
	is(fstat(lfd, &st), 0);
	check(S_ISLNK(st.st_mode));
	is(readlinkat(lfd, "", link, sizeof(link)), 1);
	is(link[0], 'f');
	dfd = works(open(".", O_PATH | O_DIRECTORY));
	/* Of the other flags only these count: O_DIRECTORY, O_NOFOLLOW, O_CLOEXEC. */
	fails(open("f", O_PATH | O_DIRECTORY), ENOTDIR);
	works(openat(dfd, "f", O_RDONLY));
	is(fchdir(dfd), 0);
	fails(openat(fd, "x", O_RDONLY), ENOTDIR);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	is(read(works(open(self, O_RDONLY)), &c, 1), 1);
	is(c, 'd');
	/* Any other flag is ignored, even impossible ones. */
	works(open("f", O_PATH | O_RDWR | O_TRUNC | O_CREAT | O_EXCL));
	is(stat("f", &st), 0);
	is(st.st_size, 4);
}

TEST(o_path_permissions)
{
	mkdir("d", 0700);
	put("d/f", "");
	put("f", "");
	chmod("f", 0);
	in_child {
		drop(USER);
		works(open("f", O_PATH));
		fails(open("d/f", O_PATH), EACCES);
		works(open("d", O_PATH));
		fails(open("d", O_RDONLY), EACCES);
	}
}

TEST(o_tmpfile)
{
	char self[64];
	char buf[8] = "";
	struct stat st;
	int fd;

	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	if (fd < 0 && errno == EOPNOTSUPP) {
		skip("no O_TMPFILE here");
		return;
	}
	check(fd >= 0);
	is(fstat(fd, &st), 0);
	is(st.st_nlink, 0);
	is(st.st_mode, S_IFREG | 0600);
	is(write(fd, "anon", 4), 4);
	fails(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
	fails(open("nowhere", O_TMPFILE | O_RDWR, 0600), ENOENT);
	put("f", "");
	fails(open("f", O_TMPFILE | O_RDWR, 0600), ENOTDIR);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	is(linkat(AT_FDCWD, self, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), 0);
	is(get("named", buf, sizeof(buf)), 4);
	same(buf, "anon");
	is(fstat(fd, &st), 0);
	is(st.st_nlink, 1);
	fd = works(open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600));
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	fails(linkat(AT_FDCWD, self, AT_FDCWD, "no", AT_SYMLINK_FOLLOW), ENOENT);
	fd = works(open(".", O_TMPFILE | O_RDWR, 0600));
	is(linkat(fd, "", AT_FDCWD, "byfd", AT_EMPTY_PATH), 0);
	is(access("byfd", F_OK), 0);
}

TEST(lowest_descriptor)
{
	int a = works(open("/dev/null", O_RDONLY));
	int b = works(open("/dev/null", O_RDONLY));
	int c = works(open("/dev/null", O_RDONLY));

	check(a < b && b < c);
	close(a);
	close(c);
	is(open("/dev/null", O_RDONLY), a);
	is(open("/dev/null", O_RDONLY), c);
	close(b);
	is(dup(a), b);
}

TEST(status_flags)
{
	int fd = works(open("f", O_CREAT | O_RDWR | O_APPEND | O_NONBLOCK |
			    O_CLOEXEC | O_TRUNC | O_EXCL, 0600));

	is(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_TRUNC |
				 O_CREAT | O_EXCL),
	   O_RDWR | O_APPEND | O_NONBLOCK);
	is(fcntl(fd, F_GETFD), FD_CLOEXEC);
	fd = works(open("f", O_RDONLY | O_SYNC));
	is(fcntl(fd, F_GETFL) & O_SYNC, O_SYNC);
	is(fcntl(fd, F_GETFL) & O_LARGEFILE, O_LARGEFILE);
	is(fcntl(fd, F_GETFD), 0);
}

TEST(noatime)
{
	put("f", "");
	chmod("f", 0666);
	works(open("f", O_RDONLY | O_NOATIME));
	in_child {
		drop(USER);
		fails(open("f", O_RDONLY | O_NOATIME), EPERM);
		works(open("f", O_RDONLY));
	}
}

TEST(unlinked_lives_on)
{
	char buf[8] = "";
	struct stat st;
	int fd;

	put("f", "still");
	fd = works(open("f", O_RDWR));
	is(unlink("f"), 0);
	is(fstat(fd, &st), 0);
	is(st.st_nlink, 0);
	is(read(fd, buf, 8), 5);
	same(buf, "still");
	fails(open("f", O_RDONLY), ENOENT);
	put("f", "other");
	is(pread(fd, buf, 8, 0), 5);
	same(buf, "still");
}

/* open of "/proc/self/fd/N" makes a new open file; dup shares it. */
TEST(offsets)
{
	char self[64];
	char c;
	int a, b, d;

	put("f", "abcdef");
	a = works(open("f", O_RDONLY));
	d = works(dup(a));
	snprintf(self, sizeof(self), "/proc/self/fd/%d", a);
	b = works(open(self, O_RDONLY));
	is(read(a, &c, 1), 1);
	is(read(d, &c, 1), 1);
	is(c, 'b');
	is(read(b, &c, 1), 1);
	is(c, 'a');
	in_child {
		is(read(a, &c, 1), 1);
		is(c, 'c');
	}
	is(read(a, &c, 1), 1);
	is(c, 'd');
}

TEST(special_files)
{
	fails(open("/dev/null", O_RDONLY | O_DIRECTORY), ENOTDIR);
	works(mkfifo("p", 0600));
	fails(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
	works(open("p", O_RDONLY | O_NONBLOCK));
	works(mknod("chr", S_IFCHR | 0600, makedev(250, 77)));
	fails(open("chr", O_RDONLY), ENXIO);
	works(mknod("blk", S_IFBLK | 0600, makedev(250, 77)));
	fails(open("blk", O_RDONLY), ENXIO);
	works(mknod("reg", S_IFREG | 0600, 0));
	works(open("reg", O_RDWR));
	fails(mknod("dir", S_IFDIR | 0700, 0), EPERM);
	fails(mknod("lnk", S_IFLNK | 0700, 0), EINVAL);
	works(mknod("sock", S_IFSOCK | 0600, 0));
	fails(open("sock", O_RDONLY), ENXIO);
	chmod(".", 0777);
	in_child {
		drop(USER);
		fails(mknod("u", S_IFCHR | 0600, makedev(1, 3)), EPERM);
		works(mknod("r", S_IFREG | 0600, 0));
		works(mkfifo("q", 0600));
	}
}
