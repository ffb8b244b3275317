/* SPDX-License-Identifier: BSD-2-Clause */
/* memfd_create and seals. */
#include "tests/abi/abi.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x10
#endif
#define K4 4096

static int
sealed(int seals)
{
	int fd = memfd_create("s", MFD_ALLOW_SEALING);

	ftruncate(fd, K4);
	if (fcntl(fd, F_ADD_SEALS, seals))
		ok(false, "seal 0x%x", seals);
	return fd;
}

TEST(create)
{
	char self[64], link[64] = "";
	char name[300];
	struct stat st;
	int fd;

	fd = works(memfd_create("hello", MFD_CLOEXEC));
	is(fcntl(fd, F_GETFD), FD_CLOEXEC);
	is(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	is(fstat(fd, &st), 0);
	is(st.st_size, 0);
	is(st.st_nlink, 0);
	is(st.st_mode, S_IFREG | 0777);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	works(readlink(self, link, sizeof(link) - 1));
	same(link, "/memfd:hello (deleted)");
	is(write(fd, "data", 4), 4);
	is(lseek(fd, 0, SEEK_END), 4);
	works(open(self, O_RDONLY));
	is(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
	fails(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
	fails(memfd_create("x", 0x100), EINVAL);
	fails(memfd_create(BAD, 0), EFAULT);
	memset(name, 'n', sizeof(name));
	name[250] = '\0';
	fails(memfd_create(name, 0), EINVAL);
	name[249] = '\0';
	works(memfd_create(name, 0));
	works(memfd_create("", 0));
}

TEST(seal_list)
{
	int fd = works(memfd_create("s", MFD_ALLOW_SEALING));

	is(fcntl(fd, F_GET_SEALS), 0);
	is(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	is(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
	is(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW);
	is(fcntl(fd, F_ADD_SEALS, 0), 0);
	fails(fcntl(fd, F_ADD_SEALS, 0x100), EINVAL);
	is(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), 0);
	fails(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
	put("f", "");
	fd = works(open("/dev/null", O_RDWR));
	fails(fcntl(fd, F_GET_SEALS), EINVAL);
	fails(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), EINVAL);
}

TEST(seal_size)
{
	int fd = sealed(F_SEAL_SHRINK);

	fails(ftruncate(fd, 0), EPERM);
	is(ftruncate(fd, 2 * K4), 0);
	is(pwrite(fd, "x", 1, 3 * K4), 1);
	is(fallocate(fd, 1 | 2, 0, K4), 0);
	fd = sealed(F_SEAL_GROW);
	fails(ftruncate(fd, 2 * K4), EPERM);
	fails(pwrite(fd, "x", 1, K4), EPERM);
	/* What still fits is written. */
	is(pwrite(fd, "xyz", 3, K4 - 2), 2);
	fails(fallocate(fd, 0, 0, 2 * K4), EPERM);
	is(ftruncate(fd, 10), 0);
	fails(ftruncate(fd, 11), EPERM);
}

TEST(seal_write)
{
	char *m;
	int fd = works(memfd_create("s", MFD_ALLOW_SEALING));

	ftruncate(fd, K4);
	m = mmap(NULL, K4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	check(m != MAP_FAILED);
	fails(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	is(munmap(m, K4), 0);
	is(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	fails(pwrite(fd, "x", 1, 0), EPERM);
	fails(fallocate(fd, 1 | 2, 0, K4), EPERM);
	fails(mmap(NULL, K4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
	m = mmap(NULL, K4, PROT_READ, MAP_SHARED, fd, 0);
	check(m != MAP_FAILED);
	fails(mprotect(m, K4, PROT_READ | PROT_WRITE), EACCES);
	m = mmap(NULL, K4, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	check(m != MAP_FAILED);
	m[0] = 'x';
	is(ftruncate(fd, 2 * K4), 0);
	is(ftruncate(fd, 0), 0);
}

TEST(seal_future_write)
{
	char *m, *r;
	int fd = works(memfd_create("s", MFD_ALLOW_SEALING));

	ftruncate(fd, K4);
	m = mmap(NULL, K4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	is(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
	m[0] = 'y';
	fails(pwrite(fd, "x", 1, 0), EPERM);
	fails(mmap(NULL, K4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
	r = mmap(NULL, K4, PROT_READ, MAP_SHARED, fd, 0);
	check(r != MAP_FAILED);
	is(r[0], 'y');
	fails(mprotect(r, K4, PROT_READ | PROT_WRITE), EACCES);
}

TEST(shared_between_processes)
{
	int fd = works(memfd_create("s", 0));
	char *m;

	ftruncate(fd, K4);
	m = mmap(NULL, K4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	in_child {
		is(pwrite(fd, "child", 5, 100), 5);
		m[0] = 'c';
	}
	check(!memcmp(m + 100, "child", 5));
	is(m[0], 'c');
}

TEST(executable)
{
	static char exe[1 << 22];
	char *argv[] = { "x", "@seven", NULL };
	char *envp[] = { NULL };
	ssize_t n = get("/proc/self/exe", exe, sizeof(exe));
	int fd = works(memfd_create("prog", MFD_CLOEXEC));
	pid_t c;

	is(write(fd, exe, n), n);
	c = fork();
	if (!c) {
		fexecve(fd, argv, envp);
		_exit(1);
	}
	is(reap(c), 7);
}

HELPER(seven)
{
	return 7;
}
