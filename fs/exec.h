/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting programs. (fs/exec.c tells the steps and the point of no return.)
 */
#ifndef FS_EXEC_H
#define FS_EXEC_H

#include "fs/namei.h"
#include "kernel/cred.h"
#include "lib/section.h"

/* First bytes of a file by which its format is told. */
#define EXEC_BUF 256
/* Interpreters of interpreters: more are -ELOOP. */
#define EXEC_DEPTH_MAX 5
/* A format's answer: the file was replaced (exec_switch_file()), look again. */
#define EXEC_AGAIN 1

/* Where argument strings come from: user memory, or the kernel (init). */
struct exec_strings {
	const char __user *const __user *user;
	const char *const *kernel;
};

/* Strings one behind another, each with its NUL. */
struct exec_text {
	char *buf;
	size_t len;
	size_t room;
	u32 count;
};

struct exec {
	struct file *file;
	/* AT_EXECFN; the name that a script's interpreter is given. */
	char *filename;
	/* Set by scripts: how the present file was named. */
	char *interp;
	char buf[EXEC_BUF];
	struct exec_text argv;
	struct exec_text envp;
	/* Bytes that strings and their pointers may take. */
	size_t limit;
	struct cred_exec creds;
	/* The file has no name that an interpreter could open (close-on-exec fexecve). */
	bool inaccessible;
	/* Errors now end the process. */
	bool committed;
	u32 depth;
};

struct binfmt {
	const char *name;
	/* 0: runs; -ENOEXEC: not mine; EXEC_AGAIN; -Exxx (after exec_begin(): fatal). */
	int (*load)(struct exec *x);
};

/* REGISTER(binfmts) static const struct binfmt x = {...}; */
DECLARE_REGISTRY(binfmts, const struct binfmt);

/* execveat(2) with a kernel file name and any source of strings. 0 or -Exxx. */
int exec_program(int dfd, const char *name, int flags, struct exec_strings argv,
		 struct exec_strings envp);

/* --- for formats --- */

/* The point of no return: threads die, a new empty space becomes current's. 0 or -Exxx. */
int exec_begin(struct exec *x);
/* Goes on with another file; takes the reference. */
int exec_switch_file(struct exec *x, struct file *f);
/* Replaces argv[0] by the strings of `t` (moved into x). -E2BIG, -ENOMEM. */
int exec_replace_arg0(struct exec *x, const struct exec_text *front);
int exec_text_add(struct exec_text *t, const char *s);
void exec_text_free(struct exec_text *t);

/* The new stack, mapped at the top of current's space. exec: PT_GNU_STACK says so. */
struct exec_stack {
	/* First byte above, and where the pushed data begins (grows down). */
	unsigned long top;
	unsigned long p;
	/* Addresses of the first argument and the first environment string. */
	unsigned long argv;
	unsigned long envp;
	unsigned long filename;
};
int exec_map_stack(struct exec *x, bool executable, struct exec_stack *st);
/* Random bits for addresses, 0 when the program does not want them; in bytes, page-aligned. */
unsigned long exec_random_pages(u64 pages);

#endif
