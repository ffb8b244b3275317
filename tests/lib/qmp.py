# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's own control socket (QMP): commands to a machine that a test holds from outside."""

import json
import os
import socket
import time

import vm


class Control:
    """Of a vm.VM that is not started yet; connect() once it is."""

    def __init__(self, machine, folder):
        self.path = os.path.join(folder, "qmp")
        machine.extra += ["-qmp", "unix:%s,server=on,wait=off" % self.path]
        self.socket = socket.socket(socket.AF_UNIX)
        self.answers, self.events = None, []

    def connect(self, terminal):
        """`terminal` is the running vm.Terminal."""
        while True:
            try:
                self.socket.connect(self.path)
                break
            except OSError:
                if terminal.over or time.monotonic() > terminal.deadline:
                    raise
                time.sleep(0.05)
        self.answers = self.socket.makefile("r")
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        """Runs a command; what it returns. Events that came before are kept in `events`."""
        request = {"execute": name, "arguments": arguments}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        for line in self.answers:
            answer = json.loads(line)
            if "error" in answer:
                raise RuntimeError("%s: %s" % (name, answer["error"]))
            if "return" in answer:
                return answer["return"]
            if "event" in answer:
                self.events.append(answer)
        raise EOFError("QEMU has gone")

    def wait_ost(self, answer, seconds=20):
        """Waits until the guest has answered so to an event of ACPI's; whether it has."""
        deadline = time.monotonic() + seconds * vm.SCALE
        while time.monotonic() < deadline:
            self.command("query-status")
            for event in self.events:
                info = event.get("data", {}).get("info", {})
                if event["event"] == "ACPI_DEVICE_OST" and answer.items() <= info.items():
                    self.events.remove(event)
                    return True
            time.sleep(0.05)
        return False
