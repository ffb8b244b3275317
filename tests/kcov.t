#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""KCOV in the kernel that is compiled for it (make CONFIG=kcov): tests/abi/kcov.c, and what it names.

The code that getpriority(2) runs is the function of that name and what it calls.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import initramfs  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

KERNEL = vm.OUT + "/kcov/tessera.elf"
RUN = """
ulimit -c 0
echo "== abi/kcov"
/tests/abi/kcov 2>&1
echo "== end $?"
echo "== covered"
covered getpriority
echo "== end $?"
"""


def main():
    t = tap.Tap()
    if vm.is_linux():
        t.skip("KCOV", "the kernel under test is Linux")
        t.done()
        return
    lines = ["file /tests/abi/kcov %s/tests/abi/kcov 755" % vm.OUT,
             "file /bin/covered %s/tests/user/covered 755" % vm.OUT]
    result = vm.VM(kernel=KERNEL, initrd=initramfs.build("kcov", RUN, lines), cpus=3,
                   timeout=60).run()
    printed, status = tap.section(result.lines, "abi/kcov")
    t.ok(not any("SKIP" in line for line in printed), "there is a kcov", result.tail())
    t.forward(printed, "abi/kcov: ")
    t.same(status, "0", "abi/kcov ended")
    printed, status = tap.section(result.lines, "covered")
    t.ok(status == "0" and "sys_getpriority" in printed, "the code of a call has its names",
         "\n".join(printed))
    t.ok(result.good, "the machine was switched off, the console shows no trouble",
         result.trouble or result.tail())
    t.done()


main()
