#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each place of the kernel that allocates fails once, under programs of tests/abi/ and a storm.

In the debug kernel: nothing panics, nothing complains, and nothing is lost; what the storm calls
(tests/user/failstorm.c) fails for want of memory only. Here a core set in about a minute; by its
name tests/all/failsweep-long.t all programs. Arguments choose programs, SWEEP_SECONDS how long each
is run.
"""

import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE + "/lib")
import initramfs  # noqa: E402
import leaks  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

NAME = os.path.basename(sys.argv[0])[:-2]
LONG = NAME.endswith("-long")
KERNEL = os.environ.get("KERNEL_DEBUG") or vm.OUT + "/debug/tessera.elf"
CORE = ("abi/dir", "abi/exec", "abi/fork", "abi/memfd", "abi/mount", "abi/pipe", "abi/unix",
        "abi/xattr")
# Runs of a program, and its time in all. One that changes what all see is not run (CPUs, time).
ROUNDS = 400
SECONDS = int(os.environ.get("SWEEP_SECONDS") or (25 if LONG else 6))
NOT = ("abi/hotplug", "abi/clock", "abi/kcov", "abi/trace")

SCRIPT = """
ulimit -c 0
tidy()
{
	mkdir -p /tmp/mqueue
	mount -t mqueue none /tmp/mqueue && rm -f /tmp/mqueue/*
	umount /tmp/mqueue
	rm -rf /tmp/* /dev/shm/*
}
failsweep 0 20 %(warm)s >/dev/null
tidy
%(before)s
failsweep read before
echo "== storm"
SWEEP_SHOW=1 failsweep 300 %(storm)d "/bin/failstorm 0 3"
echo "== programs"
failsweep %(rounds)d %(seconds)d %(programs)s
tidy
%(after)s
failsweep read after
echo lose-object >/proc/tessera/provoke
failsweep read then
"""

# What is kept for the next time, by cache and who allocates it: pages of the table of process numbers;
# lists for each CPU that has mapped a file; chunks of addresses that are cut into small mappings
# (mm/vmalloc.c); banks of a pool of numbers (percpu/idpool.c).
STAYS = {("kmalloc-4k", "slot_of"), ("kmalloc-4k", "node_of"), ("kmalloc-32", "mapper_add"),
         ("kmalloc-64", "mapper_add"), ("kmalloc-256", "kmap_area_take"),
         ("kmalloc-4k", "percpu_port_alloc")}


def objects(result, name):
    """{(cache, place): number} of the reading `name`; {} if it did not come to its end."""
    lines = re.findall(r"^objects %s (\d+) (\S+) (\S+)" % name, result.serial, re.M)
    over = re.search(r"^objects %s end" % name, result.serial, re.M)
    return {(cache, place): int(number) for number, cache, place in lines} if over else {}


def lost(before, after):
    """What there is more of: a line each."""
    more = {what: number - before.get(what, 0) for what, number in after.items()
            if (what[0], what[1].partition("+")[0]) not in STAYS}
    return ["%s %s: %d" % (*what, n) for what, n in more.items() if n > 0]


def strict(t, result):
    """A place that loses an object when it fails loses one: nothing is lost, to the object."""
    before, after, then = (objects(result, name) for name in ("before", "after", "then"))
    if t.ok(len(before) > 50 and after and then, "objects were read", result.tail()):
        t.same(lost(before, after), [], "no object is lost")
        found = lost(after, then)
        t.ok(len(found) == 1 and re.fullmatch(r"kmalloc-\d+ lose_object\+\w+: 1", found[0]),
             "one that is lost on purpose is missed", str(found))


def main():
    t = tap.Tap()
    if vm.is_linux():
        t.skip("failing allocations", "the kernel under test is Linux")
        t.done()
        return
    names = sys.argv[1:] or CORE
    if LONG and not sys.argv[1:]:
        names = sorted(path[len("tests/"):-len(".c")] for path in glob.glob("tests/abi/*.c"))
        names = [name for name in names if name not in NOT]
    paths = " ".join("/tests/" + name for name in names)
    cpus = 4
    lines = ["file /tests/%s %s/tests/%s 755" % (name, vm.OUT, name) for name in names]
    lines += ["file /bin/%s %s/tests/user/%s 755" % (name, vm.OUT, name)
              for name in ("failsweep", "failstorm")]
    script = SCRIPT % {"warm": paths, "before": leaks.READ % "before", "storm": 15,
                       "rounds": ROUNDS, "seconds": SECONDS, "programs": paths,
                       "after": leaks.READ % "after"}
    result = vm.VM(kernel=KERNEL, initrd=initramfs.build(NAME, script, lines), cpus=cpus,
                   memory="1G", timeout=240 + (SECONDS + 30) * len(names),
                   append="console=ttyS0 panic=-1 loglevel=4").run()
    for name in names:
        swept = re.search(r"^sweep /tests/%s runs (\d+) failed (\d+)" % name, result.serial, re.M)
        t.ok(swept, name + " was swept", result.tail())
        if swept:
            t.note("%s: %s runs, %s new places failed" % (name, swept[1], swept[2]))
    all_ = re.findall(r"^sweep all sites (\d+) failed (\d+) lost (\d+)", result.serial, re.M)
    if t.ok(all_, "all were swept", result.tail()):
        sites, failed, lost = map(int, all_[-1])
        t.note("%d places reached, %d failed once" % (sites, failed))
        t.ok(failed > 100 and failed > sites // 2, "most places that were reached failed",
             "%d of %d" % (failed, sites))
        t.same(lost, 0, "there was room for all places")
    storms = re.findall(r"^storm done (\d+) failed (\d+) odd (\d+)", result.serial, re.M)
    t.ok(sum(int(failed) for _, failed, _ in storms) > 20, "the storm's calls failed", storms)
    odd = re.findall(r"^odd: .*", result.serial, re.M)
    t.ok(not odd, "calls fail for want of memory only", "\n".join(odd[:20]))
    leaks.check(t, result, "after the sweep", cpus)
    strict(t, result)
    t.ok(result.good, "the machine was switched off and nothing complained",
         result.trouble or result.tail())
    t.note("%.1f s" % result.seconds)
    t.done()


main()
