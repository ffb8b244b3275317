/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking kernel symbols up, %pS (with the offset) and %ps. */
#include "kernel/symbols.h"

#include "lib/fmt.h"
#include "lib/port.h"

/* Made by tools/symbols: sorted offsets from __text, and names. */
extern const u32 symbols_count;
extern const u32 symbols_offset[], symbols_name[];
extern const char symbols_strtab[];
extern const u8 __text_start[], __text_end[];

const char *
symbol_find(unsigned long addr, unsigned long *offset)
{
	u32 lo = 0, hi = symbols_count, mid, off;

	if (addr < (unsigned long)__text_start || addr >= (unsigned long)__text_end || hi == 0)
		return NULL;
	off = (u32)(addr - (unsigned long)__text_start);
	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (symbols_offset[mid] <= off)
			lo = mid;
		else
			hi = mid;
	}
	*offset = off - symbols_offset[lo];
	return symbols_strtab + symbols_name[lo];
}

size_t
fmt_pointer_port(struct fmt_out *out, const char *spec, const void *ptr)
{
	unsigned long offset = 0;
	const char *name;

	if (spec[0] != 'S' && spec[0] != 's')
		return 0;
	name = symbol_find((unsigned long)ptr, &offset);
	if (name && spec[0] == 's')
		fmt_printf(out, "%s", name);
	else if (name)
		fmt_printf(out, "%s+%#lx", name, offset);
	else
		fmt_printf(out, "%#lx", (unsigned long)ptr);
	return 1;
}
