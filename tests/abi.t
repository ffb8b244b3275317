#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs the C programs of tests/abi/ and tests/exhaust/ in one VM each and forwards their TAP.

They hold on Linux too: KERNEL=build/linux/vmlinuz. Arguments choose programs: tests/abi.t abi/fork.
By its other name, tests/abi-debug.t, it runs them on the debug kernel: lock ranks, poisoned memory,
small limits.
"""

import glob
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import initramfs  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

NAME = os.path.basename(sys.argv[0])[:-2]
KERNEL = vm.KERNEL
if NAME == "abi-debug":
    KERNEL = os.environ.get("KERNEL_DEBUG") or vm.OUT + "/debug/tessera.elf"

RUN = """
ulimit -c 0
for program in %s; do
	echo "== $program"
	timeout -s KILL %d /tests/$program 2>&1
	echo "== end $?"
done
"""


def programs():
    """Names such as abi/fork, of those that have been compiled."""
    built = glob.glob(vm.OUT + "/tests/abi/*") + glob.glob(vm.OUT + "/tests/exhaust/*")
    names = sorted(os.path.relpath(path, vm.OUT + "/tests") for path in built if "." not in path)
    return [name for name in names if os.path.exists("tests/%s.c" % name)]


def run(t, names, timeout):
    """Runs the programs `names` in one VM."""
    lines = ["file /tests/%s %s/tests/%s 755" % (name, vm.OUT, name) for name in names]
    archive = initramfs.build(NAME, RUN % (" ".join(names), 90 * vm.SCALE), lines)
    result = vm.VM(kernel=KERNEL, initrd=archive, cpus=4, memory="1G", timeout=timeout).run()
    for name in names:
        printed, status = tap.section(result.lines, name)
        t.forward(printed, name + ": ")
        t.ok(status in ("0", "1"), name + " ended", status or result.tail())
    t.ok(result.good, "the machine was switched off, the console shows no trouble",
         result.trouble or result.tail())


def main():
    t = tap.Tap()
    names = sys.argv[1:] or programs()
    for folder in ("abi", "exhaust"):
        chosen = [name for name in names if name.startswith(folder + "/")]
        if chosen:
            run(t, chosen, 500)
    t.done()


main()
