/* SPDX-License-Identifier: BSD-2-Clause */
/* A file system under configuration: what the handle of fsopen(2) and fspick(2) stands for. */
#ifndef FS_MOUNT_CONFIG_H
#define FS_MOUNT_CONFIG_H

#include "fs/vfs.h"
#include "sync/mutex.h"

/* What may be done next. Errors of the call that makes or changes the super end in FAILED. */
enum config_phase {
	CONFIG_NEW,
	CONFIG_MADE,
	/* Mounted: a parameter or a command begins a reconfiguration. */
	CONFIG_MOUNTED,
	CONFIG_CHANGE,
	CONFIG_FAILED,
};

/* How many messages are kept: the last ones. */
#define CONFIG_MESSAGES 8

struct mount_config {
	/* I */
	const struct fs_type *type;
	struct mutex mutex;
	/* (mutex)  all below */
	enum config_phase phase;
	/* With a use; NULL: not made yet */
	struct super *sb;
	char *source;
	/* "key=value,key": a page, made when there is something; its length */
	char *options;
	size_t len;
	/* MS_* that hold, and which were named since the beginning, as Linux has it */
	u64 flags, flags_given;
	/* Messages for read(2), the oldest first */
	char *message[CONFIG_MESSAGES];
	u32 messages;
};

enum config_kind { PARAM_FLAG, PARAM_STRING, PARAM_OTHER };

struct config_param {
	enum config_kind kind;
	const char *key;
	/* PARAM_STRING */
	const char *value;
};

/* Options are only looked at when it is mounted (types that know only mount(2)). */
static inline bool
config_is_plain(const struct mount_config *c)
{
	return !c->type->check_option;
}

/* For a type, or (sb not NULL, whose use it takes) for changes of a super. NULL: no memory. */
struct mount_config *config_alloc(const struct fs_type *t, struct super *sb);
void config_free(struct mount_config *c);
/* The mutex is held for these. -EBUSY: not in this phase; -EINVAL with a message, ... */
int config_set(struct mount_config *c, const struct config_param *p);
int config_create(struct mount_config *c);
int config_change(struct mount_config *c);
/* A handle of a new mount of what was made (mount_open_new()), with MOUNT_* flags. err_ptr. */
struct file *config_mount(struct mount_config *c, u32 flags);
/* The oldest message, which the caller frees. err_ptr(-ENODATA, -EMSGSIZE: longer than room). */
char *config_message(struct mount_config *c, size_t room);

#endif
