/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot of the file layer: the root file system, then the first program. */
#include "fs/init.h"
#include "fs/atime.h"
#include "fs/attr.h"
#include "fs/context.h"
#include "fs/device_impl.h"
#include "fs/devpts.h"
#include "fs/exec.h"
#include "fs/file_impl.h"
#include "fs/locks.h"
#include "fs/memfd.h"
#include "fs/notify.h"
#include "fs/nsfs.h"
#include "fs/tmpfs.h"
#include "kernel/init.h"
#include "kernel/log.h"
#include "kernel/task/task.h"
#include "lib/string.h"
#include "mm/fail.h"

/* I  from the command line; NULL: the usual ones */
static const char *rdinit;
static const char *init_program;

static int
param_rdinit(const char *v)
{
	rdinit = v;
	return v ? 0 : -EINVAL;
}
PARAM("rdinit", param_rdinit);

static int
param_init(const char *v)
{
	init_program = v;
	return v ? 0 : -EINVAL;
}
PARAM("init", param_init);

/* The few nodes that exist before any archive is unpacked, as in Linux. */
static void
make_first_nodes(void)
{
	int err = vfs_mkdir(AT_FDCWD, "/dev", 0755);

	if (!err)
		err = vfs_mknod(AT_FDCWD, "/dev/console", S_IFCHR | 0600, DEV_MAKE(5, 1));
	if (!err)
		err = vfs_mkdir(AT_FDCWD, "/root", 0700);
	if (err)
		log_warn("rootfs: error %d while making the first nodes", err);
}

static void
make_root(void)
{
	struct mount_args a = {.source = "rootfs"};
	struct super *sb = tmpfs_create(&rootfs_type, &a, 0);

	if (is_err(sb))
		panic("no memory for the root file system (%ld)", ptr_err(sb));
	mount_set_root(sb, "rootfs");
	super_put(sb);
}

void
fs_init(void)
{
	dcache_init();
	atime_init();
	super_init();
	mount_init();
	tmpfs_init();
	locks_init();
	notify_init();
	make_root();
	make_first_nodes();
	devtmpfs_init();
	devpts_init();
	memfd_init();
	anon_init();
	nsfs_init();
}

static int
fs_initcall(void)
{
	fs_init();
	return 0;
}
INITCALL(INIT_FS, fs_initcall);

/* --- the first program --- */

static void
open_console(void)
{
	struct file *f = file_open("/dev/console", O_RDWR, 0);

	if (is_err(f)) {
		log_err("Warning: unable to open an initial console.");
		return;
	}
	for (int i = 0; i < 2; i++) {
		if (fd_install(file_get(f), 0, false) < 0)
			log_err("Warning: no descriptor for the initial console.");
	}
	if (fd_install(f, 0, false) < 0)
		log_err("Warning: no descriptor for the initial console.");
}

static int
run_program(const char *name)
{
	struct exec_strings argv = {.kernel = init_args};
	struct exec_strings envp = {.kernel = init_env};

	init_args[0] = name;
	log_info("Run %s as init process", name);
	for (u32 i = 1; init_args[i]; i++)
		log_debug("    argument %s", init_args[i]);
	return exec_program(AT_FDCWD, name, 0, argv, envp);
}

/* As run_program(), and tells why a program that is there did not start. */
static bool
try_program(const char *name)
{
	int err = run_program(name);

	if (err && err != -ENOENT)
		log_err("Starting init: %s exists but couldn't execute it (error %d)", name, err);
	return !err;
}

static bool
exists(const char *name)
{
	struct path p;

	if (path_lookup(AT_FDCWD, name, WALK_FOLLOW, &p))
		return false;
	path_put(&p);
	return true;
}

/* Runs init; returns in it. */
static void
start_init(void)
{
	const char *ram = rdinit ? rdinit : "/init";
	int err;

	if (!current->files)
		current->files = files_create();
	if (!current->files)
		panic("no memory for init");
	if (exists(ram)) {
		open_console();
		err = run_program(ram);
		if (!err)
			return;
		log_err("Failed to execute %s (error %d)", ram, err);
	} else {
		if (rdinit)
			log_warn("check access for rdinit=%s failed: -2, ignoring", rdinit);
		open_console();
	}
	if (init_program) {
		err = run_program(init_program);
		if (!err)
			return;
		panic("Requested init %s failed (error %d).", init_program, err);
	}
	if (try_program("/sbin/init") || try_program("/etc/init") || try_program("/bin/init") ||
	    try_program("/bin/sh"))
		return;
	panic("No working init found.  Try passing init= option to kernel. "
	      "See Linux Documentation/admin-guide/init.rst for guidance.");
}

void
kernel_init_user(void)
{
	start_init();
	if (CONFIG_FAIL_ALLOC)
		alloc_fail_begin();
}
