/* SPDX-License-Identifier: BSD-2-Clause */
/* Scripts: "#!", the interpreter's name, and what follows on the line as one argument. */
#include "fs/exec.h"
#include "lib/string.h"
#include "mm/slab.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * Cuts the first line, in place: *name and *arg (NULL: none). A line that does
 * not end in the buffer is taken if the interpreter's name does.
 */
static int
parse_line(char *buf, char **name, char **arg)
{
	char *end = buf + EXEC_BUF - 1;
	char *nl = memchr(buf, '\n', EXEC_BUF);
	bool ended = nl != NULL;
	char *p = buf + 2;

	if (!nl) {
		nl = memchr(buf, '\0', EXEC_BUF);
		if (!nl)
			nl = end;
	}
	if (nl == end && *end != '\n' && *end != '\0') {
		/* Cut short: a name without anything behind it may be cut too. */
		char *q = p;

		while (q < end && is_blank(*q))
			q++;
		while (q < end && !is_blank(*q))
			q++;
		if (q == end)
			return -ENOEXEC;
	}
	*nl = '\0';
	while (nl > p && is_blank(nl[-1]))
		*--nl = '\0';
	while (is_blank(*p))
		p++;
	/* Linux opens the empty name of a line that has no end: the current directory. */
	if (!*p)
		return ended ? -ENOEXEC : -EACCES;
	*name = p;
	while (*p && !is_blank(*p))
		p++;
	*arg = NULL;
	if (!*p)
		return 0;
	*p++ = '\0';
	while (is_blank(*p))
		p++;
	if (*p)
		*arg = p;
	return 0;
}

static int
new_arguments(struct exec *x, const char *name, const char *arg)
{
	struct exec_text front = {0};
	int err = exec_text_add(&front, name);

	if (!err && arg)
		err = exec_text_add(&front, arg);
	/* A script run by a script: its name is what that one was called by. */
	if (!err)
		err = exec_text_add(&front, x->interp ? x->interp : x->filename);
	if (!err)
		err = exec_replace_arg0(x, &front);
	exec_text_free(&front);
	return err;
}

static int
load_script(struct exec *x)
{
	char line[EXEC_BUF];
	char *name, *arg, *copy;
	struct file *f;
	int err;

	if (x->buf[0] != '#' || x->buf[1] != '!')
		return -ENOEXEC;
	memcpy(line, x->buf, sizeof(line));
	err = parse_line(line, &name, &arg);
	if (err)
		return err;
	if (x->inaccessible)
		return -ENOENT;
	err = new_arguments(x, name, arg);
	if (err)
		return err;
	copy = kstrdup(name, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	kfree(x->interp);
	x->interp = copy;
	f = file_open_exec(AT_FDCWD, name, 0);
	if (is_err(f))
		return ptr_err(f);
	err = exec_switch_file(x, f);
	return err ? err : EXEC_AGAIN;
}

REGISTER(binfmts)
static const struct binfmt script_format = {
	.name = "script",
	.load = load_script,
};
