/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists, against arrays. */
#include "lib/list.h"
#include "lib/test.h"

#define N 8

struct item {
	int value;
	struct list link;
	struct hnode node;
};

static struct item items[N];

/* The values in the list as decimal digits; -1 unless the way back agrees. */
static long
digits(const struct list *head)
{
	struct item *it;
	long forward = 0, backward = 0, scale = 1;

	list_for_each_entry(it, head, link)
		forward = forward * 10 + it->value;
	list_for_each_entry_reverse(it, head, link) {
		backward += it->value * scale;
		scale *= 10;
	}
	return forward == backward ? forward : -1;
}

static void
fill(struct list *head, int n)
{
	list_init(head);
	for (int i = 0; i < n; i++) {
		items[i].value = i + 1;
		list_add_tail(&items[i].link, head);
	}
}

TEST(list_add_and_delete)
{
	struct list head = LIST_INIT(head);

	EXPECT(list_empty(&head));
	EXPECT(list_first_or_null(&head, struct item, link) == NULL);
	EXPECT(list_last_or_null(&head, struct item, link) == NULL);
	fill(&head, 3);
	EXPECT_EQ(digits(&head), 123);
	EXPECT_EQ(list_count(&head), 3);
	EXPECT_EQ(list_first(&head, struct item, link)->value, 1);
	EXPECT_EQ(list_last(&head, struct item, link)->value, 3);
	EXPECT_EQ(list_first_or_null(&head, struct item, link)->value, 1);
	EXPECT(list_is_first(&items[0].link, &head));
	EXPECT(list_is_last(&items[2].link, &head));
	EXPECT(!list_is_last(&items[1].link, &head));
	items[3].value = 4;
	list_add(&items[3].link, &head);
	EXPECT_EQ(digits(&head), 4123);
	list_del(&items[0].link);
	EXPECT_EQ(digits(&head), 423);
	EXPECT(items[0].link.next == LIST_POISON_NEXT);
	EXPECT(items[0].link.prev == LIST_POISON_PREV);
	list_del_init(&items[3].link);
	EXPECT(list_empty(&items[3].link));
	list_replace(&items[1].link, &items[3].link);
	EXPECT_EQ(digits(&head), 43);
	EXPECT(!list_is_singular(&head));
	list_del(&items[3].link);
	EXPECT(list_is_singular(&head));
	list_del(&items[2].link);
	EXPECT(list_empty(&head));
	EXPECT(!list_is_singular(&head));
}

TEST(list_move_and_splice)
{
	struct list head, other;

	fill(&head, 4);
	list_init(&other);
	list_move(&items[2].link, &head);
	EXPECT_EQ(digits(&head), 3124);
	list_move_tail(&items[2].link, &head);
	EXPECT_EQ(digits(&head), 1243);
	list_splice_init(&other, &head);
	EXPECT_EQ(digits(&head), 1243);
	list_splice_init(&head, &other);
	EXPECT(list_empty(&head));
	EXPECT_EQ(digits(&other), 1243);
	list_move(&items[0].link, &head);
	list_splice_init(&other, &head);
	EXPECT_EQ(digits(&head), 2431);
	list_move(&items[0].link, &other);
	list_splice_tail_init(&other, &head);
	EXPECT_EQ(digits(&head), 2431);
	list_cut_before(&other, &head, &items[2].link);
	EXPECT_EQ(digits(&other), 24);
	EXPECT_EQ(digits(&head), 31);
	list_init(&other);
	list_cut_before(&other, &head, head.next);
	EXPECT(list_empty(&other));
	list_cut_before(&other, &head, &head);
	EXPECT_EQ(digits(&other), 31);
	EXPECT(list_empty(&head));
}

TEST(list_iterators)
{
	struct list head;
	struct list *p, *tmp;
	struct item *it, *next;
	int n = 0;

	fill(&head, 5);
	list_for_each(p, &head)
		n += list_entry(p, struct item, link)->value;
	EXPECT_EQ(n, 15);
	list_for_each_entry_safe(it, next, &head, link) {
		if (it->value % 2 == 0)
			list_del(&it->link);
	}
	EXPECT_EQ(digits(&head), 135);
	list_for_each_safe(p, tmp, &head) {
		if (list_entry(p, struct item, link)->value == 3)
			list_del(p);
	}
	EXPECT_EQ(digits(&head), 15);
	list_for_each_entry_safe_reverse(it, next, &head, link)
		list_del(&it->link);
	EXPECT(list_empty(&head));
	fill(&head, 4);
	it = &items[1];
	n = 0;
	list_for_each_entry_continue(it, &head, link)
		n = n * 10 + it->value;
	EXPECT_EQ(n, 34);
	it = &items[1];
	n = 0;
	list_for_each_entry_from(it, &head, link)
		n = n * 10 + it->value;
	EXPECT_EQ(n, 234);
	EXPECT_EQ(list_next_entry(&items[0], link)->value, 2);
	EXPECT_EQ(list_prev_entry(&items[1], link)->value, 1);
}

TEST(list_rcu_variants)
{
	struct list head = LIST_INIT(head);
	struct item *it;
	long n = 0;

	EXPECT(list_first_or_null_rcu(&head, struct item, link) == NULL);
	for (int i = 0; i < 3; i++) {
		items[i].value = i + 1;
		list_add_tail_rcu(&items[i].link, &head);
	}
	items[3].value = 4;
	list_add_rcu(&items[3].link, &head);
	EXPECT_EQ(digits(&head), 4123);
	EXPECT_EQ(list_first_or_null_rcu(&head, struct item, link)->value, 4);
	/* A reader on a deleted entry goes on to the rest. */
	list_for_each_entry_rcu(it, &head, link) {
		n = n * 10 + it->value;
		if (it->value == 1)
			list_del_rcu(&it->link);
	}
	EXPECT_EQ(n, 4123);
	EXPECT_EQ(digits(&head), 423);
	EXPECT(items[0].link.prev == LIST_POISON_PREV);
	list_replace_rcu(&items[1].link, &items[0].link);
	EXPECT_EQ(digits(&head), 413);
	EXPECT_EQ(list_next_entry(&items[1], link)->value, 3);
}

static long
hdigits(const struct hlist *head)
{
	struct item *it;
	struct hnode *const *at = &head->first;
	long n = 0;

	hlist_for_each_entry(it, head, node) {
		n = n * 10 + it->value;
		if (it->node.pprev != at)
			return -1;
		at = &it->node.next;
	}
	return n;
}

TEST(hlist_all)
{
	struct hlist head = HLIST_INIT;
	struct hnode *tmp;
	struct item *it;

	for (int i = 0; i < N; i++) {
		items[i].value = i + 1;
		hnode_init(&items[i].node);
		EXPECT(!hnode_linked(&items[i].node));
	}
	EXPECT(hlist_empty(&head));
	EXPECT_EQ(hdigits(&head), 0);
	hlist_add(&items[0].node, &head);
	hlist_add(&items[1].node, &head);
	hlist_add(&items[2].node, &head);
	EXPECT_EQ(hdigits(&head), 321);
	hlist_add_behind(&items[3].node, &items[1].node);
	hlist_add_behind(&items[4].node, &items[0].node);
	EXPECT_EQ(hdigits(&head), 32415);
	hlist_del(&items[2].node);
	EXPECT_EQ(hdigits(&head), 2415);
	EXPECT(!hnode_linked(&items[2].node));
	EXPECT(items[2].node.next == HLIST_POISON_NEXT);
	hlist_del_init(&items[4].node);
	EXPECT_EQ(hdigits(&head), 241);
	hlist_del_init(&items[4].node);
	EXPECT(!hnode_linked(&items[4].node));
	hlist_for_each_entry_safe(it, tmp, &head, node) {
		if (it->value != 4)
			hlist_del(&it->node);
	}
	EXPECT_EQ(hdigits(&head), 4);
	EXPECT(hnode_linked(&items[3].node));
}

TEST(hlist_rcu_variants)
{
	struct hlist head = HLIST_INIT;
	struct item *it;
	long n = 0;

	for (int i = 0; i < 3; i++) {
		items[i].value = i + 1;
		hlist_add_rcu(&items[i].node, &head);
	}
	hlist_add_behind_rcu(&items[3].node, &items[1].node);
	items[3].value = 4;
	EXPECT_EQ(hdigits(&head), 3241);
	hlist_for_each_entry_rcu(it, &head, node) {
		n = n * 10 + it->value;
		if (it->value == 2)
			hlist_del_rcu(&it->node);
		if (it->value == 4)
			hlist_del_init_rcu(&it->node);
	}
	EXPECT_EQ(n, 3241);
	EXPECT_EQ(hdigits(&head), 31);
	EXPECT(!hnode_linked(&items[1].node));
	EXPECT(!hnode_linked(&items[3].node));
	hlist_del_init_rcu(&items[3].node);
	EXPECT_EQ(hdigits(&head), 31);
}
