#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Allocations of the kernel fail at random under a storm of fork, exec and open.

In the debug kernel (KERNEL_DEBUG): nothing panics, no call fails but for want of memory, and nothing
is lost afterwards.
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import initramfs  # noqa: E402
import leaks  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

KERNEL = os.environ.get("KERNEL_DEBUG") or vm.OUT + "/debug/tessera.elf"
SECONDS = 10
# One of so many allocations: some calls get far, most fail somewhere.
RATES = (200, 30)


def script():
    """The guest's part; a first storm makes what is made once."""
    storms = "\n".join("failstorm %d %d; echo \"== status $?\"" % (rate, SECONDS) for rate in RATES)
    return "failstorm 100 3 >/dev/null\n" + leaks.READ % "before" + storms + "\n" + \
        "echo count=$(cat /proc/sys/vm/fail_alloc_count)\n" + leaks.READ % "after"


def main():
    t = tap.Tap()
    if vm.is_linux():
        t.skip("failing allocations", "the kernel under test is Linux")
        t.done()
        return
    lines = ["file /bin/failstorm %s/tests/user/failstorm 755" % vm.OUT]
    cpus = 4
    archive = initramfs.build("failalloc", script(), lines)
    result = vm.VM(kernel=KERNEL, initrd=archive, cpus=cpus, memory="512M", timeout=150,
                   append="console=ttyS0 panic=-1 loglevel=4").run()
    done = re.findall(r"^storm done (\d+) failed (\d+)", result.serial, re.M)
    for rate, tally in zip(RATES, done + [None] * len(RATES)):
        t.ok(tally and int(tally[0]) > 100 and int(tally[1]) > 20,
             "one of %d fails: calls succeed and fail" % rate, tally or result.tail())
    t.ok(int(result.value("count") or 0) > 500, "many allocations failed", result.value("count"))
    odd = re.findall(r"^odd: .*", result.serial, re.M)
    t.ok(not odd, "calls fail for want of memory only", "\n".join(odd[:20]))
    leaks.check(t, result, "after the storms", cpus)
    t.ok(result.good, "the machine was switched off and nothing complained",
         result.trouble or result.tail())
    t.done()


main()
