/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/sys: a file for each registered struct sysctl (kernel/sysctl.h). */
#include "kernel/sysctl.h"

#include "fs/attr.h"
#include "fs/proc/proc.h"
#include "kernel/log.h"
#include "lib/parse.h"
#include "lib/string.h"

static int
sysctl_text(struct seq *s, u64 *pos)
{
	const struct sysctl *c = s->private;

	if (*pos)
		return 1;
	*pos = 1;
	if (c->show)
		return c->show(s);
	seq_printf(s, "%u\n", READ_ONCE(*c->value));
	return 0;
}

static int
store_number(const struct sysctl *c, const char *text)
{
	u32 v;

	if (parse_u32(text, 10, &v) || v < c->min || v > c->max)
		return -EINVAL;
	WRITE_ONCE(*c->value, v);
	return 0;
}

static s64
sysctl_write(struct file *f, void *data, char *text, size_t n)
{
	const struct sysctl *c = data;
	size_t len = strlen(text);
	int err;

	/* As with Linux only a write at the start of the file sets the value. */
	if (f->pos)
		return n;
	while (len && strchr(" \t\n", text[len - 1]))
		text[--len] = '\0';
	err = c->store ? c->store(text) : store_number(c, text);
	return err ? err : (s64)n;
}

/* The mode binds root too: no capability reads what has nothing to show. */
static int
sysctl_permission(struct inode *i, const struct cred *c, int mask)
{
	u32 mode = i->mode;

	if (c->euid == 0)
		mode >>= 6;
	else if (cred_in_group(c, 0))
		mode >>= 3;
	return mask & (MAY_READ | MAY_WRITE | MAY_EXEC) & ~mode ? -EACCES : 0;
}

static int
sysctl_setattr(struct dentry *d, struct iattr *a)
{
	return a->valid & (ATTR_MODE | ATTR_UID | ATTR_GID) ? -EPERM : pseudo_setattr(d, a);
}

static const struct inode_ops sysctl_ops = {
	.open = pseudo_open,
	.setattr = sysctl_setattr,
	.permission = sysctl_permission,
};

static const struct seq_source sysctl_source = {.show = sysctl_text, .write = sysctl_write};

/* The directory `name` below d, made when first needed; NULL. The tree holds it. */
static struct dentry *
directory(struct dentry *d, const char *name)
{
	struct dentry *sub = dentry_find(d, name, strlen(name));

	if (sub) {
		dentry_put(sub);
		return sub;
	}
	sub = pseudo_mkdir(d, name, 0555);
	return is_err(sub) ? NULL : sub;
}

static int
add(struct dentry *dir, const struct sysctl *c)
{
	struct pseudo_entry e = {
		.mode = S_IFREG | c->mode,
		.source = &sysctl_source,
		.ops = &sysctl_ops,
		.private = (void *)c,
	};
	const char *at = c->path, *slash;
	char name[32];
	struct dentry *d;

	while (dir && (slash = strchr(at, '/')) != NULL) {
		strscpy(name, at, min(sizeof(name), (size_t)(slash - at) + 1));
		dir = directory(dir, name);
		at = slash + 1;
	}
	if (!dir)
		return -ENOMEM;
	e.name = at;
	d = pseudo_add(dir, &e);
	return is_err(d) ? (int)ptr_err(d) : 0;
}

void
proc_add_sysctls(struct dentry *root)
{
	struct dentry *sys = directory(root, "sys");
	const struct sysctl *c;
	int err;

	for_each_registered(sysctls, c) {
		err = sys ? add(sys, c) : -ENOMEM;
		if (err)
			log_err("proc: no file sys/%s: %d", c->path, err);
	}
}
