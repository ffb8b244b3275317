/* SPDX-License-Identifier: BSD-2-Clause */
/* openat2 and its ways of resolving. */
#include "tests/abi/abi.h"

#include <linux/openat2.h>

static long
open2(int d, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .resolve = resolve };

	return syscall(SYS_openat2, d, path, &how, sizeof(how));
}

TEST(arguments)
{
	struct { struct open_how how; uint64_t more; } big = { 0 };
	struct open_how how = { .flags = O_RDONLY };

	put("f", "");
	works(open2(AT_FDCWD, "f", O_RDONLY, 0));
	fails(syscall(SYS_openat2, AT_FDCWD, "f", &how, 0L), EINVAL);
	fails(syscall(SYS_openat2, AT_FDCWD, "f", &how, 23L), EINVAL);
	works(syscall(SYS_openat2, AT_FDCWD, "f", &big, sizeof(big)));
	big.more = 1;
	fails(syscall(SYS_openat2, AT_FDCWD, "f", &big, sizeof(big)), E2BIG);
	fails(syscall(SYS_openat2, AT_FDCWD, "f", &how, 5000L), E2BIG);
	fails(syscall(SYS_openat2, AT_FDCWD, "f", BAD, sizeof(how)), EFAULT);
	fails(open2(AT_FDCWD, "f", 1UL << 40, 0), EINVAL);
	fails(open2(AT_FDCWD, "f", O_RDONLY, 0x80), EINVAL);
	fails(open2(AT_FDCWD, "f", O_PATH | O_RDWR, 0), EINVAL);
	how.mode = 0600;
	fails(syscall(SYS_openat2, AT_FDCWD, "f", &how, sizeof(how)), EINVAL);
	how.flags = O_CREAT | O_WRONLY;
	works(syscall(SYS_openat2, AT_FDCWD, "g", &how, sizeof(how)));
	how.mode = 0200000;
	fails(syscall(SYS_openat2, AT_FDCWD, "g", &how, sizeof(how)), EINVAL);
	fails(open2(AT_FDCWD, "f", O_RDONLY, RESOLVE_BENEATH | RESOLVE_IN_ROOT),
	      EINVAL);
}

TEST(beneath)
{
	int d;

	mkdir("d", 0755);
	mkdir("d/e", 0755);
	put("d/f", "");
	put("out", "");
	symlink("f", "d/rel");
	symlink("../f", "d/e/up");
	symlink("../out", "d/escape");
	symlink("/proc", "d/abs");
	d = works(open("d", O_PATH));
	works(open2(d, "f", O_RDONLY, RESOLVE_BENEATH));
	works(open2(d, "rel", O_RDONLY, RESOLVE_BENEATH));
	works(open2(d, "e/up", O_RDONLY, RESOLVE_BENEATH));
	works(open2(d, "e/../f", O_RDONLY, RESOLVE_BENEATH));
	fails(open2(d, "../out", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	fails(open2(d, "..", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	fails(open2(d, "e/../../out", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	fails(open2(d, "escape", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	fails(open2(d, "abs", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	fails(open2(d, "/proc", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	works(open2(d, "../out", O_RDONLY, 0));
}

TEST(in_root)
{
	int d;

	mkdir("d", 0755);
	mkdir("d/e", 0755);
	put("d/f", "inside");
	symlink("/f", "d/e/abs");
	symlink("../../../f", "d/e/many");
	put("f", "outside!");
	d = works(open("d", O_PATH));
#define size_via(path) ({ struct stat st_; int fd_ =			\
		works(open2(d, path, O_RDONLY, RESOLVE_IN_ROOT));	\
		fstat(fd_, &st_); st_.st_size; })
	is(size_via("/f"), 6);
	is(size_via("../f"), 6);
	is(size_via("e/abs"), 6);
	is(size_via("e/many"), 6);
	is(size_via("/../../e/../f"), 6);
#undef size_via
	fails(open2(d, "/proc/self/stat", O_RDONLY, RESOLVE_IN_ROOT), ENOENT);
}

TEST(no_symlinks)
{
	int fd;

	mkdir("d", 0755);
	put("d/f", "");
	symlink("d", "l");
	symlink("d/f", "lf");
	works(open2(AT_FDCWD, "d/f", O_RDONLY, RESOLVE_NO_SYMLINKS));
	fails(open2(AT_FDCWD, "l/f", O_RDONLY, RESOLVE_NO_SYMLINKS), ELOOP);
	fails(open2(AT_FDCWD, "lf", O_RDONLY, RESOLVE_NO_SYMLINKS), ELOOP);
	fd = works(open2(AT_FDCWD, "lf", O_PATH | O_NOFOLLOW,
			 RESOLVE_NO_SYMLINKS));
	check(fd >= 0);
	fails(open2(AT_FDCWD, "/proc/self/stat", O_RDONLY,
		    RESOLVE_NO_SYMLINKS), ELOOP);
}

TEST(no_magiclinks)
{
	char self[64];
	int fd;

	put("f", "");
	symlink("f", "l");
	fd = works(open("f", O_RDONLY));
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	works(open2(AT_FDCWD, "l", O_RDONLY, RESOLVE_NO_MAGICLINKS));
	works(open2(AT_FDCWD, "/proc/self/stat", O_RDONLY,
		    RESOLVE_NO_MAGICLINKS));
	works(open2(AT_FDCWD, self, O_RDONLY, 0));
	fails(open2(AT_FDCWD, self, O_RDONLY, RESOLVE_NO_MAGICLINKS), ELOOP);
	fails(open2(AT_FDCWD, "/proc/self/exe", O_RDONLY,
		    RESOLVE_NO_MAGICLINKS), ELOOP);
	fails(open2(works(open("/", O_PATH)), "/proc/self/root/proc",
		    O_RDONLY, RESOLVE_IN_ROOT), EXDEV);
	fails(open2(works(open("/proc/self", O_PATH)), "cwd/f", O_RDONLY,
		    RESOLVE_BENEATH), EXDEV);
}

TEST(no_xdev)
{
	mkdir("m", 0755);
	put("f", "");
	works(mount("t", "m", "tmpfs", 0, NULL));
	put("m/f", "");
	works(open2(AT_FDCWD, "f", O_RDONLY, RESOLVE_NO_XDEV));
	fails(open2(AT_FDCWD, "m/f", O_RDONLY, RESOLVE_NO_XDEV), EXDEV);
	fails(open2(AT_FDCWD, "m", O_RDONLY, RESOLVE_NO_XDEV), EXDEV);
	fails(open2(works(open("m", O_PATH)), "..", O_PATH, RESOLVE_NO_XDEV),
	      EXDEV);
	works(open2(works(open("m", O_PATH)), "f", O_RDONLY, RESOLVE_NO_XDEV));
	is(umount2("m", MNT_DETACH), 0);
}

TEST(cached)
{
	long fd;

	put("f", "");
	fd = open2(AT_FDCWD, "f", O_RDONLY, RESOLVE_CACHED);
	check(fd >= 0 || errno == EAGAIN);
	fails(open2(AT_FDCWD, "f", O_RDWR | O_TRUNC, RESOLVE_CACHED), EAGAIN);
	fails(open2(AT_FDCWD, "n", O_RDWR | O_CREAT, RESOLVE_CACHED), EAGAIN);
}
