/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that few make: ustat, sysfs, quotactl, swapon, modules, kexec, remap_file_pages. */
#include "abi.h"

#include <sys/statfs.h>
#include <sys/sysmacros.h>

struct ustat_abi {
	int tfree;
	unsigned long tinode;
	char names[12];
};

TEST(ustat)
{
	struct ustat_abi u;
	struct statfs f;
	struct stat st;

	is(mkdir("m", 0755), 0);
	is(mount("none", "m", "tmpfs", 0, "size=100k,nr_inodes=50"), 0);
	is(stat("m", &st), 0);
	is(statfs("m", &f), 0);
	memset(&u, 1, sizeof(u));
	is(syscall(SYS_ustat, st.st_dev, &u), 0);
	is(u.tfree, f.f_bfree);
	is(u.tinode, f.f_ffree);
	is(u.names[0], 0);
	is(u.names[11], 0);
	fails(syscall(SYS_ustat, st.st_dev, BAD), EFAULT);
	umount("m");
	fails(syscall(SYS_ustat, makedev(4000, 77), &u), EINVAL);
}

TEST(sysfs)
{
	char name[256] = "";
	long n = syscall(SYS_sysfs, 3, 0, 0);
	bool tmpfs = false;

	check(n > 3);
	for (long i = 0; i < n; i++) {
		is(syscall(SYS_sysfs, 2, i, name), 0);
		tmpfs |= !strcmp(name, "tmpfs");
		is(syscall(SYS_sysfs, 1, name), i);
	}
	check(tmpfs);
	fails(syscall(SYS_sysfs, 2, n, name), EINVAL);
	fails(syscall(SYS_sysfs, 2, -1, name), EINVAL);
	fails(syscall(SYS_sysfs, 2, 0, BAD), EFAULT);
	fails(syscall(SYS_sysfs, 1, "nosuchfs"), EINVAL);
	fails(syscall(SYS_sysfs, 1, BAD), EFAULT);
	fails(syscall(SYS_sysfs, 0, 0, 0), EINVAL);
	fails(syscall(SYS_sysfs, 4, 0, 0), EINVAL);
}

#define QCMD(cmd, type) (((cmd) << 8) | (type))
#define Q_SYNC 0x800001
#define Q_QUOTAON 0x800002
#define Q_GETINFO 0x800005
#define Q_GETQUOTA 0x800007
#define Q_XQUOTAON 0x5801

TEST(quotactl)
{
	char buf[256];
	int fd;

	is(syscall(SYS_quotactl, QCMD(Q_SYNC, 0), NULL, 0, NULL), 0);
	fails(syscall(SYS_quotactl, QCMD(Q_SYNC, 3), NULL, 0, NULL), EINVAL);
	fails(syscall(SYS_quotactl, QCMD(Q_GETQUOTA, 1), NULL, 0, buf), ENODEV);
	fails(syscall(SYS_quotactl, QCMD(Q_GETQUOTA, 0), "nowhere", 0, buf), ENOENT);
	fails(syscall(SYS_quotactl, QCMD(Q_GETQUOTA, 0), BAD, 0, buf), EFAULT);
	fails(syscall(SYS_quotactl, QCMD(Q_GETQUOTA, 0), "/", 0, buf), ENOTBLK);
	fails(syscall(SYS_quotactl, QCMD(Q_GETQUOTA, 0), "/dev/null", 0, buf), ENOTBLK);
	is(mknod("blk", S_IFBLK | 0600, makedev(240, 77)), 0);
	fails(syscall(SYS_quotactl, QCMD(Q_GETQUOTA, 0), "blk", 0, buf), ENODEV);
	fails(syscall(SYS_quotactl, QCMD(Q_SYNC, 0), "blk", 0, buf), ENODEV);
	fails(syscall(SYS_quotactl_fd, -1, QCMD(Q_GETQUOTA, 0), 0, buf), EBADF);
	fd = open(".", O_RDONLY);
	fails(syscall(SYS_quotactl_fd, fd, QCMD(Q_GETQUOTA, 3), 0, buf), EINVAL);
	fails(syscall(SYS_quotactl_fd, fd, QCMD(Q_GETQUOTA, 0), 0, buf), ENOSYS);
	fails(syscall(SYS_quotactl_fd, fd, QCMD(Q_QUOTAON, 0), 0, buf), ENOSYS);
	fails(syscall(SYS_quotactl_fd, fd, QCMD(Q_SYNC, 0), 0, NULL), ENOSYS);
	close(fd);
	is(mkdir("ro", 0755), 0);
	is(mount("none", "ro", "tmpfs", MS_RDONLY, NULL), 0);
	fd = open("ro", O_RDONLY);
	fails(syscall(SYS_quotactl_fd, fd, QCMD(Q_GETINFO, 0), 0, buf), ENOSYS);
	fails(syscall(SYS_quotactl_fd, fd, QCMD(Q_GETQUOTA, 0), 0, buf), EROFS);
	fails(syscall(SYS_quotactl_fd, fd, QCMD(Q_QUOTAON, 0), 0, buf), EROFS);
	fails(syscall(SYS_quotactl_fd, fd, QCMD(Q_XQUOTAON, 0), 0, buf), EROFS);
	close(fd);
	umount("ro");
}

TEST(swap)
{
	put("file", "not for this");
	fails(syscall(SYS_swapon, "file", 0), EINVAL);
	fails(syscall(SYS_swapon, "file", 0x80000), EINVAL);
	fails(syscall(SYS_swapon, "nowhere", 0x7ffff), ENOENT);
	fails(syscall(SYS_swapon, BAD, 0), EFAULT);
	fails(syscall(SYS_swapon, ".", 0), EISDIR);
	fails(syscall(SYS_swapoff, "file"), EINVAL);
	fails(syscall(SYS_swapoff, "nowhere"), ENOENT);
	in_child {
		drop(USER);
		fails(syscall(SYS_swapon, "file", 0x80000), EINVAL);
		fails(syscall(SYS_swapon, "nowhere", 0), EPERM);
		fails(syscall(SYS_swapoff, "nowhere"), EPERM);
	}
}

TEST(code_for_the_kernel)
{
	char buf[16];

	/* Closed until the next boot. */
	put("/proc/sys/kernel/modules_disabled", "1");
	put("/proc/sys/kernel/kexec_load_disabled", "1");
	get("/proc/sys/kernel/modules_disabled", buf, sizeof(buf));
	same(buf, "1\n");
	get("/proc/sys/kernel/kexec_load_disabled", buf, sizeof(buf));
	same(buf, "1\n");
	fails(put("/proc/sys/kernel/modules_disabled", "0"), EINVAL);
	fails(put("/proc/sys/kernel/kexec_load_disabled", "0"), EINVAL);
	fails(syscall(SYS_init_module, BAD, 100, BAD), EPERM);
	fails(syscall(SYS_finit_module, -1, BAD, 0), EPERM);
	fails(syscall(SYS_delete_module, "none", 0), EPERM);
	fails(syscall(SYS_kexec_load, 0, 0, NULL, 0), EPERM);
	fails(syscall(SYS_kexec_file_load, -1, -1, 0, NULL, 0), EPERM);
}

#define REMAP(addr, size, prot, off, fl) \
	syscall(SYS_remap_file_pages, (long)(addr), (long)(size), (long)(prot), (long)(off), (long)(fl))

static void
remap(int fd, int flags)
{
	char *p, maps[8192], line[64];

	p = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | flags, fd, 0);
	for (int i = 0; i < 4; i++)
		p[i * 4096] = 'a' + i;
	is(REMAP(p, 4096, 0, 3, 0), 0);
	is(p[0], 'd');
	is(p[4096], 'b');
	is(REMAP(p + 4096, 2 * 4096, 0, 0, 0), 0);
	is(p[4096], 'a');
	is(p[2 * 4096], 'b');
	is(p[3 * 4096], 'd');
	p[4096] = 'A';
	p[0] = 'D';
	is(p[3 * 4096], 'D');
	get("/proc/self/maps", maps, sizeof(maps));
	snprintf(line, sizeof(line), "%08lx-%08lx rw-s 00003000", (long)p, (long)p + 4096);
	check(strstr(maps, line));
	/* Back to one. */
	is(REMAP(p, 4096, 0, 0, 0), 0);
	is(p[0], 'A');
	fails(REMAP(p, 0, 0, 0, 0), EINVAL);
	fails(REMAP(p, 4096, PROT_READ, 0, 0), EINVAL);
	fails(REMAP(p, 4096, 0, -1L, 0), EINVAL);
	fails(REMAP(p, -4096L, 0, 0, 0), EINVAL);
	/* Where no file has bytes; the number of the byte would not fit either. */
	fails(REMAP(p, 4096, 0, 1L << 52, 0), EOVERFLOW);
	fails(REMAP(p, 4096, 0, (1L << 52) + 1, 0), EOVERFLOW);
	is(p[0], 'A');
	munmap(p, 4 * 4096);
	fails(REMAP(p, 4096, 0, 0, 0), EINVAL);
}

TEST(remap_file_pages)
{
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	char *p;

	is(ftruncate(fd, 4 * 4096), 0);
	remap(fd, 0);
	remap(-1, MAP_ANONYMOUS);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	fails(REMAP(p, 4096, 0, 1, 0), EINVAL);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fails(REMAP(p, 4096, 0, 1, 0), EINVAL);
	/* A mapping keeps its protection. */
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	is(REMAP(p, 4096, 0, 2, 0), 0);
	pid_t pid = fork();

	if (!pid) {
		*(volatile char *)p = 1;
		_exit(0);
	}
	is(reap(pid), -SIGSEGV);
}
