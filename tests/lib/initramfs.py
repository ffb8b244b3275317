# SPDX-License-Identifier: BSD-2-Clause
"""Makes the archives that tests boot from, below the build folder, with tools/mkinitramfs."""

import os
import subprocess

import vm

PROLOGUE = """#!/bin/sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root TERM=vt100 LC_ALL=C
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
ln -sf /proc/self/fd /dev/fd
ln -sf /proc/self/fd/0 /dev/stdin
ln -sf /proc/self/fd/1 /dev/stdout
ln -sf /proc/self/fd/2 /dev/stderr
"""
EPILOGUE = "\npoweroff -f\n"
BASE = ("dir /dev", "nod /dev/console 600 0 0 c 5 1", "nod /dev/null 666 0 0 c 1 3", "dir /proc",
        "dir /sys", "dir /tmp 1777", "dir /root 700", "dir /etc")


def scratch(name):
    """A folder of the build for the test `name`."""
    folder = "%s/tests/%s" % (vm.OUT, name)
    os.makedirs(folder, exist_ok=True)
    return folder


def write(path, text):
    """Writes a file unless it says that already (make and others watch the times); its path."""
    data = text if isinstance(text, bytes) else text.encode()
    if not os.path.exists(path) or open(path, "rb").read() != data:
        with open(path, "wb") as out:
            out.write(data)
    return path


def build(name, init, lines=(), sysroot=None, options=()):
    """An archive with BusyBox, /init as a script of the lines `init` and the manifest's `lines`.

    The script begins with the usual mounts and ends with power-off. Returns the archive's path.
    """
    folder = scratch(name)
    script = write(folder + "/init", PROLOGUE + init + EPILOGUE)
    return pack(name, list(BASE) + list(lines) + ["busybox", "file /init %s 755" % script],
                sysroot, options)


def pack(name, lines, sysroot=None, options=()):
    """An archive of just the manifest's `lines`; its path."""
    folder = scratch(name)
    manifest = write(folder + "/manifest", "\n".join(lines) + "\n")
    archive = folder + "/initramfs.cpio"
    where = ["--sysroot", sysroot] if sysroot else []
    subprocess.run(["tools/mkinitramfs", "-o", archive, *where, *options, manifest], check=True)
    return archive


def tree(name, packages, skip=()):
    """The tree of Debian's `packages` with all they need, for a manifest; its folder."""
    without = [word for package in skip for word in ("--skip", package)]
    subprocess.run(["tools/debs", "-o", "build/debs", *without, name, *packages], check=True)
    return "build/debs/" + name
