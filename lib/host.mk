# SPDX-License-Identifier: BSD-2-Clause
# The tests of lib/ on the host, under the address and undefined-behaviour
# sanitizers. Included by the root Makefile; uses O and HOSTCC.
#
#   make host-test-lib          prints TAP
#   make host-test-lib T='rb*'  only the tests whose names match

LIB_HOST_SRC := $(sort $(wildcard lib/*.c))
LIB_HOST_OBJ := $(LIB_HOST_SRC:%.c=$(O)/host/%.o)
LIB_HOST_CFLAGS := -std=gnu11 -O1 -g -I. -include lib/host.h -fno-builtin -fno-strict-aliasing -fwrapv \
	-fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Werror

# Ours beside the C library's: see lib/host_names.h.
LIB_HOST_OWN := $(foreach f,mem string fmt,$(O)/host/lib/$(f).o $(O)/host/lib/$(f)_test.o)
$(LIB_HOST_OWN): LIB_HOST_CFLAGS += -include lib/host_names.h

$(LIB_HOST_OBJ): $(O)/host/%.o: %.c lib/host.mk
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(LIB_HOST_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/host/lib_test: $(LIB_HOST_OBJ)
	$(Q)$(HOSTCC) -fsanitize=address,undefined -o $@ $(LIB_HOST_OBJ)

.PHONY: host-test-lib
host-test-lib: $(O)/host/lib_test
	@$< $(T)

-include $(LIB_HOST_OBJ:.o=.d)
