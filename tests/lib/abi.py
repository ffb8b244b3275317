# SPDX-License-Identifier: BSD-2-Clause
"""Runs C programs of tests/abi/ and tests/exhaust/ in one VM and forwards their TAP."""

import glob
import os

import initramfs
import tap
import vm

RUN = """
ulimit -c 0
export ABI_SCALE=%d
%s
for program in %s; do
	echo "== $program"
	timeout -s KILL %d /tests/$program 2>&1
	echo "== end $?"
done
"""
# Seconds that a program may take.
EACH = 90


def names(folders=("abi", "exhaust")):
    """Names such as abi/fork, of those that have been compiled."""
    built = [path for folder in folders for path in glob.glob("%s/tests/%s/*" % (vm.OUT, folder))]
    found = sorted(os.path.relpath(path, vm.OUT + "/tests") for path in built if "." not in path)
    return [name for name in found if os.path.exists("tests/%s.c" % name)]


def by_folder(chosen):
    """The names of one folder after the other, each of which has a VM of its own."""
    parts = [[name for name in chosen if name.startswith(folder + "/")]
             for folder in ("abi", "exhaust")]
    return [part for part in parts if part]


def run(t, kernel, chosen, timeout, slower=1, before=""):
    """Runs the programs `chosen` on `kernel`, which takes `slower` times as long as the plain one.

    `before` are lines for the shell that runs them. Returns the vm.Result.
    """
    scale = slower * max(1, int(vm.SCALE))
    lines = ["file /tests/%s %s/tests/%s 755" % (name, vm.OUT, name) for name in chosen]
    script = RUN % (scale, before, " ".join(chosen), EACH * slower * vm.SCALE)
    archive = initramfs.build(tap.program(), script, lines)
    result = vm.VM(kernel=kernel, initrd=archive, cpus=4, memory="1G",
                   timeout=timeout * slower).run()
    for name in chosen:
        printed, status = tap.section(result.lines, name)
        t.forward(printed, name + ": ")
        t.ok(status in ("0", "1"), name + " ended", status or result.tail())
    t.ok(result.good, "the machine was switched off, the console shows no trouble",
         result.reports or result.trouble or result.tail())
    return result
