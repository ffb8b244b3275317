/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a decoder puts its output: it calls emit() with pieces in order. A
 * return value other than 0 stops the decoder, which returns it.
 */
#ifndef LIB_SINK_H
#define LIB_SINK_H

#include "lib/types.h"

struct sink {
	int (*emit)(void *ctx, const void *data, size_t n);
	void *ctx;
};

#endif
