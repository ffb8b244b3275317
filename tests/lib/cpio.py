# SPDX-License-Identifier: BSD-2-Clause
"""Makes cpio archives (newc), good and bad, whose /init is a few bytes of machine code."""

import gzip
import stat
import subprocess

import elf

FIELDS = ("magic", "inode", "mode", "uid", "gid", "links", "time", "size", "major", "minor",
          "rmajor", "rminor", "namesize", "check")
NEWS = b"init ran\n"
BROKEN = b"init of the broken part ran\n"


def record(name, mode, data=b"", **fields):
    """One record; `fields` replace what the header would say, numbers or 8 bytes as they are."""
    name = name if isinstance(name, bytes) else name.encode() + b"\0"
    values = {"magic": b"070701", "inode": 1, "mode": mode, "uid": 0, "gid": 0, "links": 1,
              "time": 0,
              "size": len(data), "major": 0, "minor": 0, "rmajor": 0, "rminor": 0,
              "namesize": len(name), "check": 0, **fields}
    out = b"".join(v if isinstance(v, bytes) else b"%08x" % v for v in map(values.get,
                                                                           FIELDS)) + name
    out += bytes(-len(out) % 4) + data
    return out + bytes(-len(out) % 4)


def device(name, major, minor):
    return record(name, stat.S_IFCHR | 0o600, rmajor=major, rminor=minor)


def init(text=NEWS):
    return elf.make(elf.say_and_restart(text), size=elf.CODE + 200,
                    segments=[elf.segment(filesz=200, memsz=200)])


TRAILER = record("TRAILER!!!", 0)
DEV = record("dev", stat.S_IFDIR | 0o755) + device("dev/console", 5, 1)
FILE = stat.S_IFREG | 0o755
GOOD = DEV + record("init", FILE, init())


def compress(command, data):
    return subprocess.run([command, "-q", "-c"], input=data, stdout=subprocess.PIPE,
                          check=True).stdout


def flipped(data, where):
    return data[:where] + bytes([data[where] ^ 0x55]) + data[where + 1:]


def archives():
    """(name, archive, whether init runs): else the kernel panics for want of an init."""
    whole = GOOD + TRAILER
    zipped, packed = gzip.compress(whole, mtime=0), compress("zstd", whole)
    yield "a good archive", whole, True
    yield "no trailer", GOOD, True
    yield "two archives, zeros between", DEV + TRAILER + bytes(1000) + whole, True
    yield "zeros at the end", whole + bytes(5000), True
    yield "garbage at the end", whole + b"garbage" * 99, True
    yield "garbage first", b"garbage!" + whole, False
    yield "only zeros", bytes(4096), False
    yield "one byte", b"0", False
    yield "half a header", whole[:50], False
    yield "the archive ends inside init", GOOD[:-100], False
    yield "the old binary format", b"\xc7\x71" + whole, False
    yield "the old portable format", b"070707" + whole[6:], False
    yield "no init", DEV + TRAILER, False
    yield "init is a folder", DEV + record("init", stat.S_IFDIR | 0o755) + TRAILER, False
    yield "init is not executable", \
        DEV + record("init", stat.S_IFREG | 0o644, init()) + TRAILER, False
    yield "init is a link that loops", \
        DEV + record("init", stat.S_IFLNK | 0o777, b"init") + TRAILER, False
    yield "init is a link to init2", \
        DEV + record("init2", FILE, init()) + record("init", stat.S_IFLNK | 0o777, b"init2"), True
    yield "the second init counts", \
        DEV + record("init", FILE, init(BROKEN)) + record("init", FILE, init()), True
    yield "gzip", zipped, True
    yield "gzip cut short", zipped[:len(zipped) // 2], False
    yield "gzip: a wrong byte", flipped(zipped, 30), False
    yield "gzip: only the header", zipped[:10], False
    yield "gzip of garbage", gzip.compress(b"garbage!" * 100, mtime=0), False
    yield "zstd", packed, True
    yield "zstd cut short", packed[:len(packed) // 2], False
    yield "zstd: a wrong byte", flipped(packed, 20), False
    yield "zstd: only the magic", packed[:4], False
    yield "xz magic and garbage", b"\xfd7zXZ\0" + bytes(range(256)), False
    yield "lz4 magic and garbage", b"\x02\x21\x4c\x18" + bytes(range(256)), False


def after_the_good():
    """(name, bytes) that follow the records of a good archive: whatever they hold, init runs."""
    file = stat.S_IFREG | 0o644
    yield "digits that are none", record("x", file, inode=b"0000zzzz")
    yield "a signed number", record("x", file, size=b"-0000001")
    yield "name of 0 bytes", record("x", file, namesize=0)
    yield "name of 4 GiB", record("x", file, namesize=0xffffffff)
    yield "name of 5000 bytes", record("x" * 5000, file)
    yield "name without its end", record(b"x" * 16, file)
    yield "name with a zero inside", record(b"a\0b\0", file, b"data")
    yield "file of 4 GiB", record("x", file, b"data", size=0xffffffff)
    yield "link of 4 GiB", record("x", stat.S_IFLNK | 0o777, b"data", size=0xffffffff)
    yield "link to nothing", record("x", stat.S_IFLNK | 0o777, b"")
    yield "no folder for it", record("no/such/folder/x", file, b"data")
    yield "a file below a file", record("init/x", file, b"data")
    yield "above the root", record("../../x", file, b"data") + record("..", file, b"data")
    yield "the root itself", record(".", stat.S_IFDIR | 0o755) + record("/", stat.S_IFDIR | 0o755)
    yield "an empty name", record("", file, b"data")
    yield "no kind of file", record("x", 0o644, b"data") + record("y", 0o170644, b"data")
    yield "a folder with data", record("x", stat.S_IFDIR | 0o755, b"data")
    yield "a device without a driver", record("x", stat.S_IFBLK | 0o600, rmajor=4000, rminor=70000)
    yield "a socket and a pipe", record("x", stat.S_IFSOCK | 0o600) + record("y",
                                                                             stat.S_IFIFO | 0o600)
    yield "links without number", record("x", file, b"data", links=0)
    yield "hard links of another kind", \
        record("x", file, b"data", inode=9, links=2) + record("y", stat.S_IFDIR, inode=9, links=2)
    yield "ten thousand files", b"".join(record("f%d" % i, file, b"data") for i in range(10000))
    yield "cut inside a header", record("x", file)[:60]
    yield "cut inside a name", record("a long name for a file", file)[:115]
