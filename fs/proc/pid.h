/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files that make /proc/PID. pid.c tells the model. */
#ifndef FS_PROC_PID_H
#define FS_PROC_PID_H

#include "fs/pseudo.h"
#include "kernel/task/task.h"

struct pid_entry;

/* ->private of every inode below /proc/PID: whom it is about. */
struct pid_node {
	/* I  holds the number, not the task */
	struct pid *pid;
	const struct pid_entry *entry;
	/* I  of fd/ and fdinfo/: descriptor; of ns/: which; of map_files/: address */
	u64 key;
	/* I  about one thread (task/TID), else about the process */
	bool thread;
};

/* In /proc/PID only, not in task/TID; and the reverse. */
#define PID_GROUP 0x1u
#define PID_THREAD 0x2u
/* Opening it needs the right to look into the task. */
#define PID_PRIVATE 0x4u
/* Shows the layout of a space only, which stays when the mappings have gone. */
#define PID_LAYOUT 0x8u
/* A link that only CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE follows; others read it. */
#define PID_FOLLOW_ADMIN 0x10u

/* A name in the directory. Kinds by mode; one of the functions is set. */
struct pid_entry {
	const char *name;
	/* Type and permissions; type 0: regular. */
	u32 mode;
	u32 flags;
	/* The whole text. 0 or -Exxx. */
	int (*show)(struct seq *s, const struct pid_node *n, struct task *t);
	/* By records, as seq_source.show. */
	int (*show_at)(struct seq *s, struct task *t, u64 *pos);
	/* The same, of the space that the task had when the file was opened. */
	int (*show_space)(struct seq *s, struct space *space, u64 *pos);
	/* Bytes taken or -Exxx. */
	s64 (*write)(struct task *t, char *text, size_t n);
	/* Magic links: the place, with references. */
	int (*jump)(const struct pid_node *n, struct task *t, struct path *p);
	/* What following or reading one says when the task is gone; 0: -ENOENT. */
	int gone;
	/* Directories; regular files that are no text. */
	const struct inode_ops *ops;
	const struct file_ops *fops;
	/* Opens a file with fops. 0 or -Exxx. */
	int (*open)(struct file *f, struct task *t);
};

static inline const struct pid_node *
pid_node(const struct inode *i)
{
	return i->private;
}

/* The task that a node is about, with a reference; NULL when it is gone. */
struct task *pid_node_task(const struct pid_node *n);
/* A reference (no user) of the space that t has now, or NULL. */
struct space *pid_space_ref(struct task *t);
/* May current look into t? 0 or -EACCES. */
int pid_check(struct task *t);
/* Attaches the inode of entry e, about the same task as `dir`, to d. 0 or -Exxx. */
int pid_attach(struct dentry *d, const struct pid_node *dir, const struct pid_entry *e, u64 key);
/* A name as a number, without zeros in front; false: it is none. */
bool pid_parse_number(const struct dentry *d, u32 *n);
/* Emits "%u"; false: full. The caller has set ctx->pos. */
bool pid_emit_number(struct dir_context *ctx, u32 n, u8 type, u64 ino);
/* The inode number of a node about number nr: the same name gives it again. */
u64 pid_inode_number(const struct pid_node *n, s32 nr);

/* For every directory here: only the caller's entries. */
extern const struct inode_ops pid_file_inode_ops;
extern const struct inode_ops pid_link_inode_ops;
int pid_setattr(struct dentry *d, struct iattr *a);

/* root.c: lookup of /proc/N and reading of /proc. */
int proc_lookup_pid(struct inode *dir, struct dentry *d);
int proc_iterate_root(struct file *f, struct dir_context *ctx);
/* The links self and thread-self below the root. */
int proc_add_self(struct dentry *root);

/* pid_fd.c */
extern const struct inode_ops pid_fd_ops, pid_fdinfo_ops;
extern const struct file_ops pid_fd_fops;

/* pid_map_files.c */
extern const struct inode_ops pid_map_files_ops;
extern const struct file_ops pid_map_files_fops;

/* pid_ns.c */
extern const struct inode_ops pid_ns_ops;
extern const struct file_ops pid_ns_fops;

/* pid_stat.c */
int pid_show_stat(struct seq *s, const struct pid_node *n, struct task *t);
int pid_show_statm(struct seq *s, const struct pid_node *n, struct task *t);
/* pid_status.c */
/* The name of t with line ends and backslashes escaped. */
void pid_put_name(struct seq *s, struct task *t);
int pid_show_status(struct seq *s, const struct pid_node *n, struct task *t);

/* pid_mem.c */
int pid_show_cmdline(struct seq *s, struct task *t, u64 *pos);
int pid_show_environ(struct seq *s, struct space *space, u64 *pos);
int pid_show_auxv(struct seq *s, struct space *space, u64 *pos);
int pid_open_mem(struct file *f, struct task *t);
extern const struct file_ops pid_mem_fops;

/* pid_maps.c */
int pid_show_maps(struct seq *s, struct space *space, u64 *pos);
int pid_show_smaps(struct seq *s, struct space *space, u64 *pos);
int pid_show_smaps_rollup(struct seq *s, struct space *space, u64 *pos);

/* pid_mounts.c */
int pid_open_mounts(struct file *f, struct task *t);
int pid_open_mountinfo(struct file *f, struct task *t);
int pid_open_mountstats(struct file *f, struct task *t);

/* pid_text.c */
int pid_show_comm(struct seq *s, const struct pid_node *n, struct task *t);
s64 pid_write_comm(struct task *t, char *text, size_t n);
int pid_show_limits(struct seq *s, const struct pid_node *n, struct task *t);
int pid_show_io(struct seq *s, const struct pid_node *n, struct task *t);
int pid_show_oom_score(struct seq *s, const struct pid_node *n, struct task *t);
int pid_show_oom_adj(struct seq *s, const struct pid_node *n, struct task *t);
s64 pid_write_oom_adj(struct task *t, char *text, size_t n);
int pid_show_core_filter(struct seq *s, const struct pid_node *n, struct task *t);
s64 pid_write_core_filter(struct task *t, char *text, size_t n);
int pid_show_syscall(struct seq *s, const struct pid_node *n, struct task *t);
int pid_show_wchan(struct seq *s, const struct pid_node *n, struct task *t);
int pid_show_stack(struct seq *s, const struct pid_node *n, struct task *t);
int pid_show_schedstat(struct seq *s, const struct pid_node *n, struct task *t);
int pid_show_cgroup(struct seq *s, const struct pid_node *n, struct task *t);
int pid_show_loginuid(struct seq *s, const struct pid_node *n, struct task *t);
s64 pid_write_loginuid(struct task *t, char *text, size_t n);
int pid_show_sessionid(struct seq *s, const struct pid_node *n, struct task *t);
int pid_show_personality(struct seq *s, const struct pid_node *n, struct task *t);
int pid_show_idmap(struct seq *s, const struct pid_node *n, struct task *t);
int pid_jump_exe(const struct pid_node *n, struct task *t, struct path *p);
int pid_jump_cwd(const struct pid_node *n, struct task *t, struct path *p);
int pid_jump_root(const struct pid_node *n, struct task *t, struct path *p);

#endif
