/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intrusive lists: circular doubly linked (struct list) and with a one-word
 * head for hash tables (struct hlist).
 *
 * Model: a struct list is a head or a member, never both. An empty head, and
 * a member after list_del_init, point at themselves. A struct hnode knows the
 * address of the pointer that points at it, so that it can be removed without
 * its head; pprev == NULL means that it is in no list.
 *
 * Ownership: the list stores no reference. Whoever adds an entry keeps it
 * alive until it is deleted and, for RCU lists, a grace period more.
 *
 * Locking: the caller's. Writers exclude one another in all variants; the
 * _rcu variants allow readers inside a read section at the same time.
 *
 * The links of members and heads that are in use change by WRITE_ONCE: some look at
 * one without the lock (list_empty(), a waiter that asks whether it has been taken off).
 *
 * Ordering:
 *      list_add_rcu                    list_for_each_entry_rcu
 *      entry's fields are written      pointer is loaded (acquire)
 *      pointer is stored (release)     entry's fields are read
 *
 * A deleted member is poisoned: following its pointers faults at a
 * non-canonical address. The _rcu deletes leave the forward pointer alone,
 * since a reader may be standing on the entry.
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include "lib/types.h"

struct list {
	struct list *next;
	struct list *prev;
};

struct hnode {
	struct hnode *next;
	struct hnode **pprev;
};

struct hlist {
	struct hnode *first;
};

#define LIST_POISON_NEXT ((struct list *)0xdead000000000100UL)
#define LIST_POISON_PREV ((struct list *)0xdead000000000122UL)
#define HLIST_POISON_NEXT ((struct hnode *)0xdead000000000200UL)
#define HLIST_POISON_PPREV ((struct hnode **)0xdead000000000222UL)

#define LIST_INIT(name)                                                                            \
	{                                                                                          \
		&(name), &(name)                                                                   \
	}
#define HLIST_INIT                                                                                 \
	{                                                                                          \
		NULL                                                                               \
	}

/* Makes an empty head, or a member that list_empty() calls unlinked. */
static inline void
list_init(struct list *head)
{
	WRITE_ONCE(head->next, head);
	WRITE_ONCE(head->prev, head);
}

static inline void
list_link_between(struct list *node, struct list *prev, struct list *next)
{
	node->next = next;
	node->prev = prev;
	WRITE_ONCE(next->prev, node);
	WRITE_ONCE(prev->next, node);
}

/* Adds node as the first member of head (or behind a member). */
static inline void
list_add(struct list *node, struct list *head)
{
	list_link_between(node, head, head->next);
}

/* Adds node as the last member of head (or before a member). */
static inline void
list_add_tail(struct list *node, struct list *head)
{
	list_link_between(node, head->prev, head);
}

static inline void
list_unlink(struct list *node)
{
	WRITE_ONCE(node->next->prev, node->prev);
	WRITE_ONCE(node->prev->next, node->next);
}

static inline void
list_del(struct list *node)
{
	list_unlink(node);
	node->next = LIST_POISON_NEXT;
	node->prev = LIST_POISON_PREV;
}

/* Deletes and leaves node so that list_empty(node) is true. */
static inline void
list_del_init(struct list *node)
{
	list_unlink(node);
	list_init(node);
}

/* Puts node where old was; old is poisoned. */
static inline void
list_replace(struct list *old, struct list *node)
{
	list_link_between(node, old->prev, old->next);
	old->next = LIST_POISON_NEXT;
	old->prev = LIST_POISON_PREV;
}

static inline void
list_move(struct list *node, struct list *head)
{
	list_unlink(node);
	list_add(node, head);
}

static inline void
list_move_tail(struct list *node, struct list *head)
{
	list_unlink(node);
	list_add_tail(node, head);
}

static inline bool
list_empty(const struct list *head)
{
	return READ_ONCE(head->next) == head;
}

static inline bool
list_is_singular(const struct list *head)
{
	return head->next != head && head->next == head->prev;
}

static inline bool
list_is_first(const struct list *node, const struct list *head)
{
	return node->prev == head;
}

static inline bool
list_is_last(const struct list *node, const struct list *head)
{
	return node->next == head;
}

static inline size_t
list_count(const struct list *head)
{
	size_t n = 0;

	for (const struct list *p = head->next; p != head; p = p->next)
		n++;
	return n;
}

static inline void
list_splice_between(struct list *from, struct list *prev, struct list *next)
{
	struct list *first = from->next;
	struct list *last = from->prev;

	if (first == from)
		return;
	WRITE_ONCE(first->prev, prev);
	WRITE_ONCE(last->next, next);
	WRITE_ONCE(prev->next, first);
	WRITE_ONCE(next->prev, last);
	list_init(from);
}

/* Moves all members of from to the front of head; from becomes empty. */
static inline void
list_splice_init(struct list *from, struct list *head)
{
	list_splice_between(from, head, head->next);
}

/* Moves all members of from to the end of head; from becomes empty. */
static inline void
list_splice_tail_init(struct list *from, struct list *head)
{
	list_splice_between(from, head->prev, head);
}

/* Moves the members before node (node not included) from head to the empty list to. */
static inline void
list_cut_before(struct list *to, struct list *head, struct list *node)
{
	if (head->next == node) {
		list_init(to);
		return;
	}
	to->next = head->next;
	to->prev = node->prev;
	WRITE_ONCE(to->next->prev, to);
	WRITE_ONCE(to->prev->next, to);
	WRITE_ONCE(head->next, node);
	WRITE_ONCE(node->prev, head);
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)

/* The head must not be empty. */
#define list_first(head, type, member) list_entry((head)->next, type, member)
#define list_last(head, type, member) list_entry((head)->prev, type, member)

#define list_first_or_null(head, type, member)                                                     \
	({                                                                                         \
		struct list *_lf_head = (head);                                                    \
		struct list *_lf_first = READ_ONCE(_lf_head->next);                                \
		_lf_first == _lf_head ? NULL : list_entry(_lf_first, type, member);                \
	})
#define list_last_or_null(head, type, member)                                                      \
	({                                                                                         \
		struct list *_ll_head = (head);                                                    \
		struct list *_ll_last = READ_ONCE(_ll_head->prev);                                 \
		_ll_last == _ll_head ? NULL : list_entry(_ll_last, type, member);                  \
	})

/*
 * The member of what pos points to. At the end of a walk pos is what the head would lie in if it
 * were a member: an address that need not suit the type, through which nothing may be reached.
 */
#define list_link(pos, member)                                                                     \
	((struct list *)((unsigned long)(pos) + offsetof(__typeof__(*(pos)), member)))
#define list_next_entry(pos, member)                                                               \
	list_entry(list_link(pos, member)->next, __typeof__(*(pos)), member)
#define list_prev_entry(pos, member)                                                               \
	list_entry(list_link(pos, member)->prev, __typeof__(*(pos)), member)

#define list_for_each(pos, head) for (pos = (head)->next; pos != (head); pos = pos->next)

#define list_for_each_safe(pos, tmp, head)                                                         \
	for (pos = (head)->next, tmp = pos->next; pos != (head); pos = tmp, tmp = pos->next)

#define list_for_each_entry(pos, head, member)                                                     \
	for (pos = list_entry((head)->next, __typeof__(*pos), member);                             \
	     list_link(pos, member) != (head); pos = list_next_entry(pos, member))

#define list_for_each_entry_reverse(pos, head, member)                                             \
	for (pos = list_entry((head)->prev, __typeof__(*pos), member);                             \
	     list_link(pos, member) != (head); pos = list_prev_entry(pos, member))

/* The body may delete pos. */
#define list_for_each_entry_safe(pos, tmp, head, member)                                           \
	for (pos = list_entry((head)->next, __typeof__(*pos), member),                             \
	    tmp = list_next_entry(pos, member);                                                    \
	     list_link(pos, member) != (head); pos = tmp, tmp = list_next_entry(tmp, member))

#define list_for_each_entry_safe_reverse(pos, tmp, head, member)                                   \
	for (pos = list_entry((head)->prev, __typeof__(*pos), member),                             \
	    tmp = list_prev_entry(pos, member);                                                    \
	     list_link(pos, member) != (head); pos = tmp, tmp = list_prev_entry(tmp, member))

/* Goes on behind pos, which is a member. */
#define list_for_each_entry_continue(pos, head, member)                                            \
	for (pos = list_next_entry(pos, member); list_link(pos, member) != (head);                 \
	     pos = list_next_entry(pos, member))

/* Starts at pos itself. */
#define list_for_each_entry_from(pos, head, member)                                                \
	for (; list_link(pos, member) != (head); pos = list_next_entry(pos, member))

static inline void
hlist_init(struct hlist *head)
{
	head->first = NULL;
}

static inline void
hnode_init(struct hnode *node)
{
	node->next = NULL;
	node->pprev = NULL;
}

static inline bool
hlist_empty(const struct hlist *head)
{
	return READ_ONCE(head->first) == NULL;
}

/* Whether node is in a list; it must have been initialized or added once. */
static inline bool
hnode_linked(const struct hnode *node)
{
	return node->pprev != NULL && node->pprev != HLIST_POISON_PPREV;
}

static inline void
hlist_add(struct hnode *node, struct hlist *head)
{
	struct hnode *first = head->first;

	node->next = first;
	node->pprev = &head->first;
	if (first != NULL)
		first->pprev = &node->next;
	WRITE_ONCE(head->first, node);
}

static inline void
hlist_add_behind(struct hnode *node, struct hnode *prev)
{
	node->next = prev->next;
	node->pprev = &prev->next;
	if (node->next != NULL)
		node->next->pprev = &node->next;
	WRITE_ONCE(prev->next, node);
}

static inline void
hlist_unlink(struct hnode *node)
{
	struct hnode *next = node->next;

	WRITE_ONCE(*node->pprev, next);
	if (next != NULL)
		next->pprev = node->pprev;
}

static inline void
hlist_del(struct hnode *node)
{
	hlist_unlink(node);
	node->next = HLIST_POISON_NEXT;
	node->pprev = HLIST_POISON_PPREV;
}

/* Deletes if linked; afterwards hnode_linked(node) is false. */
static inline void
hlist_del_init(struct hnode *node)
{
	if (hnode_linked(node))
		hlist_unlink(node);
	hnode_init(node);
}

#define hlist_entry(ptr, type, member) container_of(ptr, type, member)

#define hlist_entry_or_null(ptr, type, member)                                                     \
	({                                                                                         \
		struct hnode *_he_ptr = (ptr);                                                     \
		_he_ptr == NULL ? NULL : hlist_entry(_he_ptr, type, member);                       \
	})

#define hlist_for_each_entry(pos, head, member)                                                    \
	for (pos = hlist_entry_or_null((head)->first, __typeof__(*pos), member); pos != NULL;      \
	     pos = hlist_entry_or_null(pos->member.next, __typeof__(*pos), member))

/* The body may delete pos; tmp is a struct hnode pointer. */
#define hlist_for_each_entry_safe(pos, tmp, head, member)                                          \
	for (pos = hlist_entry_or_null((head)->first, __typeof__(*pos), member);                   \
	     pos != NULL && ((tmp = pos->member.next), true);                                      \
	     pos = hlist_entry_or_null(tmp, __typeof__(*pos), member))

/* The RCU variants. */

#define list_load_acquire(pp) __atomic_load_n(pp, __ATOMIC_ACQUIRE)
#define list_store_release(pp, v) __atomic_store_n(pp, v, __ATOMIC_RELEASE)

static inline void
list_link_between_rcu(struct list *node, struct list *prev, struct list *next)
{
	node->next = next;
	node->prev = prev;
	list_store_release(&prev->next, node);
	next->prev = node;
}

static inline void
list_add_rcu(struct list *node, struct list *head)
{
	list_link_between_rcu(node, head, head->next);
}

static inline void
list_add_tail_rcu(struct list *node, struct list *head)
{
	list_link_between_rcu(node, head->prev, head);
}

/* Readers may still see node until a grace period has passed. */
static inline void
list_del_rcu(struct list *node)
{
	node->next->prev = node->prev;
	WRITE_ONCE(node->prev->next, node->next);
	node->prev = LIST_POISON_PREV;
}

/* Readers see either old or node, never a gap; old lives a grace period more. */
static inline void
list_replace_rcu(struct list *old, struct list *node)
{
	list_link_between_rcu(node, old->prev, old->next);
	old->prev = LIST_POISON_PREV;
}

#define list_for_each_entry_rcu(pos, head, member)                                                 \
	for (pos = list_entry(list_load_acquire(&(head)->next), __typeof__(*pos), member);         \
	     list_link(pos, member) != (head);                                                     \
	     pos = list_entry(list_load_acquire(&list_link(pos, member)->next), __typeof__(*pos),  \
			      member))

#define list_first_or_null_rcu(head, type, member)                                                 \
	({                                                                                         \
		struct list *_lr_head = (head);                                                    \
		struct list *_lr_first = list_load_acquire(&_lr_head->next);                       \
		_lr_first == _lr_head ? NULL : list_entry(_lr_first, type, member);                \
	})

static inline void
hlist_add_rcu(struct hnode *node, struct hlist *head)
{
	struct hnode *first = head->first;

	node->next = first;
	node->pprev = &head->first;
	list_store_release(&head->first, node);
	if (first != NULL)
		first->pprev = &node->next;
}

static inline void
hlist_add_behind_rcu(struct hnode *node, struct hnode *prev)
{
	node->next = prev->next;
	node->pprev = &prev->next;
	list_store_release(&prev->next, node);
	if (node->next != NULL)
		node->next->pprev = &node->next;
}

/* Readers may still see node until a grace period has passed. */
static inline void
hlist_del_rcu(struct hnode *node)
{
	hlist_unlink(node);
	node->pprev = HLIST_POISON_PPREV;
}

/* Deletes if linked; readers go on from node; hnode_linked(node) becomes false. */
static inline void
hlist_del_init_rcu(struct hnode *node)
{
	if (!hnode_linked(node))
		return;
	hlist_unlink(node);
	WRITE_ONCE(node->pprev, NULL);
}

#define hlist_for_each_entry_rcu(pos, head, member)                                                \
	for (pos = hlist_entry_or_null(list_load_acquire(&(head)->first), __typeof__(*pos),        \
				       member);                                                    \
	     pos != NULL; pos = hlist_entry_or_null(list_load_acquire(&pos->member.next),          \
						    __typeof__(*pos), member))

#endif
