/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The count of an eventfd.
 *
 * Model: the count is `base` and what is in the cells, one a CPU. Adds commute as
 * long as they fit, and so do reads of a semaphore as long as there is enough: a CPU
 * that has an open cell adds to it, or takes 1 from it, and touches nothing else
 * that is written. All else works on the base, under the lock.
 *
 *	closed -> open		by its own CPU, when others have come between its calls
 *				TURNS times; a semaphore's reader puts a part of a rich
 *				base in
 *	open -> closed		by a fold: what is in it goes to the base
 *
 * A fold closes all cells: by a read that resets the count, by one that finds no
 * stock, by an add that might overflow, by a look that finds the base empty. After it
 * TURNS calls are needed again, so an eventfd that goes back and forth between a
 * writer and a reader stays whole.
 *
 * Exactness: who finds his cell closed waits for the lock, so while a fold closes
 * the cells one after another no add or take begins and ends on a closed one: the
 * count that it comes to is that of a moment within. Without closing, a fold could
 * miss an add and see another that began after the first had ended.
 *
 * Room: adds stop at CELL_MAX in a cell, and the base at OPEN_MAX as long as a cell is
 * open; the rest is room for what readers put into cells. So the count never passes
 * EVENTFD_MAX, and one that may be near it has no open cells.
 *
 * Cell: bit 63 OPEN, bits 0-62 what is in it. Closed cells are 0.
 *
 * Locking: wait.lock covers the base, and which cells are open. A cell is opened and
 * closed under it, added to and taken from without, all by locked instructions.
 *
 * Ordering:
 *	eventfd_add			reader
 *	cell += n (locked)		is queued, full barrier
 *	is there a waiter?		base and cells are summed, under the lock, so
 *					that nothing moves between them
 *
 * Contexts: task; eventfd_add() and eventfd_take() may sleep, to allocate the cells.
 *
 * Rejected: cells that are always there, which cost memory for each eventfd and a look
 * at all CPUs for each read, also where one thread wakes another.
 */
#include "kernel/handle/eventfd_impl.h"

#include "arch/x86_64/asm/atomic.h"
#include "kernel/handle/handle.h"
#include "percpu/cpumask.h"
#include "percpu/percpu.h"

#define OPEN EVENTFD_OPEN
#define CELL_MAX BIT(48)
#define OPEN_MAX (EVENTFD_MAX - CONFIG_MAX_CPUS * 2 * CELL_MAX)
#define TURNS 4
/* A base of less is not shared out. */
#define RICH 16

#define POLL_ADDED (POLLIN | POLLRDNORM)
#define POLL_TAKEN (POLLOUT | POLLWRNORM)

void
eventfd_init(struct eventfd *e, u64 count, bool semaphore)
{
	waitq_init(&e->wait);
	e->base = count;
	e->semaphore = semaphore;
	e->cell = NULL;
	e->open = 0;
	e->last_cpu = (u16)cpu_id();
	e->turns = 0;
}

void
eventfd_fini(struct eventfd *e)
{
	percpu_free(e->cell);
}

/* wait.lock held; who finds no cells reads it without. */
static void
base_set(struct eventfd *e, u64 n)
{
	WRITE_ONCE(e->base, n);
}

/* --- cells --- */

/* Our cell; if we are moved meanwhile it is another's, which is as good. */
static u64 *
my_cell(const struct eventfd *e)
{
	u64 __percpu *cell = smp_load_acquire(&e->cell);

	return cell ? this_cpu_ptr(cell) : NULL;
}

static bool
cell_add(u64 *cell, u64 n)
{
	u64 was = READ_ONCE(*cell);

	do {
		if (!(was & OPEN) || n > CELL_MAX || (was & ~OPEN) > CELL_MAX - n)
			return false;
	} while (!atomic_try_cmpxchg(cell, &was, was + n));
	return true;
}

static bool
cell_take(u64 *cell)
{
	u64 was = READ_ONCE(*cell);

	do {
		if (was <= OPEN)
			return false;
	} while (!atomic_try_cmpxchg(cell, &was, was - 1));
	return true;
}

/* The next cell from *cpu on that may be open; NULL at the end. */
static u64 *
next_open(const struct eventfd *e, u32 *cpu)
{
	while (e->open && *cpu < nr_cpus) {
		u32 c = (*cpu)++;

		if (e->open & BIT(c % 64))
			return cpu_ptr(e->cell, c);
	}
	return NULL;
}

static void
fold(struct eventfd *e)
{
	u32 cpu = 0;
	u64 *cell;

	while ((cell = next_open(e, &cpu)) != NULL)
		base_set(e, e->base + (atomic_xchg(cell, 0UL) & ~OPEN));
	e->open = 0;
	WRITE_ONCE(e->turns, 0);
}

/* Opens our cell with n of the base, if it is time. wait.lock held. */
static void
open_mine(struct eventfd *e, u64 n)
{
	u64 *cell = my_cell(e);

	if (e->turns < TURNS || !cell || e->base > OPEN_MAX)
		return;
	if (!(READ_ONCE(*cell) & OPEN))
		n |= OPEN;
	e->open |= BIT(cpu_id() % 64);
	base_set(e, e->base - (n & ~OPEN));
	atomic_add(cell, n);
}

/* Somebody works on the base. wait.lock held. */
static void
note_turn(struct eventfd *e)
{
	u16 cpu = (u16)cpu_id();

	if (e->last_cpu == cpu)
		return;
	e->last_cpu = cpu;
	WRITE_ONCE(e->turns, (u16)min(e->turns + 1, TURNS));
}

/* Makes the cells once they are worth it; without memory that is asked again TURNS later. */
static void
grow(struct eventfd *e)
{
	u64 __percpu *cell;
	unsigned long f;

	if (READ_ONCE(e->cell) || READ_ONCE(e->turns) < TURNS)
		return;
	cell = percpu_alloc(sizeof(*cell), sizeof(*cell));
	f = spin_lock_irq(&e->wait.lock);
	if (!cell)
		WRITE_ONCE(e->turns, 0);
	if (cell && !e->cell) {
		smp_store_release(&e->cell, cell);
		cell = NULL;
	}
	spin_unlock_irq(&e->wait.lock, f);
	percpu_free(cell);
}

/* --- add, take --- */

static bool
add_base(struct eventfd *e, u64 n)
{
	unsigned long f = spin_lock_irq(&e->wait.lock);
	bool fits;

	note_turn(e);
	if (e->open && (e->base > OPEN_MAX || n > OPEN_MAX - e->base))
		fold(e);
	fits = EVENTFD_MAX - e->base >= n;
	if (fits) {
		base_set(e, e->base + n);
		open_mine(e, 0);
		waitq_wake_locked(&e->wait, 0, POLL_ADDED);
	}
	spin_unlock_irq(&e->wait.lock, f);
	return fits;
}

bool
eventfd_add(struct eventfd *e, u64 n)
{
	u64 *cell = my_cell(e);
	bool fits;

	if (!cell || !cell_add(cell, n)) {
		fits = add_base(e, n);
		grow(e);
		return fits;
	}
	waitq_wake(&e->wait, 0, POLL_ADDED);
	return true;
}

void
eventfd_signal(struct eventfd *e, u64 n)
{
	(void)add_base(e, n);
}

/* One of the base; nothing of it needs to be in cells. wait.lock held. */
static u64
take_one(struct eventfd *e)
{
	note_turn(e);
	if (!e->base)
		fold(e);
	if (!e->base)
		return 0;
	base_set(e, e->base - 1);
	if (e->base >= RICH)
		open_mine(e, min(e->base / 2, CELL_MAX / 2));
	return 1;
}

static u64
take_all(struct eventfd *e)
{
	u64 n;

	fold(e);
	n = e->base;
	base_set(e, 0);
	return n;
}

u64
eventfd_take(struct eventfd *e)
{
	u64 *cell = e->semaphore ? my_cell(e) : NULL;
	unsigned long f;
	u64 n;

	if (cell && cell_take(cell)) {
		waitq_wake(&e->wait, 0, POLL_TAKEN);
		return 1;
	}
	f = spin_lock_irq(&e->wait.lock);
	n = e->semaphore ? take_one(e) : take_all(e);
	if (n)
		waitq_wake_locked(&e->wait, 0, POLL_TAKEN);
	spin_unlock_irq(&e->wait.lock, f);
	grow(e);
	return n;
}

/* --- looking --- */

u64
eventfd_count(struct eventfd *e)
{
	u64 n = READ_ONCE(e->base);
	unsigned long f;

	/* First the base: there were no cells then if there are none now. */
	if (!smp_load_acquire(&e->cell))
		return n;
	f = spin_lock_irq(&e->wait.lock);
	fold(e);
	n = e->base;
	spin_unlock_irq(&e->wait.lock, f);
	return n;
}

u64
eventfd_count_waiting(struct eventfd *e)
{
	u64 n = READ_ONCE(e->base), *cell;
	unsigned long f;
	u32 cpu = 0;

	if (!smp_load_acquire(&e->cell))
		return n;
	f = spin_lock_irq(&e->wait.lock);
	n = e->base;
	while ((cell = next_open(e, &cpu)) != NULL)
		n += READ_ONCE(*cell) & ~OPEN;
	spin_unlock_irq(&e->wait.lock, f);
	return n;
}
