/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking into a space from outside: single pages, and copies through them. */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/space_impl.h"

/* In `access` beside FAULT_*: current asks for itself, as far as its protection keys let it. */
#define ACCESS_KEYED 0x100u

static bool
key_denies(u64 e, u32 access)
{
	return access & ACCESS_KEYED && mm_port_has_pkeys() &&
	       !mm_port_pkey_allows((u32)((e & PTE_PKEY) >> PTE_PKEY_SHIFT), access & FAULT_WRITE);
}

/* May e be used as asked? A debugger writes to a copy that the program may not write. */
static bool
usable(const struct pt *t, unsigned int i, u64 e, u32 access)
{
	if (access & FAULT_FORCE) {
		if (!(access & FAULT_WRITE))
			return e & (PTE_P | PTE_NONE);
		return e & PTE_W ||
		       ((e & (PTE_OWNED | PTE_WP)) == PTE_OWNED && entry_is_sole(t, i, e));
	}
	return e & PTE_P && (!(access & FAULT_WRITE) || e & PTE_W) && !key_denies(e, access);
}

/*
 * The page at va if it is there as wanted, with a reference. A part of a
 * large page has none of its own.
 */
static struct page *
page_now(struct space *s, unsigned long va, u32 access)
{
	struct pt *t = pt_lock_walk(s, va, 0);
	unsigned int i = slot_index(va, t->level);
	struct page *p = NULL;
	u64 e;

	if (t->level == 1 && pt_present(t, i)) {
		pt_unlock(t);
		t = pt_lock_leaf(s, va);
		if (!t)
			return NULL;
		i = slot_index(va, 0);
	}
	e = t->level == 0 ? t->table[i] : 0;
	/* Who asks may have had a fault because this CPU has no link to the table. */
	if (usable(t, i, e, access) && view_link(t, i)) {
		p = phys_to_page(e & PTE_ADDR);
		page_get(p);
	}
	pt_unlock(t);
	return p;
}

static struct page *
get_page(struct space *s, unsigned long va, u32 access)
{
	struct fault_sig sig;
	struct page *p;
	int tries;

	if (va >= USER_END)
		return NULL;
	for (tries = 0; tries < 16; tries++) {
		p = page_now(s, va, access);
		if (p)
			return p;
		if (space_fault(s, va, access & ~ACCESS_KEYED, &sig))
			return NULL;
	}
	return NULL;
}

struct page *
space_get_page(struct space *s, unsigned long va, bool write)
{
	u32 keyed = s == mm_port_current_space() ? ACCESS_KEYED : 0;

	return get_page(s, va, keyed | (write ? FAULT_WRITE : 0));
}

static size_t
copy(struct space *s, unsigned long va, char *buf, size_t n, u32 access)
{
	size_t done = 0, run, off;
	struct page *p;
	char *at;

	while (done < n) {
		off = (va + done) & (PAGE_SIZE - 1);
		run = min(n - done, PAGE_SIZE - off);
		p = get_page(s, va + done, access);
		if (!p)
			break;
		at = (char *)page_to_virt(p) + off;
		if (access & FAULT_WRITE)
			memcpy(at, buf + done, run);
		else
			memcpy(buf + done, at, run);
		page_put(p);
		done += run;
	}
	return done;
}

size_t
space_access(struct space *s, unsigned long va, void *buf, size_t n, bool write)
{
	return copy(s, va, buf, n, write ? FAULT_WRITE : 0);
}

size_t
space_peek(struct space *s, unsigned long va, void *buf, size_t n)
{
	return copy(s, va, buf, n, FAULT_NOWAIT);
}

size_t
space_access_force(struct space *s, unsigned long va, void *buf, size_t n, bool write)
{
	return copy(s, va, buf, n, FAULT_FORCE | FAULT_NOWAIT | (write ? FAULT_WRITE : 0));
}
