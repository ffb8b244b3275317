/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Red-black tree.
 *
 * Model: the root is black, a red node has no red child, and every path from
 * a node down to a missing child has the same number of black nodes. dir is 0
 * for left and 1 for right, so that each case is written once for both sides.
 *
 * The balancing code is inlined twice: without augmentation (update is a
 * constant NULL) it has no indirect call.
 *
 * See: Cormen et al., "Introduction to Algorithms", chapter on red-black trees.
 */
#include "lib/rbtree.h"

#define RB_BLACK 1UL

static inline bool
is_red(const struct rb_node *node)
{
	return node != NULL && (node->parent_color & RB_BLACK) == 0;
}

static inline void
set_black(struct rb_node *node)
{
	node->parent_color |= RB_BLACK;
}

static inline void
set_red(struct rb_node *node)
{
	node->parent_color &= ~RB_BLACK;
}

static inline void
set_parent(struct rb_node *node, struct rb_node *parent)
{
	node->parent_color = (unsigned long)parent | (node->parent_color & RB_BLACK);
}

/* Makes parent (or the root) point at node where it pointed at old. */
static inline void
change_child(struct rb_root *root, struct rb_node *parent, struct rb_node *old,
	     struct rb_node *node)
{
	if (parent == NULL)
		root->node = node;
	else
		parent->child[parent->right == old] = node;
}

/* node sinks to its side dir; its child on the other side takes its place. */
static __always_inline void
rotate(struct rb_root *root, struct rb_node *node, int dir, rb_update_fn update)
{
	struct rb_node *up = node->child[!dir];
	struct rb_node *middle = up->child[dir];
	struct rb_node *parent = rb_parent(node);

	node->child[!dir] = middle;
	if (middle != NULL)
		set_parent(middle, node);
	up->child[dir] = node;
	set_parent(up, parent);
	set_parent(node, up);
	change_child(root, parent, node, up);
	if (update != NULL) {
		update(node);
		update(up);
	}
}

static __always_inline void
insert_balance(struct rb_node *node, struct rb_root *root, rb_update_fn update)
{
	struct rb_node *parent;

	while (parent = rb_parent(node), is_red(parent)) {
		struct rb_node *grand = rb_parent(parent);
		int dir = grand->right == parent;
		struct rb_node *uncle = grand->child[!dir];

		if (is_red(uncle)) {
			set_black(parent);
			set_black(uncle);
			set_red(grand);
			node = grand;
			continue;
		}
		if (parent->child[!dir] == node) {
			rotate(root, parent, dir, update);
			parent = node;
		}
		set_black(parent);
		set_red(grand);
		rotate(root, grand, !dir, update);
		break;
	}
	set_black(root->node);
}

/*
 * The paths through parent's child node (which may be NULL) have lost one
 * black node: gives it back.
 */
static __always_inline void
erase_balance(struct rb_node *node, struct rb_node *parent, struct rb_root *root,
	      rb_update_fn update)
{
	while (parent != NULL && !is_red(node)) {
		int dir = parent->left != node;
		struct rb_node *sibling = parent->child[!dir];

		if (is_red(sibling)) {
			set_black(sibling);
			set_red(parent);
			rotate(root, parent, dir, update);
			sibling = parent->child[!dir];
		}
		if (!is_red(sibling->left) && !is_red(sibling->right)) {
			set_red(sibling);
			node = parent;
			parent = rb_parent(node);
			continue;
		}
		if (!is_red(sibling->child[!dir])) {
			set_black(sibling->child[dir]);
			set_red(sibling);
			rotate(root, sibling, !dir, update);
			sibling = parent->child[!dir];
		}
		sibling->parent_color =
			(sibling->parent_color & ~RB_BLACK) | (parent->parent_color & RB_BLACK);
		set_black(parent);
		set_black(sibling->child[!dir]);
		rotate(root, parent, dir, update);
		return;
	}
	if (node != NULL)
		set_black(node);
}

static __always_inline void
update_up(struct rb_node *node, rb_update_fn update)
{
	while (node != NULL && update(node))
		node = rb_parent(node);
}

/* Recomputes from node up to last in any case, then for as long as it matters. */
static __always_inline void
update_through(struct rb_node *node, struct rb_node *last, rb_update_fn update)
{
	for (; node != last; node = rb_parent(node))
		update(node);
	update(last);
	update_up(rb_parent(last), update);
}

/* Puts node's successor, which has no left child, into node's place. */
static __always_inline void
erase_with_two_children(struct rb_node *node, struct rb_root *root, rb_update_fn update)
{
	struct rb_node *heir = node->right;
	struct rb_node *child;
	struct rb_node *parent;
	bool lost_black;

	while (heir->left != NULL)
		heir = heir->left;
	child = heir->right;
	parent = rb_parent(heir);
	lost_black = !is_red(heir);

	if (parent == node) {
		parent = heir;
	} else {
		parent->left = child;
		if (child != NULL)
			set_parent(child, parent);
		heir->right = node->right;
		set_parent(heir->right, heir);
	}
	heir->left = node->left;
	set_parent(heir->left, heir);
	heir->parent_color = node->parent_color;
	change_child(root, rb_parent(node), node, heir);

	if (update != NULL)
		update_through(parent, heir, update);
	if (lost_black)
		erase_balance(child, parent, root, update);
}

static __always_inline void
erase(struct rb_node *node, struct rb_root *root, rb_update_fn update)
{
	struct rb_node *child;
	struct rb_node *parent;

	if (node->left != NULL && node->right != NULL) {
		erase_with_two_children(node, root, update);
		return;
	}
	child = node->left != NULL ? node->left : node->right;
	parent = rb_parent(node);
	if (child != NULL)
		set_parent(child, parent);
	change_child(root, parent, node, child);
	if (update != NULL)
		update_up(parent, update);
	if (!is_red(node))
		erase_balance(child, parent, root, update);
}

void
rb_insert(struct rb_node *node, struct rb_root *root)
{
	insert_balance(node, root, NULL);
}

void
rb_erase(struct rb_node *node, struct rb_root *root)
{
	erase(node, root, NULL);
}

void
rb_insert_augmented(struct rb_node *node, struct rb_root *root, rb_update_fn update)
{
	update(node);
	update_up(rb_parent(node), update);
	insert_balance(node, root, update);
}

void
rb_erase_augmented(struct rb_node *node, struct rb_root *root, rb_update_fn update)
{
	erase(node, root, update);
}

void
rb_update_path(struct rb_node *node, rb_update_fn update)
{
	update_up(node, update);
}

void
rb_insert_cached(struct rb_node *node, struct rb_root_cached *root, bool leftmost)
{
	if (leftmost)
		root->leftmost = node;
	rb_insert(node, &root->root);
}

void
rb_erase_cached(struct rb_node *node, struct rb_root_cached *root)
{
	if (root->leftmost == node)
		root->leftmost = rb_next(node);
	rb_erase(node, &root->root);
}

void
rb_insert_augmented_cached(struct rb_node *node, struct rb_root_cached *root, bool leftmost,
			   rb_update_fn update)
{
	if (leftmost)
		root->leftmost = node;
	rb_insert_augmented(node, &root->root, update);
}

void
rb_erase_augmented_cached(struct rb_node *node, struct rb_root_cached *root, rb_update_fn update)
{
	if (root->leftmost == node)
		root->leftmost = rb_next(node);
	rb_erase_augmented(node, &root->root, update);
}

static struct rb_node *
far_end(const struct rb_root *root, int dir)
{
	struct rb_node *node = root->node;

	if (node == NULL)
		return NULL;
	while (node->child[dir] != NULL)
		node = node->child[dir];
	return node;
}

struct rb_node *
rb_first(const struct rb_root *root)
{
	return far_end(root, 0);
}

struct rb_node *
rb_last(const struct rb_root *root)
{
	return far_end(root, 1);
}

/* The neighbour of node on its side dir. */
static struct rb_node *
neighbour(const struct rb_node *node, int dir)
{
	struct rb_node *next = node->child[dir];

	if (next != NULL) {
		while (next->child[!dir] != NULL)
			next = next->child[!dir];
		return next;
	}
	next = rb_parent(node);
	while (next != NULL && next->child[dir] == node) {
		node = next;
		next = rb_parent(node);
	}
	return next;
}

struct rb_node *
rb_next(const struct rb_node *node)
{
	return neighbour(node, 1);
}

struct rb_node *
rb_prev(const struct rb_node *node)
{
	return neighbour(node, 0);
}

/* The node of node's subtree whose turn comes first in postorder. */
static struct rb_node *
deepest_left(struct rb_node *node)
{
	for (;;) {
		if (node->left != NULL)
			node = node->left;
		else if (node->right != NULL)
			node = node->right;
		else
			return node;
	}
}

struct rb_node *
rb_first_postorder(const struct rb_root *root)
{
	return root->node == NULL ? NULL : deepest_left(root->node);
}

struct rb_node *
rb_next_postorder(const struct rb_node *node)
{
	struct rb_node *parent = rb_parent(node);

	if (parent != NULL && parent->left == node && parent->right != NULL)
		return deepest_left(parent->right);
	return parent;
}

void
rb_replace(struct rb_node *old, struct rb_node *node, struct rb_root *root)
{
	*node = *old;
	change_child(root, rb_parent(old), old, node);
	if (node->left != NULL)
		set_parent(node->left, node);
	if (node->right != NULL)
		set_parent(node->right, node);
}
