/* SPDX-License-Identifier: BSD-2-Clause */
/* What lib/ needs from the code above it (or from the host's test runner). */
#ifndef LIB_PORT_H
#define LIB_PORT_H

#include "lib/types.h"

struct fmt_out;

/*
 * Formats ptr as the extension that the characters behind %p ask for (such as
 * S for symbol+offset). spec points at the first character behind the p.
 * Returns the number of characters of spec that it used, or 0 when spec is
 * not an extension; then nothing was written and the address is printed.
 * May be called in any context, NMI included.
 */
size_t fmt_pointer_port(struct fmt_out *out, const char *spec, const void *ptr);

#endif
