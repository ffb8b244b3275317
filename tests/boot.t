#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The boot matrix: each row boots to /init, which tells what it sees, and powers off.

Model: a row is a VM and what /init must report there (lib/matrix.py). Its verdict: QEMU ended by
itself, the number of CPUs is right, most of the memory is there and the kernel complained of
nothing.
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import initramfs  # noqa: E402
import tap  # noqa: E402
from matrix import INIT, check  # noqa: E402
import vm  # noqa: E402

SHIPPED = vm.OUT + "/tessera.iso"


def iso(archive):
    """An ISO of the kernel under test and our /init."""
    image = initramfs.scratch("boot") + "/boot.iso"
    subprocess.run(["tools/mkiso", image, vm.KERNEL, archive, vm.CONSOLE], check=True)
    return image


def main():
    t = tap.Tap()
    archive = initramfs.build("boot", INIT)
    slow = 4 if vm.is_linux() else 1

    for cpus in (1, 2, 7, 16, 64):
        check(t, "%d CPUs" % cpus, vm.VM(initrd=archive, cpus=cpus, memory="1G",
                                         timeout=(60 + 2 * cpus) * slow))
    if vm.is_linux():
        t.skip("24 MiB, 1 CPU", "Debian's Linux does not fit")
    else:
        check(t, "24 MiB, 1 CPU", vm.VM(initrd=archive, cpus=1, memory="24M"))
    for memory in ("128M", "2G", "8G"):
        check(t, "memory " + memory, vm.VM(initrd=archive, memory=memory))
    check(t, "machine pc", vm.VM(initrd=archive, machine="pc"))
    check(t, "no HPET", vm.VM(initrd=archive, machine="q35,hpet=off"))
    check(t, "CPU model qemu64", vm.VM(initrd=archive, cpu="qemu64"))
    check(t, "CPU model qemu64, machine pc, 1 CPU",
          vm.VM(initrd=archive, cpu="qemu64", machine="pc", cpus=1))
    check(t, "two sockets of four cores",
          vm.VM(initrd=archive, cpus=8, extra=["-smp", "8,sockets=2,cores=4,threads=1"]))
    check(t, "two NUMA nodes", vm.VM(initrd=archive, cpus=4, memory="512M", extra=[
        "-object", "memory-backend-ram,id=a,size=256M", "-object",
        "memory-backend-ram,id=b,size=256M",
        "-numa", "node,memdev=a,cpus=0-1", "-numa", "node,memdev=b,cpus=2-3"]))

    image = iso(archive)
    check(t, "GRUB on BIOS", vm.VM(iso=image, memory="512M"))
    check(t, "GRUB on BIOS, machine pc", vm.VM(iso=image, machine="pc"))
    check(t, "GRUB on UEFI", vm.VM(iso=image, firmware="uefi", cpus=4))

    if vm.is_linux() or not os.path.exists(SHIPPED):
        t.skip("the ISO of `make iso`", "it is not there or not under test")
    else:
        console = vm.Terminal(vm.VM(iso=SHIPPED, cpus=4, timeout=120))
        prompt = console.expect(r"tessera:\S+# $", 60)
        console.type("exit\n")
        t.ok(prompt and console.finish().ended, "the ISO of `make iso` has a shell",
             console.fresh())

    for option in ("--gzip", "--zstd"):
        packed = initramfs.build("boot" + option, INIT, options=[option])
        check(t, "initramfs packed by " + option[2:], vm.VM(initrd=packed))
    several = initramfs.scratch("boot") + "/several.cpio"
    parts = [open(name, "rb").read() for name in (initramfs.pack("boot-dirs", initramfs.BASE),
                                                  packed)]
    check(t, "a plain and a packed archive in one", vm.VM(
        initrd=initramfs.write(several, b"".join(parts))))

    for parameters, cpus, memory in (("maxcpus=2", 2, None), ("nr_cpus=3", 3, None),
                                     ("mem=256M", 4, "256M"), ("end=reboot", 4, None)):
        check(t, parameters, vm.VM(initrd=archive, cpus=4, append=vm.CONSOLE + " " + parameters),
              cpus, memory)
    result = vm.VM(initrd=archive, append=vm.CONSOLE + " plum=blue apple -- pear").run()
    t.ok(result.good and result.value("args") == "apple pear" and result.value("plum") == "blue",
         "unknown parameters reach init", result.tail())
    result = vm.VM(initrd=archive, append=vm.CONSOLE + " end=panic").run()
    t.ok(result.ended and "Attempted to kill init! exitcode=0x00000300" in result.serial,
         "when init exits, the kernel panics and panic=-1 ends QEMU", result.tail())
    t.done()


main()
