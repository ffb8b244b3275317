/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading and writing files: offsets, truncation, holes, vectors, fallocate,
 * sendfile and copy_file_range.
 */
#include "tests/abi/abi.h"

#include <linux/falloc.h>
#include <sys/sendfile.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#define K4 4096L

static int
temp(void)
{
	static int n;
	char name[16];

	snprintf(name, sizeof(name), "t%d", n++);
	return open(name, O_CREAT | O_RDWR | O_TRUNC, 0600);
}

static off_t
size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -1 : st.st_size;
}

static blkcnt_t
blocks_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -1 : st.st_blocks;
}

TEST(seek)
{
	int fd = temp();
	int p[2];

	is(write(fd, "0123456789", 10), 10);
	is(lseek(fd, 0, SEEK_CUR), 10);
	is(lseek(fd, 3, SEEK_SET), 3);
	is(lseek(fd, 4, SEEK_CUR), 7);
	is(lseek(fd, -2, SEEK_END), 8);
	is(lseek(fd, 100, SEEK_END), 110);
	fails(lseek(fd, -1, SEEK_SET), EINVAL);
	fails(lseek(fd, -200, SEEK_CUR), EINVAL);
	fails(lseek(fd, 0, 99), EINVAL);
	fails(lseek(fd, LONG_MAX, SEEK_END), EINVAL);
	is(lseek(fd, 0, SEEK_CUR), 110);
	fails(lseek(-1, 0, SEEK_SET), EBADF);
	pipe(p);
	fails(lseek(p[0], 0, SEEK_SET), ESPIPE);
	fails(lseek(p[0], 0, SEEK_CUR), ESPIPE);
	fails(pread(p[0], (char[1]){ 0 }, 1, 0), ESPIPE);
	fails(pwrite(p[1], "", 1, 0), ESPIPE);
	is(size_of(fd), 10);
}

TEST(read_write_edges)
{
	char buf[32];
	int fd = temp();

	is(pwrite(fd, "abc", 3, 5), 3);
	is(size_of(fd), 8);
	is(lseek(fd, 0, SEEK_CUR), 0);
	memset(buf, 1, sizeof(buf));
	is(read(fd, buf, 32), 8);
	is(buf[0], 0);
	is(buf[4], 0);
	is(buf[5], 'a');
	is(buf[8], 1);
	is(read(fd, buf, 32), 0);
	is(pread(fd, buf, 32, 1000), 0);
	fails(pread(fd, buf, 1, -1), EINVAL);
	fails(pwrite(fd, buf, 1, -1), EINVAL);
	fails(pwrite(fd, buf, 1, LONG_MAX), EINVAL);
	is(pread(fd, buf, 0, 0), 0);
	fails(syscall(SYS_read, fd, buf, -1L), EFAULT);
	fails(syscall(SYS_write, fd, buf, -1L), EFAULT);
	/* One call moves at most MAX_RW_COUNT, hence no error here. */
	is(lseek(fd, 0, SEEK_SET), 0);
	is(syscall(SYS_read, fd, buf, 1L << 40), 8);
}

/* A buffer that ends in an unmapped page: what fits is transferred. */
TEST(partial_faults)
{
	char *m = mmap(NULL, 2 * K4, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static char data[2 * K4];
	int fd = temp();

	munmap(m + K4, K4);
	memset(data, 'd', sizeof(data));
	is(write(fd, data, sizeof(data)), sizeof(data));
	is(pread(fd, m + K4 - 100, 200, 0), 100);
	is(m[K4 - 1], 'd');
	fails(pread(fd, m + K4, 10, 0), EFAULT);
	is(pwrite(fd, m + K4 - 50, 100, 0), 50);
	fails(pwrite(fd, m + K4, 10, 0), EFAULT);
}

TEST(truncation)
{
	static char big[3 * K4];
	char buf[8];
	int fd = temp();
	int ro;

	memset(big, 'x', sizeof(big));
	is(write(fd, big, sizeof(big)), sizeof(big));
	is(ftruncate(fd, K4 + 10), 0);
	is(size_of(fd), K4 + 10);
	is(ftruncate(fd, 2 * K4), 0);
	is(pread(fd, buf, 8, K4 + 6), 8);
	is(buf[3], 'x');
	is(buf[4], 0);
	is(buf[7], 0);
	is(lseek(fd, 0, SEEK_CUR), 3 * K4);
	is(write(fd, "y", 1), 1);
	is(size_of(fd), 3 * K4 + 1);
	fails(ftruncate(fd, -1), EINVAL);
	fails(truncate("t0", -1), EINVAL);
	fails(truncate("none", 0), ENOENT);
	fails(truncate(".", 0), EISDIR);
	fails(ftruncate(-1, 0), EBADF);
	ro = works(open("t0", O_RDONLY));
	fails(ftruncate(ro, 0), EINVAL);
	mkfifo("p", 0600);
	fails(truncate("p", 0), EINVAL);
	chmod("t0", 0444);
	in_child {
		drop(USER);
		fails(truncate("t0", 0), EACCES);
	}
	is(ftruncate(fd, 0), 0);
	is(blocks_of(fd), 0);
}

TEST(holes)
{
	int fd = temp();

	is(ftruncate(fd, 100 * K4), 0);
	is(blocks_of(fd), 0);
	is(pwrite(fd, "x", 1, 10 * K4), 1);
	is(pwrite(fd, "x", 1, 20 * K4 + 5), 1);
	is(blocks_of(fd), 16);
	is(lseek(fd, 0, SEEK_DATA), 10 * K4);
	is(lseek(fd, 0, SEEK_HOLE), 0);
	is(lseek(fd, 10 * K4, SEEK_DATA), 10 * K4);
	is(lseek(fd, 10 * K4 + 7, SEEK_DATA), 10 * K4 + 7);
	is(lseek(fd, 10 * K4, SEEK_HOLE), 11 * K4);
	is(lseek(fd, 11 * K4, SEEK_DATA), 20 * K4);
	is(lseek(fd, 20 * K4, SEEK_HOLE), 21 * K4);
	fails(lseek(fd, 21 * K4, SEEK_DATA), ENXIO);
	is(lseek(fd, 99 * K4, SEEK_HOLE), 99 * K4);
	fails(lseek(fd, 100 * K4, SEEK_HOLE), ENXIO);
	fails(lseek(fd, 100 * K4, SEEK_DATA), ENXIO);
	fails(lseek(fd, -1, SEEK_DATA), ENXIO);
	is(ftruncate(fd, 10 * K4 + 1), 0);
	is(lseek(fd, 10 * K4, SEEK_HOLE), 10 * K4 + 1);
}

TEST(sparse_far_away)
{
	char c = 1;
	int fd = temp();

	is(pwrite(fd, "end", 3, 1L << 40), 3);
	is(size_of(fd), (1L << 40) + 3);
	is(pread(fd, &c, 1, 1L << 39), 1);
	is(c, 0);
	is(blocks_of(fd), 8);
	is(ftruncate(fd, 0), 0);
	is(pread(fd, &c, 1, 1L << 39), 0);
}

TEST(allocate)
{
	char c = 1;
	int fd = temp();
	int p[2];

	is(fallocate(fd, 0, 0, 4 * K4), 0);
	is(size_of(fd), 4 * K4);
	is(blocks_of(fd), 32);
	is(fallocate(fd, FALLOC_FL_KEEP_SIZE, 4 * K4, 2 * K4), 0);
	is(size_of(fd), 4 * K4);
	is(pwrite(fd, "abc", 3, K4), 3);
	is(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, K4, K4), 0);
	is(pread(fd, &c, 1, K4), 1);
	is(c, 0);
	is(lseek(fd, K4, SEEK_HOLE), K4);
	is(pwrite(fd, "abcdef", 6, 2 * K4), 6);
	is(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		     2 * K4 + 1, 2), 0);
	is(pread(fd, &c, 1, 2 * K4), 1);
	is(c, 'a');
	is(pread(fd, &c, 1, 2 * K4 + 2), 1);
	is(c, 0);
	is(pread(fd, &c, 1, 2 * K4 + 3), 1);
	is(c, 'd');
	fails(fallocate(fd, 0, 0, 0), EINVAL);
	fails(fallocate(fd, 0, -1, 1), EINVAL);
	fails(fallocate(fd, 0, 0, -1), EINVAL);
	fails(fallocate(fd, 0, LONG_MAX, 1), EFBIG);
	fails(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, K4), EOPNOTSUPP);
	fails(fallocate(-1, 0, 0, K4), EBADF);
	fails(fallocate(open("t0", O_RDONLY), 0, 0, K4), EBADF);
	pipe(p);
	fails(fallocate(p[1], 0, 0, K4), ESPIPE);
	fails(fallocate(open("/dev/null", O_RDWR), 0, 0, K4), ENODEV);
}

TEST(vectors)
{
	char a[4], b[6];
	struct iovec out[3] = { { "abc", 3 }, { "", 0 }, { "defgh", 5 } };
	struct iovec in[2] = { { a, 4 }, { b, 6 } };
	int fd = temp();
	int p[2];

	is(writev(fd, out, 3), 8);
	is(lseek(fd, 0, SEEK_SET), 0);
	is(readv(fd, in, 2), 8);
	check(!memcmp(a, "abcd", 4) && !memcmp(b, "efgh", 4));
	is(pwritev(fd, out, 3, 20), 8);
	is(preadv(fd, in, 2, 22), 6);
	check(!memcmp(a, "cdef", 4) && !memcmp(b, "gh", 2));
	is(lseek(fd, 0, SEEK_CUR), 8);
	is(readv(fd, in, 0), 0);
	fails(readv(fd, in, -1), EINVAL);
	fails(readv(fd, in, 1025), EINVAL);
	fails(readv(fd, BAD, 1), EFAULT);
	in[1].iov_len = -1;
	fails(readv(fd, in, 2), EINVAL);
	in[1].iov_len = 6;
	in[1].iov_base = BAD;
	is(preadv(fd, in, 2, 0), 4);
	fails(preadv(fd, in, 2, -5), EINVAL);
	pipe(p);
	fails(preadv(p[0], in, 1, 0), ESPIPE);
}

TEST(vectors_with_flags)
{
	char a[8] = "";
	struct iovec in = { a, 4 };
	struct iovec out = { "WXYZ", 4 };
	int fd = temp();
	int p[2];

	is(write(fd, "0123456789", 10), 10);
	is(preadv2(fd, &in, 1, 2, 0), 4);
	same(a, "2345");
	is(lseek(fd, 0, SEEK_CUR), 10);
	is(lseek(fd, 1, SEEK_SET), 1);
	is(preadv2(fd, &in, 1, -1, 0), 4);
	same(a, "1234");
	is(lseek(fd, 0, SEEK_CUR), 5);
	is(pwritev2(fd, &out, 1, -1, 0), 4);
	is(lseek(fd, 0, SEEK_CUR), 9);
	is(pwritev2(fd, &out, 1, 0, RWF_APPEND), 4);
	is(size_of(fd), 14);
	is(pwritev2(fd, &out, 1, 0, RWF_DSYNC), 4);
	fails(preadv2(fd, &in, 1, 0, 0x4000), EOPNOTSUPP);
	fails(preadv2(fd, &in, 1, -2, 0), EINVAL);
	pipe(p);
	is(write(p[1], "pipe", 4), 4);
	is(preadv2(p[0], &in, 1, -1, 0), 4);
	same(a, "pipe");
}

TEST(sendfile_call)
{
	char buf[32] = "";
	off_t off = 2;
	int in = temp();
	int out = temp();
	int p[2];

	is(write(in, "0123456789", 10), 10);
	is(lseek(in, 0, SEEK_SET), 0);
	is(sendfile(out, in, NULL, 4), 4);
	is(lseek(in, 0, SEEK_CUR), 4);
	is(sendfile(out, in, &off, 5), 5);
	is(off, 7);
	is(lseek(in, 0, SEEK_CUR), 4);
	is(pread(out, buf, 32, 0), 9);
	same(buf, "012323456");
	is(sendfile(out, in, NULL, 100), 6);
	is(sendfile(out, in, NULL, 100), 0);
	pipe(p);
	off = 0;
	is(sendfile(p[1], in, &off, 10), 10);
	memset(buf, 0, sizeof(buf));
	is(read(p[0], buf, 32), 10);
	same(buf, "0123456789");
	off = -1;
	fails(sendfile(out, in, &off, 1), EINVAL);
	fails(sendfile(out, -1, NULL, 1), EBADF);
	fails(sendfile(-1, in, NULL, 1), EBADF);
	fails(sendfile(open("t1", O_RDONLY), in, NULL, 1), EBADF);
	fails(sendfile(open("t1", O_WRONLY | O_APPEND), in, NULL, 1), EINVAL);
	fails(sendfile(out, in, BAD, 1), EFAULT);
	off = 0;
	fails(sendfile(out, p[0], &off, 1), ESPIPE);
	is(sendfile(out, in, NULL, 0), 0);
	/* Only a pipe takes what cannot be read again. */
	in = works(open("/dev/urandom", O_RDONLY));
	is(sendfile(out, in, NULL, 4), 4);
	in = works(open("/dev/ptmx", O_RDWR));
	fails(sendfile(out, in, NULL, 4), EINVAL);
	fails(sendfile(out, p[0], NULL, 1), EINVAL);
}

TEST(copy_range)
{
	char buf[32] = "";
	off_t from = 2;
	off_t to = 1;
	int in = temp();
	int out = temp();
	int p[2];

	is(write(in, "0123456789", 10), 10);
	is(lseek(in, 0, SEEK_SET), 0);
	is(copy_file_range(in, NULL, out, NULL, 4, 0), 4);
	is(lseek(in, 0, SEEK_CUR), 4);
	is(lseek(out, 0, SEEK_CUR), 4);
	is(copy_file_range(in, &from, out, &to, 3, 0), 3);
	is(from, 5);
	is(to, 4);
	is(lseek(in, 0, SEEK_CUR), 4);
	is(pread(out, buf, 32, 0), 4);
	same(buf, "0234");
	is(copy_file_range(in, NULL, out, NULL, 100, 0), 6);
	is(copy_file_range(in, NULL, out, NULL, 100, 0), 0);
	from = 0;
	to = 5;
	is(copy_file_range(in, &from, in, &to, 5, 0), 5);
	from = 0;
	to = 3;
	fails(copy_file_range(in, &from, in, &to, 5, 0), EINVAL);
	fails(copy_file_range(in, NULL, out, NULL, 1, 1), EINVAL);
	fails(copy_file_range(-1, NULL, out, NULL, 1, 0), EBADF);
	fails(copy_file_range(open("t0", O_WRONLY), NULL, out, NULL, 1, 0),
	      EBADF);
	fails(copy_file_range(in, NULL, open("t1", O_WRONLY | O_APPEND), NULL,
			      1, 0), EBADF);
	fails(copy_file_range(open(".", O_RDONLY), NULL, out, NULL, 1, 0),
	      EISDIR);
	pipe(p);
	fails(copy_file_range(p[0], NULL, out, NULL, 1, 0), EINVAL);
}

TEST(sync_calls)
{
	int fd = temp();
	int p[2];

	is(write(fd, "x", 1), 1);
	is(fsync(fd), 0);
	is(fdatasync(fd), 0);
	is(syncfs(fd), 0);
	sync();
	is(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE), 0);
	fails(fsync(-1), EBADF);
	fails(syncfs(-1), EBADF);
	pipe(p);
	fails(fsync(p[0]), EINVAL);
	fails(sync_file_range(p[0], 0, 0, 0), ESPIPE);
	is(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	is(posix_fadvise(fd, 0, 0, 99), EINVAL);
	is(posix_fadvise(p[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE);
	is(posix_fadvise(-1, 0, 0, POSIX_FADV_NORMAL), EBADF);
	is(readahead(fd, 0, K4), 0);
	fails(readahead(-1, 0, K4), EBADF);
}

/* RWF_NOWAIT is for those who can; old kinds of handles know no flags. */
TEST(nowait_flag)
{
	char b[8];
	struct iovec v = { b, 8 };
	int fd = temp();
	int p[2];

	is(write(fd, "abcdefgh", 8), 8);
	is(preadv2(fd, &v, 1, 0, RWF_HIPRI | RWF_DSYNC | RWF_SYNC), 8);
	fails(preadv2(fd, &v, 1, 0, 0x20), EOPNOTSUPP);
	fails(preadv2(works(eventfd(0, 0)), &v, 1, -1, RWF_NOWAIT), EAGAIN);
	is(preadv2(works(eventfd(1, 0)), &v, 1, -1, RWF_NOWAIT), 8);
	pipe(p);
	fails(preadv2(p[0], &v, 1, -1, RWF_NOWAIT), EOPNOTSUPP);
	fd = works(timerfd_create(CLOCK_MONOTONIC, 0));
	fails(preadv2(fd, &v, 1, -1, RWF_NOWAIT), EOPNOTSUPP);
	fails(preadv2(fd, &v, 1, -1, RWF_SYNC), EOPNOTSUPP);
	fd = works(open("/proc/self/stat", O_RDONLY));
	fails(preadv2(fd, &v, 1, -1, RWF_SYNC), EOPNOTSUPP);
	is(preadv2(fd, &v, 1, -1, 0), 8);
}
