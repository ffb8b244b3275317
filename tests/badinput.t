#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Bad input: programs, initramfs archives, command lines, ACPI tables. A clear error, and the
kernel runs on.

Programs are tried on Linux too and must end the same way. An archive without a usable /init ends in
a clean panic (panic=-1 ends QEMU); every other boot gets to init.
"""

import os
import random
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import badacpi  # noqa: E402
import badelf  # noqa: E402
import cpio  # noqa: E402
import initramfs  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

GOOD = cpio.GOOD + cpio.TRAILER
PROGRAMS = """
ulimit -c 0
echo 0 >/proc/sys/kernel/printk
chmod 644 /bad/mode
echo "== programs"
(cd /bad && /bin/tryexec /bad/*)
echo "== the same on all CPUs"
for i in 1 2 3 4; do
	(cd /bad && for n in 1 2 3; do /bin/tryexec /bad/*; done >/tmp/round.$i) &
done
wait
cat /tmp/round.* | sort | uniq -c | awk '$1 != 12' | head
echo "== end"
"""

# Command lines that Linux boots with: init must get to its end.
LINES = (
    ("2047 characters", "x" * (2047 - len(vm.CONSOLE) - 1)),
    ("more than can be kept", "y=" + "z" * 6000),
    ("hundreds of words", " ".join("w%d=%d" % (i, i) for i in range(250))),
    ("no value, no name", "= == =x x= ,=, . .= loglevel= maxcpus nr_cpus mem"),
    ("numbers that are none", "loglevel=much maxcpus=several nr_cpus=-1 mem=plenty panic=soon"),
    ("numbers too large", "loglevel=99999999999999999999 nr_cpus=4294967296 maxcpus=1000000"),
    ("zeros", "nr_cpus=0 maxcpus=0"),
    ("quotes that do not end", "a=\"b c d"),
    ("bytes that are no text", "a=\udcff\udcfe\udc80 \u00e9\u20ac=\u00fc"),
    ("unknown consoles",
     "console=nosuch console=ttyS99 console=tty99 console=ttyS0,9x8z7 console=ttyS0"),
    ("unknown init, known rdinit", "init=/no/such rdinit=/init"),
    ("percent signs", "%s%s%s%n=%n %d"),
)

# What Linux 6.1 itself does not survive; ours has to.
TOO_MUCH_FOR_LINUX = ("more than can be kept", "hundreds of words", "SLIT: 2^63 nodes",
                      "a second FADT, short", "a second FADT, noise")


def programs(t):
    """The ELF table on both kernels."""
    folder = initramfs.scratch("badelf")
    lines = ["file /bin/tryexec %s/tests/user/tryexec 755" % vm.OUT, "dir /bad"]
    for name, data in badelf.table().items():
        path = initramfs.write("%s/%s" % (folder, name), data)
        lines.append("file /bad/%s %s 755" % (name, path))
    lines.append("file /bad/mode %s/good 644" % folder)
    archive = initramfs.build("badprograms", PROGRAMS, lines)
    ends = []
    for kernel in (vm.linux(), vm.KERNEL):
        result = vm.VM(kernel=kernel, initrd=archive, cpus=4, timeout=240).run()
        t.ok(result.ended and "== end" in result.lines and not result.trouble,
             "%s runs on after all of them" % os.path.basename(kernel),
             result.trouble or result.tail())
        start = result.lines.index("== programs") if "== programs" in result.lines else 0
        ends.append(dict(line.split(" ", 1) for line in result.lines[start + 1:]
                         if line.count(" ") == 2 and "==" not in line))
    t.ok(len(ends[0]) >= 40, "the table has at least 40 programs", len(ends[0]))
    for name, end in ends[0].items():
        t.same(ends[1].get(name), end, "program " + name)


def outcome(result):
    """What became of a boot, in a word."""
    panicked = [line for line in result.lines if "Kernel panic - not syncing:" in line]
    ran = cpio.NEWS.decode().strip() in result.serial
    if not result.ended:
        return "did not end"
    if panicked:
        clean = "init" in panicked[0] or "root fs" in panicked[0]
        return "panics for want of an init" if clean and not ran else panicked[0]
    return "init runs" if ran else "ends without a word"


def boot(data, append=vm.CONSOLE, **options):
    """Boots with the archive `data`."""
    path = initramfs.write(initramfs.scratch("badinput") + "/initrd", data)
    return vm.VM(initrd=path, append=append, cpus=2, memory="256M", timeout=60, **options).run()


def check(t, name, data, runs=True, **options):
    """Boots with the archive `data` and reports what came of it."""
    if vm.is_linux() and name.partition(": ")[2] in TOO_MUCH_FOR_LINUX:
        t.skip(name, "too much for Linux")
        return
    result = boot(data, **options)
    wanted = "init runs" if runs else "panics for want of an init"
    t.ok(outcome(result) == wanted, name, "%s\n%s" % (outcome(result), result.tail(15)))


def archives(t):
    for name, data, runs in cpio.archives():
        check(t, "archive: " + name, data, runs)
    for name, data in cpio.after_the_good():
        check(t, "archive: after a good one, " + name, cpio.GOOD + data)
    source = random.Random(2)
    for round in range(4):
        data = bytearray(GOOD)
        for _ in range(20):
            data[source.randrange(len(data))] = source.randrange(256)
        result = boot(bytes(data))
        t.ok(result.ended, "archive: 20 random bytes, %d" % round, result.tail(15))


def lines(t):
    for name, words in LINES:
        append = os.fsencode(vm.CONSOLE + " ") + words.encode("utf-8", "surrogateescape")
        check(t, "command line: " + name, GOOD, append=os.fsdecode(append))


def acpi(t):
    folder = initramfs.scratch("badinput")
    for name, found in badacpi.added():
        extra = []
        for number, one in enumerate(found):
            path = initramfs.write("%s/table.%d" % (folder, number), badacpi.table(*one))
            extra += ["-acpitable", "file=" + path]
        check(t, "ACPI: " + name, GOOD, extra=extra)
    check(t, "ACPI: none at all", GOOD, machine="pc,acpi=off")
    for name, data, cpus, says in badacpi.sets():
        path = initramfs.write(folder + "/tables", data)
        acpi_set(t, name, ["-device", "loader,force-raw=on,file=%s,addr=%#x" % (path, badacpi.BASE)],
                 cpus, says)


def acpi_set(t, name, extra, cpus, says):
    """Boots with a set of tables in memory. Linux gives up on some of them."""
    result = boot(GOOD, append="%s acpi_rsdp=%#x loglevel=7" % (vm.CONSOLE, badacpi.BASE),
                  extra=extra)
    online = re.search(r"smp: (\d+) CPUs online", result.serial)
    ok = outcome(result) == "init runs"
    if not vm.is_linux():
        found = int(online[1]) if online else 1
        ok = ok and found == cpus and (says or "") in result.serial
    t.ok(ok, "ACPI set: " + name, "%s\n%s" % (outcome(result), result.tail(25)))


def main():
    t = tap.Tap()
    parts = {"programs": programs, "archives": archives, "lines": lines, "acpi": acpi}
    for name in sys.argv[1:] or parts:
        parts[name](t)
    t.done()


main()
