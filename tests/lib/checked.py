# SPDX-License-Identifier: BSD-2-Clause
"""Unit tests and programs on a kernel that looks at each operation: build/KIND/tessera.elf.

Model: tests/KIND.t runs a core set; by its other name in tests/all/, KIND-long.t, all unit tests and
all programs of tests/abi/ and tests/exhaust/. A report on the console fails the run. Arguments
choose programs. KERNEL_KIND (KERNEL_KASAN, ...) names another image.
"""

import os
import sys

import abi
import tap
import vm

LONG = tap.program().endswith("-long")


class Kernel:
    """One kind of kernel.

    `slower`: how many times as long as on the plain kernel all takes. `unit`: the unit tests of the
    core set, on each of the numbers `cpus`; `core`: its programs. `fault`: what two tasks provoke at
    once for a report (kernel/provoke.c).
    """

    def __init__(self, kind, slower, unit, cpus, core, fault):
        self.kind, self.slower, self.unit, self.cpus, self.core, self.fault = \
            kind, slower, unit, cpus, core, fault
        self.image = os.environ.get("KERNEL_" + kind.upper()) or "%s/%s/tessera.elf" % (vm.OUT, kind)


def unit(t, kernel, which, cpus):
    """The kernel's own tests on so many CPUs."""
    result = vm.VM(kernel=kernel.image, cpus=cpus, memory="768M", timeout=120 * kernel.slower,
                   append="console=ttyS0 panic=-1 loglevel=4 test=" + which).run()
    seen = sum(t.forward(block, "%d CPUs: " % cpus) for block in tap.blocks(result.lines))
    t.ok(result.good and seen, "%d CPUs: the tests ran, the console shows no trouble" % cpus,
         result.reports or result.trouble or result.tail())
    t.note("%d CPUs: %.1f s" % (cpus, result.seconds))


def programs(t, kernel, chosen, before=""):
    """Programs of tests/abi/ and tests/exhaust/, a VM for each folder."""
    for part in abi.by_folder(chosen):
        result = abi.run(t, kernel.image, part, 600, kernel.slower, before)
        t.note("%s and others: %.1f s" % (part[0], result.seconds))


PROVOKE = """
echo %(fault)s >/proc/tessera/provoke &
echo %(fault)s >/proc/tessera/provoke
wait
"""


def can_fail(t, kernel):
    """A report while a program runs fails that run, and nothing else does."""
    quiet = tap.Quiet()
    programs(quiet, kernel, ["abi/eventfd"], PROVOKE % {"fault": kernel.fault})
    t.same(quiet.bad, ["the machine was switched off, the console shows no trouble"],
           "a report (%s) fails a run, and it alone" % kernel.fault)


def main(kernel, *more):
    """The whole test file; `more` are functions (t, kernel) that it runs besides."""
    t = tap.Tap()
    chosen = sys.argv[1:]
    if vm.is_linux():
        t.skip("the %s kernel" % kernel.kind, "the kernel under test is Linux")
    elif chosen:
        programs(t, kernel, chosen)
    else:
        can_fail(t, kernel)
        for cpus in kernel.cpus:
            unit(t, kernel, "all" if LONG else kernel.unit, cpus)
        programs(t, kernel, abi.names() if LONG else kernel.core)
        for part in more:
            part(t, kernel)
    t.done()
