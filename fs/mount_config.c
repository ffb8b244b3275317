/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making and changing file systems step by step: fsconfig(2).
 *
 * Model: parameters are collected as mount(2) would have had them, the common flags
 * as MS_*, the source, the rest as a text of options; then a command makes the super
 * or changes it. A type that can tell good options from bad (check_option) is asked
 * for each; of others the mount says so. What was wrong is kept as messages that
 * read(2) of the handle gives.
 *
 * Locking: the config's mutex; it is taken before those of mounts.
 *
 * See: fsopen(2), fsconfig(2), fsmount(2), fspick(2).
 */
#include "fs/mount_config.h"

#include "fs/mount_impl.h"
#include "kernel/uapi/capability.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/slab.h"

static LOCK_CLASS(config_class, RANK_FILE_POS + 1);

struct mount_config *
config_alloc(const struct fs_type *t, struct super *sb)
{
	struct mount_config *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return NULL;
	mutex_init(&c->mutex, &config_class);
	c->type = t;
	c->sb = sb;
	c->phase = sb ? CONFIG_CHANGE : CONFIG_NEW;
	return c;
}

/* Forgets the parameters, but which flags were given: the next ones are for a change. */
static void
clean(struct mount_config *c)
{
	kfree(c->source);
	kfree(c->options);
	c->source = c->options = NULL;
	c->len = 0;
	c->flags = 0;
}

void
config_free(struct mount_config *c)
{
	clean(c);
	for (u32 i = 0; i < c->messages; i++)
		kfree(c->message[i]);
	if (c->sb)
		super_put(c->sb);
	kfree(c);
}

/* --- messages --- */

/* Without memory there is no message; the call fails all the same. */
static __printf(2, 3) int invalid(struct mount_config *c, const char *fmt, ...)
{
	char text[400] = "e ";
	size_t n = 2;
	va_list ap;
	char *copy;

	/* Keys have less than 256 bytes: there is room for all. */
	va_start(ap, fmt);
	n += (size_t)vsnprintf(text + n, sizeof(text) - n - 1, fmt, ap);
	va_end(ap);
	strscpy(text + n, "\n", sizeof(text) - n);
	copy = kstrdup(text, GFP_KERNEL);
	if (!copy)
		return -EINVAL;
	if (c->messages == CONFIG_MESSAGES)
		kfree(config_message(c, SIZE_MAX));
	c->message[c->messages++] = copy;
	return -EINVAL;
}

char *
config_message(struct mount_config *c, size_t room)
{
	char *first = c->message[0];

	if (!c->messages)
		return err_ptr(-ENODATA);
	if (strlen(first) > room)
		return err_ptr(-EMSGSIZE);
	c->messages--;
	for (u32 i = 0; i < c->messages; i++)
		c->message[i] = c->message[i + 1];
	return first;
}

/* --- parameters --- */

/* Flags that all file systems have; false: it is none. */
static bool
set_common(struct mount_config *c, const char *key)
{
	static const struct {
		const char *name;
		u64 flag;
		bool set;
	} names[] = {
		{"dirsync", MS_DIRSYNC, true},	    {"lazytime", MS_LAZYTIME, true},
		{"mand", MS_MANDLOCK, true},	    {"ro", MS_RDONLY, true},
		{"sync", MS_SYNCHRONOUS, true},	    {"async", MS_SYNCHRONOUS, false},
		{"nolazytime", MS_LAZYTIME, false}, {"nomand", MS_MANDLOCK, false},
		{"rw", MS_RDONLY, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!str_equal(key, names[i].name))
			continue;
		c->flags = names[i].set ? c->flags | names[i].flag : c->flags & ~names[i].flag;
		c->flags_given |= names[i].flag;
		return true;
	}
	return false;
}

static int
set_source(struct mount_config *c, const struct config_param *p)
{
	if (p->kind != PARAM_STRING)
		return invalid(c, "Non-string source");
	if (c->source)
		return invalid(c, "Multiple sources");
	c->source = kstrdup(p->value, GFP_KERNEL);
	return c->source ? 0 : -ENOMEM;
}

/* Is it an option, and a good one? 0, or -EINVAL with a message. */
static int
check_option(struct mount_config *c, const struct config_param *p)
{
	const char *name = c->type->name;
	int err;

	if (config_is_plain(c)) {
		if (p->kind == PARAM_OTHER)
			return invalid(c, "VFS: Legacy: Parameter type for '%s' not supported",
				       p->key);
		return 0;
	}
	err = c->type->check_option(p->key, p->kind == PARAM_STRING ? p->value : NULL);
	if (err == -ENOENT)
		return invalid(c, "%s: Unknown parameter '%s'", name, p->key);
	if (err || p->kind == PARAM_OTHER)
		return invalid(c, "%s: Bad value for '%s'", name, p->key);
	return 0;
}

/* Behind the others, in the text that the mount gets. */
static int
add_option(struct mount_config *c, const struct config_param *p)
{
	const char *value = p->kind == PARAM_STRING ? p->value : NULL;
	size_t n = strlen(p->key) + (value ? 1 + strlen(value) : 0);

	if (c->len + n + 2 > PAGE_SIZE)
		return invalid(c, "VFS: Legacy: Cumulative options too large");
	if (strchr(p->key, ',') || (value && strchr(value, ',')))
		return invalid(c, "VFS: Legacy: Option '%s' contained comma", p->key);
	if (!c->options)
		c->options = kzalloc(PAGE_SIZE, GFP_KERNEL);
	if (!c->options)
		return -ENOMEM;
	c->len += scnprintf(c->options + c->len, PAGE_SIZE - c->len, "%s%s%s%s", c->len ? "," : "",
			    p->key, value ? "=" : "", value ? value : "");
	return 0;
}

/* After a mount, parameters and commands begin a change. */
static void
begin_change(struct mount_config *c)
{
	if (c->phase == CONFIG_MOUNTED)
		c->phase = CONFIG_CHANGE;
}

int
config_set(struct mount_config *c, const struct config_param *p)
{
	int err;

	begin_change(c);
	if (c->phase != CONFIG_NEW && c->phase != CONFIG_CHANGE)
		return -EBUSY;
	if (set_common(c, p->key))
		return 0;
	if (str_equal(p->key, "source"))
		return set_source(c, p);
	err = check_option(c, p);
	return err ? err : add_option(c, p);
}

/* --- commands --- */

int
config_create(struct mount_config *c)
{
	struct mount_args args = {.source = c->source, .flags = c->flags, .data = c->options};
	struct super *sb;

	begin_change(c);
	if (c->phase != CONFIG_NEW)
		return -EBUSY;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	sb = c->type->mount(c->type, &args);
	if (is_err(sb)) {
		c->phase = CONFIG_FAILED;
		return ptr_err(sb);
	}
	c->sb = sb;
	c->phase = CONFIG_MADE;
	return 0;
}

int
config_change(struct mount_config *c)
{
	struct mount_request r = {.source = c->source, .data = c->options};
	int err = -EPERM;

	begin_change(c);
	if (c->phase != CONFIG_CHANGE)
		return -EBUSY;
	/* What was never named stays. */
	r.flags = READ_ONCE(c->sb->flags) & SB_RDONLY ? MS_RDONLY : 0;
	r.flags = (r.flags & ~c->flags_given) | c->flags;
	if (capable(CAP_SYS_ADMIN))
		err = super_reconfigure(c->sb, &r);
	if (err) {
		c->phase = CONFIG_FAILED;
		return err;
	}
	clean(c);
	c->phase = CONFIG_MOUNTED;
	return 0;
}

struct file *
config_mount(struct mount_config *c, u32 flags)
{
	struct file *f;

	if (!c->sb)
		return err_ptr(-EINVAL);
	if (c->phase != CONFIG_MADE)
		return err_ptr(-EBUSY);
	/* As on Linux there is one attempt, whatever comes of it. */
	f = mount_open_new(c->sb, c->source, flags);
	clean(c);
	c->phase = CONFIG_MOUNTED;
	return f;
}
