# SPDX-License-Identifier: BSD-2-Clause
"""Boots a kernel in QEMU and tells what it did.

Model: a VM is a description; run() boots it and returns a Result when QEMU has ended or its time is
over. The kernel under test ends QEMU itself (poweroff, or panic=-1 with -no-reboot), thus QEMU's
exit is part of every verdict. A Terminal is a VM whose console is a pseudo-terminal, for typing as
a person would.

Environment: KERNEL (the kernel under test), O (the build folder), ACCEL (tcg or kvm instead of the
probe), TIME_SCALE (multiplies every time limit, for a slow or busy machine).
"""

import ctypes
import functools
import itertools
import os
import pty
import re
import selectors
import signal
import subprocess
import sys
import threading
import time
import tty

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUT = os.environ.get("O", "build")
KERNEL = os.environ.get("KERNEL") or OUT + "/tessera.elf"
LINUX = "build/linux/vmlinuz"
SCALE = float(os.environ.get("TIME_SCALE", "1"))
FIRMWARE = {"bios": [], "uefi": ["-bios", "/usr/share/ovmf/OVMF.fd"]}
CONSOLE = "console=ttyS0 panic=-1 quiet"

# What a healthy kernel never prints.
TROUBLE = re.compile(r"(?i:kernel panic|general protection fault|soft lockup|rank violation|"
                     r"assertion failed|double fault|sleeping where|lock order:|still held|"
                     r"not free for seconds|\bleaked\b|corrupted|\bstalls? on\b)|"
                     r"\bBUG\b|\bWARNING: CPU|\bOops\b")

os.chdir(ROOT)
number = itertools.count(1)


def is_linux(kernel=None):
    """Whether `kernel` is a Linux image (a bzImage) and not an ELF file such as ours."""
    with open(kernel or KERNEL, "rb") as image:
        return image.read(0x206)[0x202:] == b"HdrS"


def linux():
    """Debian's Linux kernel, fetched when it is not there yet: the reference."""
    subprocess.run(["tools/linux-image", "-o", os.path.dirname(LINUX)], check=True)
    return LINUX


def die_with_parent():
    """In a child before exec: it must not outlive a test that is killed (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


@functools.lru_cache(maxsize=None)
def accelerator():
    """QEMU's options for the fastest accelerator that works here."""
    choice = os.environ.get("ACCEL")
    if choice == "kvm" or (not choice and kvm_works()):
        return ("-accel", "kvm")
    return ("-accel", "tcg,thread=multi")


def kvm_works():
    """Whether KVM runs 64-bit code: the CPU has it and tests/lib/probe.S gets to its end."""
    with open("/proc/cpuinfo") as cpuinfo:
        if not re.search(r"\b(vmx|svm)\b", cpuinfo.read()) or not os.access("/dev/kvm", os.W_OK):
            return False
    return probe("kvm")


def probe(accel):
    """Boots tests/lib/probe.S; whether it entered long mode and left through the debug port."""
    image = "%s/tests/probe.%d" % (OUT, os.getpid())
    os.makedirs(os.path.dirname(image), exist_ok=True)
    try:
        subprocess.run(["gcc", "-c", "tests/lib/probe.S", "-o", image + ".o"], check=True)
        subprocess.run(["objcopy", "-O", "binary", "-j", ".text", image + ".o", image], check=True)
        command = ["qemu-system-x86_64", "-accel", accel, "-cpu", "max", "-m", "16M", "-display",
                   "none",
                   "-nic", "none", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4",
                   "-drive", "format=raw,file=" + image]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=10 * SCALE)
        return done.returncode == 2 * 0x2a + 1
    except (OSError, subprocess.SubprocessError):
        return False
    finally:
        for name in (image, image + ".o"):
            if os.path.exists(name):
                os.unlink(name)


class Result:
    """What came of a boot."""

    def __init__(self, serial, status, seconds):
        self.serial, self.status, self.seconds = serial.replace("\r", ""), status, seconds
        self.lines = self.serial.split("\n")

    @property
    def ended(self):
        """Whether QEMU ended by itself and without a complaint."""
        return self.status == 0

    @property
    def trouble(self):
        """The first line that a healthy kernel does not print, or None."""
        return next((line for line in self.lines if TROUBLE.search(line)), None)

    @property
    def good(self):
        return self.ended and not self.trouble

    @property
    def reports(self):
        """The first reports of a checked kernel (BUG: KASAN and such), with what follows."""
        found = [i for i, line in enumerate(self.lines) if re.search(r"\bBUG: [KU]\w*SAN", line)]
        return "\n".join("\n".join(self.lines[i:i + 30]) for i in found[:5])

    def value(self, name):
        """What the guest printed as `NAME=value`, or None."""
        found = re.search(r"^%s=(.*)$" % re.escape(name), self.serial, re.M)
        return found[1] if found else None

    def tail(self, count=25):
        """The end of the console, for a failure's explanation."""
        how = "time is over" if self.status is None else "QEMU's exit status %d" % self.status
        head = "%s after %.1f s; the console's end:" % (how, self.seconds)
        return "\n".join([head] + self.lines[-count:])


class VM:
    """One machine to boot. `extra` goes to QEMU as it is; `append` replaces the usual words."""

    def __init__(self, kernel=None, initrd=None, append=CONSOLE, iso=None, firmware="bios", cpus=2,
                 memory="512M", machine="q35", cpu="max", timeout=120, extra=()):
        self.kernel, self.initrd, self.append, self.iso = kernel or KERNEL, initrd, append, iso
        self.firmware, self.cpus, self.memory = firmware, cpus, memory
        self.machine, self.cpu, self.extra = machine, cpu, list(extra)
        self.timeout = timeout * SCALE

    def command(self):
        """QEMU's command line."""
        command = ["qemu-system-x86_64", "-M", self.machine, *accelerator(), "-cpu", self.cpu,
                   "-smp", str(self.cpus), "-m", self.memory, "-display", "none", "-monitor",
                   "none",
                   "-nic", "none", "-no-reboot", "-chardev", "stdio,id=console,signal=off",
                   "-serial", "chardev:console", *FIRMWARE[self.firmware]]
        if self.iso:
            command += ["-cdrom", self.iso]
        else:
            command += ["-kernel", self.kernel, "-append", self.append]
            command += ["-initrd", self.initrd] if self.initrd else []
        return command + self.extra

    def run(self):
        """Boots and waits for the end; never raises for what the guest does."""
        start = time.monotonic()
        child = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, preexec_fn=die_with_parent)
        chunks, deadline = [], start + self.timeout
        with selectors.DefaultSelector() as selector, log_file() as log:
            selector.register(child.stdout, selectors.EVENT_READ)
            while time.monotonic() < deadline:
                if not selector.select(deadline - time.monotonic()):
                    break
                chunk = os.read(child.stdout.fileno(), 65536)
                if not chunk:
                    break
                chunks.append(chunk)
                log.write(chunk)
                log.flush()
        status = end(child, deadline)
        child.stdout.close()
        text = b"".join(chunks).decode("utf-8", "replace")
        return Result(text, status, time.monotonic() - start)


def log_file():
    """A new file in the build folder for a console's output, named after the running test."""
    folder = OUT + "/tests/log"
    os.makedirs(folder, exist_ok=True)
    test = os.path.basename(sys.argv[0]) or "python"
    return open("%s/%s.%d.log" % (folder, test, next(number)), "wb")


def end(child, deadline):
    """Waits for `child` until `deadline`; its status, or None when it had to be killed."""
    try:
        return child.wait(max(deadline - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return None


ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|[()][0AB]|[=>78DEHM])|\r")


class Terminal:
    """A VM with a person at its console: a pty of 80 by 24 that answers as a terminal does.

    `text` is what came so far without escape sequences, `rest` what may be the begin of one,
    `corner` whether the cursor was last sent to the far corner; a thread takes all in, `news` tells
    of it.
    """

    def __init__(self, machine):
        self.text, self.rest, self.corner, self.mark, self.over = "", "", False, 0, False
        self.news = threading.Condition()
        self.start = time.monotonic()
        self.deadline = self.start + machine.timeout
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.child = subprocess.Popen(machine.command(), stdin=slave, stdout=slave, stderr=slave,
                                      preexec_fn=die_with_parent)
        os.close(slave)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def type(self, text):
        """Types `text`, key by key: control characters are sent as they are.

        After a lone Escape there is a pause, which is how programs tell it from a sequence.
        """
        for key in re.findall(r"\x1b\[.|(?:.|\n)", text):
            os.write(self.master, key.encode())
            time.sleep(1.0 if key == "\x1b" else 0.005)

    def expect(self, pattern, seconds=30):
        """Waits until `pattern` shows up after what was expected before; its match, or None."""
        deadline = min(time.monotonic() + seconds * SCALE, self.deadline)
        with self.news:
            while True:
                found = re.compile(pattern, re.M).search(self.text, self.mark)
                if found:
                    self.mark = found.end()
                    return found
                if self.over or not self.news.wait(deadline - time.monotonic()):
                    return None

    def read(self):
        """The thread: takes in what is on the wire until QEMU has gone."""
        with log_file() as log:
            while not self.over:
                try:
                    chunk = os.read(self.master, 65536)
                except OSError:
                    chunk = b""
                log.write(chunk)
                log.flush()
                with self.news:
                    self.over = not chunk
                    self.take(self.rest + chunk.decode("utf-8", "replace"))
                    self.news.notify_all()

    def take(self, came):
        """Adds `came` to the text and answers its questions about the cursor (ESC [6n)."""
        cut = came.rfind("\x1b") if re.search(r"\x1b(\[[0-9;?]*)?$", came) else len(came)
        came, self.rest = came[:cut], came[cut:]
        done = 0
        for escape in ESCAPE.finditer(came):
            self.text += came[done:escape.start()]
            done = escape.end()
            if escape[0] == "\x1b[6n":
                column = 80 if self.corner else len(self.text) - self.text.rfind("\n")
                os.write(self.master, b"\x1b[24;%dR" % column)
            self.corner = escape[0] == "\x1b[999;999H"
        self.text += came[done:]

    def fresh(self):
        """What came since the last match, with the lines just before it."""
        return self.text[max(0, self.mark - 300):]

    def finish(self, seconds=30):
        """Waits for QEMU's end; the Result."""
        self.reader.join(max(min(seconds * SCALE, self.deadline - time.monotonic()), 0))
        status = end(self.child, time.monotonic() + 1)
        self.reader.join(5)
        os.close(self.master)
        return Result(self.text, status, time.monotonic() - self.start)
