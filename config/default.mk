# SPDX-License-Identifier: BSD-2-Clause
# The parts of the default kernel, bottom to top.
PARTS := lib percpu percpu/trace sync mm \
	kernel kernel/sched kernel/time kernel/task kernel/signal kernel/futex kernel/handle \
	kernel/dev kernel/syscall kernel/trace kernel/check kernel/ptrace kernel/seccomp \
	net net/unix \
	fs fs/proc fs/sysfs fs/tracefs fs/debugfs ipc uring \
	arch/x86_64
WITH_TESTS := 1
DEFINES := -DCONFIG_TESTS=1
