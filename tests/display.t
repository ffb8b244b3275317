#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A person in front of the machine: the console on the display and the PS/2 keyboard.

Model: the interactive initramfs has a shell on the display and one on the serial line. What is
typed on the keyboard must show on the display and have its effect, told on the serial line. The ISO
runs on BIOS and UEFI with a frame buffer, the kernel by itself on the adapter's text mode.
"""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
from display import BLACK, Display, PRINTABLE, colours  # noqa: E402
import initramfs  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

SHIPPED = vm.OUT + "/tessera.iso"
CONSOLES = "console=tty0 console=ttyS0"
PROMPT = r"tessera:\S+# $"
PROMPT_SHOWN = r"tessera:\S+#\s*\x7f?$"
# Text mode's red has 6 bits.
RED = re.compile(rb"[\xa8-\xaa]\0\0")


def first_sight(t, d, name):
    """The kernel's messages and a prompt are on the display, and all characters differ."""
    d.type("clear >/dev/tty1; printf '%s' '" + PRINTABLE.replace("'", "'\\''") + "' >/dev/tty1\n")
    d.expect(PROMPT)
    before = d.look()
    looks = d.learn(before)
    t.ok(looks == len(PRINTABLE), name + ": each character has its own look",
         "%d of %d, %d x %d" % (looks, len(PRINTABLE), before.columns, before.rows))


def shown(t, d, name, pattern):
    t.ok(d.shows(pattern), name, d.seen)


def typing(t, d, name):
    """Lines typed on the keyboard."""
    d.press("ret")
    d.keys("clear\n")
    shown(t, d, name + ": clear leaves a prompt at the top", r"\A" + PROMPT_SHOWN + r"\s*\Z")
    d.keys("echo [$((6 * 7))] | tee /dev/ttyS0\n")
    t.ok(d.expect(r"\[42\]$"), name + ": a line is typed and carried out", d.fresh())
    shown(t, d, name + ": it is on the display with what it printed",
          r"^tessera:\S+# echo \[\$\(\(6 \* 7\)\)\] \| tee /dev/ttyS0\n\[42\]\n" + PROMPT_SHOWN)
    d.press("caps_lock")
    d.keys("x")
    d.press("caps_lock")
    d.keys("\x7f\x7fecho lost\n")
    d.press("up")
    d.press("left")
    d.press("left")
    d.press("left")
    d.press("left")
    d.keys("al")
    d.press("delete")
    d.press("home")
    d.press("end")
    d.keys("Y >/dev/ttyS0\n")
    t.ok(d.expect(r"alostY$"), name + ": the keys that edit a line", d.fresh())
    d.keys("sh -c 'echo a$((1 + 1))b >/dev/ttyS0; exec sleep 1000'\n")
    d.expect(r"a2b$")
    d.press("ctrl", "c")
    d.keys("echo s$? >/dev/ttyS0\n")
    t.ok(d.expect(r"s130$"), name + ": Ctrl-C", d.fresh())


def screens(t, d, name):
    """What programs and the kernel do with the display."""
    rows, columns = d.look().rows, d.look().columns
    d.keys("stty size >/dev/ttyS0\n")
    t.ok(d.expect(r"%d %d$" % (rows, columns)), name + ": its size is known", d.fresh())
    d.keys("clear; seq 300\n")
    shown(t, d, name + ": it scrolls", r"^298\n299\n300\n" + PROMPT_SHOWN + r"\Z")
    d.keys("vi /tmp/letter\n")
    shown(t, d, name + ": vi fills it", r"^\x7f?\n(~\n){%d}- /tmp/letter 1/1 100%%" % (rows - 2))
    d.keys("ione\x1b")
    d.keys(":wq\n")
    shown(t, d, name + ": vi ends", PROMPT_SHOWN)
    d.keys("cat /tmp/letter >/dev/ttyS0\n")
    t.ok(d.expect(r"one$"), name + ": vi has written", d.fresh())
    d.keys("clear; printf '\\033[31mR\\033[0m\\n'\n")
    shown(t, d, name + ": a red letter", r"\AR\n" + PROMPT_SHOWN)
    lit = colours(d.look().cell(0, 0)) - {BLACK}
    t.ok(len(lit) == 1 and RED.fullmatch(lit.pop()), name + ": it is red", lit)
    d.type("clear >/dev/tty1; echo '<3>upset' >/dev/kmsg; echo '<7>chatter' >/dev/kmsg\n")
    shown(t, d, name + ": the kernel's messages, without the lowest level",
          r"\A\[ +\d+\.\d{6}\] upset\n[\s\x7f]*\Z")


def session(t, name, machine):
    d = Display(machine, initramfs.scratch("display"))
    if t.ok(d.expect(PROMPT, 60), name + ": a prompt on the serial line", d.fresh()):
        first_sight(t, d, name)
        typing(t, d, name)
        screens(t, d, name)
        d.keys("exit")
        try:
            d.press("ret")
        except (ConnectionError, EOFError):
            pass    # It was off before it could be asked whether it had taken the key.
    result = d.finish()
    t.ok(result.ended, name + ": exit switches the machine off", result.tail())
    t.ok(not result.trouble, name + ": the kernel complained of nothing", result.trouble)


def main():
    t = tap.Tap()
    folder = initramfs.scratch("display")
    archive, image = folder + "/initramfs.cpio", SHIPPED
    subprocess.run(["tools/mkinitramfs", "-o", archive, "tools/shell/manifest"], check=True)
    if vm.KERNEL != vm.OUT + "/tessera.elf" or not os.path.exists(SHIPPED):
        image = folder + "/display.iso"
        subprocess.run(["tools/mkiso", image, vm.KERNEL, archive, *CONSOLES.split()], check=True)
    session(t, "text mode", vm.VM(initrd=archive, append=CONSOLES, timeout=90))
    session(t, "BIOS", vm.VM(iso=image, timeout=90))
    session(t, "UEFI", vm.VM(iso=image, firmware="uefi", timeout=90))
    t.done()


main()
