# SPDX-License-Identifier: BSD-2-Clause
# The tests of percpu/ and sync/ on the host, under the thread sanitizer and
# again under the address and undefined-behaviour sanitizers: the kernel's
# sources on the machine of sync/runtime_host.c. Included by the root Makefile;
# uses O and HOSTCC.
#
#   make host-test-sync             prints TAP
#   make host-test-sync T='rcu*'    only the tests whose names match
#   HOST_CPUS=7 HOST_MS=2000        number of CPUs, length of a torture run

SYNC_HOST_SRC := $(sort $(filter-out sync/kcsan%,$(wildcard percpu/*.c sync/*.c))) \
	lib/bitmap.c lib/fmt.c lib/glob.c lib/mem.c lib/parse.c lib/rbtree.c lib/string.c lib/test_host.c
SYNC_HOST_CFLAGS := -std=gnu11 -O1 -g -I. -I$(B)/gen -include percpu/host_shim.h -fno-builtin \
	-fno-strict-aliasing -fwrapv -fno-omit-frame-pointer -pthread \
	-Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-unused-value -Werror
SYNC_HOST_SAN_tsan := -fsanitize=thread
SYNC_HOST_SAN_asan := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-sanitize=alignment,null -DCONFIG_DEBUG=1

define SYNC_HOST_VARIANT
SYNC_HOST_OBJ_$(1) := $$(SYNC_HOST_SRC:%.c=$$(O)/host-$(1)/%.o)
$$(foreach f,mem string fmt,$$(O)/host-$(1)/lib/$$(f).o): SYNC_HOST_NAMES := -include lib/host_names.h
$$(SYNC_HOST_OBJ_$(1)): $$(O)/host-$(1)/%.o: %.c sync/host.mk | $(B)/gen/percpu/trace/events.h
	@mkdir -p $$(@D)
	$$(Q)$$(HOSTCC) $$(SYNC_HOST_CFLAGS) $$(SYNC_HOST_SAN_$(1)) $$(SYNC_HOST_NAMES) -MMD -MP -c -o $$@ $$<
$$(O)/host-$(1)/sync_test: $$(SYNC_HOST_OBJ_$(1))
	$$(Q)$$(HOSTCC) -pthread $$(filter -fsanitize=%,$$(SYNC_HOST_SAN_$(1))) -o $$@ $$(SYNC_HOST_OBJ_$(1))
-include $$(SYNC_HOST_OBJ_$(1):.o=.d)
endef
$(eval $(call SYNC_HOST_VARIANT,tsan))
$(eval $(call SYNC_HOST_VARIANT,asan))

.PHONY: host-test-sync
host-test-sync: $(O)/host-tsan/sync_test $(O)/host-asan/sync_test
	@TSAN_OPTIONS=halt_on_error=0 $(O)/host-tsan/sync_test $(T)
	@$(O)/host-asan/sync_test $(T)
