#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What one sees of a running kernel: /proc/kallsyms against nm, /proc/lock_stat of the debug kernel,
tools/gdb on both kernels, hot functions, the timeline of a trace. Arguments choose parts.
"""

import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import initramfs  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

DEBUG = os.environ.get("KERNEL_DEBUG", vm.OUT + "/debug/tessera.elf")


# Waits until the serial line has sent all: the machine is switched off with what is left.
DRAIN = "\nstty sane </dev/console\n"


def boot(name, script, kernel=None, cpus=3):
    return vm.VM(kernel=kernel, initrd=initramfs.build("inside-" + name, script + DRAIN), cpus=cpus,
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
echo lock-wait >/proc/tessera/provoke &
echo lock-wait >/proc/tessera/provoke
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


GRAPH_WORK = """
mkdir /tmp/a /tmp/b
for i in 1 2 3 4; do
	(for j in 1 2 3 4 5 6; do
		ls -lR /proc/self /dev /sys/devices >/dev/null
		echo $j >/tmp/a/$i.$j
		mv /tmp/a/$i.$j /tmp/b/$i
		cat /tmp/b/$i | cat >/dev/null
	done) &
done
sleep 0.2 &
wait
mount -t tmpfs none /tmp/a && umount /tmp/a
echo 0 >/sys/devices/system/cpu/cpu1/online
echo 1 >/sys/devices/system/cpu/cpu1/online
echo == graph
cat /proc/tessera/locks
echo '== end 0'
"""
GRAPH_BROKEN = """
for way in lock-order lock-cycle lock-irq lock-behind-irq; do
	echo $way >/proc/tessera/provoke
done
echo == graph
cat /proc/tessera/locks
echo '== end 0'
"""
# What tools/locks says of each way; the kernel itself sees two of them as they happen.
GRAPH_SAID = {
    "rank": r"^rank: provoke_high_class \(201, at lock_order\+.*\) -> provoke_low_class \(200, at lock_order\+",
    "cycle": r"^cycle: .*provoke_(peer_class .* -> provoke_high|high_class .* -> provoke_peer)_class",
    "irq": r"^irq: provoke_low_class \(200\) is taken in interrupts and with them enabled",
    "behind": r"^behind: provoke_irq_class is taken in interrupts; behind it provoke_task_class is",
}


def graph_of(result, name):
    """Has tools/locks look at the graph that a boot printed: what it says, and its picture."""
    path = "%s/tests/locks-%s" % (vm.OUT, name)
    with open(path, "w") as file:
        file.write("".join(line + "\n" for line in tap.section(result.lines, "graph")[0]))
    done = subprocess.run(["tools/locks", "--dot", path + ".dot", path], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    with open(path + ".dot") as dot:
        return done.returncode, done.stdout, dot.read()


def locks(t):
    """The graph of lock classes keeps the rules; four ways to break them are found."""
    if vm.is_linux():
        t.skip("/proc/tessera/locks", "the kernel under test is Linux")
        return
    result = boot("locks", GRAPH_WORK, DEBUG)
    status, said, dot = graph_of(result, "whole")
    sums = re.search(r"^(\d+) classes, (\d+) edges, 0 lost, 0 complaints$", said, re.M)
    t.ok(status == 0 and sums, "no rule is broken", said + result.tail())
    t.ok(sums and int(sums[1]) > 80 and int(sums[2]) > 60, "dozens of edges", said[-200:])
    t.ok(re.search(r"c\d+ -> c\d+ \[tooltip=\"\w*class \(\d+, at \w", dot) and "red" not in dot,
         "drawn, with places", dot[:600])
    t.ok(result.good, "the console shows no trouble", result.trouble or result.tail())
    result = boot("locks-broken", GRAPH_BROKEN, DEBUG)
    status, said, dot = graph_of(result, "broken")
    t.same(status, 1, "tools/locks fails a broken one")
    for rule, pattern in GRAPH_SAID.items():
        t.ok(re.search(pattern, said, re.M), "it finds " + rule, said)
    t.same(len(said.splitlines()), 5, "and nothing else")
    t.ok("color=red" in dot, "the edges are red")
    for line in (r"lock order: provoke_low_class \(rank 200\) wanted while provoke_high_class",
                 r"lock provoke_low_class \(rank 200\) is taken in interrupts, and elsewhere"):
        t.ok(re.search(line, result.serial), "the kernel reports: " + line, result.tail(60))


SCENE = """
mkfifo /tmp/fifo
sleep 1000 &
cat /dev/ttyS0 >/dev/null &
(read x </tmp/fifo) &
/tests/busy 2 20 &
/tests/busy 2 20 &
/tests/busy 1 &
/tests/busy 1 &
sleep 1
echo == ready
sleep 1000
"""
COMMANDS = ("tasks", "runq", "locks", "rcu", "slabs", "stack 0", "stack 1", "stack task 1",
            "percpu percpu_cpu unsigned int", "percpu current_task", "nonsense")


def ask_gdb(kernel):
    """What each command of tools/gdb says of a machine in the midst of SCENE, by name."""
    socket = "%s/tests/gdb.%d" % (vm.OUT, os.getpid())
    files = ["file /tests/busy %s/tests/user/busy 755" % vm.OUT]
    machine = vm.VM(kernel=kernel, initrd=initramfs.build("inside-gdb", SCENE, files), cpus=3,
                    extra=["-gdb", "unix:%s,server=on,wait=off" % socket])
    child = subprocess.Popen(machine.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, preexec_fn=vm.die_with_parent)
    try:
        deadline, seen = time.monotonic() + 60 * vm.SCALE, b""
        while b"== ready" not in seen and time.monotonic() < deadline:
            chunk = os.read(child.stdout.fileno(), 65536)
            if not chunk:
                break
            seen += chunk
        gdb = ["gdb", "-nx", "-batch", kernel, "-ex", "source tools/gdb/tessera.py", "-ex",
               "target remote " + socket]
        for command in COMMANDS:
            gdb += ["-ex", "echo == %s\\n" % command, "-ex", "ts " + command]
        done = subprocess.run(gdb + ["-ex", "echo == end\\n"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                              timeout=120 * vm.SCALE)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        if os.path.exists(socket):
            os.unlink(socket)
    parts = re.split(r"^== (.*)\n", done.stdout, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2])), seen.decode("utf-8", "replace") + done.stdout


def gdb(t):
    """Each command shows what SCENE has set up."""
    if vm.is_linux():
        t.skip("gdb scripts", "they know Tessera")
        return
    for kernel, name in ((vm.KERNEL, "plain"), (DEBUG, "debug")):
        said, everything = ask_gdb(kernel)
        t.ok("end" in said, name + ": gdb came to the end", everything[-3000:])
        if "end" not in said:
            continue
        tasks = said["tasks"]
        for pattern in (r"^ +1 +1 S +\d+ other +init +wait_do\+",
                        r" S +\d+ other +sleep +sleep_\w+\+",
                        r" S +\d+ other +cat +read_loop\+",
                        r" R +2 fifo +busy +running$", r" R +1 other +busy +running$",
                        r" R +1 other +busy +user_exit_work\+", r" kwork/2 "):
            t.ok(re.search(pattern, tasks, re.M), name + ": a task like " + pattern, tasks)
        runq = said["runq"]
        t.ok(re.search(r"^CPU 1: 2 runnable, 2 fair, 0 real-time, .* runs busy \[\d+\]\n"
                       r"    fair +busy \[\d+\] vruntime", runq, re.M), name + ": CPU 1's queue", runq)
        t.ok(re.search(r"^CPU 2: [2-9] runnable, .* 2 real-time, .* runs busy \[\d+\]\n"
                       r"(    fair .*\n)*    rt \d+ +busy \[\d+\]", runq, re.M),
             name + ": CPU 2's queue", runq)
        if name == "debug":
            t.ok(re.search(r"^cat \[\d+\] +\w*class +rank \d+ +0x\w+ task, taken at \w+\+",
                           said["locks"], re.M),
                 name + ": who reads a terminal holds its lock", said["locks"])
        else:
            t.ok(said["locks"].startswith("Only debug kernels"), name + ": no locks are kept",
                 said["locks"])
        t.ok(re.search(r"^\d+ grace periods have ended; (none|one) is going on; wanted: \d+\n"
                       r"CPU 0: \d+ callbacks, ", said["rcu"]), name + ": RCU", said["rcu"])
        slabs = {line.split()[0]: line.split()[1:] for line in said["slabs"].splitlines()[1:]}
        used = {cache: int(fields[3]) for cache, fields in slabs.items()}
        t.ok(used.get("task", used.get("task_struct", 0)) >= 10 and used.get("dentry", 0) > 50 and
             min(used.values()) >= 0, name + ": objects", said["slabs"])
        t.ok(re.search(r"^CPU 1: busy \[\d+\]\n  (in the program at 0x|#0 )", said["stack 1"]),
             name + ": what CPU 1 does", said["stack 1"])
        t.ok(re.search(r"^CPU 0: .*\n  (#0 .*\n)?", said["stack 0"]), name + ": CPU 0's stack",
             said["stack 0"])
        t.ok(re.search(r"^init \[1\], S:\n  #0  0x\w+ (switch_to|schedule)\w*\+(.*\n)+.* sys_wait4\+",
                       said["stack task 1"]), name + ": where init sleeps", said["stack task 1"])
        t.same(re.findall(r": (\d+)$", said["percpu percpu_cpu unsigned int"], re.M),
               ["0", "1", "2"], name + ": a per-CPU variable")
        t.ok("ts tasks: " in said["nonsense"], name + ": help")


def tool(*command):
    """What a tool prints."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, env=dict(os.environ, O=vm.OUT),
                          timeout=300 * vm.SCALE)
    return done.stdout


def hot(t):
    """Each call of a function is counted, and nothing before and after the command."""
    name = "__x64_sys_kill" if vm.is_linux() else "sys_kill"
    said = tool("tools/hot/run", "-k", vm.KERNEL, "-n", "100000",
                "i=0; while [ $i -lt 50 ]; do kill -0 $$; i=$((i+1)); done")
    rows = [line.split() for line in said.splitlines()[2:]]
    t.ok(len(rows) > 20 and all(len(row) == 5 for row in rows), "a table", said[-2000:])
    entered = {row[4]: int(row[3]) for row in rows if len(row) == 5}
    t.same(entered.get(name), 50, name + " was entered fifty times")
    numbers = [int(row[2]) for row in rows if len(row) == 5]
    t.ok(numbers == sorted(numbers, reverse=True), "the hottest comes first")
    head = re.match(r"(\d+) instructions in the kernel, (\d+) in programs; the command ended with 0", said)
    t.ok(head and int(head[1]) == sum(numbers) and int(head[2]) > 1000, "the sums are right", said[:200])


def timeline(t):
    """The page of a trace: what ran where, calls and interrupts as spans that do not overlap."""
    folder = vm.OUT + "/tests/timeline"
    said = tool("tools/trace/run", "-k", vm.KERNEL, "-c", "2", "-o", folder,
                "sleep 0.03; ls -l /dev >/dev/null; kill -0 $$")
    with open(folder + "/trace.html") as page:
        found = re.search(r"^const data = (.*);$", page.read(), re.M)
    t.ok(found, "a page with data", said)
    rows = json.loads(found[1].replace("<\\/", "</"))["rows"] if found else []
    names = [row["name"] for row in rows]
    t.ok(names[:4] == ["CPU 0", "  interrupts", "CPU 1", "  interrupts"], "each CPU has two rows",
         str(names[:6]))
    bad = [(row["name"], a, b) for row in rows if row["kind"] in ("cpu", "task", "call")
           for a, b in zip(row["spans"], row["spans"][1:]) if a[1] > b[0] + 0.1 or a[0] > a[1]]
    t.ok(not bad, "what lasts on a row does not overlap", str(bad[:3]))
    sleeps = [(row, calls) for row, calls in zip(rows, rows[1:])
              if re.match(r"sleep-\d+|\w+-\d+", row["name"]) and calls["kind"] == "call" and
              any("nanosleep(" in span[2] and 25000 < span[1] - span[0] < 3000000
                  for span in calls["spans"])]
    t.ok(sleeps, "a sleep of 30 ms is a call that lasted", str(names))
    t.ok(all(re.search(r" = -?\d+$| \.\.\.$", span[2]) for row in rows if row["kind"] == "call"
             for span in row["spans"]), "each call has its result")
    t.ok(any("local_timer" in span[2] for row in rows if row["kind"] == "irq" for span in row["spans"]),
         "clock interrupts are there")


def as_guest(data, addresses):
    """A perf.data whose samples are, in turn, of the guest's kernel at these addresses."""
    data, number = bytearray(data), 0
    attr, _, at, size = struct.unpack_from("<QQQQ", data, 24)
    identified = struct.unpack_from("<Q", data, attr + 24)[0] >> 16 & 1
    end = at + size
    while at < end:
        kind, misc, size = struct.unpack_from("<IHH", data, at)
        # PERF_RECORD_SAMPLE; PERF_RECORD_MISC_GUEST_KERNEL in place of the mode.
        if kind == 9:
            struct.pack_into("<H", data, at + 4, misc & ~7 | 4)
            struct.pack_into("<Q", data, at + 8 + 8 * identified, addresses[number % len(addresses)])
            number += 1
        at += size
    return data, number


def perf(t):
    """perf on the host names guest addresses by /proc/kallsyms and /proc/modules.

    Where there is no KVM nothing samples a guest: samples of a shell are turned into such ones.
    """
    folder = vm.OUT + "/tests/perf"
    os.makedirs(folder, exist_ok=True)
    result = boot("perf", "echo == symbols\ncat /proc/kallsyms\necho '== end 0'\n"
                  "echo == modules\ncat /proc/modules\necho '== end 0'")
    for name in ("symbols", "modules"):
        with open("%s/%s" % (folder, name), "w") as file:
            file.write("".join(line + "\n" for line in tap.section(result.lines, name)[0]))
    guest = ["perf", "kvm", "--guest", "--guestkallsyms=%s/symbols" % folder,
             "--guestmodules=%s/modules" % folder]
    data = folder + "/perf.data"
    if os.path.exists(data):
        os.unlink(data)
    if shutil.which("perf"):
        tool(*guest, "record", "-e", "cpu-clock", "-o", data, "sh", "-c",
             "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done")
    if not os.path.exists(data):
        t.skip("perf names guest symbols", "no perf that may record here")
        return
    with open(folder + "/symbols") as file:
        where = {words[2]: int(words[0], 16) for words in map(str.split, file) if len(words) > 2}
    names = ("sys_read", "page_zero") if "page_zero" in where else ("ksys_read", "clear_page_rep")
    with open(data, "rb") as file:
        changed, number = as_guest(file.read(), [where[name] + 5 for name in names])
    with open(data, "wb") as file:
        file.write(changed)
    said = tool(*guest, "report", "-i", data, "--stdio")
    found = re.findall(r"^ +(\d+)\.\d+% .*\[guest\.kernel\.kallsyms\] +\[g\] (\w+)", said, re.M)
    t.ok(number > 10 and sorted(name for _, name in found) == sorted(names) and
         all(45 <= int(share) <= 55 for share, _ in found), "perf names guest symbols", said)


PARTS = {"kallsyms": kallsyms, "lockstat": lockstat, "locks": locks, "gdb": gdb, "hot": hot, "timeline": timeline,
         "perf": perf}


def main():
    t = tap.Tap()
    for name in sys.argv[1:] or PARTS:
        PARTS[name](t)
    t.done()


main()
