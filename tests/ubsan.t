#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Unit tests and system calls on a kernel that looks at each operation: tests/NAME.t boots NAME's.

ubsan: undefined operations, pointers too (the debug kernel looks at numbers and arrays, and all
files run on that). kasan: addresses. A report fails the run. Here a core set; by its names in
tests/all/ (NAME-long.t) all unit tests and all programs of tests/abi/ and tests/exhaust/.
Arguments choose programs.
"""

import glob
import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE + "/lib")
import initramfs  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

NAME = os.path.basename(sys.argv[0])[:-2]
KIND, LONG = NAME.partition("-")[0], NAME.endswith("-long")
KERNEL = "%s/%s/tessera.elf" % (vm.OUT, KIND)
# Which unit tests; how much slower than the plain kernel.
UNIT = {"ubsan": "all", "kasan": "mm/*"}[KIND]
SLOWER = {"ubsan": 1, "kasan": 5}[KIND]
CORE = ("abi/dir", "abi/epoll", "abi/exec", "abi/fork", "abi/io", "abi/memfd", "abi/mremap",
        "abi/pipe", "abi/procpid", "abi/signal", "abi/splice", "abi/unix", "abi/wild", "abi/xattr")

RUN = """
ulimit -c 0
export ABI_SCALE=%d
for program in %s; do
	echo "== $program"
	timeout -s KILL %d /tests/$program 2>&1
	echo "== end $?"
done
"""


def unit(t, which):
    """The kernel's own tests."""
    result = vm.VM(kernel=KERNEL, cpus=3, memory="768M", timeout=120 * SLOWER,
                   append="console=ttyS0 panic=-1 loglevel=4 test=" + which).run()
    seen = sum(t.forward(block, "") for block in tap.blocks(result.lines))
    t.ok(result.good and seen, "the tests ran, the console shows no trouble",
         result.trouble or result.tail())
    t.note("%.1f s" % result.seconds)


def programs(t, names):
    """Programs of tests/abi/, in one VM."""
    scale = SLOWER * max(1, int(vm.SCALE))
    lines = ["file /tests/%s %s/tests/%s 755" % (name, vm.OUT, name) for name in names]
    archive = initramfs.build(NAME, RUN % (scale, " ".join(names), 90 * scale), lines)
    result = vm.VM(kernel=KERNEL, initrd=archive, cpus=4, memory="1G", timeout=600 * SLOWER).run()
    for name in names:
        printed, status = tap.section(result.lines, name)
        t.forward(printed, name + ": ")
        t.ok(status in ("0", "1"), name + " ended", status or result.tail())
    t.ok(result.good, "the machine was switched off, the console shows no trouble",
         result.trouble or result.tail())
    t.note("%.1f s" % result.seconds)


def main():
    t = tap.Tap()
    if vm.is_linux():
        t.skip("the checked kernel", "the kernel under test is Linux")
        t.done()
        return
    chosen = sys.argv[1:]
    if not chosen:
        unit(t, "all" if LONG else UNIT)
    if chosen or not LONG:
        programs(t, chosen or CORE)
    else:
        for folder in ("abi", "exhaust"):
            programs(t, sorted(path[len("tests/"):-len(".c")]
                               for path in glob.glob("tests/%s/*.c" % folder)))
    t.done()


main()
