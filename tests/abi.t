#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs the C programs of tests/abi/ and tests/exhaust/ in one VM each and forwards their TAP.

They hold on Linux too: KERNEL=build/linux/vmlinuz. Arguments choose programs: tests/abi.t abi/fork.
By its other name, tests/abi-debug.t, it runs them on the debug kernel: lock ranks, poisoned memory,
small limits.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import abi  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

KERNEL = vm.KERNEL
if tap.program() == "abi-debug":
    KERNEL = os.environ.get("KERNEL_DEBUG") or vm.OUT + "/debug/tessera.elf"


def main():
    t = tap.Tap()
    for chosen in abi.by_folder(sys.argv[1:] or abi.names()):
        abi.run(t, KERNEL, chosen, 500)
    t.done()


main()
