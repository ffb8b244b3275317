#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What QEMU's emulation has no processor for: x2APIC, the TSC deadline timer, PCIDs, AVX-512.

Two boots in Bochs by the ISO: the kernel's own tests of what stands on those, then programs; the
first ends with power-off, the second with a restart.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/lib")
import bochs  # noqa: E402
import initramfs  # noqa: E402
import tap  # noqa: E402
import vm  # noqa: E402

# What the machine's BIOS says first of all, to the emulator.
BIOS = "[BIOS  ] $Revision"
# Interrupts between CPUs, timers, translations: each proves something that the processor does.
UNIT = ("percpu/mailbox_torture", "percpu/cpu_call_*", "mm/tlb_tags_spaces", "mm/tlb_solo*",
        "mm/tlb_shootdown", "mm/tlb_shootdown_large", "sync/rcu_synchronize_torture",
        "sync/rcu_expedited_torture", "sync/rcu_barrier*")
ABI = ("abi/vector", "abi/sigfault")

INIT = """
echo release=$(uname -sr)
echo nproc=$(nproc)
for flag in x2apic tsc_deadline_timer pcid avx512f; do
	grep -q "^flags.* $flag " /proc/cpuinfo && echo flag_$flag=yes
done
dmesg | sed -n 's/^[^a-z]*\\(apic: x2APIC\\).*/apic=\\1/p; s/.*clock: time by the /clock=/p'
echo sum=$(seq 1 1000 | awk '{ s += $1 } END { print s }')
echo sorted=$(printf '3\\n1\\n2\\n' | sort -r | tr '\\n' ' ')
echo packed=$(seq 1 3000 | gzip | gunzip | md5sum | cut -c1-32)
(sleep 0.2; echo background=done) & wait
before=$(cut -d' ' -f1 /proc/uptime)
sleep 0.5
echo slept=$(cut -d' ' -f1 /proc/uptime | awk -v b=$before '{ print ($1 - b >= 0.5 && $1 - b < 1.5) }')
for cpu in 0 1; do
	taskset -c $cpu sh -c 'echo ran_on_'$cpu'=$(cut -d" " -f39 /proc/self/stat)'
done
awk '/LOC:|RES:|CAL:/ { print $1 "=" ($2 > 0) ($3 > 0) }' /proc/interrupts
for program in %s; do
	echo "== $program"
	timeout -s KILL %d /tests/$program 2>&1
	echo "== end $?"
done
echo over=yes
reboot -f
"""
EXPECTED = {
    "nproc": "2", "apic": "apic: x2APIC", "clock": "TSC, interrupts by the TSC deadline", "flag_x2apic": "yes", "flag_tsc_deadline_timer": "yes", "flag_pcid": "yes",
    "flag_avx512f": "yes", "sum": "500500", "sorted": "3 2 1",
    "packed": "ee9762749fc5338b6c9b0948d14219c7", "background": "done", "slept": "1", "ran_on_0": "0", "ran_on_1": "1",
    "LOC:": "11", "RES:": "11", "CAL:": "11", "over": "yes"}


def unit(t):
    """The kernel's own tests, then power-off."""
    archive = initramfs.build("bochs", "")
    image = bochs.iso("bochs", archive, "console=ttyS0 panic=-1 test=" + ",".join(UNIT))
    result = bochs.run("bochs", image, timeout=200)
    for message in ("apic: x2APIC", "clock: time by the TSC, interrupts by the TSC deadline"):
        t.ok(message in result.serial, message, result.tail())
    seen = sum(t.forward(block) for block in tap.blocks(result.lines))
    t.ok(result.good and seen >= len(UNIT), "the tests ran, and the machine was switched off",
         result.trouble or result.tail())
    t.note("%.1f s" % result.seconds)


def programs(t):
    """Commands and the programs of ABI, then a restart."""
    lines = ["file /tests/%s %s/tests/%s 755" % (name, vm.OUT, name) for name in ABI]
    archive = initramfs.build("bochs", INIT % (" ".join(ABI), 90 * vm.SCALE), lines)
    image = bochs.iso("bochs", archive, vm.CONSOLE)
    result = bochs.run("bochs", image, timeout=200)
    for name, wanted in EXPECTED.items():
        t.same(result.value(name), wanted, name.rstrip(":"))
    for name in ABI:
        printed, status = tap.section(result.lines, name)
        t.forward(printed, name + ": ")
        t.ok(status in ("0", "1"), name + " ended", status or result.tail())
    # It gets no further: Bochs keeps the lock bit of IA32_FEATURE_CONTROL, and the BIOS writes it.
    t.ok(bochs.log("bochs").count(BIOS) == 2 and not result.trouble,
         "the machine was restarted as far as its BIOS", result.trouble or result.tail())
    t.note("%.1f s" % result.seconds)


def main():
    t = tap.Tap()
    if vm.is_linux():
        t.skip("Bochs", "the kernel under test is Linux")
    else:
        unit(t)
        programs(t)
    t.done()


main()
