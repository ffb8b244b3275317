#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What one sees of the running kernel from inside: /proc/kallsyms against nm, /proc/lock_stat of the
debug kernel. Arguments choose parts.
"""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import initramfs  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

DEBUG = os.environ.get("KERNEL_DEBUG", vm.OUT + "/debug/tessera.elf")


def boot(name, script, kernel=None, cpus=3):
    return vm.VM(kernel=kernel, initrd=initramfs.build("inside-" + name, script), cpus=cpus,
                 timeout=120).run()


def kallsyms(t):
    """Each symbol of the image is listed once, where it lies."""
    if vm.is_linux():
        t.skip("Linux's own symbols", "no ELF file")
        return
    result = boot("kallsyms", "echo == symbols\ncat /proc/kallsyms\necho '== end 0'")
    lines, _ = tap.section(result.lines, "symbols")
    listed = {tuple(line.split()) for line in lines}
    out = subprocess.run(["nm", vm.KERNEL], stdout=subprocess.PIPE, text=True, check=True).stdout
    real = {tuple(line.split()) for line in out.splitlines() if len(line.split()) == 3}
    t.same(len(listed), len(lines), "no symbol twice")
    wrong = [s for s in listed if s not in real and (s[0], s[1].replace("d", "s").replace("D", "S"), s[2]) not in real]
    t.ok(not wrong and len(listed) > 3000, "each is where nm says", str(wrong[:5]))
    start = min(int(s[0], 16) for s in listed)
    missing = [s for s in real if s[1] in "bBdDrRtT" and int(s[0], 16) > start and
               s not in listed and not s[2].startswith("__") and not s[2].startswith(".") and
               not [o for o in listed if o[0] == s[0]]]
    t.ok(not missing, "and each of the image is there", str(missing[:5]))
    t.ok(result.good, "the console shows no trouble", result.trouble or result.tail())


LOCKS = """
echo == before
cat /proc/sys/kernel/lock_stat
grep -c runq /proc/lock_stat
echo '== end 0'
echo 1 >/proc/sys/kernel/lock_stat
for i in 1 2 3 4; do
	(for j in 1 2 3 4 5 6; do ls /proc /dev /sys >/dev/null; done) &
done
wait
echo 0 >/proc/sys/kernel/lock_stat
echo == stat
cat /proc/lock_stat
echo '== end 0'
echo 0 >/proc/lock_stat
echo == after
wc -l </proc/lock_stat
echo '== end 0'
"""


def lockstat(t):
    """Counted while it is on; times fit together; cleared."""
    result = boot("lockstat", LOCKS, DEBUG)
    lines, _ = tap.section(result.lines, "before")
    t.same(lines, ["0", "0"], "nothing is counted at first")
    lines, _ = tap.section(result.lines, "stat")
    t.same(lines[0], "lock_stat version 0.4", "the version")
    t.same(lines[2].split()[:5], ["class", "name", "con-bounces", "contentions", "waittime-min"],
           "the columns")
    rows = {}
    for line in lines[5:]:
        found = re.match(r"^ *([\w&]+): +(.*)$", line)
        values = [float(v) for v in found[2].split()] if found else []
        t.ok(len(values) == 12, "a row of twelve: " + (found[1] if found else line), line)
        if len(values) == 12:
            rows[found[1]] = values
    for name in ("runq_lock_class", "waitq_class", "timer_class"):
        t.ok(name in rows and rows[name][7] > 10, name + " was taken", str(rows.get(name)))
    bad = [n for n, v in rows.items() if v[0] != v[1] or
           (v[7] and not v[8] <= v[11] + 0.01 <= v[9] + 0.02) or
           (v[1] and not v[2] <= v[5] + 0.01 <= v[3] + 0.02) or
           abs(v[10] - v[11] * v[7]) > 0.01 * v[7] + 0.01 or (not v[1] and v[4])]
    t.ok(not bad, "least, mean and most are in order, sums are right", str(bad))
    t.ok(any(v[1] for v in rows.values()), "some lock was waited for")
    lines, _ = tap.section(result.lines, "after")
    t.same(lines, ["5"], "0 clears it")
    t.ok(result.good, "the console shows no trouble", result.trouble or result.tail())


PARTS = {"kallsyms": kallsyms, "lockstat": lockstat}


def main():
    t = tap.Tap()
    for name in sys.argv[1:] or PARTS:
        PARTS[name](t)
    t.done()


main()
