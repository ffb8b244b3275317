/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intrusive red-black tree, with an optional leftmost cache and optional
 * data kept per subtree (augmentation).
 *
 * Model: the caller walks down by its own key, links the new node at the leaf
 * it found (rb_link) and lets the tree balance itself (rb_insert). The colour
 * lives in bit 0 of the parent word: 1 is black. A node that is in no tree
 * has its own address as parent (rb_clear, rb_linked).
 *
 *      struct rb_node **link = &root->node, *parent = NULL;
 *
 *      while (*link != NULL) {
 *              parent = *link;
 *              link = new->key < key_of(parent) ? &parent->left : &parent->right;
 *      }
 *      rb_link(&new->node, parent, link);
 *      rb_insert(&new->node, root);
 *
 * Augmentation: update(node) recomputes what node stores about its subtree
 * from node itself and its two children, and returns whether it changed. It
 * is called bottom-up after every change; the walk up stops when it returns
 * false.
 *
 * Locking: the caller's, for readers too.
 */
#ifndef LIB_RBTREE_H
#define LIB_RBTREE_H

#include "lib/types.h"

struct rb_node {
	unsigned long parent_color;
	union {
		struct {
			struct rb_node *left;
			struct rb_node *right;
		};
		struct rb_node *child[2];
	};
} __aligned(sizeof(long));

struct rb_root {
	struct rb_node *node;
};

struct rb_root_cached {
	struct rb_root root;
	struct rb_node *leftmost;
};

typedef bool (*rb_update_fn)(struct rb_node *node);

#define RB_ROOT                                                                                    \
	(struct rb_root)                                                                           \
	{                                                                                          \
		NULL                                                                               \
	}
#define RB_ROOT_CACHED                                                                             \
	(struct rb_root_cached)                                                                    \
	{                                                                                          \
		{NULL}, NULL                                                                       \
	}

#define rb_entry(ptr, type, member) container_of(ptr, type, member)

#define rb_entry_or_null(ptr, type, member)                                                        \
	({                                                                                         \
		struct rb_node *_rb_ptr = (ptr);                                                   \
		_rb_ptr == NULL ? NULL : rb_entry(_rb_ptr, type, member);                          \
	})

static inline struct rb_node *
rb_parent(const struct rb_node *node)
{
	return (struct rb_node *)(node->parent_color & ~3UL);
}

static inline bool
rb_empty(const struct rb_root *root)
{
	return root->node == NULL;
}

/* Marks node as being in no tree. */
static inline void
rb_clear(struct rb_node *node)
{
	node->parent_color = (unsigned long)node;
}

/* False after rb_clear(); the erase functions do not call rb_clear(). */
static inline bool
rb_linked(const struct rb_node *node)
{
	return node->parent_color != (unsigned long)node;
}

/* Hangs node into the empty place *link below parent (NULL: the root). */
static inline void
rb_link(struct rb_node *node, struct rb_node *parent, struct rb_node **link)
{
	node->parent_color = (unsigned long)parent;
	node->left = NULL;
	node->right = NULL;
	*link = node;
}

/* Balances the tree after rb_link(). */
void rb_insert(struct rb_node *node, struct rb_root *root);

/* Takes node out of the tree. */
void rb_erase(struct rb_node *node, struct rb_root *root);

/*
 * The same with augmentation. The caller's node needs no value of its own
 * before the insert: update(node) is called first for it, then upwards.
 */
void rb_insert_augmented(struct rb_node *node, struct rb_root *root, rb_update_fn update);
void rb_erase_augmented(struct rb_node *node, struct rb_root *root, rb_update_fn update);

/* Brings the ancestors up to date after node's own contribution changed. */
void rb_update_path(struct rb_node *node, rb_update_fn update);

/* With the leftmost node cached; leftmost tells whether the walk only went left. */
void rb_insert_cached(struct rb_node *node, struct rb_root_cached *root, bool leftmost);
void rb_erase_cached(struct rb_node *node, struct rb_root_cached *root);
void rb_insert_augmented_cached(struct rb_node *node, struct rb_root_cached *root, bool leftmost,
				rb_update_fn update);
void rb_erase_augmented_cached(struct rb_node *node, struct rb_root_cached *root,
			       rb_update_fn update);

/* In key order; NULL at the ends and for an empty tree. */
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);

static inline struct rb_node *
rb_first_cached(const struct rb_root_cached *root)
{
	return root->leftmost;
}

/* Children before parents: the body may free what rb_next_postorder() left behind. */
struct rb_node *rb_first_postorder(const struct rb_root *root);
struct rb_node *rb_next_postorder(const struct rb_node *node);

/* Puts node, with an equal key, where old is. */
void rb_replace(struct rb_node *old, struct rb_node *node, struct rb_root *root);

#define rb_for_each_entry(pos, root, member)                                                       \
	for (pos = rb_entry_or_null(rb_first(root), __typeof__(*pos), member); pos != NULL;        \
	     pos = rb_entry_or_null(rb_next(&pos->member), __typeof__(*pos), member))

/* The body may free pos but must not rebalance the tree. */
#define rb_for_each_entry_postorder_safe(pos, tmp, root, member)                                   \
	for (pos = rb_entry_or_null(rb_first_postorder(root), __typeof__(*pos), member);           \
	     pos != NULL &&                                                                        \
	     ((tmp = rb_entry_or_null(rb_next_postorder(&pos->member), __typeof__(*pos), member)), \
	      true);                                                                               \
	     pos = tmp)

#endif
