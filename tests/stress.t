#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian's stress-ng --verify and hackbench, and what they leave behind.

Model: each group of stressors runs for STRESS_SECONDS (default 5) on 8 and on 16 CPUs, its
stressors at the same time. Before and after all of them /proc is read (Documentation/testing.md,
Leaks); a run of a second comes before the first reading, so that what is made once on first use is
not counted.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import initramfs  # noqa: E402
import leaks  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

SECONDS = float(os.environ.get("STRESS_SECONDS", "5"))

# Group -> stressors, two instances of each unless it says otherwise. Each group is small enough for
# all of it to get a turn within a second or two on a busy host: `alarm` hangs and `sem`, `itimer` and
# `chown` fail if their time is over before they begin. `sigrt` fills the user's queue of signals, so it runs
# apart from all who call timer_create(2), which counts as one (RLIMIT_SIGPENDING).
GROUPS = {
    "cpu": "cpu matrix context vecmath prctl getrandom funccall",
    "scheduler": "switch yield affinity nice schedpolicy sleep resources=1",
    "mappings": "vm mmap mremap mprotect mincore madvise tlb-shootdown fault=4",
    "memory": "brk stack malloc mlock msync memfd shm bigheap=1 tmpfs",
    "pipes and polling": "pipe pipeherd fifo eventfd epoll poll dup splice tee vm-splice",
    "signals": "kill sigq sigsegv sigfpe sigabrt sigchld sigpending sigsuspend sigtrap sigrt",
    "timers": "timer timerfd itimer clock nanosleep alarm",
    "fork and clone": "fork vfork clone pthread daemon wait zombie session seccomp",
    "System V IPC": "shm-sysv sem-sysv msg mq",
    "futex": "futex mutex sem get set env",
    "directories on tmpfs": "dentry dir dirdeep link symlink rename chdir getdent inotify mknod "
                            "filename",
    "locks and attributes": "flock lockf lockofd locka chmod chown access fstat touch utime xattr "
                            "fcntl",
    "files on tmpfs": "fallocate open seek sendfile copy-file close hdd",
}
OPTIONS = "--vm-bytes 32M --bigheap-growth 16K --epoll-domain unix --hdd-bytes 8M --stack-fill " \
          "--fallocate-bytes 8M --mmap-bytes 8M --shm-bytes 2M --memfd-bytes 4M --sendfile-size 1M " \
          "--malloc-bytes 16M --seek-size 1M --mremap-bytes 4M"


def command(group):
    """stress-ng's command line for a group."""
    words = []
    for stressor in GROUPS[group].split():
        name, _, count = stressor.partition("=")
        words.append("--%s %s" % (name, count or 2))
    return "stress-ng --verify --temp-path /tmp %s %s" % (OPTIONS, " ".join(words))


def script(groups):
    """The guest's part: the groups between two readings."""
    runs = ["%s -t 1 >/dev/null 2>&1" % command(groups[0]), leaks.READ % "before"]
    for number, group in enumerate(groups):
        runs.append("echo '== %d'; %s -t %g 2>&1; echo \"== status $?\"" % (number, command(group),
                                                                            SECONDS))
    return "ulimit -c 0\n" + "\n".join(runs) + "\n" + leaks.READ % "after"


def stress(t, cpus, lines, root):
    """All groups on `cpus` CPUs."""
    groups = list(GROUPS)
    archive = initramfs.build("stress-%d" % cpus, script(groups), lines, sysroot=root)
    result = vm.VM(initrd=archive, cpus=cpus, memory="2G",
                   timeout=180 + 8 * SECONDS * len(groups)).run()
    for number, group in enumerate(groups):
        start = "== %d" % number
        found = result.lines[result.lines.index(start):] if start in result.lines else []
        end = next((i for i, line in enumerate(found) if line.startswith("== status")),
                   len(found) - 1)
        failures = [line for line in found[:end] if "fail:" in line or "error:" in line]
        t.ok(found and found[end] == "== status 0" and not failures, "%d CPUs: %s" % (cpus, group),
             "\n".join(failures or found[:end + 1][-15:]) or result.tail())
    leaks.check(t, result, "%d CPUs" % cpus, cpus)
    t.ok(result.good, "%d CPUs: the machine was switched off and nothing complained" % cpus,
         result.trouble or result.tail())


HACKBENCH = leaks.READ % "before" + """
for options in "" "-p" "-T" "-T -p"; do
	hackbench -g 2 -l 60 $options 2>&1 | sed "s/^/hackbench $options: /"
done
""" + leaks.READ % "after"


def hackbench(t, cpus, lines, root):
    """Eighty tasks in two groups that send messages: sockets and pipes, processes and threads."""
    archive = initramfs.build("hackbench", HACKBENCH, lines, sysroot=root)
    result = vm.VM(initrd=archive, cpus=cpus, memory="1G", timeout=240).run()
    for options in ("", "-p", "-T", "-T -p"):
        start = "hackbench %s: Time: " % options
        times = [line[len(start):] for line in result.lines if line.startswith(start)]
        t.ok(times, "%d CPUs: hackbench %s" % (cpus, options), result.tail())
        t.note(times and times[0] + " s")
    leaks.check(t, result, "%d CPUs, hackbench" % cpus, cpus)
    t.ok(result.good, "%d CPUs: hackbench ended" % cpus, result.trouble or result.tail())


def main():
    t = tap.Tap()
    parts = sys.argv[1:] or ("hackbench", "stress")
    root = initramfs.tree("stress", ("stress-ng", "rt-tests"), ("libgl1-mesa-dri", "libegl-mesa0",
                                                                "python3"))
    lines = ["elf /usr/bin/%s =usr/bin/%s" % (name, name) for name in ("stress-ng", "hackbench")]
    for cpus in (2, 16) if "hackbench" in parts else ():
        hackbench(t, cpus, lines, root)
    for cpus in (8, 16) if "stress" in parts else ():
        stress(t, cpus, lines, root)
    t.done()


main()
