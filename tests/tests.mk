# SPDX-License-Identifier: BSD-2-Clause
# The programs that tests run in the guest, and the tests themselves.
# Included by the root Makefile; uses O, Q, HOSTCC and KERNEL.
#
#   make test                     everything below 20 minutes
#   make test TESTS=tests/boot.t  one file;  V=1 shows each result
#   make test-all                 tests/all/ too
#   KERNEL_UNDER_TEST=build/linux/vmlinuz make test TESTS=...   Debian's Linux instead
#   make conflicts CONFLICTS_ARGS=--no-linux                    the table of shared cache lines
#   make hot HOT_COMMAND='ls -lR /'     the kernel's functions by instructions executed
#   make trace TRACE_COMMAND='...'      what a command does over time, as a page
#   make torture TORTURE_SECONDS=3600 TORTURE_CPUS=16           torture tests, again and again
#   make bench BENCH='--quick --only ops'                       the table of costs

# One program a file, static, on both kernels the same.
GUEST_SRC := $(sort $(wildcard tests/abi/*.c tests/exhaust/*.c tests/user/*.c))
GUEST_PROGRAMS := $(GUEST_SRC:%.c=$(O)/%)
GUEST_CFLAGS := -std=gnu11 -O1 -g0 -I. -Wall -Wextra -Wno-unused-parameter -static -pthread
KERNEL_UNDER_TEST ?= $(KERNEL)
KERNEL_DEBUG := $(O)/debug/tessera.elf

# gdb is to see it as it was written.
$(O)/tests/user/debuggee: GUEST_CFLAGS += -g3 -O0
$(GUEST_PROGRAMS): $(O)/%: %.c tests/tests.mk
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(GUEST_CFLAGS) -MMD -MP -MF $@.d -o $@ $<

-include $(addsuffix .d,$(GUEST_PROGRAMS))

# The pairs of operations (tests/conflicts.t, make conflicts): a program of several files, what
# it executes, and the plugin that watches both.
CONFLICTS_SRC := $(filter-out %/child.c,$(wildcard tests/conflicts/*.c))
CONFLICTS := $(O)/tests/conflicts/driver $(O)/tests/conflicts/child $(O)/tools/conflicts.so

$(O)/tests/conflicts/driver: $(CONFLICTS_SRC) $(wildcard tests/conflicts/*.h) tests/tests.mk
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(GUEST_CFLAGS) -o $@ $(CONFLICTS_SRC)
$(O)/tests/conflicts/child: tests/conflicts/child.c tests/tests.mk
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(GUEST_CFLAGS) -o $@ $<
$(O)/tools/conflicts.so: tools/conflicts/plugin.c tools/conflicts/qemu_plugin.h tests/tests.mk
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -std=gnu11 -O2 -Wall -Wextra -Wno-unused-parameter -fPIC -fvisibility=hidden \
		-shared -o $@ $<

# The hot functions (make hot, tests/inside.t): the plugin, and the program that tells it when to count.
HOT := $(O)/tools/hot.so $(O)/tools/mark
$(O)/tools/hot.so: tools/hot/plugin.c tools/conflicts/qemu_plugin.h tests/tests.mk
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -std=gnu11 -O2 -Wall -Wextra -Wno-unused-parameter -fPIC -fvisibility=hidden \
		-shared -o $@ $<
$(O)/tools/mark: tools/hot/mark.c tests/tests.mk
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(GUEST_CFLAGS) -o $@ $<

.PHONY: guest-programs conflicts hot
guest-programs: $(GUEST_PROGRAMS) $(CONFLICTS) $(HOT)

# The debug kernel has the same sources and another folder: one more run of this makefile.
ifneq ($(KERNEL),$(KERNEL_DEBUG))
$(KERNEL_DEBUG): FORCE
	@+$(MAKE) --no-print-directory CONFIG=debug O=$(O) $@
$(O)/debug/gdb-types.o: $(KERNEL_DEBUG)
	@+$(MAKE) --no-print-directory CONFIG=debug O=$(O) $@
endif
# So have the kernels that look at each operation.
CHECKED := $(filter-out $(KERNEL),$(patsubst %,$(O)/%/tessera.elf,ubsan kasan kcsan kcov))
$(CHECKED): $(O)/%/tessera.elf: FORCE
	@+$(MAKE) --no-print-directory CONFIG=$* O=$(O) $@
TYPES := $(O)/gdb-types.o $(O)/debug/gdb-types.o

# The unit tests that run on the host (tests/host.t; one folder: host-test-lib, -mm, -sync).
include lib/host.mk mm/host.mk sync/host.mk
HOST_TESTS := $(addprefix $(O)/,$(addprefix host/,lib_test mm_test mm_debug_test memblock_test) \
	host-asan/sync_test host-tsan/sync_test)
.PHONY: host-tests host-tests-list
host-tests: $(HOST_TESTS)
host-tests-list:
	@echo $(HOST_TESTS)

# What passes whole is in TESTS and guards every change; the others, which still show what is
# missing (Documentation/status.md), run by test-all. Longest first.
TESTS ?= $(patsubst %,tests/%.t,unit ubsan kasan stress boot abi abi-debug conflicts programs debuggers kcsan busybox host shell badinput kcov failalloc faults inside plug bochs display console)
TESTS_ALL := $(TESTS) tests/failsweep.t $(wildcard tests/all/*.t)
PROVE := env O=$(O) KERNEL=$(KERNEL_UNDER_TEST) KERNEL_DEBUG=$(KERNEL_DEBUG) \
	prove --timer -j 2 $(if $(filter 1,$(V)),-v)

test: $(KERNEL) $(KERNEL_DEBUG) $(CHECKED) $(ISO) $(GUEST_PROGRAMS) $(CONFLICTS) $(HOT) $(TYPES) $(HOST_TESTS)
	@$(PROVE) $(TESTS)

test-all: $(KERNEL) $(KERNEL_DEBUG) $(CHECKED) $(ISO) $(GUEST_PROGRAMS) $(CONFLICTS) $(HOT) $(TYPES) $(HOST_TESTS)
	@$(PROVE) $(TESTS_ALL)

# The torture tests for a while (TORTURE_SECONDS, TORTURE_CPUS, TORTURE_KERNELS, TORTURE_SEED).
.PHONY: torture
torture: $(KERNEL) $(KERNEL_DEBUG)
	@O=$(O) KERNEL=$(KERNEL) KERNEL_DEBUG=$(KERNEL_DEBUG) tests/all/torture.t

# Which operations on two CPUs write what the other touches, beside Debian's Linux.
conflicts: $(KERNEL) $(CONFLICTS)
	@O=$(O) KERNEL=$(KERNEL) tests/conflicts/run -o $(O)/report $(CONFLICTS_ARGS)

# The functions in which the instructions of HOT_COMMAND are executed.
hot: $(KERNEL) $(HOT)
	@O=$(O) KERNEL=$(KERNEL) tools/hot/run $(HOT_ARGS) $(if $(HOT_COMMAND),'$(HOT_COMMAND)')

# What a command does over time: build/report/trace.html.
.PHONY: trace
trace: $(KERNEL)
	@O=$(O) KERNEL=$(KERNEL) tools/trace/run -o $(O)/report $(TRACE_ARGS) $(if $(TRACE_COMMAND),'$(TRACE_COMMAND)')

# Costs beside Debian's Linux; build/report/ gets the table and the page with plots.
bench: $(KERNEL)
	@O=$(O) KERNEL=$(KERNEL) tests/bench/run -o $(O)/report $(BENCH)
