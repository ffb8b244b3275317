#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian's dynamic programs in a VM: each script of tests/programs/ prints TAP there.

Model: the initramfs is the tree of the packages with libraries, loader and all; nothing is adapted.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import initramfs  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

PACKAGES = ("bash", "bsdutils", "coreutils", "diffutils", "findutils", "grep", "gzip",
            "libpython3.11-stdlib",
            "mount", "ncurses-base", "perl-base", "procps", "python3.11-minimal", "sed", "tar",
            "util-linux",
            "uuid-runtime")
SCRIPTS = (("bash", "bash.sh"), ("bash", "coreutils.sh"), ("bash", "procps.sh"),
           ("bash", "util-linux.sh"), ("python3.11", "python.py"), ("perl", "perl.pl"))
EXCEPT = "usr/share/doc* usr/share/locale* usr/share/man* usr/share/info*"

RUN = """
for script in %s; do
	echo "== $script"
	cd /tmp
	timeout -s KILL %d ${script%%%%:*} /tests/${script#*:} 2>&1
	echo "== end $?"
done
"""


def main():
    t = tap.Tap()
    chosen = [s for s in SCRIPTS if not sys.argv[1:] or s[1] in sys.argv[1:]]
    names = ["%s:%s" % script for script in chosen]
    root = initramfs.tree("programs", PACKAGES)
    lines = ["tree / %s %s" % (root, EXCEPT), "slink /bin/sh bash",
             "file /etc/passwd tools/shell/passwd 644", "file /etc/group tools/shell/group 644",
             "tree /tests tests/programs"]
    script = RUN % (" ".join(names), 250 * vm.SCALE)
    archive = initramfs.build("programs", script, lines, sysroot=root)
    result = vm.VM(initrd=archive, cpus=4, memory="1G", timeout=500).run()
    for name in names:
        printed, status = tap.section(result.lines, name)
        t.forward(printed, name.partition(":")[2] + ": ")
        t.ok(status == "0", name.partition(":")[2] + " ended well", status or result.tail())
    t.ok(result.good, "the machine was switched off and nothing complained",
         result.trouble or result.tail())
    t.done()


main()
