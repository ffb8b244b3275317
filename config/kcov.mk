# SPDX-License-Identifier: BSD-2-Clause
# The debug kernel, telling each task which code it runs and what it compares (for fuzzers).
include config/debug.mk
DEFINES += -DCONFIG_KCOV=1
WITH_KCOV := 1
CFLAGS_CONFIG += -fsanitize-coverage=trace-pc,trace-cmp -Wframe-larger-than=2048
