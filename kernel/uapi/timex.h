/* SPDX-License-Identifier: BSD-2-Clause */
/* adjtimex(2): numbers and layout of the ABI. */
#ifndef KERNEL_UAPI_TIMEX_H
#define KERNEL_UAPI_TIMEX_H

#include "lib/types.h"

/* timex.modes: which fields are set */
#define ADJ_OFFSET 0x0001u
#define ADJ_FREQUENCY 0x0002u
#define ADJ_MAXERROR 0x0004u
#define ADJ_ESTERROR 0x0008u
#define ADJ_STATUS 0x0010u
#define ADJ_TIMECONST 0x0020u
#define ADJ_TAI 0x0080u
#define ADJ_SETOFFSET 0x0100u
#define ADJ_MICRO 0x1000u
#define ADJ_NANO 0x2000u
#define ADJ_TICK 0x4000u
/* adjtime(3): with ADJ_OFFSET_SINGLESHOT, and perhaps ADJ_OFFSET_READONLY */
#define ADJ_ADJTIME 0x8000u
#define ADJ_OFFSET_SINGLESHOT 0x0001u
#define ADJ_OFFSET_READONLY 0x2000u

/* timex.status */
#define STA_PLL 0x0001
#define STA_FLL 0x0008
#define STA_INS 0x0010
#define STA_DEL 0x0020
#define STA_UNSYNC 0x0040
#define STA_FREQHOLD 0x0080
#define STA_PPSSIGNAL 0x0100
#define STA_PPSJITTER 0x0200
#define STA_PPSWANDER 0x0400
#define STA_PPSERROR 0x0800
#define STA_CLOCKERR 0x1000
#define STA_NANO 0x2000
#define STA_MODE 0x4000
#define STA_CLK 0x8000
/* What only the kernel sets. */
#define STA_RONLY                                                                                  \
	(STA_PPSSIGNAL | STA_PPSJITTER | STA_PPSWANDER | STA_PPSERROR | STA_CLOCKERR | STA_NANO |  \
	 STA_MODE | STA_CLK)

/* What the calls return. */
#define TIME_OK 0
#define TIME_INS 1
#define TIME_DEL 2
#define TIME_OOP 3
#define TIME_WAIT 4
#define TIME_ERROR 5

/*
 * struct timex, 208 bytes.
 *
 * OFFSET SIZE MEANING
 *      0    4 modes
 *      8    8 offset, us or ns
 *     16    8 frequency, ppm << 16
 *     24   16 maximum and estimated error, us
 *     40    4 status
 *     48   24 time constant, precision (us), tolerance (ppm << 16)
 *     72   16 time: s and us or ns
 *     88    8 length of a tick, us
 *     96   64 of a pulse per second
 *    160    4 TAI offset, s
 */
struct timex {
	u32 modes;
	u32 pad0;
	s64 offset, freq, maxerror, esterror;
	s32 status, pad1;
	s64 constant, precision, tolerance;
	struct {
		s64 sec, usec;
	} time;
	s64 tick;
	s64 ppsfreq, jitter;
	s32 shift, pad2;
	s64 stabil, jitcnt, calcnt, errcnt, stbcnt;
	s32 tai;
	s32 pad3[11];
};
static_assert(sizeof(struct timex) == 208, "size of struct timex");

#endif
