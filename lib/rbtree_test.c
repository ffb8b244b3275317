/* SPDX-License-Identifier: BSD-2-Clause */
/* Red-black trees: random inserts and erases, all invariants checked each time. */
#include "lib/rbtree.h"
#include "lib/test.h"

#define N 64
#define ROUNDS 4000

struct item {
	struct rb_node node;
	unsigned int key;
	/* Augmentation: the smallest weight in the subtree. */
	unsigned int weight;
	unsigned int min_weight;
	bool in_tree;
};

static struct item items[N];

static struct item *
item_of(struct rb_node *node)
{
	return rb_entry(node, struct item, node);
}

static unsigned int
subtree_min(struct rb_node *node)
{
	return node == NULL ? ~0U : item_of(node)->min_weight;
}

static bool
update(struct rb_node *node)
{
	struct item *it = item_of(node);
	unsigned int m = min(it->weight, min(subtree_min(node->left), subtree_min(node->right)));

	if (m == it->min_weight)
		return false;
	it->min_weight = m;
	return true;
}

static bool
is_black(const struct rb_node *node)
{
	return node == NULL || (node->parent_color & 1) != 0;
}

/* Black height of the subtree, or -1 when something is wrong in it. */
static int
check_subtree(struct rb_node *node, struct rb_node *parent, bool augmented)
{
	int left, right;

	if (node == NULL)
		return 0;
	if (rb_parent(node) != parent)
		return -1;
	if (!is_black(node) && !is_black(parent))
		return -1;
	if (node->left != NULL && item_of(node->left)->key > item_of(node)->key)
		return -1;
	if (node->right != NULL && item_of(node->right)->key < item_of(node)->key)
		return -1;
	left = check_subtree(node->left, node, augmented);
	right = check_subtree(node->right, node, augmented);
	if (left < 0 || left != right)
		return -1;
	if (augmented && update(node))
		return -1;
	return left + is_black(node);
}

static bool
tree_is_sound(struct rb_root *root, bool augmented)
{
	return is_black(root->node) && check_subtree(root->node, NULL, augmented) >= 0;
}

/* Links it by key; returns whether it became the leftmost. */
static bool
link_item(struct item *it, struct rb_root *root)
{
	struct rb_node **link = &root->node;
	struct rb_node *parent = NULL;
	bool leftmost = true;

	while (*link != NULL) {
		parent = *link;
		if (it->key < item_of(parent)->key) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	rb_link(&it->node, parent, link);
	return leftmost;
}

/* Walks both ways; the keys must be sorted and all items seen. */
static bool
walk_is_sound(struct rb_root *root, unsigned int count)
{
	struct rb_node *node, *last = NULL;
	unsigned int n = 0;

	for (node = rb_first(root); node != NULL; node = rb_next(node)) {
		if (last != NULL && item_of(last)->key > item_of(node)->key)
			return false;
		if (rb_prev(node) != last)
			return false;
		last = node;
		n++;
	}
	return n == count && rb_last(root) == last;
}

static void
reset_items(u64 *seed)
{
	for (int i = 0; i < N; i++) {
		items[i].key = (unsigned int)(test_rand(seed) % 40);
		items[i].weight = (unsigned int)(test_rand(seed) % 1000);
		items[i].min_weight = ~0U;
		items[i].in_tree = false;
		rb_clear(&items[i].node);
	}
}

TEST(rbtree_random)
{
	struct rb_root root = RB_ROOT;
	unsigned int count = 0;
	u64 seed = 1;

	reset_items(&seed);
	EXPECT(rb_empty(&root));
	EXPECT(rb_first(&root) == NULL && rb_last(&root) == NULL);
	for (int i = 0; i < ROUNDS; i++) {
		struct item *it = &items[test_rand(&seed) % N];

		EXPECT_EQ(rb_linked(&it->node), it->in_tree);
		if (it->in_tree) {
			rb_erase(&it->node, &root);
			rb_clear(&it->node);
			count--;
		} else {
			link_item(it, &root);
			rb_insert(&it->node, &root);
			count++;
		}
		it->in_tree = !it->in_tree;
		ASSERT_TRUE(tree_is_sound(&root, false));
		ASSERT_TRUE(walk_is_sound(&root, count));
	}
}

TEST(rbtree_augmented_cached)
{
	struct rb_root_cached root = RB_ROOT_CACHED;
	u64 seed = 2;

	reset_items(&seed);
	for (int i = 0; i < ROUNDS; i++) {
		struct item *it = &items[test_rand(&seed) % N];
		u64 what = test_rand(&seed) % 4;

		if (it->in_tree && what == 0) {
			it->weight = (unsigned int)(test_rand(&seed) % 1000);
			rb_update_path(&it->node, update);
		} else if (it->in_tree) {
			rb_erase_augmented_cached(&it->node, &root, update);
			it->in_tree = false;
		} else {
			it->min_weight = (unsigned int)(test_rand(&seed) % 1000);
			rb_insert_augmented_cached(&it->node, &root, link_item(it, &root.root),
						   update);
			it->in_tree = true;
		}
		ASSERT_TRUE(tree_is_sound(&root.root, true));
		ASSERT_TRUE(rb_first_cached(&root) == rb_first(&root.root));
	}
}

TEST(rbtree_cached)
{
	struct rb_root_cached root = RB_ROOT_CACHED;
	u64 seed = 3;

	reset_items(&seed);
	for (int i = 0; i < N; i++) {
		rb_insert_cached(&items[i].node, &root, link_item(&items[i], &root.root));
		ASSERT_TRUE(rb_first_cached(&root) == rb_first(&root.root));
	}
	for (int i = 0; i < N; i++) {
		rb_erase_cached(rb_first_cached(&root), &root);
		ASSERT_TRUE(rb_first_cached(&root) == rb_first(&root.root));
		ASSERT_TRUE(tree_is_sound(&root.root, false));
	}
	EXPECT(rb_first_cached(&root) == NULL);
	EXPECT(rb_empty(&root.root));
}

TEST(rbtree_ascending_and_descending)
{
	for (int down = 0; down < 2; down++) {
		struct rb_root root = RB_ROOT;

		for (unsigned int i = 0; i < N; i++) {
			items[i].key = down ? N - i : i;
			link_item(&items[i], &root);
			rb_insert(&items[i].node, &root);
			ASSERT_TRUE(tree_is_sound(&root, false));
		}
		for (int i = 0; i < N; i++) {
			rb_erase(rb_first(&root), &root);
			ASSERT_TRUE(tree_is_sound(&root, false));
		}
	}
}

TEST(rbtree_replace_and_postorder)
{
	struct rb_root root = RB_ROOT;
	struct item other;
	struct item *it, *tmp;
	unsigned int n = 0;
	u64 seed = 5;

	reset_items(&seed);
	for (int i = 0; i < N; i++) {
		link_item(&items[i], &root);
		rb_insert(&items[i].node, &root);
	}
	for (int i = 0; i < N; i++) {
		other.key = items[i].key;
		rb_replace(&items[i].node, &other.node, &root);
		ASSERT_TRUE(tree_is_sound(&root, false));
		rb_replace(&other.node, &items[i].node, &root);
	}
	rb_for_each_entry(it, &root, node)
		n++;
	EXPECT_EQ(n, N);
	n = 0;
	rb_for_each_entry_postorder_safe(it, tmp, &root, node) {
		/* Both children were visited, and wrecked, before. */
		EXPECT(it->node.left == NULL || item_of(it->node.left)->key == ~0U);
		EXPECT(it->node.right == NULL || item_of(it->node.right)->key == ~0U);
		it->key = ~0U;
		n++;
	}
	EXPECT_EQ(n, N);
	root = RB_ROOT;
	EXPECT(rb_first_postorder(&root) == NULL);
}
