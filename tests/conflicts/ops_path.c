/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on names: what they do to s->path in s->dir they undo, so that they can be repeated. */
#define _GNU_SOURCE
#include "tests/conflicts/conflicts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define FILE_LENGTH (16 * PAGE)

/* The file of this side; the pair's own one is there already. */
static void
need_file(struct side *s)
{
	if (access(s->path, F_OK) != 0)
		make_file(s->path, FILE_LENGTH);
}

static void
run_creat(struct side *s)
{
	s->result = must(open(s->other, O_CREAT | O_EXCL | O_RDWR, 0644));
}

static void
after_creat(struct side *s)
{
	close(s->result);
	must(unlink(s->other));
}

static void
run_open(struct side *s)
{
	s->result = must(open(s->path, O_RDWR));
}

static void
after_open(struct side *s)
{
	close(s->result);
}

static void
run_open_missing(struct side *s)
{
	if (open(s->other, O_RDWR) >= 0 || errno != ENOENT)
		must(-1);
}

static void
run_stat(struct side *s)
{
	struct stat st;

	must(stat(s->path, &st));
}

static void
run_access(struct side *s)
{
	must(access(s->path, R_OK));
}

static void
run_unlink(struct side *s)
{
	must(unlink(s->other));
}

static void
before_unlink(struct side *s)
{
	make_file(s->other, 0);
}

static void
run_rename(struct side *s)
{
	must(rename(s->path, s->other));
}

static void
after_rename(struct side *s)
{
	must(rename(s->other, s->path));
}

static void
run_link(struct side *s)
{
	must(link(s->path, s->other));
}

static void
after_link(struct side *s)
{
	must(unlink(s->other));
}

static void
run_symlink(struct side *s)
{
	must(symlink("target", s->other));
}

static void
run_mkdir(struct side *s)
{
	must(mkdir(s->other, 0755));
}

static void
after_mkdir(struct side *s)
{
	must(rmdir(s->other));
}

static void
run_chmod(struct side *s)
{
	must(chmod(s->path, 0640));
}

static void
run_utimes(struct side *s)
{
	must(utimensat(AT_FDCWD, s->path, NULL, 0));
}

static void
run_truncate(struct side *s)
{
	must(truncate(s->path, 100));
}

static void
after_truncate(struct side *s)
{
	must(truncate(s->path, FILE_LENGTH));
}

static void
run_readdir(struct side *s)
{
	int fd = must(open(s->dir, O_RDONLY | O_DIRECTORY));
	char buffer[1024];

	must(getdents64(fd, buffer, sizeof(buffer)));
	close(fd);
}

static void
run_statfs(struct side *s)
{
	struct statfs st;

	must(statfs(s->dir, &st));
}

static void
run_chdir(struct side *s)
{
	must(chdir(s->dir));
}

static void
run_getcwd(struct side *s)
{
	char buffer[256];

	if (getcwd(buffer, sizeof(buffer)) == NULL)
		must(-1);
}

static void
run_mount(struct side *s)
{
	must(mount("side", s->other, "tmpfs", 0, NULL));
}

static void
after_mount(struct side *s)
{
	must(umount2(s->other, 0));
}

static void
setup_mount(struct side *s)
{
	must(mkdir(s->other, 0755));
}

const struct op ops_path[] = {
	{"creat", run_creat, NULL, after_creat, NULL, NULL},
	{"open", run_open, NULL, after_open, need_file, NULL},
	{"open-missing", run_open_missing, NULL, NULL, need_file, NULL},
	{"stat", run_stat, NULL, NULL, need_file, NULL},
	{"access", run_access, NULL, NULL, need_file, NULL},
	{"unlink", run_unlink, before_unlink, NULL, NULL, NULL},
	{"rename", run_rename, NULL, after_rename, need_file, NULL},
	{"link", run_link, NULL, after_link, need_file, NULL},
	{"symlink", run_symlink, NULL, after_link, NULL, NULL},
	{"mkdir", run_mkdir, NULL, after_mkdir, NULL, NULL},
	{"chmod", run_chmod, NULL, NULL, need_file, NULL},
	{"utimes", run_utimes, NULL, NULL, need_file, NULL},
	{"truncate", run_truncate, NULL, after_truncate, need_file, NULL},
	{"readdir", run_readdir, NULL, NULL, need_file, NULL},
	{"statfs", run_statfs, NULL, NULL, NULL, NULL},
	{"chdir", run_chdir, NULL, NULL, NULL, NULL},
	{"getcwd", run_getcwd, NULL, NULL, run_chdir, NULL},
	{"mount", run_mount, NULL, after_mount, setup_mount, NULL},
	{"umount", after_mount, run_mount, NULL, setup_mount, NULL},
	{NULL},
};
