#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A person at the console: what is typed at a pseudo-terminal and what must come back.

A pattern never matches the echo of what was typed: it holds a result that the line does not spell.
"""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import initramfs  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

PROMPT = r"tessera:\S+# $"
CTRL_A, CTRL_C, CTRL_D, CTRL_E, CTRL_U, CTRL_Z, ESC, TAB = "\x01\x03\x04\x05\x15\x1a\x1b\t"
UP, LEFT = "\x1b[A", "\x1b[D"

# A command that runs on and tells when it does: only then has it left the shell's signal handling.
LONG = "sh -c 'echo rea$((1 - 1))dy; exec sleep 1000'\n"

# Each row: the name, what is typed, what must come.
LINES = (
    ("a command", "echo $((6 * 7))x", r"^42x$"),
    ("the prompt follows the folder", "cd /proc && cd /tmp", r"(?=tessera:/tmp# $)"),
    ("erase", "echo kitty\x7f\x7f\x7fss $((1 + 1))", r"^kiss 2$"),
    ("the cursor moves left", "echo $((1 + 3))" + LEFT * 3 + "1", r"^14$"),
    ("to the start and the end of the line", "cho $((4 + 4))" + CTRL_A + "e" + CTRL_E + "y",
     r"^8y$"),
    ("the line is killed", "nonsense" + CTRL_U + "echo k$((2 + 3))", r"^k5$"),
    ("history", UP, r"^k5$"),
    ("a file", "echo >plum$((1 + 1))pie; ls", r"^plum2pie$"),
    ("completion of its name", "ls plu" + TAB, r"^plum2pie$"),
    ("a here-document", "cat <<E\nab$((1 + 1))cd\nE", r"^ab2cd$"),
    ("a pipeline", "seq 1000 | grep 7 | sort -rn | head -n 2 | tr '\\n' ,", r"^997,987,"),
    ("a long pipeline", "yes | head -n 100000 | cat | cat | cat | wc -l", r"^100000$"),
    ("a redirection", "echo one >f; echo two >>f; wc -l <f", r"^2$"),
    ("standard error into a file", "ls /missing 2>e; wc -w <e", r"^[1-9]\d*$"),
    ("file descriptors by number", "exec 5>g; echo five$((2 + 3)) >&5; exec 5>&-; cat g",
     r"^five5$"),
    ("the status of a command", "false; echo s$?; (exit 7); echo s$?", r"^s1\ns7$"),
    ("a command that is not there", "nosuchthing; echo s$?", r"not found\ns127$"),
    ("a signal's status", "sh -c 'kill -SEGV $$'; echo s$?", r"Segmentation fault(.|\n)*^s139$"),
    ("a background job", "sleep 0.5 & echo bg$((1 + 1))", r"^bg2$"),
    ("wait", "wait; echo w$((1 + 1))", r"^w2$"),
    ("command substitution", "echo $(echo $(echo $((3 * 3))))q", r"^9q$"),
    ("a loop", "for i in 1 2 3; do echo -n $((i * i)),; done; echo", r"^1,4,9,$"),
    ("a function", "f() { echo $(($1 + $2))f; }; f 20 3", r"^23f$"),
    ("a script with #!", "echo '#!/bin/awk -f\nBEGIN { print 5 * 5 }' >s; chmod +x s; ./s",
     r"^25$"),
    ("ps", "ps -o pid,ppid,comm | head -n 2", r"^PID +PPID +COMMAND\n +1 +0 init$"),
    ("free", "free | head -n 2", r"total +used +free(.|\n)*^Mem: +\d+ +\d+ +\d+"),
    ("top in batch mode", "top -b -n 1 | head -n 4", r"^Mem: (.|\n)*^CPU: (.|\n)*^Load average: "),
    ("dmesg", "dmesg | grep -c .", r"^[1-9]\d+$"),
    ("mount", "mount | grep ' /proc '", r"^proc on /proc type proc \(rw"),
    ("mount and umount", "mkdir -p m; mount -t tmpfs x m; touch m/a; umount m; ls m | wc -l",
     r"^0$"),
    ("df", "df /tmp | tail -n 1", r"^tmpfs +\d+ +\d+ +\d+ +\d+% /tmp$"),
    ("uptime", "uptime", r"up .*load average: [\d.]+, [\d.]+, [\d.]+$"),
    ("tty", "tty", r"^/dev/(console|ttyS0)$"),
    ("stty", "stty -a | grep -o ' icanon'", r"^ icanon$"),
    ("kill", "sleep 100 & sleep 0.5; kill $!; wait $!; echo s$?", r"^s143$"),
)


def lines(t, console):
    """Types the rows of LINES."""
    for name, typed, pattern in LINES:
        console.type(typed + "\n")
        found = console.expect(pattern)
        t.ok(found and console.expect(PROMPT), name, console.fresh())


def jobs(t, console):
    """Job control: ^C, ^Z, bg, fg and the shell's jobs."""
    def step(name, typed, pattern):
        console.type(typed)
        t.ok(console.expect(pattern), name, console.fresh())

    console.type(LONG)
    console.expect(r"^rea0dy$")
    step("^C ends the command", CTRL_C, PROMPT)
    step("its status", "echo s$?\n", r"^s130$")
    step("^C at the prompt", "nonsense" + CTRL_C, PROMPT)
    console.type("sh -c 'trap \"echo caught$((1 + 1))\" INT; echo rea$((1 - 1))dy; "
                 "sleep 2; echo on'\n")
    console.expect(r"^rea0dy$")
    step("a trapped ^C", CTRL_C, r"caught2")
    console.expect(r"^on$")
    console.expect(PROMPT)
    # SIGCONT comes when the job has the terminal: before that, ^C would go to the shell.
    console.type("sh -c 'n=0; trap \"n=\\$((n + 1)); echo went\\$n\" CONT; echo rea$((1 - 1))dy; "
                 "sleep 1000 & while :; do wait; done'\n")
    console.expect(r"^rea0dy$")
    step("^Z stops the command", CTRL_Z, r"Stopped +sh -c ")
    step("jobs", "jobs\n", r"^\[1\]\+  Stopped +sh -c ")
    step("bg", "bg\n", r"^\[1\] sh -c ")
    console.expect(r"^went1$")
    step("it runs again", "jobs\n", r"^\[1\]\+  Running +sh -c ")
    step("the kernel says so too", "grep State /proc/$(pidof sleep)/status\n",
         r"^State:\tS \(sleeping\)$")
    console.type("fg\n")
    console.expect(r"^sh -c ")
    console.expect(r"^went2$")
    step("fg, then ^C", CTRL_C, PROMPT)
    step("no job is left", "jobs; echo none$((0 + 0))\n", r"none0$")
    console.type("(echo rea$((0 + 0))dy >&2; head -n 1) | sed s/^/got-/\n")
    console.expect(r"^rea0dy$")
    step("a pipeline reads the terminal", "through\n", r"^got-through$")
    console.expect(PROMPT)
    console.type("cat >typed; wc -l <typed\nsome lines\nto type\n")
    step("^D is the end of the input", CTRL_D, r"^2$")
    console.expect(PROMPT)
    step("the background may not read the terminal", "cat & sleep 0.5\n\n",
         r"Stopped \(tty input\) +cat$")
    step("kill %1", "kill %1; fg 2>/dev/null; wait; echo s$((0 + 0))\n", r"^s0$")
    console.expect(PROMPT)
    console.type("stty -echo; echo rea$((0 + 0))dy; read x; stty echo; echo got$x\n")
    step("without echo", "", r"^rea0dy$")
    step("what is typed stays hidden", "secret\n", r"^(?<!secret\n)gotsecret$")
    console.expect(PROMPT)


def screen(t, console):
    """Programs that take the whole screen: vi, top, less."""
    console.type("vi letter\n")
    t.ok(console.expect(r"letter.* 1/1 100%"), "vi opens", console.fresh())
    console.type("ione apple" + ESC + "yyp" + "cwtwo" + ESC + ":s/apple/pears/\n")
    console.type(":wq\n")
    t.ok(console.expect(PROMPT), "vi ends", console.fresh())
    console.type("cat letter\n")
    t.ok(console.expect(r"^one apple\ntwo pears$"), "vi wrote the file", console.fresh())
    console.expect(PROMPT)
    console.type("top -d 1\n")
    t.ok(console.expect(r"Load average(.|\n)*COMMAND(.|\n)*Load average"), "top refreshes",
         console.fresh())
    console.type("q")
    t.ok(console.expect(PROMPT), "q ends top", console.fresh())
    console.type("seq 500 | less\n")
    t.ok(console.expect(r"^23$"), "less shows a page", console.fresh())
    console.type("Gq")
    t.ok(console.expect(PROMPT), "q ends less", console.fresh())


def main():
    t = tap.Tap()
    folder = initramfs.scratch("shell")
    archive = folder + "/initramfs.cpio"
    subprocess.run(["tools/mkinitramfs", "-o", archive, "tools/shell/manifest"], check=True)
    console = vm.Terminal(vm.VM(initrd=archive, cpus=8, timeout=300))
    if t.ok(console.expect(PROMPT, 90), "a prompt", console.fresh()):
        lines(t, console)
        jobs(t, console)
        screen(t, console)
        console.type("exit\n")
    result = console.finish()
    t.ok(result.ended, "exit switches the machine off", result.tail())
    t.ok(not result.trouble, "the kernel complained of nothing", result.trouble)
    t.done()


main()
