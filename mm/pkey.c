/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Protection keys: which of them a space has, and pkey_alloc(2), pkey_free(2).
 *
 * Model: a run's meta says the key of its pages, and each entry repeats it, where
 * the processor looks. Key 0 is everybody's. A mapping that may be executed and
 * nothing else gets a key that nobody can ask for, by which threads may not read:
 * those that have called mmap or mprotect for one since.
 */
#include "kernel/syscall/syscalls.h"
#include "lib/errno.h"
#include "mm/pkey_impl.h"

#define PKEY_DISABLE_ACCESS 1u
#define PKEY_ACCESS_MASK 3u

void
pkey_space_init(struct space *s)
{
	s->pkeys = mm_port_has_pkeys() ? 1 : 0;
	s->exec_pkey = 0;
}

void
pkey_space_copy(struct space *s, struct space *parent)
{
	s->pkeys = READ_ONCE(parent->pkeys);
	s->exec_pkey = READ_ONCE(parent->exec_pkey);
}

bool
pkey_is_valid(struct space *s, int key)
{
	return key >= 0 && key < PKEYS && READ_ONCE(s->pkeys) & BIT(key) &&
	       (!key || (u32)key != READ_ONCE(s->exec_pkey));
}

/* A key that was free, or -ENOSPC. */
static int
key_alloc(struct space *s)
{
	u32 map = READ_ONCE(s->pkeys), key;

	do {
		if (map == (u32)BIT(PKEYS) - 1)
			return -ENOSPC;
		key = (u32)__builtin_ctz(~map);
	} while (!atomic_try_cmpxchg(&s->pkeys, &map, map | (u32)BIT(key)));
	return (int)key;
}

static void
key_free(struct space *s, u32 key)
{
	atomic_and(&s->pkeys, ~(u32)BIT(key));
}

u32
pkey_exec_only(struct space *s)
{
	u32 key = READ_ONCE(s->exec_pkey), none = 0;
	int new;

	if (!mm_port_has_pkeys())
		return 0;
	if (!key) {
		new = key_alloc(s);
		if (new <= 0)
			return 0;
		key = (u32) new;
		if (!atomic_try_cmpxchg(&s->exec_pkey, &none, key)) {
			key_free(s, key);
			key = none;
		}
	}
	if (mm_port_pkey_allows(key, false))
		mm_port_set_pkey_access(key, PKEY_DISABLE_ACCESS);
	return key;
}

bool
space_has_pkeys(void)
{
	return mm_port_has_pkeys();
}

u32
space_pkey(struct space *s, unsigned long va)
{
	struct run r;

	va = align_down(va, PAGE_SIZE);
	return space_next_run(s, va, va + PAGE_SIZE, &r, false) ? meta_pkey(r.meta) : 0;
}

long
sys_pkey_alloc(unsigned long flags, unsigned long denied)
{
	struct space *s = mm_port_current_space();
	int key;

	if (flags || denied & ~(unsigned long)PKEY_ACCESS_MASK)
		return -EINVAL;
	if (!mm_port_has_pkeys())
		return -ENOSPC;
	key = key_alloc(s);
	if (key >= 0)
		mm_port_set_pkey_access((u32)key, (u32)denied);
	return key;
}

long
sys_pkey_free(int key)
{
	struct space *s = mm_port_current_space();

	if (!pkey_is_valid(s, key))
		return -EINVAL;
	key_free(s, (u32)key);
	return 0;
}
