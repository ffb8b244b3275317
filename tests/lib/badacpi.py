# SPDX-License-Identifier: BSD-2-Clause
"""Bad ACPI tables: some that QEMU adds to its own (it mends their checksums), and whole sets for
acpi_rsdp=, where nothing is mended.
"""

import random
import struct

# Where a set lies in memory: out of the way of kernel, initrd and firmware.
BASE = 0x4000000
NOISE = bytes(random.Random(1).randrange(256) for _ in range(400))


def table(signature, body, length=None, wrong=0):
    """A table with a header (ACPI 6.4, 5.2.6); its checksum is right but for `wrong`."""
    length = 36 + len(body) if length is None else length
    data = bytearray(struct.pack("<4sIBB6s8sIII", signature, length, 1, 0, b"TESTER", b"BADTABLE",
                                 1, 0x54534554, 1) + body)
    data[9] = (-sum(data[:length]) + wrong) & 255
    return bytes(data)


def entry(kind, data, length=None):
    """A record of a MADT or SRAT: TYPE, LENGTH, the rest."""
    return bytes([kind, len(data) + 2 if length is None else length]) + data


def added():
    """(name, list of (signature, body)) for QEMU's -acpitable; a header is put before each body."""
    base = struct.pack("<IQ", 1, 0)
    cpu = struct.pack("<BBIHIBI", 0, 0, 1, 0, 0, 0, 0)[:14]
    yield "unknown tables", [(b"XXXX", NOISE), (b"\xff\xfe\0\1", NOISE)]
    yield "empty tables of known names", [(s, b"") for s in (b"SRAT", b"SLIT", b"MCFG", b"BGRT",
                                                             b"DMAR")]
    yield "SRAT: noise", [(b"SRAT", NOISE)]
    yield "SRAT: a record of length 0", [(b"SRAT", base + entry(0, cpu, 0) + NOISE)]
    yield "SRAT: a record of length 1", [(b"SRAT", base + entry(1, cpu, 1) + NOISE)]
    yield "SRAT: a record beyond the end", [(b"SRAT", base + entry(1, cpu, 255))]
    yield "SRAT: short records", [(b"SRAT", base + entry(0, b"") + entry(1, b"x") + entry(2, b"y"))]
    yield "SRAT: memory that wraps", [(b"SRAT", base + entry(1, struct.pack(
        "<IHQQIIQ", 0, 0, 1 << 63, 1 << 63, 0, 1, 0) + bytes(4)))]
    yield "SRAT: node 4 billion", [(b"SRAT", base + entry(1, struct.pack(
        "<IHQQIIQ", 0xffffffff, 0, 0, 1 << 28, 0, 1, 0) + bytes(4)))]
    yield "SLIT: a million nodes", [(b"SLIT", struct.pack("<Q", 1000000) + NOISE)]
    yield "SLIT: 2^63 nodes", [(b"SLIT", struct.pack("<Q", 1 << 63))]
    yield "a second MADT, noise", [(b"APIC", NOISE)]
    yield "a second MADT, a record of length 0", [(b"APIC", bytes(8) + entry(0, b"", 0))]
    yield "a second FADT, short", [(b"FACP", b"\1\2\3\4")]
    yield "a second FADT, noise", [(b"FACP", NOISE)]
    yield "a second MCFG, noise", [(b"MCFG", NOISE)]
    yield "a second HPET, noise", [(b"HPET", NOISE[:20])]
    yield "AML that is noise", [(b"SSDT", NOISE)]
    yield "AML: a package that does not end", [(b"SSDT", b"\x08_S5_\x12\xff\xff")]
    yield "fifty tables", [(b"T%03d" % i, NOISE[:i]) for i in range(50)]


def rsdp(root, wrong=0, extended_wrong=0, length=36, rsdt=0):
    """Revision 2 (5.2.5.3), with an XSDT at `root`."""
    data = bytearray(struct.pack("<8sB6sBIIQB3s", b"RSD PTR ", 0, b"TESTER", 2, rsdt, length, root,
                                 0, bytes(3)))
    data[8] = (-sum(data[:20]) + wrong) & 255
    data[32] = (-sum(data[:min(length, 36)]) + extended_wrong) & 255
    return bytes(data)


def madt(*records):
    return table(b"APIC", struct.pack("<II", 0xfee00000, 1) + b"".join(records))


def cpus(ids, flags=1):
    return b"".join(entry(0, struct.pack("<BBI", i & 255, i & 255, flags)) for i in ids)


IOAPIC = entry(1, struct.pack("<BBII", 0, 0, 0xfec00000, 0))


class Set:
    """An RSDP at BASE, its XSDT at BASE + 64, tables behind."""

    def __init__(self, *tables, pointers=None, root_wrong=0, root_length=None, **of_rsdp):
        at, places, body = BASE + 0x1000, [], b""
        for one in tables:
            places.append(at + len(body))
            body += one + bytes(-len(one) % 16)
        pointers = places if pointers is None else pointers(places)
        root = table(b"XSDT", struct.pack("<%dQ" % len(pointers), *pointers), root_length,
                     root_wrong)
        head = rsdp(BASE + 64, **of_rsdp) + bytes(28) + root
        self.data = head + bytes(0x1000 - len(head)) + body


def sets():
    """(name, memory at BASE, CPUs that are found of 2, what the log says or None)."""
    good = madt(cpus((0, 1)), IOAPIC)

    def one(name, found, says, *tables, **how):
        return name, Set(*tables, **how).data, found, says

    yield one("a good set", 2, None, good)
    yield "no RSDP", NOISE, 2, None
    yield one("RSDP: wrong checksum", 2, None, good, wrong=1)
    yield one("RSDP: wrong extended checksum", 1, "wrong checksum", good, extended_wrong=1)
    yield one("RSDP: length 4 billion", 1, "wrong checksum", good, length=0xffffffff)
    yield one("XSDT: wrong checksum", 1, "wrong checksum", good, root_wrong=1)
    yield one("XSDT: longer than anything", 1, "not possible", good, root_length=0xfffffff0)
    yield one("XSDT: shorter than its header", 1, "not possible", good, root_length=35)
    yield one("XSDT: a pointer and a half", 1, "no usable MADT", good, root_length=36 + 4)
    yield one("XSDT: names itself", 2, None, good, pointers=lambda p: [BASE + 64, *p, BASE + 64])
    yield one("XSDT: names the RSDP", 2, None, good, pointers=lambda p: [BASE, *p])
    yield one("XSDT: one table a hundred times", 2, "more than 64 tables", good,
              pointers=lambda p: p * 100)
    yield one("XSDT: pointers to nowhere", 2, "above 4 GiB", good,
              pointers=lambda p: [0, 1, 0xfffffff0, 1 << 40, (1 << 64) - 1, 0xfee00000, *p])
    yield one("XSDT: overlapping tables", 2, None, good + b"SRAT",
              pointers=lambda p: [p[0], p[0] + 4, p[0] + 36, p[0] + 44])
    yield one("MADT: wrong checksum", 1, "wrong checksum",
              table(b"APIC", struct.pack("<II", 0xfee00000, 1) + cpus((0, 1)), wrong=1))
    yield one("MADT: length in the middle of a record", 1, "not possible",
              madt(cpus((0,)), cpus((1,))[:5]))
    yield one("MADT: a record of length 0", 1, "not possible",
              madt(cpus((0,)), entry(0, b"", 0), cpus((1,))))
    yield one("MADT: a record of length 1", 1, "not possible",
              madt(cpus((0,)), entry(0, b"", 1), cpus((1,))))
    yield one("MADT: header alone", 1, "no usable MADT", table(b"APIC", b""))
    yield one("MADT: no CPU", 1, None, madt(IOAPIC))
    yield one("MADT: a CPU many times", 2, None, madt(cpus((0, 1) * 100), IOAPIC))
    yield one("MADT: CPUs that are off", 1, None, madt(cpus((0,)), cpus((1,), 0), IOAPIC))
    yield one("MADT: CPUs that are not there", 2, "did not come up",
              madt(cpus((0, 1, 7, 9)), IOAPIC))
    yield one("MADT: IO-APICs without end", 2, None, good[:44] and
              madt(cpus((0, 1)), IOAPIC, *(entry(1, struct.pack("<BBII", i, 0, 0xfec00000, 24 * i))
                                           for i in range(1, 100))))
    yield one("MADT: overrides of all and none", 2, None,
              madt(cpus((0, 1)), IOAPIC, *(entry(2, struct.pack("<BBIH", i & 1, i * 16 & 255,
                                                                0xffffff00 + i, 0xffff))
                                           for i in range(16))))
    yield one("FADT: DSDT is the FADT", 2, None, good, table(b"FACP", struct.pack(
        "<IIII", 0, BASE + 0x1000, 0, 0) + bytes(80)))
    yield one("HPET: an address that is RAM", 2, None, good, table(b"HPET", struct.pack(
        "<IIQBHB", 0x8086a201, 0, 0x2000000, 0, 0, 0)))
    yield one("HPET: an address above all", 2, None, good, table(b"HPET", struct.pack(
        "<IIQBHB", 0x8086a201, 0, (1 << 64) - 4096, 0, 0, 0)))
    yield one("MCFG: an address that is RAM", 2, None, good, table(b"MCFG", bytes(8) + struct.pack(
        "<QHBBI", 0x2000000, 0, 0, 255, 0)))
    yield one("MCFG: buses backwards", 2, None, good, table(b"MCFG", bytes(8) + struct.pack(
        "<QHBBI", 0xb0000000, 0, 255, 0, 0)))
