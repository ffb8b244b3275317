#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The torture and litmus tests again and again, with other random numbers each round.

TORTURE_SECONDS (60) for each machine; TORTURE_CPUS (2,7,16,64), TORTURE_KERNELS (plain,debug): the
machines; TORTURE_SEED: the seed of the first round (from the clock; printed); TORTURE_HOTPLUG=0: no
CPUs leave and come meanwhile. Arguments choose tests: tests/all/torture.t '*rcu*'. One hour at 16:
make torture TORTURE_SECONDS=3600 TORTURE_CPUS=16 TORTURE_KERNELS=debug.
"""

import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + "/lib")
import tap  # noqa: E402
import vm  # noqa: E402

KERNELS = {"plain": vm.KERNEL,
           "debug": os.environ.get("KERNEL_DEBUG") or vm.OUT + "/debug/tessera.elf"}
SECONDS = int(os.environ.get("TORTURE_SECONDS", "60"))
CPUS = os.environ.get("TORTURE_CPUS", "2,7,16,64")
SEED = int(os.environ.get("TORTURE_SEED", int(time.time()) % 1000000))
HOTPLUG = " test_hotplug" * (os.environ.get("TORTURE_HOTPLUG", "1") != "0")
TESTS = sys.argv[1:] or ["*torture*", "*litmus*"]


def machine(t, name, cpus):
    """One kernel on so many CPUs; a line of the summary."""
    where = "%s, %d CPUs: " % (name, cpus)
    # A test that has begun is finished: the slowest takes a minute where CPUs wait for each other.
    result = vm.VM(kernel=KERNELS[name], cpus=cpus, memory="1G", timeout=SECONDS + 180,
                   append="console=ttyS0 panic=-1 loglevel=4 test=%s test_seconds=%d test_seed=%d%s" %
                   (",".join(TESTS), SECONDS, SEED, HOTPLUG)).run()
    seen = sum(t.forward(block, where) for block in tap.blocks(result.lines))
    t.ok(result.good and seen, where + "the tests ran and ended, the console shows no trouble",
         result.trouble or result.tail(40))
    for line in result.lines:
        if line.startswith("# failed with"):
            t.note(where + line[2:])
    sums = re.search(r"^# (\d+ tests, .*)$", result.serial, re.M)
    return "%-6s %3d CPUs  %s" % (name, cpus, sums[1] if sums else "did not end")


def main():
    t = tap.Tap()
    if vm.is_linux():
        t.skip("torture", "the kernel's own tests")
        t.done()
    summary = [machine(t, name, int(cpus)) for cpus in CPUS.split(",")
               for name in os.environ.get("TORTURE_KERNELS", "plain,debug").split(",")]
    t.note("\n".join(["%d s each, from seed %d:" % (SECONDS, SEED)] + summary))
    t.done()


main()
