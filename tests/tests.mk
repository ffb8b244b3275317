# SPDX-License-Identifier: BSD-2-Clause
# The programs that tests run in the guest, and the tests themselves.
# Included by the root Makefile; uses O, Q, HOSTCC and KERNEL.
#
#   make test                     everything below 20 minutes
#   make test TESTS=tests/boot.t  one file;  V=1 shows each result
#   make test-all                 tests/all/ too
#   KERNEL_UNDER_TEST=build/linux/vmlinuz make test TESTS=...   Debian's Linux instead
#   make bench BENCH='--quick --only ops'                       the table of costs

# One program a file, static, on both kernels the same.
GUEST_SRC := $(sort $(wildcard tests/abi/*.c tests/exhaust/*.c tests/user/*.c))
GUEST_PROGRAMS := $(GUEST_SRC:%.c=$(O)/%)
GUEST_CFLAGS := -std=gnu11 -O1 -g0 -I. -Wall -Wextra -Wno-unused-parameter -static -pthread
KERNEL_UNDER_TEST ?= $(KERNEL)
KERNEL_DEBUG := $(O)/debug/tessera.elf

$(GUEST_PROGRAMS): $(O)/%: %.c tests/tests.mk
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(GUEST_CFLAGS) -MMD -MP -MF $@.d -o $@ $<

-include $(addsuffix .d,$(GUEST_PROGRAMS))

.PHONY: guest-programs
guest-programs: $(GUEST_PROGRAMS)

# The debug kernel has the same sources and another folder: one more run of this makefile.
ifneq ($(KERNEL),$(KERNEL_DEBUG))
$(KERNEL_DEBUG): FORCE
	@+$(MAKE) --no-print-directory CONFIG=debug O=$(O) $@
endif

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
TESTS ?= $(patsubst %,tests/%.t,unit boot abi programs busybox host shell badinput failalloc faults display console)
TESTS_ALL := tests/stress.t $(TESTS) $(wildcard tests/all/*.t)
PROVE := env O=$(O) KERNEL=$(KERNEL_UNDER_TEST) KERNEL_DEBUG=$(KERNEL_DEBUG) \
	prove --timer -j 2 $(if $(filter 1,$(V)),-v)

test: $(KERNEL) $(KERNEL_DEBUG) $(ISO) $(GUEST_PROGRAMS) $(HOST_TESTS)
	@$(PROVE) $(TESTS)

test-all: $(KERNEL) $(KERNEL_DEBUG) $(ISO) $(GUEST_PROGRAMS) $(HOST_TESTS)
	@$(PROVE) $(TESTS_ALL)

# Costs beside Debian's Linux; build/report/ gets the table and the page with plots.
bench: $(KERNEL)
	@O=$(O) KERNEL=$(KERNEL) tests/bench/run -o $(O)/report $(BENCH)
