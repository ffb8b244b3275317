# SPDX-License-Identifier: BSD-2-Clause
# The default kernel with every check: lock ranks, poison, red zones, shrunken
# limits, allocation failures on request, undefined operations.
include config/default.mk
DEFINES += -DCONFIG_DEBUG=1 -DCONFIG_FAIL_ALLOC=1
WITH_DEBUG := 1
# Undefined operations on numbers and arrays, which cost little (kernel/check/ubsan.c). Signed
# numbers do not wrap here, or there would be nothing to look for. What gcc warns of behind its
# own checks is false (the default kernel is compiled with the warnings).
WITH_UBSAN := 1
CFLAGS_CONFIG := -fno-wrapv -fwrapv-pointer -fsanitize=bounds-strict,shift,signed-integer-overflow \
	-fsanitize=integer-divide-by-zero,bool,enum,builtin,unreachable,vla-bound \
	-Wno-array-bounds -Wno-maybe-uninitialized -Wno-stringop-overflow
