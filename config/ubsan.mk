# SPDX-License-Identifier: BSD-2-Clause
# The debug kernel, and its pointers are looked at too: alignment, null, the size of what is there.
include config/debug.mk
DEFINES += -DCONFIG_UBSAN_POINTERS=1
CFLAGS_CONFIG += -fsanitize=alignment,null,object-size,nonnull-attribute,returns-nonnull-attribute \
	-Wframe-larger-than=2048
