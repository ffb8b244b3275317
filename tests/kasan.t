#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The kernel that looks at addresses (make CONFIG=kasan) reports wrong ones, and shows none.

tests/lib/checked.py says what runs here and in tests/all/kasan-long.t, where tests/stress.t comes
besides.
"""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)) + "/lib")
import checked  # noqa: E402
import initramfs  # noqa: E402
import vm  # noqa: E402

UNIT = ("mm/kasan*", "mm/slab*", "mm/vmalloc*", "mm/space*", "kernel/task/*", "kernel/signal/*",
        "kernel/handle/*", "kernel/futex/*", "fs/*", "net/*", "ipc/*")
CORE = ("abi/dir", "abi/exec", "abi/fork", "abi/memfd", "abi/pipe", "abi/procpid", "abi/signal",
        "abi/unix", "abi/xattr")
# What to provoke; the report's head, and what it says of the object.
WAYS = (("read-freed", r"BUG: KASAN: slab-use-after-free in read_freed\+\w+",
         r"offset 0 of object \w+, size 64, of slab kmalloc-64\n.*"
         r"allocated by read_freed\+\w+, freed by read_freed\+\w+"),
        ("read-behind", r"BUG: KASAN: slab-out-of-bounds in read_behind\+\w+",
         r"offset 40 of object \w+, size 40, of slab kmalloc-\d+\n.*allocated by read_behind\+\w+"))
PROVOKE = """
echo %s >/proc/tessera/provoke
echo goes on
"""


def provoked(t, kernel):
    """A report says what was done, where, and to whose memory; the kernel goes on."""
    for way, head, whose in WAYS:
        archive = initramfs.build("kasan-" + way, PROVOKE % way)
        result = vm.VM(kernel=kernel.image, initrd=archive, timeout=60).run()
        t.ok(re.search(head + r"\n.*Read of size 1 at addr [0-9a-f]{16} by CPU \d", result.serial),
             way + ": the access", result.tail(40))
        t.ok(re.search(r" provoke_write\+0x(.|\n)* sys_write\+0x", result.serial),
             way + ": a backtrace", result.tail(40))
        t.ok(re.search(whose, result.serial), way + ": the object", result.tail(40))
        t.ok("goes on" in result.lines and result.ended, way + ": the kernel goes on", result.tail())


def stress(t, kernel):
    """The stressors of tests/stress.t, and what they leave behind."""
    if not checked.LONG:
        return
    scale = max(vm.SCALE, 1) * kernel.slower
    done = subprocess.run(["tests/stress.t"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, text=True,
                          env=dict(os.environ, KERNEL=kernel.image, TIME_SCALE=str(scale)))
    t.forward(done.stdout.splitlines(), "stress: ")
    sys.stderr.write(done.stderr)


checked.main(checked.Kernel("kasan", slower=5, unit=",".join(UNIT), cpus=(1, 4), core=CORE,
                            fault="read-freed"), provoked, stress)
