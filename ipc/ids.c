/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers, keys and permissions of System V objects. (ipc_impl.h tells the model.) */
#include "ipc/ipc_impl.h"

#include "arch/x86_64/asm/atomic.h"
#include "kernel/seq.h"
#include "kernel/task/task.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/capability.h"
#include "lib/errno.h"
#include "lib/hash.h"
#include "lib/parse.h"
#include "mm/slab.h"

#define PERM_BITS 0777u
/* Indexes go round over at least so many, so that an id does not come back at once. */
#define CYCLE_MIN 64u
#define SEQUENCE_MAX (1u << (31 - IPC_INDEX_BITS))
#define ID_UNSET U32_MAX

__maybe_unused static LOCK_CLASS(ipc_class, RANK_IPC);

/* --- objects --- */

s64
ipc_now(void)
{
	return (s64)(ktime_get_real() / NSEC_PER_SEC);
}

s32
ipc_pid(void)
{
	return current->process->tgid;
}

void
ipc_init(struct ipc_object *o, const struct ipc_request *r)
{
	const struct cred *c = current_cred();

	spin_init(&o->lock, &ipc_class);
	o->key = r->key;
	o->cuid = o->uid = c->euid;
	o->cgid = o->gid = c->egid;
	o->mode = r->flags & PERM_BITS;
	o->refs = 1;
}

static void
free_rcu(struct rcu_head *h)
{
	struct ipc_object *o = container_of(h, struct ipc_object, rcu);

	o->free(o);
}

void
ipc_put(struct ipc_object *o)
{
	if (atomic_dec_and_test(&o->refs))
		rcu_call(&o->rcu, free_rcu);
}

/* --- permissions --- */

int
ipc_permission(const struct ipc_object *o, u32 flags)
{
	const struct cred *c = current_cred();
	u32 want = (flags >> 6 | flags >> 3 | flags) & 7, have = READ_ONCE(o->mode);

	if (c->euid == o->cuid || c->euid == READ_ONCE(o->uid))
		have >>= 6;
	else if (cred_in_group(c, o->cgid) || cred_in_group(c, READ_ONCE(o->gid)))
		have >>= 3;
	return want & ~have && !capable(CAP_IPC_OWNER) ? -EACCES : 0;
}

bool
ipc_owned(const struct ipc_object *o)
{
	u32 euid = current_cred()->euid;

	return euid == o->cuid || euid == o->uid || capable(CAP_SYS_ADMIN);
}

int
ipc_set_owner(struct ipc_object *o, const struct ipc64_perm *p)
{
	if (p->uid == ID_UNSET || p->gid == ID_UNSET)
		return -EINVAL;
	WRITE_ONCE(o->uid, p->uid);
	WRITE_ONCE(o->gid, p->gid);
	WRITE_ONCE(o->mode, (o->mode & ~PERM_BITS) | (p->mode & PERM_BITS));
	return 0;
}

void
ipc_show_perm(const struct ipc_object *o, struct ipc64_perm *p)
{
	p->key = o->key;
	p->uid = o->uid;
	p->gid = o->gid;
	p->cuid = o->cuid;
	p->cgid = o->cgid;
	p->mode = o->mode;
	p->seq = (u16)(o->id >> IPC_INDEX_BITS);
}

/* --- finding --- */

static u32
index_of(s32 id)
{
	return (u32)id & (IPC_INDEX_MAX - 1);
}

static struct ipc_object *
object_at(struct ipc_ids *ids, u32 index)
{
	struct ipc_chunk *c = rcu_load(ids->chunks[index / IPC_CHUNK]);

	return c ? rcu_load(c->slot[index % IPC_CHUNK]) : NULL;
}

struct ipc_object *
ipc_find(struct ipc_ids *ids, s32 id)
{
	struct ipc_object *o = id < 0 ? NULL : object_at(ids, index_of(id));

	return o && o->id == id ? o : err_ptr(-EINVAL);
}

struct ipc_object *
ipc_find_index(struct ipc_ids *ids, s32 index)
{
	struct ipc_object *o = index < 0 ? NULL : object_at(ids, index_of(index));

	return o ? o : err_ptr(-EINVAL);
}

struct ipc_object *
ipc_next(struct ipc_ids *ids, u32 *index)
{
	u32 i = *index;

	while (i < IPC_INDEX_MAX) {
		struct ipc_object *o;

		if (!rcu_load(ids->chunks[i / IPC_CHUNK])) {
			i = (i / IPC_CHUNK + 1) * IPC_CHUNK;
			continue;
		}
		o = object_at(ids, i++);
		if (o) {
			*index = i;
			return o;
		}
	}
	return NULL;
}

static struct ipc_object *
lock_found(struct ipc_object *o)
{
	spin_lock(&o->lock);
	if (!o->removed)
		return o;
	spin_unlock(&o->lock);
	return err_ptr(-EIDRM);
}

/* What was found, in the RCU section that began with it; ends the section if it fails. */
static struct ipc_object *
lock_permitted(struct ipc_object *o, u32 perm)
{
	int err;

	if (!is_err(o)) {
		err = perm ? ipc_permission(o, perm) : 0;
		o = err ? err_ptr(err) : lock_found(o);
	}
	if (is_err(o))
		rcu_read_unlock();
	return o;
}

struct ipc_object *
ipc_lock(struct ipc_ids *ids, s32 id, u32 perm)
{
	rcu_read_lock();
	return lock_permitted(ipc_find(ids, id), perm);
}

struct ipc_object *
ipc_lock_status(struct ipc_ids *ids, s32 nr, bool by_id, bool asks)
{
	rcu_read_lock();
	return lock_permitted(by_id ? ipc_find(ids, nr) : ipc_find_index(ids, nr),
			      asks ? IPC_READ : 0);
}

struct ipc_object *
ipc_lock_owned(struct ipc_ids *ids, s32 id)
{
	struct ipc_object *o = ipc_lock(ids, id, 0);

	if (is_err(o) || ipc_owned(o))
		return o;
	ipc_unlock(o);
	return err_ptr(-EPERM);
}

void
ipc_unlock(struct ipc_object *o)
{
	spin_unlock(&o->lock);
	rcu_read_unlock();
}

/* --- the table --- */

static struct hlist *
bucket_of(struct ipc_ids *ids, s32 key)
{
	return &ids->keys[hash_bits((u32)key, IPC_KEY_BITS)];
}

/* The id that the key stands for: -ENOENT, -EEXIST, -EACCES, as the caller asks. */
static long
find_key(const struct ipc_request *r)
{
	long ret = -ENOENT;
	struct ipc_object *o;

	if (r->key == IPC_PRIVATE)
		return -ENOENT;
	rcu_read_lock();
	hlist_for_each_entry_rcu(o, bucket_of(r->ids, r->key), key_link) {
		if (READ_ONCE(o->key) != r->key)
			continue;
		ret = (r->flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL) ? -EEXIST : 0;
		if (!ret && r->suits)
			ret = r->suits(o, r);
		if (!ret)
			ret = ipc_permission(o, r->flags);
		if (!ret)
			ret = o->id;
		break;
	}
	rcu_read_unlock();
	return ret;
}

/* A free index, by turns; the sequence number goes on each time round. Mutex held. */
static int
choose_id(struct ipc_ids *ids, s32 *id)
{
	u32 round = min(max(ids->used * 3 / 2, CYCLE_MIN), IPC_INDEX_MAX);
	s32 wanted = ids->next_id;
	size_t i;

	if (wanted >= 0) {
		i = bitmap_next_zero(ids->index, IPC_INDEX_MAX, index_of(wanted));
		if (i >= IPC_INDEX_MAX)
			return -ENOSPC;
		ids->next_id = -1;
		*id = (s32)((u32)wanted >> IPC_INDEX_BITS << IPC_INDEX_BITS | i);
		return 0;
	}
	i = bitmap_next_zero(ids->index, round, min(ids->last_index + 1, round));
	if (i >= round)
		i = bitmap_next_zero(ids->index, round, 0);
	if (i >= round)
		return -ENOSPC;
	if (ids->last_index != U32_MAX && i <= ids->last_index)
		ids->sequence = (ids->sequence + 1) % SEQUENCE_MAX;
	ids->last_index = i;
	*id = (s32)(ids->sequence << IPC_INDEX_BITS | i);
	return 0;
}

static int
chunk_make(struct ipc_ids *ids, u32 index)
{
	struct ipc_chunk *c;

	if (rcu_locked(ids->chunks[index / IPC_CHUNK]))
		return 0;
	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return -ENOMEM;
	rcu_publish(ids->chunks[index / IPC_CHUNK], c);
	return 0;
}

/* Enters o: its id, or -ENOSPC, -ENOMEM. Mutex held. */
static long
add(struct ipc_ids *ids, struct ipc_object *o)
{
	s32 id;
	int err;

	if (ids->used >= min(READ_ONCE(ids->limit), IPC_INDEX_MAX))
		return -ENOSPC;
	err = choose_id(ids, &id);
	if (!err)
		err = chunk_make(ids, index_of(id));
	if (err)
		return err;
	o->id = id;
	if (ids->named)
		ids->named(o);
	bit_set(ids->index, index_of(id));
	ids->used++;
	/* The key last: who has the number by it uses it at once. */
	rcu_publish(rcu_locked(ids->chunks[index_of(id) / IPC_CHUNK])->slot[id % IPC_CHUNK], o);
	if (o->key != IPC_PRIVATE)
		hlist_add_rcu(&o->key_link, bucket_of(ids, o->key));
	return id;
}

long
ipc_get(const struct ipc_request *r)
{
	struct ipc_object *o;
	long id = find_key(r);

	if (id != -ENOENT || (r->key != IPC_PRIVATE && !(r->flags & IPC_CREAT)))
		return id;
	o = r->make(r);
	if (is_err(o))
		return ptr_err(o);
	mutex_lock(&r->ids->mutex);
	id = find_key(r);
	if (id == -ENOENT) {
		id = add(r->ids, o);
		if (id >= 0)
			o = NULL;
	}
	mutex_unlock(&r->ids->mutex);
	/* Somebody else was faster, or there is no room. */
	if (o)
		r->drop(o);
	return id;
}

void
ipc_forget_key(struct ipc_object *o)
{
	if (o->key == IPC_PRIVATE)
		return;
	hlist_del_init_rcu(&o->key_link);
	WRITE_ONCE(o->key, IPC_PRIVATE);
}

void
ipc_remove(struct ipc_ids *ids, struct ipc_object *o)
{
	u32 i = index_of(o->id);

	spin_assert_held(&o->lock);
	ipc_forget_key(o);
	rcu_publish(rcu_locked(ids->chunks[i / IPC_CHUNK])->slot[i % IPC_CHUNK], NULL);
	bit_clear(ids->index, i);
	ids->used--;
	o->removed = true;
}

long
ipc_highest(struct ipc_ids *ids)
{
	size_t last;

	mutex_lock(&ids->mutex);
	last = bitmap_last_one(ids->index, IPC_INDEX_MAX);
	mutex_unlock(&ids->mutex);
	return last < IPC_INDEX_MAX ? (long)last : 0;
}

u32
ipc_used(struct ipc_ids *ids)
{
	return READ_ONCE(ids->used);
}

int
ipc_show_all(struct ipc_ids *ids, struct seq *s, void (*show)(struct ipc_object *o, struct seq *s))
{
	struct ipc_object *o;
	u32 index = 0;

	rcu_read_lock();
	while ((o = ipc_next(ids, &index)) != NULL) {
		if (is_err(lock_found(o)))
			continue;
		show(o, s);
		spin_unlock(&o->lock);
	}
	rcu_read_unlock();
	return 0;
}

int
ipc_show_next(struct ipc_ids *ids, struct seq *s)
{
	seq_printf(s, "%d\n", READ_ONCE(ids->next_id));
	return 0;
}

int
ipc_store_next(struct ipc_ids *ids, const char *text)
{
	u32 v;

	if (parse_u32(text, 10, &v) || v > IPC_INT_MAX)
		return -EINVAL;
	mutex_lock(&ids->mutex);
	WRITE_ONCE(ids->next_id, (s32)v);
	mutex_unlock(&ids->mutex);
	return 0;
}
