/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Propagation: shared, slave, private and unbindable mounts.
 *
 * Model: shared mounts with one ->group form a ring (->peer): what is mounted or
 * unmounted in one happens in all. A slave has a ->master: it follows the
 * master's group, not the other way round; it may be in a group of its own too.
 * prop_collect() lists all mounts that follow a first one, a group behind the one
 * that it follows, so that copies are made of copies that exist already: the first
 * copy of a group is a slave, the others are its peers. Groups and masters do not
 * end at namespaces.
 *
 * Locking: the tree lock for all of it.
 *
 * See: mount_namespaces(7).
 */
#include "fs/ids.h"
#include "fs/mount_impl.h"
#include "mm/slab.h"

#define GROUP_IDS (1u << 30)

static struct ids group_ids = IDS_INIT(group_ids, 1, GROUP_IDS);
/* Numbers the walks over groups, so that none is listed twice. */
static u64 visit;

static void
group_leave(struct mount *m)
{
	if (!m->group)
		return;
	if (list_empty(&m->peer))
		ids_free(&group_ids, m->group);
	else
		list_del_init(&m->peer);
	m->group = 0;
}

static void
set_master(struct mount *m, struct mount *master)
{
	if (m->master)
		list_del_init(&m->slave_link);
	m->master = master;
	if (master)
		list_add(&m->slave_link, &master->slaves);
}

/* m leaves its group; who followed it follows `heir` (NULL: nobody). */
static void
leave_to(struct mount *m, struct mount *heir)
{
	group_leave(m);
	while (!list_empty(&m->slaves))
		set_master(list_first(&m->slaves, struct mount, slave_link), heir);
}

static struct mount *
any_peer(struct mount *m)
{
	return list_empty(&m->peer) ? NULL : list_next_entry(m, peer);
}

void
mount_make_private(struct mount *m)
{
	leave_to(m, any_peer(m) ? any_peer(m) : m->master);
	set_master(m, NULL);
}

static void
make_slave(struct mount *m)
{
	struct mount *peer = any_peer(m);
	struct mount *master = peer ? peer : m->master;

	leave_to(m, master);
	set_master(m, master);
}

static int
make_shared(struct mount *m)
{
	s32 id;

	if (m->group)
		return 0;
	id = ids_alloc(&group_ids);
	if (id < 0)
		return id;
	m->group = id;
	return 0;
}

void
mount_clone_type(struct mount *clone, struct mount *from)
{
	if (from->group) {
		clone->group = from->group;
		list_add(&clone->peer, &from->peer);
	}
	if (from->master)
		set_master(clone, from->master);
}

static int
change_one(struct mount *m, u64 type)
{
	int err;

	if (type == MS_SHARED) {
		err = make_shared(m);
		if (!err)
			atomic_and(&m->flags, ~MOUNT_UNBINDABLE);
		return err;
	}
	if (type == MS_SLAVE)
		make_slave(m);
	else
		mount_make_private(m);
	if (type == MS_UNBINDABLE)
		atomic_or(&m->flags, MOUNT_UNBINDABLE);
	else if (type == MS_PRIVATE)
		atomic_and(&m->flags, ~MOUNT_UNBINDABLE);
	return 0;
}

int
mount_change_type(struct mount *top, u64 flags)
{
	u64 type = flags & (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE);
	bool rec = flags & MS_REC;
	int err = 0;

	for (struct mount *m = top; m && !err; m = rec ? mount_next(m, top) : NULL)
		err = change_one(m, type);
	return err;
}

int
prop_make_shared(struct mount *top)
{
	for (struct mount *m = top; m; m = mount_next(m, top)) {
		int err;

		if (m->group)
			continue;
		err = make_shared(m);
		if (err)
			return err;
		atomic_or(&m->flags, MOUNT_NEW_GROUP);
	}
	return 0;
}

void
prop_settle(struct mount *top, bool keep)
{
	for (struct mount *m = top; m; m = mount_next(m, top)) {
		if (!(m->flags & MOUNT_NEW_GROUP))
			continue;
		atomic_and(&m->flags, ~MOUNT_NEW_GROUP);
		if (!keep)
			group_leave(m);
	}
}

void
mount_set_group(struct mount *from, struct mount *to)
{
	if (from->master)
		set_master(to, from->master);
	if (from->group) {
		to->group = from->group;
		list_add(&to->peer, &from->peer);
		atomic_and(&to->flags, ~MOUNT_UNBINDABLE);
	}
}

/* --- the set of followers --- */

static int
set_add(struct prop_set *set, struct mount *m, u32 head, u32 from)
{
	if (set->n == set->room) {
		u32 room = set->room ? set->room * 2 : 8;
		struct prop_target *t = krealloc(set->t, room * sizeof(*t), GFP_KERNEL);

		if (!t)
			return -ENOMEM;
		set->t = t;
		set->room = room;
	}
	m->visited = visit;
	set->t[set->n++] = (struct prop_target){.m = m, .head = head, .from = from};
	return 0;
}

/* m, which follows the target number `from`, and its peers, unless they are there already. */
static int
add_group(struct prop_set *set, struct mount *m, u32 from)
{
	u32 head = set->n;
	struct mount *x;
	int err;

	if (m->visited == visit)
		return 0;
	err = set_add(set, m, head, from);
	if (err)
		return err;
	list_for_each_entry(x, &m->peer, peer) {
		err = set_add(set, x, head, from);
		if (err)
			return err;
	}
	return 0;
}

int
prop_collect(struct prop_set *set, struct mount *first)
{
	int err;

	visit++;
	err = add_group(set, first, 0);
	for (u32 i = 0; i < set->n && !err; i++) {
		struct mount *m = set->t[i].m;
		struct mount *x;

		list_for_each_entry(x, &m->slaves, slave_link) {
			err = add_group(set, x, i);
			if (err)
				return err;
		}
	}
	return err;
}

void
prop_free(struct prop_set *set)
{
	kfree(set->t);
	set->t = NULL;
}

/* The copies that were just made from `top` (its twins) become slaves of what they copy. */
static int
twins_to_slaves(struct mount *top, bool shared)
{
	for (struct mount *m = top; m; m = mount_next(m, top)) {
		struct mount *c = m->twin;
		int err;

		if (!c)
			continue;
		group_leave(c);
		set_master(c, m);
		err = shared ? make_shared(c) : 0;
		if (err)
			return err;
	}
	return 0;
}

/* Only in the namespace of tasks; what is being copied is in none. */
static bool
shows(const struct mount *m, const struct dentry *point)
{
	bool below;

	if (!m->ns || m->ns->anon || m->sb != point->sb)
		return false;
	rcu_read_lock();
	below = dentry_is_below(point, m->root);
	rcu_read_unlock();
	return below;
}

/* A copy for the nearest of the groups whose slaves, directly or not, those of target i are. */
static struct mount *
nearest_source(const struct prop_set *set, u32 i)
{
	const struct prop_target *h = &set->t[set->t[i].head];

	while (!h->source)
		h = &set->t[set->t[h->from].head];
	return h->source;
}

int
prop_copy(struct prop_set *set, struct mount *top, struct dentry *point)
{
	set->t[0].source = top;
	for (u32 i = 1; i < set->n; i++) {
		struct prop_target *t = &set->t[i];
		struct prop_target *h = &set->t[t->head];
		bool slave = !h->source;
		struct mount *src, *copy;
		int err;

		if (!shows(t->m, point))
			continue;
		src = slave ? nearest_source(set, h->from) : h->source;
		copy = mount_copy_tree(src, src->root, COPY_BELOW);
		if (is_err(copy))
			return ptr_err(copy);
		t->copy = copy;
		err = mount_reserve(t->m->ns, copy);
		if (err)
			return err;
		err = slave ? twins_to_slaves(src, mount_shared(t->m)) : 0;
		if (err)
			return err;
		h->source = h->source ? h->source : copy;
	}
	return 0;
}
