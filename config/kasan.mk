# SPDX-License-Identifier: BSD-2-Clause
# The debug kernel with the compiler's address checks.
include config/debug.mk
DEFINES += -DCONFIG_KASAN=1
WITH_KASAN := 1
# The checks make frames larger, and hide from gcc how large an array is (false overflows).
CFLAGS_CONFIG += -fsanitize=kernel-address -fasan-shadow-offset=0xdffffc0000000000 \
	--param asan-instrumentation-with-call-threshold=0 --param asan-stack=1 --param asan-globals=1 \
	-Wframe-larger-than=4096 -Wno-stringop-overflow
