# SPDX-License-Identifier: BSD-2-Clause
# The tests of mm/'s allocators on the host, under the address and
# undefined-behaviour sanitizers: plain and debug builds, on a simulated machine
# (mm/mm_host.c). Included by the root Makefile after lib/host.mk; uses O and
# HOSTCC.
#
#   make host-test-mm           prints TAP
#   make host-test-mm T='slab*' only the tests whose names match

MM_HOST_SRC := $(filter-out mm/memblock_test_host.c,$(wildcard mm/page_test*.c mm/slab_test*.c)) \
	$(addprefix mm/,memblock.c buddy.c pcp.c page.c slab.c slab_cache.c slab_pages.c slab_debug.c kmalloc.c \
	fail.c reclaim.c meminfo.c mm_host.c panic_host.c) \
	percpu/area.c percpu/counter.c percpu/cpumask.c sync/spinlock.c sync/mutex.c
# The machinery of lib/'s tests without the tests.
MM_HOST_LIB = $(filter-out %_test.o %/decoders_host.o,$(LIB_HOST_OBJ))
# A list's head, taken for an entry at the end of a loop, need not be aligned as one.
MM_HOST_CFLAGS := -std=gnu11 -O1 -g -Imm/host -I. -I$(B)/gen -include lib/host.h -fno-pie -fno-strict-aliasing -fwrapv \
	-fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-sanitize=alignment,null -D_GNU_SOURCE -DCONFIG_MAX_CPUS=64 \
	-Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Werror

$(O)/host/mm/%.o: %.c mm/host.mk | $(B)/gen/percpu/trace/events.h
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(MM_HOST_CFLAGS) -MMD -MP -c -o $@ $<
$(O)/host/mm-debug/%.o: %.c mm/host.mk | $(B)/gen/percpu/trace/events.h
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(MM_HOST_CFLAGS) -DCONFIG_DEBUG=1 -MMD -MP -c -o $@ $<
$(O)/host/mm/pin_saving.o $(O)/host/mm-debug/pin_saving.o: arch/x86_64/pin_saving.S
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -c -o $@ $<

MM_HOST_OBJ := $(MM_HOST_SRC:%.c=$(O)/host/mm/%.o) $(O)/host/mm/pin_saving.o
MM_HOST_DEBUG_OBJ := $(MM_HOST_SRC:%.c=$(O)/host/mm-debug/%.o) $(O)/host/mm-debug/pin_saving.o \
	$(addprefix $(O)/host/mm-debug/sync/,debug.o lock_graph.o spin_debug.o lock_stat.o)
MM_HOST_MEMBLOCK_OBJ := $(addprefix $(O)/host/mm/mm/,memblock.o memblock_test_host.o panic_host.o)
MM_HOST_LINK = $(HOSTCC) -no-pie -fsanitize=address,undefined -pthread -Wl,-T,mm/host/percpu.ld

$(O)/host/mm_test: $(MM_HOST_OBJ) $(MM_HOST_LIB) mm/host/percpu.ld
	$(Q)$(MM_HOST_LINK) -o $@ $(filter %.o,$^)
$(O)/host/mm_debug_test: $(MM_HOST_DEBUG_OBJ) $(MM_HOST_LIB) mm/host/percpu.ld
	$(Q)$(MM_HOST_LINK) -o $@ $(filter %.o,$^)
$(O)/host/memblock_test: $(MM_HOST_MEMBLOCK_OBJ) $(MM_HOST_LIB) mm/host/percpu.ld
	$(Q)$(MM_HOST_LINK) -o $@ $(filter %.o,$^)

.PHONY: host-test-mm
host-test-mm: $(O)/host/mm_test $(O)/host/mm_debug_test $(O)/host/memblock_test
	@for t in $^; do $$t $(T) || exit 1; done

-include $(wildcard $(O)/host/mm/*/*.d $(O)/host/mm-debug/*/*.d)
