/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32 (ISO-HDLC: gzip, zip, GPT) and CRC-32C (Castagnoli: ext4, SCTP,
 * LFSX), both reflected.
 *
 * crc32() and crc32c() include the inversions at both ends: start with 0 and
 * feed the result back in for the next piece. The _raw forms have none; the
 * caller chooses the start value (ext4 uses ~0 or a seed).
 */
#ifndef LIB_CRC32_H
#define LIB_CRC32_H

#include "lib/types.h"

u32 crc32_raw(u32 crc, const void *data, size_t n);
u32 crc32c_raw(u32 crc, const void *data, size_t n);

static inline u32
crc32(u32 crc, const void *data, size_t n)
{
	return ~crc32_raw(~crc, data, n);
}

static inline u32
crc32c(u32 crc, const void *data, size_t n)
{
	return ~crc32c_raw(~crc, data, n);
}

#endif
