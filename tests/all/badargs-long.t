#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""System calls with bad arguments from eight CPUs for minutes, on the debug kernel.

BADARGS_SECONDS (default 300) and SEED (default: another one each day) choose a run; the seed is
printed.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + "/lib")
import initramfs  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

SECONDS = int(os.environ.get("BADARGS_SECONDS", "300"))
SEED = int(os.environ.get("SEED", str(int(time.time()) // 86400)))
PROGRAM = "exhaust/badargs"

t = tap.Tap()
t.note("SEED=%d" % SEED)
archive = initramfs.build("badargs-long", """
ulimit -c 0
export SECONDS=%d SEED=%d
echo "== %s"
/tests/%s 2>&1
echo "== end $?"
""" % (SECONDS, SEED, PROGRAM, PROGRAM), ["file /tests/%s %s/tests/%s 755" % (PROGRAM, vm.OUT, PROGRAM)])
result = vm.VM(kernel=os.environ.get("KERNEL_DEBUG") or vm.OUT + "/debug/tessera.elf",
               initrd=archive, cpus=8, memory="1G", timeout=300 + 2 * SECONDS).run()
printed, status = tap.section(result.lines, PROGRAM)
t.forward(printed, PROGRAM + ": ")
t.ok(status == "0", PROGRAM + " ended", status or result.tail())
t.ok(result.good, "the machine was switched off, the console shows no trouble",
     result.trouble or result.tail())
t.done()
