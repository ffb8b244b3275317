#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian's strace and gdb in a VM: tests/programs/debuggers.sh prints TAP there."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import initramfs  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

PACKAGES = ("bash", "coreutils", "findutils", "gdb", "grep",
            "libboost-regex1.74.0", "procps", "sed", "strace")
EXCEPT = "usr/share/doc* usr/share/locale* usr/share/man* usr/share/info*"

RUN = """
echo "== debuggers"
timeout -s KILL %d bash /tests/debuggers.sh 2>&1
echo "== end $?"
"""


def main():
    t = tap.Tap()
    root = initramfs.tree("debuggers", PACKAGES)
    lines = ["tree / %s %s" % (root, EXCEPT), "slink /bin/sh bash",
             "file /etc/passwd tools/shell/passwd 644", "file /etc/group tools/shell/group 644",
             "tree /tests tests/programs",
             "file /tests/debuggee %s/tests/user/debuggee 755" % vm.OUT]
    archive = initramfs.build("debuggers", RUN % (550 * vm.SCALE), lines, sysroot=root)
    result = vm.VM(initrd=archive, cpus=4, memory="1500M", timeout=600).run()
    printed, status = tap.section(result.lines, "debuggers")
    t.forward(printed, "")
    t.ok(status == "0", "debuggers.sh ended well", status or result.tail())
    t.ok(result.good, "the machine was switched off and nothing complained",
         result.trouble or result.tail())
    t.done()


main()
