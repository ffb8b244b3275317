#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the kernel does when it is wrong itself: sysrq, oopses, panics, undefined
operations, soft lockups, RCU stalls.

The orders of /proc/sysrq-trigger are Linux's too. Faults on purpose (/proc/tessera/provoke) are in
debug kernels only, thus that part boots KERNEL_DEBUG.
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import initramfs  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

DEBUG = os.environ.get("KERNEL_DEBUG", vm.OUT + "/debug/tessera.elf")
PROVOKE = """
for way in %s; do
	echo "== $way"
	sh -c "echo $way >/proc/tessera/provoke; echo survived"
	echo "== end $?"
done
echo >/proc/tessera/provoke nonsense || echo "nonsense is refused"
sh -c 'echo runs on'
"""
# A fault that ends the task: what the report begins with, and the function that did it.
OOPSES = (("read-null", r"BUG: kernel read at 0x8 \(NULL pointer\)", "read_null"),
          ("read-bad", r"BUG: kernel \w+", "read_bad"),
          ("write-text", r"BUG: kernel write at 0xffffffff8\w+", "write_text"),
          ("run-data", r"BUG: kernel jump at 0xffffffff8\w+", "provoke"),
          ("undefined", r"BUG: kernel invalid opcode", "undefined"))
# What ends the machine: why, and what the report has besides.
PANICS = (("with-mutex", "Fatal exception: page fault", r"#0 provoke_class"),
          ("pinned", "Fatal exception: page fault", r"while_pinned\+"),
          ("irqs-off", "Fatal exception: page fault", r"without_irqs\+"),
          ("assertion", "assertion failed: null_page == ", r"assertion(\.cold)?\+"),
          ("overflow", "double fault", r"deeper[.\w]*\+"))


def boot(name, script, kernel=None, cpus=3, append=vm.CONSOLE):
    """Boots with /init as `script`."""
    return vm.VM(kernel=kernel, initrd=initramfs.build("faults-" + name, script), cpus=cpus,
                 append=append, timeout=60).run()


def sysrq(t):
    """The orders that both kernels know."""
    script = "echo before\necho %s >/proc/sysrq-trigger\nsleep 1\necho after"
    result = boot("sysrq-h", script % "h" + "\ndmesg | grep 'sysrq: HELP'\nls -l /proc/sysrq-trigger")
    t.ok(result.good and re.search(r"sysrq: HELP : .*crash\(c\)", result.serial), "h lists the orders",
         result.tail())
    t.ok("--w------" in result.serial, "only root may give orders", result.tail())
    result = boot("sysrq-l", script % "l")
    t.ok(result.ended and "after" in result.lines and "of all active CPUs" in result.serial,
         "l shows all CPUs and the kernel runs on", result.tail())
    if not vm.is_linux():
        t.same(len(re.findall(r"NMI backtrace of CPU \d", result.serial)), 2, "l asks two others")
        t.ok(re.search(r"sysrq_handle\+", result.serial), "l shows this CPU", result.tail(60))
    script_gs = ("for n in 1 2 3; do /wrgsbase & done\nsleep 0.5\nfor n in 1 2 3 4; do echo l >/proc/sysrq-trigger; "
                 "done\nsleep 0.2\nkill %1 && kill %2 && kill %3 && echo all lived")
    result = vm.VM(initrd=initramfs.build("faults-gs", script_gs, ["file /wrgsbase %s/tests/user/wrgsbase 755" % vm.OUT]),
                   cpus=3, append=vm.CONSOLE, timeout=60).run()
    t.ok(result.ended and "all lived" in result.lines, "an NMI finds a program that took the kernel's GS base",
         result.tail())
    for key, what in (("e", "Terminate All Tasks"), ("i", "Kill All Tasks"), ("s", "Emergency Sync"),
                      ("f", "Manual OOM execution")):
        result = boot("sysrq-" + key, "sleep 100 &\necho 1000 >/proc/$!/oom_score_adj\n" +
                      script % key + "\nkill -s CONT $! && echo alive && kill $!\n"
                      "wait $!; echo status $?")
        t.ok(result.good and "after" in result.lines and "sysrq: " + what in result.serial,
             key + " leaves init alive", result.tail())
        wanted = {"e": "status 143", "i": "status 137", "f": "status 137", "s": "status 143"}[key]
        t.ok(wanted in result.lines, "%s: the task's %s" % (key, wanted), result.tail())
    for key, what in (("b", "Resetting"), ("o", "Power Off"), ("c", "Trigger a crash")):
        result = boot("sysrq-" + key, script % key)
        t.ok(result.ended and "after" not in result.lines and "sysrq: " + what in result.serial,
             "%s ends the machine" % key, result.tail())
    t.ok("Kernel panic - not syncing: sysrq triggered crash" in result.serial, "c is a panic",
         result.tail())


def panic(t):
    """panic=-1 restarts at once, panic=N after N seconds, and every CPU is shown."""
    script = "echo c >/proc/sysrq-trigger"
    result = boot("panic", script, cpus=4)
    t.ok(result.ended, "panic=-1 restarts", result.tail())
    if not vm.is_linux():
        t.same(sorted(re.findall(r"NMI backtrace of CPU (\d)", result.serial) +
                      re.findall(r"sysrq.*CPU: (\d)", result.serial))[:3],
               sorted(re.findall(r"NMI backtrace of CPU (\d)", result.serial))[:3],
               "the other three CPUs are shown")
        t.same(len(set(re.findall(r"NMI backtrace of CPU (\d)", result.serial))), 3,
               "each of them once")
    result = boot("panic-2", script, append=vm.CONSOLE.replace("panic=-1", "panic=2"))
    t.ok(result.ended and result.seconds > 2, "panic=2 restarts after two seconds", result.tail())
    result = boot("panic-init", "exec /bin/false")
    t.ok(result.ended and "Attempted to kill init!" in result.serial, "the end of init is one",
         result.tail())


def oopses(t):
    """Faults in a task that holds nothing: it is killed, the kernel runs on."""
    result = boot("oops", PROVOKE % " ".join(name for name, _, _ in OOPSES), DEBUG)
    for name, head, function in OOPSES:
        lines, status = tap.section(result.lines, name)
        text = "\n".join(lines)
        t.ok(re.search(head, text), name + ": the report says what", text)
        t.ok(re.search(r"CPU: \d+ +task: \d+ \(sh\)", text) and "RIP: " in text and "CR2: " in text,
             name + ": CPU, task, registers", text)
        t.ok(re.search(r"Call trace:(.|\n)* %s\+?(.|\n)* provoke_write\+0x(.|\n)* sys_write\+0x" % function, text),
             name + ": symbolic backtrace", text)
        t.ok(status == "139" and "survived" not in lines, name + ": the task ends by SIGSEGV", status)
    t.ok("nonsense is refused" in result.serial and "runs on" in result.lines and result.ended,
         "the kernel runs on", result.tail())
    result = boot("oops-panic", PROVOKE % "read-null", DEBUG, append=vm.CONSOLE + " oops=panic")
    t.ok(result.ended and "Fatal exception: page fault" in result.serial, "oops=panic", result.tail())


def panics(t):
    """Faults where others would wait for ever: the machine restarts."""
    for name, why, also in PANICS:
        result = boot("panic-" + name, PROVOKE % name, DEBUG)
        t.ok(result.ended and "Kernel panic - not syncing: " + why in result.serial and
             "survived" not in result.lines, name + " panics", result.tail(40))
        t.ok(re.search(also, result.serial), name + ": " + also, result.tail(60))


def undefined(t):
    """Operations that C does not define are reported with kind, place and values."""
    shift = "echo count=$(cat /proc/sys/kernel/ubsan_reports)\n"
    result = boot("shift", shift + PROVOKE % "shift shift" + shift.replace("count", "then"), DEBUG)

    def line(text):
        with open("kernel/provoke.c") as source:
            return next(str(n) for n, have in enumerate(source, 1) if text in have)
    t.same(re.findall(r"BUG: UBSAN: (\S+) at kernel/provoke.c:(\d+) in bad_shift[.\w]*\+", result.serial),
           [("shift-out-of-bounds", line("1 << shift_distance"))], "a shift is reported with its place, once")
    t.ok("1 ('int') shifted by 40: the distance is too large" in result.serial, "and its values",
         result.tail())
    t.ok(re.search(r" bad_shift[.\w]*\+(.|\n)* provoke_write\+0x(.|\n)* sys_write\+0x", result.serial),
         "and a backtrace", result.tail())
    t.same((result.value("count"), result.value("then")), ("0", "2"), "each is counted")
    t.ok("runs on" in result.lines and result.ended, "the kernel runs on", result.tail())
    t.ok(result.trouble, "a test whose console shows that fails", result.tail())
    result = boot("division", PROVOKE % "division", DEBUG)
    t.ok(re.search(r"BUG: UBSAN: division-overflow at kernel/provoke.c:\d+ in bad_division[.\w]*\+",
                   result.serial) and "-2147483648 / -1 of type 'int'" in result.serial,
         "a division is reported before it traps", result.tail())
    result = boot("unreachable", PROVOKE % "unreachable", DEBUG)
    t.ok(re.search(r"BUG: UBSAN: unreachable at kernel/provoke.c:%s in " %
                   line("__builtin_unreachable"), result.serial) and
         "Kernel panic - not syncing: unreachable code was reached" in result.serial and result.ended,
         "unreachable code panics", result.tail())


def stuck(t):
    """Soft lockups and stalls are reported, and are no end."""
    script = "echo 1 >/proc/sys/kernel/watchdog_thresh\n" + PROVOKE
    result = boot("lockup", script % "stand-still", DEBUG)
    lines, status = tap.section(result.lines, "stand-still")
    t.ok(re.search(r"BUG: soft lockup - CPU#\d+ stuck for \d+s! \[sh:\d+\]", result.serial),
         "a soft lockup is reported", result.tail())
    t.ok(re.search(r"stand_still\+", result.serial), "and where", result.tail())
    t.ok(status == "0" and "survived" in lines and result.ended, "and survived", result.tail())
    # Something waits for RCU meanwhile.
    script = "(sleep 1; umount /dev/shm) &\n" + PROVOKE
    result = boot("stall", script % "stand-dead", DEBUG)
    t.ok(re.search(r"rcu: INFO: detected stalls? on CPU", result.serial), "an RCU stall is reported",
         result.tail())
    t.ok(re.search(r"stand_dead\+", result.serial), "and where, by NMI", result.tail(40))
    t.ok("runs on" in result.lines and result.ended, "and survived", result.tail())


def main():
    t = tap.Tap()
    parts = {"sysrq": sysrq, "panic": panic}
    if not vm.is_linux():
        parts.update(oopses=oopses, panics=panics, undefined=undefined, stuck=stuck)
    for name in sys.argv[1:] or parts:
        parts[name](t)
    t.done()


main()
