# SPDX-License-Identifier: BSD-2-Clause
# Tessera. `make help` says what there is.
#
# One makefile, no recursion. config/$(CONFIG).mk lists the parts (folders) and
# the switches of a kernel; everything built lies under $(B).

CONFIG ?= default
O ?= build
B := $(if $(filter default,$(CONFIG)),$(O),$(O)/$(CONFIG))
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
.DEFAULT_GOAL := all
MAKEFLAGS += -rR
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

include config/$(CONFIG).mk

CC := gcc
LD := ld
NM := nm
HOSTCC := gcc
VERSION := 6.1.0-tessera

# --- kernel ---

CPPFLAGS := -I$(B)/gen -I. $(DEFINES)
CFLAGS := -std=gnu11 -O2 -g1 -ffreestanding -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
	-fno-pic -fno-pie -fno-strict-aliasing -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fno-omit-frame-pointer -fno-optimize-sibling-calls -fno-delete-null-pointer-checks \
	-fno-common -fwrapv -fcf-protection=none -mtune=generic \
	-Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wmissing-prototypes \
	-Wstrict-prototypes -Wvla -Wframe-larger-than=1536 -Werror $(CFLAGS_CONFIG)
LDFLAGS := -nostdlib -static -z noexecstack -z max-page-size=4096 --no-warn-rwx-segments \
	--build-id=none

SOURCES := $(filter-out %_host.c arch/x86_64/offsets.c, \
	$(foreach p,$(PARTS),$(wildcard $(p)/*.c) $(filter-out %.lds.S,$(wildcard $(p)/*.S))))
ifneq ($(WITH_TESTS),1)
SOURCES := $(filter-out %_test.c,$(SOURCES))
endif
ifneq ($(WITH_DEBUG),1)
SOURCES := $(filter-out kernel/alloc_fail.c mm/fail_sites.c mm/fail_test.c fs/proc/slab_allocators.c fs/proc/lock_stat.c fs/proc/locks.c,$(SOURCES))
endif
ifneq ($(WITH_UBSAN),1)
SOURCES := $(filter-out kernel/check/ubsan%,$(SOURCES))
endif
ifneq ($(WITH_KCOV),1)
SOURCES := $(filter-out kernel/check/kcov% fs/debugfs/kcov%,$(SOURCES))
endif
ifneq ($(WITH_KASAN),1)
SOURCES := $(filter-out mm/kasan%,$(SOURCES))
endif
ifneq ($(WITH_KCSAN),1)
SOURCES := $(filter-out sync/kcsan%,$(SOURCES))
endif
OBJECTS := $(addprefix $(B)/,$(addsuffix .o,$(basename $(SOURCES)))) \
	$(B)/gen/syscall_table.o $(B)/gen/trace_table.o $(B)/gen/version.o
GEN := $(B)/gen/kernel/syscall/syscalls.h $(B)/gen/percpu/trace/events.h $(B)/gen/asm-offsets.h
KERNEL := $(B)/tessera.elf

include tools/host.mk tests/tests.mk

.PHONY: all iso run debug gdb-types test test-all check bench conflicts clean help FORCE
all: $(KERNEL)

$(B)/gen/kernel/syscall/syscalls.h: kernel/syscall/syscalls.list tools/gen-syscalls
	@mkdir -p $(@D)
	$(Q)tools/gen-syscalls $< $@ $(B)/gen/syscall_table.c
$(B)/gen/syscall_table.c: $(B)/gen/kernel/syscall/syscalls.h ;
$(B)/gen/percpu/trace/events.h: percpu/trace/events.list tools/gen-trace
	@mkdir -p $(@D)
	$(Q)tools/gen-trace $< $@ $(B)/gen/trace_table.c
$(B)/gen/trace_table.c: $(B)/gen/percpu/trace/events.h ;

$(B)/gen/asm-offsets.h: arch/x86_64/offsets.c $(B)/gen/kernel/syscall/syscalls.h $(B)/gen/percpu/trace/events.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MT $@ -MF $(@:.h=.d) -S -o $(@:.h=.s) $<
	$(Q)sed -n 's/^->\([A-Z_0-9]*\) \$$\(.*\)$$/#define \1 \2/p' $(@:.h=.s) >$@

$(B)/gen/version.c: FORCE
	@mkdir -p $(@D)
	@{ echo '/* Made by the Makefile. */'; echo '#include "kernel/version.h"'; \
	echo 'const char kernel_release[] = "$(VERSION)";'; \
	echo 'const char kernel_version[] = "#1 SMP PREEMPT Tessera $(CONFIG) '$$(git rev-parse --short HEAD 2>/dev/null || echo none)'";'; } >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# What the compiler's address checks are made of, and what looks at memory that is marked.
NO_ASAN := mm/kasan mm/kasan_map mm/kasan_slab mm/slab mm/slab_cache mm/slab_debug mm/slab_pages \
	mm/kmalloc arch/x86_64/backtrace
$(NO_ASAN:%=$(B)/%.o): CFLAGS := $(filter-out -fsanitize=kernel-address -fasan-%,$(CFLAGS))

# What a report of an undefined operation is made of.
$(B)/kernel/check/ubsan.o: CFLAGS := $(filter-out -fsanitize=% -fsanitize-coverage=% -fasan-%,$(CFLAGS)) -fwrapv

# What runs before there are tasks, comes in between (interrupts, the scheduler), or is so much
# the same in all system calls that it only hides what they do; and the runtime of KCOV itself.
NO_KCOV := percpu/% percpu/trace/% sync/% kernel/check/% kernel/sched/% kernel/time/% \
	mm/buddy mm/fail mm/memblock mm/page mm/pcp mm/tlb $(filter-out arch/%,$(NO_ASAN)) \
	arch/x86_64/apic arch/x86_64/backtrace arch/x86_64/bootinfo arch/x86_64/clock arch/x86_64/cpu \
	arch/x86_64/desc arch/x86_64/early_serial arch/x86_64/fpu arch/x86_64/irq arch/x86_64/main \
	arch/x86_64/smp arch/x86_64/task_setup arch/x86_64/traps
$(NO_KCOV:%=$(B)/%.o): CFLAGS := $(filter-out -fsanitize-coverage=%,$(CFLAGS))

# What the watch for data races is made of, reports with, and looks at by itself (lib/mem.c); what
# unpacks at boot, alone.
NO_TSAN := sync/kcsan sync/kcsan_report sync/kcsan_atomic arch/x86_64/backtrace kernel/log lib/mem lib/inflate \
	lib/unzstd lib/unzstd_block lib/unzstd_entropy lib/xxhash lib/crc32
$(NO_TSAN:%=$(B)/%.o): CFLAGS := $(filter-out -fsanitize=thread --param=tsan-%,$(CFLAGS))

# Objects need the generated headers to exist once; dependency files do the rest.
$(OBJECTS): | $(GEN)

$(B)/%.o: %.c config/$(CONFIG).mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(CFLAGS_$(<D)) -MMD -MP -c -o $@ $<
$(B)/%.o: %.S config/$(CONFIG).mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -D__ASSEMBLER__ -MMD -MP -c -o $@ $<
$(B)/gen/%.o: $(B)/gen/%.c
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The vDSO is a shared object of its own, embedded as it is.
VDSO_CFLAGS := -std=gnu11 -O2 -fPIC -ffreestanding -fno-stack-protector -fno-builtin -mno-red-zone \
	-fasynchronous-unwind-tables -fcf-protection=none -Wall -Wextra -Werror -I.
$(B)/vdso.so: arch/x86_64/vdso/vdso.c arch/x86_64/vdso/vdso.lds arch/x86_64/vdso/data.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(VDSO_CFLAGS) -c -o $(@:.so=.o) $<
	$(Q)$(LD) -shared -Bsymbolic -soname=linux-vdso.so.1 --hash-style=both --eh-frame-hdr --build-id=none \
		-z max-page-size=4096 -z noexecstack -T arch/x86_64/vdso/vdso.lds -o $@ $(@:.so=.o)
	$(Q)strip -S $@
$(B)/arch/x86_64/vdso_image.o: $(B)/vdso.so
$(B)/arch/x86_64/vdso_image.o: CPPFLAGS += -DVDSO_FILE='"$(B)/vdso.so"'

$(B)/kernel.lds: arch/x86_64/kernel.lds.S arch/x86_64/asm/layout.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -D__ASSEMBLER__ -E -P -x c -o $@ $<

# Three links: the first gives the names and the size of the symbol table, the second the addresses.
$(B)/gen/symbols0.S: tools/symbols
	@mkdir -p $(@D)
	$(Q)tools/symbols /dev/null >$@
$(B)/tessera.pass1: $(OBJECTS) $(B)/gen/symbols0.o $(B)/kernel.lds
	$(Q)$(LD) $(LDFLAGS) -T $(B)/kernel.lds -o $@ $(OBJECTS) $(B)/gen/symbols0.o
$(B)/gen/symbols1.S: $(B)/tessera.pass1 tools/symbols
	$(Q)$(NM) -n $< >$(B)/gen/symbols1.nm
	$(Q)tools/symbols $(B)/gen/symbols1.nm >$@
$(B)/tessera.pass2: $(B)/gen/symbols1.o
	$(Q)$(LD) $(LDFLAGS) -T $(B)/kernel.lds -o $@ $(OBJECTS) $<
$(B)/gen/symbols.S: $(B)/tessera.pass2 tools/symbols
	$(Q)$(NM) -n $< >$(B)/gen/symbols.nm
	$(Q)tools/symbols $(B)/gen/symbols.nm >$@
$(B)/gen/symbols%.o: $(B)/gen/symbols%.S
	$(Q)$(CC) -c -o $@ $<
$(B)/gen/symbols.o: $(B)/gen/symbols.S
	$(Q)$(CC) -c -o $@ $<
$(KERNEL): $(OBJECTS) $(B)/gen/symbols.o $(B)/kernel.lds
	$(Q)$(LD) $(LDFLAGS) -T $(B)/kernel.lds -o $@ $(OBJECTS) $(B)/gen/symbols.o
	@echo "  $@ ($$(stat -c %s $@) bytes)"

-include $(OBJECTS:.o=.d) $(B)/gen/asm-offsets.d

# --- static checks see the same commands ---

$(B)/compile_commands.txt: FORCE
	@mkdir -p $(@D)
	@for f in $(filter %.c,$(SOURCES)); do echo "$$f $(CPPFLAGS) $(CFLAGS)"; done >$@

clean:
	rm -rf $(O)

help:
	@echo 'make            build the kernel ($(KERNEL))'
	@echo 'make run        boot an interactive shell on 8 CPUs'
	@echo 'make test       run every test (TAP, prove)'
	@echo 'make test-all   the long ones too'
	@echo 'make iso        GRUB 2 image, BIOS and UEFI'
	@echo 'make debug      as run, waiting for gdb on :1234'
	@echo 'make check      static checks: layers, style, sparse, clang'
	@echo 'make torture    the torture tests until a time is over (TORTURE_SECONDS, TORTURE_CPUS)'
	@echo 'make bench      benchmarks beside Linux'
	@echo 'make conflicts  which operations share cache lines, beside Linux'
	@echo 'make hot        the hot functions of a command (HOT_COMMAND)'
	@echo 'make trace      a page of what a command does over time (TRACE_COMMAND)'
	@echo 'make gdb-types  what tools/gdb/tessera.py needs besides the kernel'
	@echo 'make clean      remove $(O)/'
	@echo 'Variables: CONFIG=default|debug|ubsan|kasan|kcsan|kcov  O=folder  V=1'
