/* SPDX-License-Identifier: BSD-2-Clause */
/* Extended attributes on tmpfs (trusted.* and security.*). */
#include "tests/abi/abi.h"

#include <sys/xattr.h>

TEST(set_get)
{
	char buf[64];

	put("f", "");
	is(setxattr("f", "trusted.a", "hello", 5, 0), 0);
	is(getxattr("f", "trusted.a", buf, sizeof(buf)), 5);
	check(!memcmp(buf, "hello", 5));
	is(getxattr("f", "trusted.a", NULL, 0), 5);
	fails(getxattr("f", "trusted.a", buf, 4), ERANGE);
	is(setxattr("f", "trusted.a", "x", 1, 0), 0);
	is(getxattr("f", "trusted.a", buf, sizeof(buf)), 1);
	is(setxattr("f", "trusted.empty", "", 0, 0), 0);
	is(getxattr("f", "trusted.empty", buf, sizeof(buf)), 0);
	fails(getxattr("f", "trusted.none", buf, sizeof(buf)), ENODATA);
	fails(getxattr("none", "trusted.a", buf, sizeof(buf)), ENOENT);
	is(removexattr("f", "trusted.a"), 0);
	fails(removexattr("f", "trusted.a"), ENODATA);
	fails(getxattr("f", "trusted.a", buf, sizeof(buf)), ENODATA);
	is(setxattr("f", "security.t", "v", 1, 0), 0);
	is(getxattr("f", "security.t", buf, sizeof(buf)), 1);
}

TEST(create_replace)
{
	put("f", "");
	fails(setxattr("f", "trusted.a", "1", 1, XATTR_REPLACE), ENODATA);
	is(setxattr("f", "trusted.a", "1", 1, XATTR_CREATE), 0);
	fails(setxattr("f", "trusted.a", "2", 1, XATTR_CREATE), EEXIST);
	is(setxattr("f", "trusted.a", "2", 1, XATTR_REPLACE), 0);
	fails(setxattr("f", "trusted.a", "2", 1, 4), EINVAL);
	fails(setxattr("f", "trusted.b", "2", 1, XATTR_CREATE | XATTR_REPLACE),
	      ENODATA);
	fails(setxattr("f", "trusted.a", "2", 1, XATTR_CREATE | XATTR_REPLACE),
	      EEXIST);
}

static bool
in_list(const char *list, ssize_t n, const char *name)
{
	for (const char *p = list; p < list + n; p += strlen(p) + 1) {
		if (!strcmp(p, name))
			return true;
	}
	return false;
}

TEST(listing)
{
	char list[256];
	ssize_t n;

	put("f", "");
	setxattr("f", "trusted.one", "1", 1, 0);
	setxattr("f", "security.two", "22", 2, 0);
	setxattr("f", "trusted.three", "333", 3, 0);
	n = works(listxattr("f", list, sizeof(list)));
	check(in_list(list, n, "trusted.one"));
	check(in_list(list, n, "security.two"));
	check(in_list(list, n, "trusted.three"));
	is(n, sizeof("trusted.one") + sizeof("security.two") +
	      sizeof("trusted.three"));
	is(listxattr("f", NULL, 0), n);
	fails(listxattr("f", list, n - 1), ERANGE);
	is(removexattr("f", "security.two"), 0);
	n = works(listxattr("f", list, sizeof(list)));
	check(!in_list(list, n, "security.two"));
	chmod("f", 0644);
	in_child {
		drop(USER);
		n = works(listxattr("f", list, sizeof(list)));
		check(!in_list(list, n, "trusted.one"));
	}
}

TEST(names)
{
	char name[300];
	char c;

	put("f", "");
	fails(setxattr("f", "nonsense", "v", 1, 0), EOPNOTSUPP);
	fails(setxattr("f", "strange.name", "v", 1, 0), EOPNOTSUPP);
	fails(getxattr("f", "strange.name", &c, 1), EOPNOTSUPP);
	fails(setxattr("f", "", "v", 1, 0), ERANGE);
	fails(setxattr("f", "trusted.", "v", 1, 0), EINVAL);
	memset(name, 'n', sizeof(name));
	memcpy(name, "trusted.", 8);
	name[256] = '\0';
	fails(setxattr("f", name, "v", 1, 0), ERANGE);
	name[255] = '\0';
	is(setxattr("f", name, "v", 1, 0), 0);
	is(getxattr("f", name, &c, 1), 1);
	fails(setxattr("f", BAD, "v", 1, 0), EFAULT);
	fails(setxattr("f", "trusted.x", BAD, 1, 0), EFAULT);
}

TEST(sizes)
{
	static char big[65537];

	put("f", "");
	memset(big, 'b', sizeof(big));
	fails(setxattr("f", "trusted.a", big, 65537, 0), E2BIG);
	is(setxattr("f", "trusted.a", big, 65536, 0), 0);
	memset(big, 0, sizeof(big));
	is(getxattr("f", "trusted.a", big, 65536), 65536);
	is(big[0], 'b');
	is(big[65535], 'b');
	is(getxattr("f", "trusted.a", big, 65537), 65536);
}

TEST(by_descriptor_and_link)
{
	char buf[8];
	int fd;

	put("f", "");
	symlink("f", "l");
	fd = works(open("f", O_RDONLY));
	is(fsetxattr(fd, "trusted.a", "1", 1, 0), 0);
	is(fgetxattr(fd, "trusted.a", buf, 8), 1);
	is(getxattr("l", "trusted.a", buf, 8), 1);
	fails(lgetxattr("l", "trusted.a", buf, 8), ENODATA);
	is(lsetxattr("l", "trusted.b", "22", 2, 0), 0);
	is(lgetxattr("l", "trusted.b", buf, 8), 2);
	fails(getxattr("f", "trusted.b", buf, 8), ENODATA);
	is(llistxattr("l", NULL, 0), sizeof("trusted.b"));
	is(flistxattr(fd, NULL, 0), sizeof("trusted.a"));
	is(lremovexattr("l", "trusted.b"), 0);
	is(fremovexattr(fd, "trusted.a"), 0);
	fails(fgetxattr(-1, "trusted.a", buf, 8), EBADF);
	fails(fgetxattr(works(open("f", O_PATH)), "trusted.a", buf, 8), EBADF);
	mkdir("d", 0755);
	is(setxattr("d", "trusted.a", "1", 1, 0), 0);
	is(getxattr("d", "trusted.a", buf, 8), 1);
}

TEST(permissions)
{
	char buf[8];

	put("f", "");
	chmod("f", 0666);
	setxattr("f", "trusted.a", "1", 1, 0);
	setxattr("f", "security.a", "1", 1, 0);
	in_child {
		drop(USER);
		fails(setxattr("f", "trusted.b", "1", 1, 0), EPERM);
		fails(getxattr("f", "trusted.a", buf, 8), ENODATA);
		fails(removexattr("f", "trusted.a"), EPERM);
		is(getxattr("f", "security.a", buf, 8), 1);
	}
}

TEST(survives_rename_not_unlink)
{
	char buf[8];
	struct stat a, b;

	put("f", "");
	stat("f", &a);
	msleep(10);
	setxattr("f", "trusted.a", "1", 1, 0);
	stat("f", &b);
	check(b.st_ctim.tv_nsec != a.st_ctim.tv_nsec);
	is(b.st_mtim.tv_nsec, a.st_mtim.tv_nsec);
	is(rename("f", "g"), 0);
	is(getxattr("g", "trusted.a", buf, 8), 1);
	is(unlink("g"), 0);
	put("g", "");
	fails(getxattr("g", "trusted.a", buf, 8), ENODATA);
	fails(setxattr("/proc/self/stat", "trusted.a", "1", 1, 0), EOPNOTSUPP);
}
