#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The kernel that watches for data races (make CONFIG=kcsan): planted ones are found, and a core set
of programs shows none.

KERNEL_KCSAN, default O/kcsan/tessera.elf. By its other name, tests/all/kcsan-long.t, all unit tests
and all programs of tests/abi/ run on it. Arguments choose other programs.
"""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE + "/lib")
import tap  # noqa: E402
import vm  # noqa: E402

KERNEL = os.environ.get("KERNEL_KCSAN") or vm.OUT + "/kcsan/tessera.elf"
LONG = "long" in sys.argv[0]
CORE = ["abi/fork", "abi/thread", "abi/wait", "abi/pipe", "abi/futex", "abi/eventfd", "abi/mmap"]


def unit(t, which):
    """The kernel's own tests."""
    result = vm.VM(kernel=KERNEL, cpus=4, memory="512M", timeout=900 if LONG else 90,
                   append="console=ttyS0 panic=-1 loglevel=4 test=" + which).run()
    seen = sum(t.forward(block, "unit: ") for block in tap.blocks(result.lines))
    t.ok(result.ended and seen, "the unit tests ran and ended", result.tail())
    t.ok(not result.trouble, "and show no race", races(result.lines) or result.trouble)


def races(lines):
    """What the console says of races."""
    found = [i for i, line in enumerate(lines) if "BUG: KCSAN" in line]
    return "\n".join("\n".join(lines[i:i + 30]) for i in found[:5])


def programs(t, names):
    """Programs of tests/abi/, by tests/abi.t."""
    scale = max(vm.SCALE, 1) * 4
    done = subprocess.run(["tests/abi.t", *names], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, text=True,
                          env=dict(os.environ, KERNEL=KERNEL, TIME_SCALE=str(scale)))
    t.forward(done.stdout.splitlines())
    sys.stderr.write(done.stderr)


def main():
    t = tap.Tap()
    if vm.is_linux():
        t.skip("the watch for data races", "the kernel under test is Linux")
    else:
        unit(t, "all" if LONG else "sync/kcsan*")
        programs(t, sys.argv[1:] or ([] if LONG else CORE))
    t.done()


main()
