# SPDX-License-Identifier: BSD-2-Clause
"""A row of the boot matrix: what /init tells of the machine, and whether that is right."""

import vm

MIB = {"M": 1, "G": 1024}

INIT = """
echo nproc=$(nproc)
echo online=$(cat /sys/devices/system/cpu/online)
echo processors=$(grep -c ^processor /proc/cpuinfo)
awk '/^MemTotal:/ { print "memory=" $2 }' /proc/meminfo
echo release=$(uname -s) $(uname -r)
echo args=$*
echo plum=$plum
grep -q end=reboot /proc/cmdline && reboot -f
grep -q end=panic /proc/cmdline && exit 3
"""


def memory_ok(kib, size):
    """Whether MemTotal is what is left of a machine's memory, the kernel's own share taken off."""
    whole = int(size[:-1]) * MIB[size[-1]] * 1024
    least = whole * 0.9 - 80 * 1024 if vm.is_linux() else whole * 0.97 - 12 * 1024
    return least <= kib <= whole


def check(t, name, machine, cpus=None, memory=None):
    """Boots `machine` and reports the row `name`."""
    result = machine.run()
    wanted = cpus or machine.cpus
    complaints = []
    if not result.ended:
        complaints.append("QEMU did not end by itself")
    if result.trouble:
        complaints.append("the kernel printed: " + result.trouble)
    for value in ("nproc", "processors"):
        if result.value(value) != str(wanted):
            complaints.append("%s is %s, not %d" % (value, result.value(value), wanted))
    if result.value("online") != ("0-%d" % (wanted - 1) if wanted > 1 else "0"):
        complaints.append("online CPUs are %s" % result.value("online"))
    if not memory_ok(int(result.value("memory") or 0), memory or machine.memory):
        complaints.append("MemTotal is %s kB" % result.value("memory"))
    t.ok(not complaints, name, "\n".join(complaints + [result.tail()]))
    t.note("%.1f s" % result.seconds)
