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
failsweep 0 20 %(warm)s >/dev/null
%(before)s
echo "== storm"
SWEEP_SHOW=1 failsweep 300 %(storm)d "/bin/failstorm 0 3"
echo "== programs"
failsweep %(rounds)d %(seconds)d %(programs)s
rm -rf /tmp/*
%(after)s
"""

# A place that loses an object when it fails loses one. What a process is made of comes and goes
# with processes; the reader's last one may still be waiting for RCU, thus one more of each.
OF_ONE_PROCESS = {"task": 1, "process": 1, "pid": 1, "pgroup": 1, "cred": 2, "mm_struct": 1, "fpu": 1,
                  "filp": 8, "sighand": 1, "region": 8, "joint": 2, "pipe": 1, "unix_sock": 0,
                  "file_lock": 0, "sigqueue": 1}


def strict(t, result):
    """What processes and handles are made of is gone, to the object."""
    before, after = leaks.reading(result, "before"), leaks.reading(result, "after")
    more = {name: after["slab", name] - before.get(("slab", name), 0)
            for name in OF_ONE_PROCESS if ("slab", name) in after}
    lost = {name: n for name, n in more.items() if n > OF_ONE_PROCESS[name]}
    t.ok(len(more) > 6 and not lost, "no object of processes and handles is lost",
         "\n".join([str(lost or more)] + leaks.places(before, after, lost)))


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
    if leaks.reading(result, "after"):
        strict(t, result)
    t.ok(result.good, "the machine was switched off and nothing complained",
         result.trouble or result.tail())
    t.note("%.1f s" % result.seconds)
    t.done()


main()
