/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * execve(2), execveat(2).
 *
 * Steps:
 * 1. the argument strings are copied into the kernel, the file is opened
 * 2. the formats look at its first bytes; a script replaces file and arguments
 *    and the look begins again
 * 3. the format that knows the file checks all that it can
 * 4. exec_begin(): the point of no return. Before it every error leaves the
 *    caller as it was. Here other threads die, the old space goes, handles and
 *    signals are reset, the new credentials hold.
 * 5. the format maps the program into the new space, which is current's already;
 *    an error now ends the process with SIGSEGV, as in Linux
 */
#include "fs/exec.h"
#include "fs/generic.h"
#include "fs/mount.h"
#include "kernel/ptrace/ptrace.h"
#include "kernel/random.h"
#include "kernel/signal/signal.h"
#include "kernel/syscall/syscalls.h"
#include "kernel/task/rlimit.h"
#include "kernel/task/task.h"
#include "kernel/uapi/mman.h"
#include "kernel/uapi/system.h"
#include "kernel/uapi/xattr.h"
#include "lib/endian.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/space.h"
#include "mm/uaccess.h"
#include "percpu/trace/events.h"

#define STRING_MAX (32 * PAGE_SIZE)
#define STRINGS_MIN (32 * PAGE_SIZE)
/* Three quarters of the usual 8 MiB stack. */
#define STRINGS_MAX (6UL << 20)
#define STRINGS_COUNT_MAX 0x7fffffffu
/* What is mapped of a new stack at first, beyond the strings. */
#define STACK_EXTRA (128UL << 10)
/* 16 GiB of room for the random top of the stack. */
#define STACK_RANDOM_PAGES (1UL << 22)

/* --- strings --- */

static int
text_room(struct exec_text *t, size_t n)
{
	size_t room = t->room ? t->room : 1024;
	char *buf;

	if (t->len + n <= t->room)
		return 0;
	while (room < t->len + n)
		room *= 2;
	buf = kvmalloc(room, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	if (t->buf)
		memcpy(buf, t->buf, t->len);
	kvfree(t->buf);
	t->buf = buf;
	t->room = room;
	return 0;
}

void
exec_text_free(struct exec_text *t)
{
	kvfree(t->buf);
	*t = (struct exec_text){0};
}

int
exec_text_add(struct exec_text *t, const char *s)
{
	size_t n = strlen(s) + 1;
	int err = text_room(t, n);

	if (err)
		return err;
	memcpy(t->buf + t->len, s, n);
	t->len += n;
	t->count++;
	return 0;
}

/* Bytes that are left for strings, their pointers counted. */
static int
check_room(const struct exec *x, size_t more)
{
	size_t n = x->argv.len + x->envp.len + more;

	n += ((size_t)x->argv.count + x->envp.count) * sizeof(u64);
	return n > x->limit ? -E2BIG : 0;
}

static int
add_user(struct exec *x, struct exec_text *t, const char __user *s)
{
	long n = strnlen_user(s, STRING_MAX);
	int err;

	if (n < 0)
		return n;
	if ((size_t)n > STRING_MAX)
		return -E2BIG;
	err = check_room(x, n);
	if (!err)
		err = text_room(t, n);
	if (!err)
		err = copy_from_user(t->buf + t->len, s, n);
	if (err)
		return err;
	/* It may have changed since it was measured. */
	t->buf[t->len + n - 1] = '\0';
	t->len = t->len + strlen(t->buf + t->len) + 1;
	t->count++;
	return 0;
}

static int
add_all(struct exec *x, struct exec_text *t, struct exec_strings src)
{
	int err = 0;

	if (src.kernel) {
		for (u32 i = 0; src.kernel[i] && !err; i++)
			err = exec_text_add(t, src.kernel[i]);
		return err;
	}
	if (!src.user)
		return 0;
	for (u32 i = 0; !err; i++) {
		const char __user *s;

		if (get_user(s, &src.user[i]))
			return -EFAULT;
		if (!s)
			break;
		if (i >= STRINGS_COUNT_MAX)
			return -E2BIG;
		err = add_user(x, t, s);
		if (!err && fatal_signal_pending())
			err = -EINTR;
	}
	return err;
}

static int
copy_strings(struct exec *x, struct exec_strings argv, struct exec_strings envp)
{
	u64 limit = min(rlimit(RLIMIT_STACK) / 4, STRINGS_MAX);
	int err;

	x->limit = max(limit, STRINGS_MIN);
	err = add_all(x, &x->argv, argv);
	if (!err)
		err = add_all(x, &x->envp, envp);
	/* Programs rely on argv[0]. */
	if (!err && !x->argv.count)
		err = exec_text_add(&x->argv, "");
	return err;
}

int
exec_replace_arg0(struct exec *x, const struct exec_text *front)
{
	struct exec_text t = {0};
	size_t skip = strlen(x->argv.buf) + 1;
	size_t rest = x->argv.len - skip;
	int err = text_room(&t, front->len + rest);

	if (err)
		return err;
	memcpy(t.buf, front->buf, front->len);
	memcpy(t.buf + front->len, x->argv.buf + skip, rest);
	t.len = front->len + rest;
	t.count = front->count + x->argv.count - 1;
	exec_text_free(&x->argv);
	x->argv = t;
	return check_room(x, 0);
}

/* --- the file --- */

static int
read_head(struct exec *x)
{
	s64 n;

	memset(x->buf, 0, sizeof(x->buf));
	n = file_read_kernel(x->file, x->buf, sizeof(x->buf), 0);
	return n < 0 ? n : 0;
}

int
exec_switch_file(struct exec *x, struct file *f)
{
	file_put_exec(x->file);
	x->file = f;
	x->inaccessible = false;
	return read_head(x);
}

/*
 * struct vfs_cap_data: magic with version and flag, then permitted and
 * inheritable, 32 bits each in turn (capabilities(7), linux/capability.h).
 */
#define CAP_REVISION_MASK 0xff000000u
#define CAP_REVISION_1 0x01000000u
#define CAP_REVISION_2 0x02000000u
#define CAP_REVISION_3 0x03000000u
#define CAP_EFFECTIVE 1u

static void
file_capabilities(struct exec *x)
{
	struct inode *i = x->file->inode;
	u8 raw[24];
	u32 magic;
	s64 n;

	if (!i->ops->get_xattr)
		return;
	n = i->ops->get_xattr(i, "security.capability", raw, sizeof(raw));
	if (n < 12)
		return;
	magic = get_le32(raw);
	x->creds.caps_effective = magic & CAP_EFFECTIVE;
	x->creds.caps_permitted = get_le32(raw + 4);
	x->creds.caps_inheritable = get_le32(raw + 8);
	if ((magic & CAP_REVISION_MASK) != CAP_REVISION_1) {
		if (n < 20)
			return;
		x->creds.caps_permitted |= (u64)get_le32(raw + 12) << 32;
		x->creds.caps_inheritable |= (u64)get_le32(raw + 16) << 32;
	}
	x->creds.has_caps = true;
}

static int
prepare_creds(struct exec *x)
{
	struct inode *i = x->file->inode;
	bool suid_ok =
		!(READ_ONCE(x->file->path.mnt->flags) & MOUNT_NOSUID) && !current->no_new_privs;
	u32 mode = READ_ONCE(i->mode);

	x->creds.file_uid = i->uid;
	x->creds.file_gid = i->gid;
	if (suid_ok) {
		x->creds.setuid = mode & S_ISUID;
		x->creds.setgid = (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
		file_capabilities(x);
	}
	if (inode_permission(i, current_cred(), MAY_READ))
		x->creds.unreadable = true;
	return cred_exec(&x->creds);
}

/* --- the point of no return --- */

static const char *
base_name(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

int
exec_begin(struct exec *x)
{
	struct space *s = NULL;
	s32 tid = current->tid;
	int err;

	ptrace_exec_begin();
	err = prepare_creds(x);
	if (err)
		goto out;
	s = space_create();
	err = s ? files_unshare() : -ENOMEM;
	if (err)
		goto out;
	x->committed = true;
	err = exec_dethread();
	if (err)
		goto out;
	space_set_exe(s, x->file);
	exec_set_space(s);
	current->flags &= ~TASK_FORKNOEXEC;
	if (x->creds.secure)
		current->personality &= ~PER_CLEAR_ON_SETID;
	task_set_comm(current, base_name(x->filename));
	signal_exec();
	cred_exec_commit(&x->creds);
	ptrace_exec_end();
	files_close_on_exec();
	trace_sched_process_exec(x->filename, current->tid, tid);
	return 0;
out:
	cred_exec_abort(&x->creds);
	ptrace_exec_end();
	if (s)
		space_put_user(s);
	return err;
}

/* --- the stack --- */

unsigned long
exec_random_pages(u64 pages)
{
	if (current->personality & ADDR_NO_RANDOMIZE)
		return 0;
	return random_below(pages) << PAGE_SHIFT;
}

/* Copies to the top of the stack: the address, or 0. */
static unsigned long
push(struct exec_stack *st, const void *data, size_t n)
{
	st->p -= n;
	if (copy_to_user((void __user *)st->p, data, n))
		return 0;
	return st->p;
}

int
exec_map_stack(struct exec *x, bool executable, struct exec_stack *st)
{
	size_t need = x->argv.len + x->envp.len + strlen(x->filename) + 1 + sizeof(u64);
	struct map_backing b = {.name = "[stack]"};
	u32 prot = PROT_READ | PROT_WRITE | (executable ? PROT_EXEC : 0);
	size_t size = align_up(need + STACK_EXTRA, PAGE_SIZE);
	u64 zero = 0;
	long at;

	st->top = USER_END - exec_random_pages(STACK_RANDOM_PAGES);
	at = space_map(current->space, st->top - size, size, prot,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN | MAP_STACK, &b);
	if (at < 0)
		return at;
	st->p = st->top;
	if (!push(st, &zero, sizeof(zero)))
		return -EFAULT;
	st->filename = push(st, x->filename, strlen(x->filename) + 1);
	st->envp = push(st, x->envp.buf, x->envp.len);
	st->argv = push(st, x->argv.buf, x->argv.len);
	return st->filename && st->envp && st->argv ? 0 : -EFAULT;
}

/* --- the call --- */

static int
load(struct exec *x)
{
	const struct binfmt *b;
	int r;

	do {
		if (x->depth++ > EXEC_DEPTH_MAX)
			return -ELOOP;
		r = -ENOEXEC;
		for_each_registered(binfmts, b) {
			r = b->load(x);
			if (r != -ENOEXEC || x->committed)
				break;
		}
	} while (r == EXEC_AGAIN);
	return r;
}

/* How the file is called for AT_EXECFN and scripts. */
static int
make_filename(struct exec *x, int dfd, const char *name)
{
	/* A line of its own: the smallest objects of a slab share one with other CPUs'. */
	size_t n = max(strlen(name) + 32, CACHE_LINE);

	x->filename = kmalloc(n, GFP_KERNEL);
	if (*name == '/' || dfd == AT_FDCWD) {
		if (x->filename)
			strscpy(x->filename, name, n);
	} else {
		if (x->filename)
			snprintf(x->filename, n, *name ? "/dev/fd/%d/%s" : "/dev/fd/%d", dfd, name);
		/* The descriptor will be gone when an interpreter wants to open that. */
		x->inaccessible = files_get_cloexec(current->files, dfd);
	}
	return x->filename ? 0 : -ENOMEM;
}

static void
exec_free(struct exec *x)
{
	if (x->file)
		file_put_exec(x->file);
	exec_text_free(&x->argv);
	exec_text_free(&x->envp);
	kfree(x->filename);
	kfree(x->interp);
	kfree(x);
}

static int
open_and_load(struct exec *x, int dfd, const char *name, int flags)
{
	struct file *f = file_open_exec(dfd, name, flags);
	int err;

	if (is_err(f))
		return ptr_err(f);
	x->file = f;
	err = make_filename(x, dfd, name);
	if (!err)
		err = read_head(x);
	if (!err)
		err = load(x);
	return err;
}

int
exec_program(int dfd, const char *name, int flags, struct exec_strings argv,
	     struct exec_strings envp)
{
	struct exec *x = kzalloc(sizeof(*x), GFP_KERNEL);
	s32 tid = current->tid;
	bool committed;
	int err;

	if (!x)
		return -ENOMEM;
	err = copy_strings(x, argv, envp);
	if (!err)
		err = open_and_load(x, dfd, name, flags);
	committed = x->committed;
	exec_free(x);
	if (err && committed && !fatal_signal_pending()) {
		if (current->process->tgid == 1)
			return err;
		signal_force(SIGSEGV);
	}
	if (!err && ptrace_traced(current))
		ptrace_exec(tid);
	return err;
}

static long
exec_user(int dfd, const char __user *uname, int flags, struct exec_strings argv,
	  struct exec_strings envp)
{
	struct pathname p;
	int err;

	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	err = pathname_get(&p, uname, flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
	if (err)
		return err;
	err = exec_program(dfd, p.s, flags, argv, envp);
	pathname_put(&p);
	return err;
}

long
sys_execve(const char __user *path, const char __user *const __user *argv,
	   const char __user *const __user *envp)
{
	return exec_user(AT_FDCWD, path, 0, (struct exec_strings){.user = argv},
			 (struct exec_strings){.user = envp});
}

long
sys_execveat(int dfd, const char __user *path, const char __user *const __user *argv,
	     const char __user *const __user *envp, int flags)
{
	return exec_user(dfd, path, flags, (struct exec_strings){.user = argv},
			 (struct exec_strings){.user = envp});
}
