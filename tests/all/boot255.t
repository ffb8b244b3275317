#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The row of the boot matrix that takes too long for every day: 255 CPUs (all that an xAPIC names)."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + "/lib")
import matrix  # noqa: E402
import initramfs  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

t = tap.Tap()
archive = initramfs.build("boot255", matrix.INIT)
matrix.check(t, "255 CPUs", vm.VM(initrd=archive, cpus=255, memory="4G",
                                  timeout=3600 if vm.is_linux() else 600))
t.done()
