/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking kernel symbols up, %pS (with the offset) and %ps. */
#include "kernel/symbols.h"

#include "lib/fmt.h"
#include "lib/port.h"

/* Made by tools/symbols: sorted offsets from __text, and names. */
extern const u32 symbols_count, symbols_text;
extern const u32 symbols_offset[], symbols_name[];
extern const u8 symbols_kind[];
extern const char symbols_strtab[];
extern const u8 __text_start[], __text_end[];

/* The text symbol that addr lies in; symbols_text: none. */
static u32
find(unsigned long addr)
{
	u32 lo = 0, hi = symbols_text, mid, off;

	if (addr < (unsigned long)__text_start || addr >= (unsigned long)__text_end || hi == 0)
		return symbols_text;
	off = (u32)(addr - (unsigned long)__text_start);
	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (symbols_offset[mid] <= off)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

static unsigned long
address(u32 i)
{
	return (unsigned long)__text_start + symbols_offset[i];
}

const char *
symbol_find(unsigned long addr, unsigned long *offset)
{
	u32 i = find(addr);

	if (i == symbols_text)
		return NULL;
	*offset = addr - address(i);
	return symbols_strtab + symbols_name[i];
}

const char *
symbol_find_size(unsigned long addr, unsigned long *offset, unsigned long *size)
{
	u32 i = find(addr);

	if (i == symbols_text)
		return NULL;
	*offset = addr - address(i);
	*size = (i + 1 < symbols_text ? address(i + 1) : (unsigned long)__text_end) - address(i);
	return symbols_strtab + symbols_name[i];
}

bool
symbol_at(u64 i, struct symbol *s)
{
	if (i >= symbols_count)
		return false;
	s->address = address((u32)i);
	s->kind = (char)symbols_kind[i];
	s->name = symbols_strtab + symbols_name[i];
	return true;
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
