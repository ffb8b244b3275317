/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The locks of one file.
 *
 * Model: records (POSIX and OFD) and flock locks have nothing to do with each other
 * and are on lists of their own, each sorted by start. Records of one owner never
 * overlap, and those that touch and are of one type are one: what an owner sets
 * replaces and joins what it had there.
 *
 * Bands: when CPUs take turns with a file's records it gets bands. The file's range
 * is cut into pieces of BAND bytes, and a piece belongs to one of BANDS bands. A
 * record that lies in one piece is on the list of its band, any other on the file's
 * own. A request that lies in a piece, and touches no end of it, has only to do with
 * its band as long as the file's own list is empty: what it conflicts with, replaces
 * or joins is there. It holds the band's lock alone. All other requests hold all locks.
 * The ends of pieces lie in the middle of pages, where few records begin.
 *
 * Locking: file_locks->lock, then the bands' locks in their order (all RANK_FILE_LOCKS
 * + 1). The file's own records change under all of them, and are read under any.
 * fl->bands is set once, under fl->lock: who has that lock and sees none is alone.
 *
 * Rejected: bands from the start, which would take 512 bytes for each file that was
 * ever locked.
 */
#include "fs/locks_impl.h"

#include "kernel/uapi/fcntl.h"
#include "lib/assert.h"
#include "lib/hash.h"
#include "mm/slab.h"
#include "percpu/percpu.h"

#define BAND 4096
#define TURNS 4

static LOCK_CLASS(locks_class, RANK_FILE_LOCKS + 1);

struct file_locks *
file_locks_alloc(void)
{
	struct file_locks *fl = kzalloc(sizeof(*fl), GFP_KERNEL);

	if (!fl)
		return NULL;
	spin_init(&fl->lock, &locks_class);
	list_init(&fl->flocks);
	list_init(&fl->records);
	waitq_init(&fl->wait);
	return fl;
}

void
file_locks_free(struct file_locks *fl)
{
	DEBUG_ASSERT(list_empty(&fl->flocks) && list_empty(&fl->records));
	for (u32 i = 0; fl->bands && i < BANDS; i++)
		DEBUG_ASSERT(list_empty(&fl->bands[i].records));
	kfree(fl->bands);
	kfree(fl);
}

/* --- bands --- */

static u64
piece_of(s64 pos)
{
	return ((u64)pos + BAND / 2) / BAND;
}

static struct lock_band *
band_of(struct lock_band *bands, s64 pos)
{
	return &bands[hash_bits(piece_of(pos), BANDS_BITS)];
}

static bool
in_one_piece(const struct lock *l)
{
	return piece_of(l->start) == piece_of(l->end);
}

/* In a piece, and nothing outside of it can touch it. */
static bool
inside_piece(const struct lock *r)
{
	u64 piece = piece_of(r->start);

	return piece_of(r->end) == piece && (r->start == 0 || piece_of(r->start - 1) == piece) &&
	       r->end != OFFSET_MAX && piece_of(r->end + 1) == piece;
}

/* The list that a lock belongs on. */
static struct list *
home_of(struct file_locks *fl, struct lock_band *bands, const struct lock *l)
{
	if (l->kind == LOCK_FLOCK)
		return &fl->flocks;
	if (bands && in_one_piece(l))
		return &band_of(bands, l->start)->records;
	return &fl->records;
}

static void
insert(struct file_locks *fl, struct lock_band *bands, struct lock *l)
{
	struct list *home = home_of(fl, bands, l);
	struct lock *x;

	list_for_each_entry(x, home, link) {
		if (x->start > l->start)
			break;
	}
	list_add_tail(&l->link, &x->link);
}

void
file_locks_split(struct file_locks *fl)
{
	struct lock_band *bands = kcalloc(BANDS, sizeof(*bands), GFP_KERNEL);
	struct list old = LIST_INIT(old);
	struct lock *l, *tmp;

	if (!bands)
		return;
	for (u32 i = 0; i < BANDS; i++) {
		spin_init(&bands[i].lock, &locks_class);
		list_init(&bands[i].records);
	}
	spin_lock(&fl->lock);
	if (!fl->bands) {
		list_splice_init(&fl->records, &old);
		list_for_each_entry_safe(l, tmp, &old, link)
			insert(fl, bands, l);
		/* Last: who sees them finds each record where it belongs. */
		smp_store_release(&fl->bands, bands);
		bands = NULL;
	}
	spin_unlock(&fl->lock);
	kfree(bands);
}

/* --- scopes --- */

/* Only the request's band: false if that will not do. */
static bool __no_thread_safety
lock_band(struct lock_scope *s, const struct lock *r)
{
	struct lock_band *bands = smp_load_acquire(&s->fl->bands);

	if (r->kind == LOCK_FLOCK || !bands || !inside_piece(r))
		return false;
	s->band = band_of(bands, r->start);
	spin_lock(&s->band->lock);
	if (list_empty(&s->fl->records))
		return true;
	spin_unlock(&s->band->lock);
	s->band = NULL;
	return false;
}

/* fl->lock is held: with all records. */
static void __no_thread_safety
lock_records(struct lock_scope *s)
{
	struct lock_band *bands = s->fl->bands;

	s->lists[s->nr++] = &s->fl->records;
	s->all = bands != NULL;
	for (u32 i = 0; bands && i < BANDS; i++) {
		spin_lock_nested(&bands[i].lock);
		s->lists[s->nr++] = &bands[i].records;
	}
}

/* Somebody comes for records of a file without bands. fl->lock is held. */
static void
note_turn(struct lock_scope *s, const struct lock *r)
{
	struct file_locks *fl = s->fl;
	u16 cpu = (u16)cpu_id();

	if (fl->last_cpu != cpu) {
		fl->last_cpu = cpu;
		fl->turns++;
	}
	s->split = fl->turns >= TURNS && inside_piece(r);
	if (s->split)
		fl->turns = 0;
}

void __no_thread_safety
scope_lock(struct lock_scope *s, struct file_locks *fl, const struct lock *r)
{
	s->fl = fl;
	s->band = NULL;
	s->all = s->split = false;
	s->nr = 0;
	if (lock_band(s, r)) {
		s->lists[s->nr++] = &s->band->records;
		return;
	}
	spin_lock(&fl->lock);
	if (r->kind == LOCK_FLOCK) {
		s->lists[s->nr++] = &fl->flocks;
		return;
	}
	if (!fl->bands)
		note_turn(s, r);
	lock_records(s);
}

void __no_thread_safety
scope_lock_all(struct lock_scope *s, struct file_locks *fl)
{
	*s = (struct lock_scope){.fl = fl};
	spin_lock(&fl->lock);
	s->lists[s->nr++] = &fl->flocks;
	lock_records(s);
}

void __no_thread_safety
scope_unlock(struct lock_scope *s)
{
	if (s->band) {
		spin_unlock(&s->band->lock);
		return;
	}
	for (u32 i = 0; s->all && i < BANDS; i++)
		spin_unlock(&s->fl->bands[i].lock);
	spin_unlock(&s->fl->lock);
}

/* The first of a list from `at` on, or NULL. */
static struct lock *
entry_or_null(const struct list *head, struct list *at)
{
	return at == head ? NULL : list_entry(at, struct lock, link);
}

struct lock *
scope_next(struct lock_scope *s, struct lock_place *p)
{
	struct lock *first = NULL;
	u32 from = 0;

	for (u32 i = 0; i < s->nr; i++) {
		if (!p->begun)
			p->next[i] = entry_or_null(s->lists[i], s->lists[i]->next);
		if (p->next[i] && (!first || p->next[i]->start < first->start)) {
			first = p->next[i];
			from = i;
		}
	}
	p->begun = true;
	if (first)
		p->next[from] = entry_or_null(s->lists[from], first->link.next);
	return first;
}

/* --- locks --- */

bool
lock_same_owner(const struct lock *a, const struct lock *b)
{
	return a->kind == b->kind && a->owner == b->owner;
}

static bool
overlap(const struct lock *a, const struct lock *b)
{
	return a->start <= b->end && b->start <= a->end;
}

static bool
conflicts(const struct lock *held, const struct lock *want)
{
	if (lock_same_owner(held, want))
		return false;
	return overlap(held, want) && (held->type == F_WRLCK || want->type == F_WRLCK);
}

struct lock *
scope_conflict(struct lock_scope *s, const struct lock *want)
{
	struct lock *l, *first = NULL;

	for (u32 i = 0; i < s->nr; i++) {
		list_for_each_entry(l, s->lists[i], link) {
			if (first && l->start >= first->start)
				break;
			if (conflicts(l, want)) {
				first = l;
				break;
			}
		}
	}
	return first;
}

static void
drop(struct lock *l)
{
	list_del(&l->link);
	lock_free(l);
}

/* Cuts [r->start, r->end] out of one lock of the same owner. *spare is used for a second piece. */
static void
cut(struct file_locks *fl, struct lock *l, const struct lock *r, struct lock **spare)
{
	bool head = l->start<r->start, tail = l->end> r->end;

	if (head && tail) {
		**spare = *l;
		(*spare)->start = r->end + 1;
		insert(fl, fl->bands, *spare);
		*spare = NULL;
	}
	/* What is left may belong on another list. */
	list_del(&l->link);
	if (head)
		l->end = r->start - 1;
	else if (tail)
		l->start = r->end + 1;
	if (head || tail)
		insert(fl, fl->bands, l);
	else
		lock_free(l);
}

/* Are they one lock when put together? */
static bool
joins(const struct lock *l, const struct lock *r)
{
	if (l->type != r->type)
		return false;
	return (l->start == 0 || l->start - 1 <= r->end) &&
	       (r->start == 0 || r->start - 1 <= l->end);
}

/* Takes r's range from those of its owner that overlap it and are of another type. */
static void
clear_range(struct lock_scope *s, const struct lock *r, struct lock **spare)
{
	struct lock *l, *tmp;

	for (u32 i = 0; i < s->nr; i++) {
		list_for_each_entry_safe(l, tmp, s->lists[i], link) {
			if (lock_same_owner(l, r) && l->type != r->type && overlap(l, r))
				cut(s->fl, l, r, spare);
		}
	}
}

bool
scope_apply(struct lock_scope *s, struct lock *r, struct lock **spare)
{
	struct lock *l, *tmp;

	clear_range(s, r, spare);
	if (r->type == F_UNLCK)
		return false;
	for (u32 i = 0; i < s->nr; i++) {
		list_for_each_entry_safe(l, tmp, s->lists[i], link) {
			if (!lock_same_owner(l, r) || !joins(l, r))
				continue;
			r->start = min(r->start, l->start);
			r->end = max(r->end, l->end);
			drop(l);
		}
	}
	insert(s->fl, s->fl->bands, r);
	return true;
}

bool
scope_drop(struct lock_scope *s, enum lock_kind kind, const void *owner)
{
	struct lock *l, *tmp;
	bool any = false;

	for (u32 i = 0; i < s->nr; i++) {
		list_for_each_entry_safe(l, tmp, s->lists[i], link) {
			if (l->kind == kind && l->owner == owner) {
				drop(l);
				any = true;
			}
		}
	}
	return any;
}
