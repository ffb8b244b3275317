/* SPDX-License-Identifier: BSD-2-Clause */
/* A path walk under way: for namei.c and open.c. (namei.c tells the model.) */
#ifndef FS_NAMEI_IMPL_H
#define FS_NAMEI_IMPL_H

#include "fs/namei.h"

/* More links than this in one walk: -ELOOP. */
#define WALK_LINKS_MAX 40
/*
 * Inside the walk: this cannot go on without sleeping, or the mount tree changed:
 * start again with references. Never leaves fs/.
 */
#define EWALK 600

/* What comes behind a link while its text is walked. */
struct walk_saved {
	const char *rest;
	/* Text to free, or NULL. */
	char *heap;
	/* Walk with references: keeps the link's text alive. */
	struct dentry *link;
};

struct walk {
	/* Where we are: with references unless ->rcu. */
	struct path path;
	/* The task's root, or the base of a scoped walk; known when have_root. */
	struct path root;
	const struct cred *cred;
	/* WALK_* */
	u32 flags;
	u32 mseq;
	/* For ".." in a scoped walk. */
	u32 move_seq;
	bool rcu;
	bool have_root;
	int dfd;
	struct fdref base;

	/* The last component; points into the name or a link's text. */
	enum last_type last_type;
	bool last_slash;
	/* walk_last() failed because the last name itself is not there. */
	bool missing;
	const char *last;
	u32 last_len;

	u32 links;
	u32 depth;
	struct walk_saved stack[WALK_LINKS_MAX];
	/* The link whose text the outermost name is now. */
	struct walk_saved tail;
};

/* Starts at dfd or the root; rcu: enters an RCU section. 0 or -Exxx. */
int walk_begin(struct walk *w, int dfd, const char *name, bool rcu);
/* Ends the section or puts the references, whatever happened. */
void walk_end(struct walk *w);
/* Goes to the directory of the last component of name. */
int walk_parent(struct walk *w, const char *name);
/*
 * Steps into the last component. A link to be followed: *next is the text to go
 * on with (walk_parent again), else NULL.
 */
int walk_last(struct walk *w, const char **next, bool follow);
/* To the end of name, links followed as ->flags say. */
int walk_all(struct walk *w, const char *name);
/* Leaves the RCU section with references of where we are: 0 or -EWALK. */
int walk_unlazy(struct walk *w);
/* May a cached dentry be used? (dentry_ops.valid) */
bool dentry_valid(struct dentry *d);
/* Moves the references to *out. */
int walk_take(struct walk *w, struct path *out);

#endif
