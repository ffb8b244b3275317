/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exception table: instructions that may fault on a user address, and where
 * to go on when the fault cannot be resolved.
 *
 * Model: pairs of offsets from the entry's own words, in the linker's order (not
 * sorted: a search is as rare as EFAULT, and a pass over a few hundred entries
 * costs less than the fault that led here).
 */
#include "lib/types.h"
#include "mm/uaccess.h"

struct extable_entry {
	/* the instruction, from &at; the fix-up, from &to */
	s32 at;
	s32 to;
};

extern const struct extable_entry __start_extable[], __stop_extable[];

unsigned long
extable_find(unsigned long rip)
{
	for (const struct extable_entry *e = __start_extable; e < __stop_extable; e++) {
		if ((unsigned long)&e->at + (unsigned long)(s64)e->at == rip)
			return (unsigned long)&e->to + (unsigned long)(s64)e->to;
	}
	return 0;
}
