/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What core dumps ask of files and programs (kernel/signal/coredump.c).
 *
 * A file of a process whose rights were changed on the way is made with root's, at a
 * name seen from the root of process 1, so that no user chooses where it goes.
 *
 * A program that takes dumps is a kernel thread that execs; work of this CPU makes
 * it, so that it has nothing of the process that dies: no terminal, no limits, no
 * affinity.
 */
#include "fs/context.h"
#include "fs/exec.h"
#include "fs/vfs.h"
#include "kernel/file.h"
#include "kernel/port.h"
#include "kernel/signal/port.h"
#include "kernel/task/ns.h"
#include "kernel/task/task.h"
#include "lib/errno.h"
#include "percpu/work.h"
#include "sync/completion.h"

#define CORE_FLAGS (O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_LARGEFILE)

/* A context at the root of process 1; NULL without memory. *ns, if asked for: its mounts. */
static struct fs_context *
first_context(struct ns **ns)
{
	struct task *init = task_find_get(1);
	struct fs_context *fs = NULL, *copy = NULL;

	if (init) {
		fs = task_get_fs(init);
		if (ns)
			*ns = task_ns_get(init, NS_MNT, false);
		task_put(init);
	}
	if (fs) {
		copy = fs_context_copy(fs);
		fs_context_put(fs);
	}
	if (copy)
		WRITE_ONCE(copy->umask, 022);
	return copy;
}

/* --- files --- */

bool
core_file_unlinked(const struct file *f)
{
	return f && f->inode && !READ_ONCE(f->inode->nlink);
}

/* Is it what we asked for, whatever the file system has made of it? */
static bool
is_ours(const struct file *f)
{
	const struct inode *i = f->inode;

	return S_ISREG(i->mode) && READ_ONCE(i->nlink) == 1 && i->uid == current_cred()->fsuid &&
	       (READ_ONCE(i->mode) & 0677) == 0600 && f->ops->write;
}

static struct file *
open_checked(const char *name)
{
	struct file *f = file_open(name, CORE_FLAGS, 0600);

	if (is_err(f) || is_ours(f))
		return f;
	file_put(f);
	return err_ptr(-EPERM);
}

static void
swap_context(struct fs_context *fs)
{
	spin_lock(&current->alloc_lock);
	current->fs = fs;
	spin_unlock(&current->alloc_lock);
}

/* By root, from the root of process 1. */
static struct file *
open_safe(const char *name)
{
	struct fs_context *fs = first_context(NULL), *mine = current->fs;
	struct cred *root = cred_prepare();
	const struct cred *old;
	struct file *f = err_ptr(-ENOMEM);

	if (fs && root) {
		root->fsuid = 0;
		old = cred_override(root);
		swap_context(fs);
		f = open_checked(name);
		swap_context(mine);
		cred_override(old);
	}
	if (root)
		cred_put(root);
	fs_context_put(fs);
	return f;
}

struct file *
core_file_open(const char *name, bool safe)
{
	if (safe)
		return open_safe(name);
	/* An old one goes, whoever still reads it; that it cannot go is seen next. */
	(void)vfs_unlink(AT_FDCWD, name);
	return open_checked(name);
}

/* --- programs --- */

struct helper {
	struct work work;
	const char *const *argv;
	struct file *in;
	struct pid *of;
	int err;
	struct completion done;
};

/* Descriptor nr is to be f; takes the reference. 0 or -Exxx. */
static int
install(struct file *f, int nr)
{
	int fd = is_err(f) ? (int)ptr_err(f) : fd_install(f, (unsigned int)nr, false);

	return fd < 0 ? fd : 0;
}

static int
helper_prepare(struct helper *h)
{
	struct process *p = current->process;
	struct rlimit core = {1, 1};
	struct rlimit old;
	int err;

	current->fs = first_context(&current->mnt_ns);
	current->files = files_create();
	if (!current->fs || !current->mnt_ns || !current->files)
		return -ENOMEM;
	/* That it is not dumped by another one of its kind, and so on. */
	err = rlimit_set(p, RLIMIT_CORE, &core, &old);
	if (!err)
		err = install(file_get(h->in), 0);
	if (!err && h->of)
		err = install(pidfd_file(h->of, 0), 3);
	return err ? err : kthread_become_user();
}

static int
helper_main(void *arg)
{
	static const char *const no_env[] = {NULL};
	struct helper *h = arg;
	struct exec_strings argv = {.kernel = h->argv}, envp = {.kernel = no_env};
	int err = helper_prepare(h);

	if (!err)
		err = exec_program(AT_FDCWD, h->argv[0], 0, argv, envp);
	h->err = err;
	complete(&h->done);
	if (err)
		process_exit(0);
	return 0;
}

static void
helper_start(struct work *w)
{
	struct helper *h = container_of(w, struct helper, work);
	struct task *t = kthread_create(-1, helper_main, h, "core-helper");

	if (is_err(t)) {
		h->err = (int)ptr_err(t);
		complete(&h->done);
	} else {
		task_put(t);
	}
}

int
core_helper_start(const char *const argv[], struct file *in, struct pid *of)
{
	struct helper h = {.argv = argv, .in = in, .of = of};

	work_init(&h.work, helper_start);
	completion_init(&h.done);
	work_post_here(&h.work);
	completion_wait(&h.done);
	return h.err;
}
