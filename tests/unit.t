#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's unit and torture tests (test=all) at several CPU counts, and those of lib/ on the
host.

They run in the debug kernel: KERNEL_DEBUG, default O/debug/tessera.elf. An argument replaces `all`:
tests/unit.t 'sync/*'.
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import tap  # noqa: E402
import vm  # noqa: E402

KERNEL = os.environ.get("KERNEL_DEBUG") or vm.OUT + "/debug/tessera.elf"
CPUS = (1, 2, 7)


def kernel(t, cpus, which):
    """One boot; each result is named after the number of CPUs."""
    result = vm.VM(kernel=KERNEL, cpus=cpus, memory="512M", timeout=240,
                   append="console=ttyS0 panic=-1 loglevel=4 test=" + which).run()
    seen = sum(t.forward(block, "%d CPUs: " % cpus) for block in tap.blocks(result.lines))
    t.ok(result.ended and seen, "%d CPUs: the tests ran and ended" % cpus, result.tail())
    t.note("%.1f s" % result.seconds)


def host(t):
    """The tests of lib/, under the sanitizers."""
    done = subprocess.run(["make", "-s", "O=" + vm.OUT, "host-test-lib"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, "MAKEFLAGS": ""})
    seen = t.forward(done.stdout.splitlines(), "host: ")
    t.ok(done.returncode == 0 and seen, "host: the tests ran and ended", done.stdout[-2000:])


def main():
    t = tap.Tap()
    which = (sys.argv[1:] or ["all"])[0]
    host(t)
    if vm.is_linux():
        t.skip("the kernel's own tests", "the kernel under test is Linux")
    else:
        for cpus in CPUS:
            kernel(t, cpus, which)
    t.done()


main()
