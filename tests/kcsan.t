#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The kernel that watches for data races (make CONFIG=kcsan) finds planted ones, and shows none.

tests/lib/checked.py says what runs here and in tests/all/kcsan-long.t.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)) + "/lib")
import checked  # noqa: E402

CORE = ("abi/fork", "abi/thread", "abi/wait", "abi/pipe", "abi/futex", "abi/eventfd", "abi/mmap")

checked.main(checked.Kernel("kcsan", slower=4, unit="sync/kcsan*", cpus=(4,), core=CORE,
                            fault="race"))
