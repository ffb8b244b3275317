#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's unit and torture tests (test=all) at several CPU counts.

They run in the debug kernel: KERNEL_DEBUG, default O/debug/tessera.elf. An argument replaces `all`:
tests/unit.t 'sync/*'.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import tap  # noqa: E402
import vm  # noqa: E402

KERNEL = os.environ.get("KERNEL_DEBUG") or vm.OUT + "/debug/tessera.elf"
CPUS = (1, 2, 7, 64)


# With so many on few cores one waits for QEMU's lock, which is not fair, longer than a CPU may stand still.
PATIENT = " rcupdate.rcu_cpu_stall_timeout=60 watchdog_thresh=30"


def kernel(t, cpus, which):
    """One boot; each result is named after the number of CPUs."""
    result = vm.VM(kernel=KERNEL, cpus=cpus, memory="512M", timeout=240,
                   append="console=ttyS0 panic=-1 loglevel=4 test=" + which
                   + (PATIENT if cpus > 16 else "")).run()
    seen = sum(t.forward(block, "%d CPUs: " % cpus) for block in tap.blocks(result.lines))
    t.ok(result.good and seen, "%d CPUs: the tests ran, the console shows no trouble" % cpus,
         result.trouble or result.tail())
    t.note("%.1f s" % result.seconds)


def main():
    t = tap.Tap()
    which = (sys.argv[1:] or ["all"])[0]
    if vm.is_linux():
        t.skip("the kernel's own tests", "the kernel under test is Linux")
    else:
        for cpus in CPUS:
            kernel(t, cpus, which)
    t.done()


main()
