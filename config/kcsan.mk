# SPDX-License-Identifier: BSD-2-Clause
# The debug kernel with a watch for data races (sync/kcsan.c).
include config/debug.mk
DEFINES += -DCONFIG_KCSAN=1
WITH_KCSAN := 1
WITH_UBSAN := 0
CFLAGS_CONFIG := -fsanitize=thread --param=tsan-distinguish-volatile=1 \
	--param=tsan-instrument-func-entry-exit=0 -Wframe-larger-than=4096 -Wno-stringop-overflow
