/* SPDX-License-Identifier: BSD-2-Clause */
/* The nodes of /dev: null zero full random urandom tty kmsg ptmx. */
#include "tests/abi/abi.h"

#include <linux/random.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

static char buf[65536];

static void
node(const char *path, int maj, int min, mode_t mode)
{
	struct stat st;

	if (stat(path, &st)) {
		ok(false, "%s exists", path);
		return;
	}
	ok(S_ISCHR(st.st_mode) && major(st.st_rdev) == (unsigned int)maj &&
	   minor(st.st_rdev) == (unsigned int)min, "%s is %d,%d", path, maj,
	   min);
	ok((st.st_mode & 0777) == mode, "%s has mode %o (is %o)", path, mode,
	   st.st_mode & 0777);
}

TEST(nodes)
{
	node("/dev/null", 1, 3, 0666);
	node("/dev/zero", 1, 5, 0666);
	node("/dev/full", 1, 7, 0666);
	node("/dev/random", 1, 8, 0666);
	node("/dev/urandom", 1, 9, 0666);
	node("/dev/kmsg", 1, 11, 0644);
	node("/dev/tty", 5, 0, 0666);
	node("/dev/console", 5, 1, 0600);
	node("/dev/ptmx", 5, 2, 0666);
	node("/dev/ttyS0", 4, 64, 0600);
}

TEST(null)
{
	struct pollfd f = { .events = POLLIN | POLLOUT };
	int fd = works(open("/dev/null", O_RDWR));

	f.fd = fd;
	is(read(fd, buf, 100), 0);
	is(write(fd, buf, 100), 100);
	is(write(fd, BAD, 100), 100);
	is(lseek(fd, 1000, SEEK_SET), 0);
	is(pread(fd, buf, 10, 5000), 0);
	is(poll(&f, 1, 0), 1);
	is(f.revents, POLLIN | POLLOUT);
	fails(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0), ENODEV);
	fails(ftruncate(fd, 10), EINVAL);
	works(open("/dev/null", O_WRONLY | O_TRUNC | O_CREAT, 0600));
	fails(ioctl(fd, TIOCGWINSZ, buf), ENOTTY);
}

TEST(zero)
{
	int fd = works(open("/dev/zero", O_RDWR));
	bool zero = true;
	char *m;

	memset(buf, 'x', sizeof(buf));
	is(read(fd, buf, sizeof(buf)), sizeof(buf));
	for (size_t i = 0; i < sizeof(buf); i++)
		zero &= buf[i] == 0;
	check(zero);
	is(write(fd, buf, 100), 100);
	is(lseek(fd, 77, SEEK_SET), 0);
	m = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	check(m != MAP_FAILED);
	is(m[5000], 0);
	m[5000] = 1;
	m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	check(m != MAP_FAILED);
	in_child {
		m[0] = 'c';
	}
	is(m[0], 'c');
	fails(read(fd, BAD, 10), EFAULT);
}

TEST(full)
{
	int fd = works(open("/dev/full", O_RDWR));

	memset(buf, 'x', 10);
	is(read(fd, buf, 10), 10);
	is(buf[9], 0);
	fails(write(fd, buf, 1), ENOSPC);
	is(lseek(fd, 10, SEEK_SET), 0);
}

TEST(random)
{
	unsigned char a[64], b[64];
	int entropy = -1;
	int fd;

	for (int i = 0; i < 2; i++) {
		fd = works(open(i ? "/dev/urandom" : "/dev/random", O_RDWR));
		is(read(fd, a, 64), 64);
		is(read(fd, b, 64), 64);
		check(memcmp(a, b, 64) != 0);
		is(write(fd, a, 64), 64);
		is(ioctl(fd, RNDGETENTCNT, &entropy), 0);
		check(entropy > 0);
		fails(ioctl(fd, TIOCGWINSZ, buf), EINVAL);
	}
	is(read(fd, buf, sizeof(buf)), sizeof(buf));
	in_child {
		drop(USER);
		fails(ioctl(fd, RNDCLEARPOOL), EPERM);
	}
}

TEST(kmsg)
{
	int w = works(open("/dev/kmsg", O_WRONLY));
	int r = works(open("/dev/kmsg", O_RDONLY | O_NONBLOCK));
	struct pollfd f = { .fd = r, .events = POLLIN };
	unsigned long prio, seq, usec, last = 0;
	char flag, *text;
	bool order = true, found = false;
	ssize_t n;

	/* From here on. */
	is(lseek(r, 0, SEEK_END), 0);
	is(poll(&f, 1, 0), 0);
	fails(read(r, buf, sizeof(buf)), EAGAIN);
	is(write(w, "<5>dev test one\n", 16), 16);
	is(write(w, "plain\n", 6), 6);
	is(poll(&f, 1, 0), 1);
	n = read(r, buf, sizeof(buf) - 1);
	check(n > 0);
	buf[n > 0 ? n : 0] = '\0';
	is(sscanf(buf, "%lu,%lu,%lu,%c", &prio, &seq, &usec, &flag), 4);
	is(prio & 7, 5);
	/* Facility user: not the kernel's own. */
	is(prio >> 3, 1);
	check(labs((long)usec / 1000000 - now_ns() / NSEC) <= 2);
	text = strchr(buf, ';');
	check(text && !strcmp(text, ";dev test one\n"));
	n = read(r, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = '\0';
	check(strstr(buf, ";plain\n") != NULL);
	/* All of the ring, one record a read, numbered upwards. */
	is(lseek(r, 0, SEEK_SET), 0);
	while ((n = read(r, buf, sizeof(buf) - 1)) > 0) {
		buf[n] = '\0';
		sscanf(buf, "%lu,%lu", &prio, &seq);
		order &= !last || seq > last;
		last = seq;
		found |= strstr(buf, "dev test one") != NULL;
	}
	check(order);
	check(found);
	lseek(r, 0, SEEK_SET);
	fails(read(r, buf, 3), EINVAL);
	fails(lseek(r, 5, SEEK_SET), ESPIPE);
	fails(read(w, buf, 10), EBADF);
	fails(write(w, buf, 20000), EINVAL);
	fails(lseek(r, 0, 99), EINVAL);
}
