#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The kernel that looks at undefined operations, pointers too (make CONFIG=ubsan), shows none.

The debug kernel looks at numbers and arrays, and all files run on that. tests/lib/checked.py says
what runs here and in tests/all/ubsan-long.t.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)) + "/lib")
import checked  # noqa: E402

CORE = ("abi/dir", "abi/epoll", "abi/exec", "abi/fork", "abi/io", "abi/memfd", "abi/mremap",
        "abi/pipe", "abi/procpid", "abi/signal", "abi/splice", "abi/unix", "abi/wild", "abi/xattr")

checked.main(checked.Kernel("ubsan", slower=1, unit="all", cpus=(3,), core=CORE, fault="shift"))
