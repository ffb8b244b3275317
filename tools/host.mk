# SPDX-License-Identifier: BSD-2-Clause
# What is made and run on the host around the kernel: initramfs, ISO, QEMU, checks.
# Included by the root Makefile; uses O, B, Q and KERNEL.
#
#   make run CPUS=16 MEMORY=4G APPEND='loglevel=7' QEMU_EXTRA='...'

CPUS ?= 8
MEMORY ?= 1G
APPEND ?=
QEMU_EXTRA ?=
SHELL_INITRAMFS := $(O)/initramfs.cpio
ISO := $(B)/tessera.iso

# What the goals need from Debian is installed before any rule runs; instant when it is there.
SETUP_GOALS := $(filter all iso run debug test test-all check bench conflicts,$(or $(MAKECMDGOALS),all))
ifneq ($(SETUP_GOALS),)
ifneq ($(shell tools/setup $(SETUP_GOALS) >&2 && echo done),done)
$(error tools/setup could not install what 'make $(SETUP_GOALS)' needs)
endif
endif

$(SHELL_INITRAMFS): tools/mkinitramfs $(wildcard tools/shell/*)
	@mkdir -p $(@D)
	$(Q)tools/mkinitramfs -o $@ tools/shell/manifest

$(ISO): $(KERNEL) $(SHELL_INITRAMFS) tools/mkiso
	$(Q)tools/mkiso $@ $(KERNEL) $(SHELL_INITRAMFS) console=tty0 console=ttyS0
	@echo "  $@"

iso: $(ISO)

run: $(KERNEL) $(SHELL_INITRAMFS)
	@tools/run -c $(CPUS) -m $(MEMORY) -k $(KERNEL) -i $(SHELL_INITRAMFS) \
		-a '$(APPEND)' -- $(QEMU_EXTRA)

# What tools/gdb/tessera.py needs besides the kernel: the types, which it does not hold (-g1).
GDB_TYPES := $(B)/gdb-types.o
$(GDB_TYPES): tools/gdb/types.c $(GEN)
	$(Q)$(CC) $(CPPFLAGS) $(filter-out -g1,$(CFLAGS)) -g -fno-eliminate-unused-debug-types \
		-MMD -MP -MF $(GDB_TYPES:.o=.d) -c -o $@ $<
-include $(GDB_TYPES:.o=.d)
gdb-types: $(GDB_TYPES)

debug: $(KERNEL) $(GDB_TYPES) $(SHELL_INITRAMFS)
	@echo "  In another terminal: gdb $(KERNEL) -ex 'source tools/gdb/tessera.py' -ex 'target remote :1234'"
	@tools/run -c $(CPUS) -m $(MEMORY) -k $(KERNEL) -i $(SHELL_INITRAMFS) -a 'nokaslr $(APPEND)' -- \
		-s -S $(QEMU_EXTRA)

check: $(GEN) $(B)/compile_commands.txt
	@tools/check $(B)/compile_commands.txt
