# SPDX-License-Identifier: BSD-2-Clause
"""Boots an ISO in Bochs, whose processor has what QEMU's emulation lacks: x2APIC, the TSC deadline
timer, PCIDs, AVX-512.

Model: run() starts the machine and returns a vm.Result when it has ended or when its time is over.
The serial port is a FIFO. The machine's clock counts instructions (IPS a second), so a busy host
makes it slow, never late.

A Bochs that ends says why on its standard output; only "soft power off" is a good end.
"""

import os
import selectors
import subprocess
import time

import initramfs
import vm

# A slow processor: what waits for time to pass, such as the BIOS, is done after fewer instructions.
IPS = 20000000
MODEL = "corei7_skylake_x"
POWER_OFF = "ACPI control: soft power off"

CONFIG = """
display_library: rfb, options="timeout=0"
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
cpu: model={model}, count={cpus}, ips={ips}, reset_on_triple_fault=0
clock: sync=none
megs: {megabytes}
com1: enabled=1, mode=file, dev={console}
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
mouse: enabled=0
panic: action=fatal
log: {log}
"""


def iso(name, archive, append, kernel=None):
    """An ISO below the folder of the test `name`; its path."""
    image = initramfs.scratch(name) + "/bochs.iso"
    subprocess.run(["tools/mkiso", image, kernel or vm.KERNEL, archive, *append.split()],
                   check=True)
    return image


def start(folder, image, cpus, megabytes):
    """Starts the machine; its process, and the console to read from."""
    console = folder + "/console"
    if os.path.exists(console):
        os.unlink(console)
    os.mkfifo(console)
    initramfs.write(folder + "/bochsrc", CONFIG.format(
        model=MODEL, cpus=cpus, ips=IPS, megabytes=megabytes, console=os.path.abspath(console),
        iso=os.path.abspath(image), log=os.path.abspath(folder + "/bochs.log")))
    # Debian's has its debugger built in, which wants to be told to go on.
    initramfs.write(folder + "/continue", "c\n")
    reader = os.open(console, os.O_RDONLY | os.O_NONBLOCK)
    child = subprocess.Popen(["bochs-bin", "-q", "-f", folder + "/bochsrc", "-rc",
                              folder + "/continue"], stdin=subprocess.DEVNULL,
                             stdout=open(folder + "/output", "wb"), stderr=subprocess.STDOUT,
                             preexec_fn=vm.die_with_parent)
    return child, reader


def log(name):
    """What Bochs has to say of the last machine of the test `name`."""
    with open(initramfs.scratch(name) + "/bochs.log", errors="replace") as said:
        return said.read()


def run(name, image, cpus=2, megabytes=512, timeout=120):
    """Boots `image` and waits for the end; never raises for what the guest does."""
    folder = initramfs.scratch(name)
    begin = time.monotonic()
    deadline = begin + timeout * vm.SCALE
    child, reader = start(folder, image, cpus, megabytes)
    chunks = []
    # Without a writer a FIFO is at its end: until Bochs opens it, and when it has gone.
    with selectors.DefaultSelector() as selector, vm.log_file() as copy:
        selector.register(reader, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            # Asked first: what it wrote before it went is then there to read.
            gone = child.poll() is not None
            chunk = os.read(reader, 65536) if selector.select(1) else b""
            if not chunk and gone:
                break
            if not chunk:
                time.sleep(0.1)
            copy.write(chunk)
            copy.flush()
            chunks.append(chunk)
    os.close(reader)
    status = vm.end(child, deadline)
    with open(folder + "/output", errors="replace") as output:
        if POWER_OFF in output.read():
            status = 0
    text = b"".join(chunks).decode("utf-8", "replace")
    return vm.Result(text, status, time.monotonic() - begin)
