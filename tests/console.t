#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the command line and programs choose about the console: levels, which one, its line.

Model: the kernel's messages are written through /dev/kmsg at each level; which of them the serial
console shows is the verdict. The second half is a person at the serial line: flow control, size.
"""

import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import initramfs  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

PROMPT = r"tessera:\S+# $"
CTRL_C, CTRL_Q, CTRL_S = "\x03\x11\x13"

INIT = r"""
exec >/dev/ttyS0 2>&1
say() {
	for level in 0 1 2 3 4 5 6 7; do
		echo "<$level>$1-$level" >/dev/kmsg
	done
}
say boot
dmesg -n 4
say four
dmesg -n 8
say eight
printf '<3>upper\nlower\n' >/dev/kmsg
sleep 0.3
echo "== values"
echo "printk=$printk"
echo "ring=$(dmesg | grep -c 'boot-')"
echo "raw=$(dmesg -r | grep 'boot-5' | sed 's/\[.*\]/[]/')"
echo "kmsg=$(sed -n '/boot-5/{s/,.*;/,;/p;q}' /dev/kmsg)"
echo "speed=$(stty -F /dev/ttyS0 speed)"
echo "active=$(cat /sys/class/tty/console/active)"
echo "consoles=$(tr -s ' ' </proc/consoles | tr '\n' ';')"
"""

SERIAL = "ttyS0 -W- (EC p a) 4:64;"
SERIAL_LESS = "ttyS0 -W- (E p a) 4:64;"
DISPLAY = "tty0 -WU (EC p ) 4:1;"
DISPLAY_LESS = "tty0 -WU (E p ) 4:1;"

# Parameters; levels below this one are shown at first; speed; active; consoles.
ROWS = (
    ("console=ttyS0", 7, "9600", "ttyS0", SERIAL),
    ("console=ttyS0 quiet", 4, "9600", "ttyS0", SERIAL),
    ("console=ttyS0 loglevel=2", 2, "9600", "ttyS0", SERIAL),
    ("console=ttyS0,115200n8 debug", 10, "115200", "ttyS0", SERIAL),
    ("console=tty0 console=ttyS0,38400 loglevel=5", 5, "38400", "tty0 ttyS0",
     SERIAL + DISPLAY_LESS),
    ("console=ttyS0 console=tty0 loglevel=5", 5, "9600", "ttyS0 tty0", DISPLAY + SERIAL_LESS),
    ("console=tty0 loglevel=6", None, None, "tty0", DISPLAY),
)


def shown(result, word):
    """The levels of the messages `word` on the console, each a line with its time."""
    return [int(level) for level in re.findall(r"^\[ *\d+\.\d{6}\] %s-(\d)$" % word,
                                               result.serial.partition("== values")[0], re.M)]


def row(t, archive, parameters, level, speed, active, consoles):
    result = vm.VM(initrd=archive, append="panic=-1 " + parameters).run()
    if not t.ok(result.good, parameters, result.tail()):
        return
    wanted = [] if level is None else list(range(min(level, 8)))
    t.same(shown(result, "boot"), wanted, parameters + ": levels on the console")
    t.same([shown(result, word) for word in ("four", "eight")],
           [[], []] if level is None else [[0, 1, 2, 3], list(range(8))],
           parameters + ": levels after dmesg -n")
    both = re.search(r"^(\[.*\]) upper\n\1 lower$", result.serial, re.M)
    t.ok(bool(both) == (level is not None), parameters + ": each line of a message has its time",
         result.tail())
    if level is not None:
        t.same(result.value("printk"), "%d 4 1 7" % level, parameters + ": the level in /proc")
        t.same(result.value("speed"), speed, parameters + ": the line's speed")
    t.same((result.value("ring"), result.value("raw"), result.value("kmsg")),
           ("8", "<13>[] boot-5", "13,;boot-5"), parameters + ": the log has all of them")
    t.same((result.value("active"), result.value("consoles")), (active, consoles),
           parameters + ": the consoles in /sys and /proc")


def line(t, console):
    """A person who stops the output, sets the size and the handshake of the line."""
    console.type("i=0; while [ $i -lt 200 ]; do echo n$((i += 1)); sleep 0.03; done\n")
    console.expect(r"^n5$")
    console.type(CTRL_S)
    time.sleep(0.5)
    before = len(console.text)
    time.sleep(1)
    t.same(len(console.text), before, "^S stops the output")
    console.type(CTRL_Q)
    t.ok(console.expect(r"^n30$"), "^Q lets it go on", console.fresh())
    numbers = [int(n) for n in re.findall(r"^n(\d+)$", console.text, re.M)]
    t.same(numbers[:30], list(range(1, 31)), "nothing was lost")
    console.type(CTRL_C)
    console.expect(PROMPT)
    for name, typed, pattern in (
            ("the size can be set", "stty rows 40 columns 100; stty size", r"^40 100$"),
            ("the handshake can be set", "stty crtscts; stty -a | grep -o ' crtscts'",
             r"^ crtscts$"),
            ("the line works with it", "echo w$((1 + 1)); stty -crtscts", r"^w2$")):
        console.type(typed + "\n")
        t.ok(console.expect(pattern) and console.expect(PROMPT), name, console.fresh())
    console.type("stty -ixon; echo rea$((0 + 0))dy; read -r x; stty ixon; "
                 "echo \"$x\" | od -An -c\n")
    console.expect(r"^rea0dy$")
    console.type("a" + CTRL_S + "b\n")
    t.ok(console.expect(r"^ +a +023 +b +\\n$") and console.expect(PROMPT),
         "without flow control ^S is a character", console.fresh())


def main():
    t = tap.Tap()
    first = "printk=$(tr '\\t' ' ' </proc/sys/kernel/printk)\n"
    archive = initramfs.build("console", first + INIT)
    for values in ROWS:
        row(t, archive, *values)
    shell = initramfs.scratch("console") + "/shell.cpio"
    subprocess.run(["tools/mkinitramfs", "-o", shell, "tools/shell/manifest"], check=True)
    console = vm.Terminal(vm.VM(initrd=shell))
    if t.ok(console.expect(PROMPT, 60), "a prompt", console.fresh()):
        line(t, console)
        console.type("exit\n")
    result = console.finish()
    t.ok(result.good, "exit switches the machine off", result.tail())
    t.done()


main()
