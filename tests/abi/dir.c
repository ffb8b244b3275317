/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading directories: getdents64, seekdir, changes during iteration. */
#include "tests/abi/abi.h"

#include <dirent.h>

struct dent {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

static char buf[65536];

static struct dent *
dent_at(long pos)
{
	return (struct dent *)(buf + pos);
}

/* Makes @n files named f0, f1, ... in directory @dir. */
static void
fill(const char *dir, int n)
{
	char path[64];

	mkdir(dir, 0755);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/f%d", dir, i);
		close(open(path, O_CREAT | O_WRONLY, 0600));
	}
}

/* Names seen in one pass with buffers of @size; each must appear once. */
static int
count(const char *dir, size_t size, bool *twice)
{
	static uint8_t seen[4096];
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	int total = 0;
	long n;

	memset(seen, 0, sizeof(seen));
	*twice = false;
	while ((n = syscall(SYS_getdents64, fd, buf, size)) > 0) {
		for (long p = 0; p < n; p += dent_at(p)->reclen) {
			const char *name = dent_at(p)->name;

			total++;
			if (name[0] == 'f' && seen[atoi(name + 1) & 4095]++)
				*twice = true;
		}
	}
	close(fd);
	return n < 0 ? -1 : total;
}

TEST(entries)
{
	struct stat st;
	bool dot = false, dotdot = false;
	int types = 0;
	int fd, d;
	long n;

	mkdir("d", 0755);
	put("d/reg", "");
	mkdir("d/dir", 0755);
	symlink("x", "d/lnk");
	mkfifo("d/fifo", 0600);
	mknod("d/chr", S_IFCHR | 0600, 0x103);
	fd = works(open("d", O_RDONLY | O_DIRECTORY));
	n = works(syscall(SYS_getdents64, fd, buf, sizeof(buf)));
	is(syscall(SYS_getdents64, fd, buf + n, sizeof(buf) - n), 0);
	for (long p = 0; p < n; p += dent_at(p)->reclen) {
		struct dent *e = dent_at(p);

		is(e->reclen % 8, 0);
		check(e->reclen >= 19 + strlen(e->name) + 1);
		dot |= !strcmp(e->name, ".") && e->type == DT_DIR;
		dotdot |= !strcmp(e->name, "..") && e->type == DT_DIR;
		if (!fstatat(fd, e->name, &st, AT_SYMLINK_NOFOLLOW)) {
			is(e->type, IFTODT(st.st_mode));
			if (e->name[0] != '.' || e->name[1] == '\0')
				is(e->ino, st.st_ino);
			types |= 1 << e->type;
		}
	}
	check(dot);
	check(dotdot);
	is(types, 1 << DT_REG | 1 << DT_DIR | 1 << DT_LNK | 1 << DT_FIFO |
		  1 << DT_CHR);
	d = works(open("d/reg", O_RDONLY));
	fails(syscall(SYS_getdents64, d, buf, 1024), ENOTDIR);
	fails(syscall(SYS_getdents64, -1, buf, 1024), EBADF);
	is(lseek(fd, 0, SEEK_SET), 0);
	fails(syscall(SYS_getdents64, fd, buf, 10), EINVAL);
	fails(syscall(SYS_getdents64, fd, BAD, 1024), EFAULT);
	check(syscall(SYS_getdents64, fd, buf, 1024) > 0);
}

TEST(buffer_sizes)
{
	bool twice;

	fill("d", 500);
	is(count("d", 65536, &twice), 502);
	check(!twice);
	is(count("d", 32, &twice), 502);
	check(!twice);
	is(count("d", 100, &twice), 502);
	check(!twice);
}

TEST(seek_positions)
{
	DIR *d;
	struct dirent *e;
	long pos[64];
	char names[64][16];
	int n = 0;

	fill("d", 40);
	d = opendir("d");
	check(d != NULL);
	while ((pos[n] = telldir(d)) >= 0 && (e = readdir(d)))
		snprintf(names[n++], 16, "%.15s", e->d_name);
	is(n, 42);
	for (int i = 41; i >= 0; i -= 7) {
		seekdir(d, pos[i]);
		e = readdir(d);
		same(e ? e->d_name : NULL, names[i]);
	}
	rewinddir(d);
	e = readdir(d);
	same(e ? e->d_name : NULL, names[0]);
	closedir(d);
}

/* Entries that stay throughout are reported exactly once. */
TEST(removal_during_iteration)
{
	struct dirent *e;
	int kept = 0, gone = 0;
	char path[300];
	DIR *d;

	fill("d", 300);
	d = opendir("d");
	while ((e = readdir(d))) {
		int i = atoi(e->d_name + 1);

		if (e->d_name[0] != 'f')
			continue;
		if (i & 1) {
			snprintf(path, sizeof(path), "d/%s", e->d_name);
			gone += !unlink(path);
		} else {
			kept++;
		}
	}
	closedir(d);
	is(kept, 150);
	is(gone, 150);
}

TEST(creation_during_iteration)
{
	struct dirent *e;
	int old = 0;
	int made = 1000;
	char path[64];
	DIR *d;

	fill("d", 200);
	d = opendir("d");
	while ((e = readdir(d)) && made < 3000) {
		if (e->d_name[0] == 'f' && atoi(e->d_name + 1) < 1000)
			old++;
		snprintf(path, sizeof(path), "d/f%d", made++);
		close(creat(path, 0600));
	}
	closedir(d);
	is(old, 200);
	check(made < 3000);
}

TEST(remove_all_while_reading)
{
	struct dirent *e;
	char path[300];
	int n = 0;
	DIR *d;

	fill("d", 400);
	d = opendir("d");
	while ((e = readdir(d))) {
		snprintf(path, sizeof(path), "d/%s", e->d_name);
		n += !unlink(path);
	}
	closedir(d);
	is(n, 400);
	is(rmdir("d"), 0);
}

TEST(removed_directory)
{
	int fd;

	fill("d", 0);
	fd = works(open("d", O_RDONLY | O_DIRECTORY));
	is(rmdir("d"), 0);
	fails(syscall(SYS_getdents64, fd, buf, sizeof(buf)), ENOENT);
	fails(openat(fd, "x", O_CREAT | O_WRONLY, 0600), ENOENT);
	fails(mkdirat(fd, "x", 0700), ENOENT);
}

TEST(offset_shared_by_dup)
{
	int fd, d;
	long n;

	fill("d", 20);
	fd = works(open("d", O_RDONLY));
	d = works(dup(fd));
	n = works(syscall(SYS_getdents64, fd, buf, sizeof(buf)));
	check(n > 0);
	is(syscall(SYS_getdents64, d, buf, sizeof(buf)), 0);
	is(lseek(d, 0, SEEK_SET), 0);
	is(syscall(SYS_getdents64, fd, buf, sizeof(buf)), n);
}

TEST(deep_tree)
{
	int depth = 0;

	while (depth < 300 && !mkdir("d", 0755) && !chdir("d"))
		depth++;
	is(depth, 300);
	put("leaf", "x");
	is(access("leaf", F_OK), 0);
	unlink("leaf");
	for (; depth > 0; depth--) {
		if (chdir("..") || rmdir("d"))
			break;
	}
	is(depth, 0);
}

/* Four processes make and remove names in one directory at once. */
TEST(concurrent_changes)
{
	bool twice;

	mkdir("d", 0755);
	for (int i = 0; i < 4; i++) {
		if (!fork()) {
			char path[32];

			for (int j = 0; j < 200; j++) {
				snprintf(path, sizeof(path), "d/f%d",
					 i * 500 + j);
				if (put(path, "x"))
					_exit(1);
				if (j % 2 && unlink(path))
					_exit(2);
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		is(reap(-1), 0);
	is(count("d", 4096, &twice), 402);
	check(!twice);
}

/* How many of the names s0 ... s149 a whole reading of d shows exactly once. */
static int
count_stable(void)
{
	unsigned char seen[150] = {0};
	struct dirent *e;
	int n = 0;
	DIR *d = opendir("d");

	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] == 's')
			seen[atoi(e->d_name + 1) % 150]++;
	closedir(d);
	for (int i = 0; i < 150; i++)
		n += seen[i] == 1;
	return n;
}

/* Names that nobody touches are read once each, whatever happens to the others. */
TEST(read_while_changing)
{
	int whole = 0;
	char a[32], b[32];

	mkdir("d", 0755);
	for (int i = 0; i < 150; i++) {
		snprintf(a, sizeof(a), "d/s%d", i);
		put(a, "x");
	}
	for (int i = 0; i < 3; i++) {
		if (fork())
			continue;
		for (int j = 0; j < 600; j++) {
			snprintf(a, sizeof(a), "d/f%d-%d", i, j % 7);
			snprintf(b, sizeof(b), "d/a-much-longer-name-%d-%d", i, j % 5);
			if (put(a, "x") || rename(a, b))
				_exit(1);
			if (j % 3 == 0 && unlink(b))
				_exit(2);
		}
		_exit(0);
	}
	for (int i = 0; i < 60; i++)
		whole += count_stable() == 150;
	is(whole, 60);
	for (int i = 0; i < 3; i++)
		is(reap(-1), 0);
}
