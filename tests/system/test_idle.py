"""CPUs that have nothing to do sleep until somebody wants something, and a vCPU in HLT takes no time: by what `top` counts."""
import re

import harness
import pytest

SECONDS = 5


def vm(name, program, more):
    return f'[[vm]]\nname = "{name}"\nkernel = "test/{program}.bin"\nmemory = "2M"\ncmdline = "listens"\n{more}\n'


# CPU 1 has a halted vCPU to itself, CPU 2 belongs to a VM that is gone, CPU 3 is shared. Programs of the host run on 0 and 3.
MANIFEST = (vm("alone", "halt_forever", "cpus = [1]\ndedicated = true") + vm("gone", "power_off", "cpus = [2]\ndedicated = true")
            + vm("shares", "halt_forever", "cpus = [3]"))


@pytest.mark.slow
@pytest.mark.boot(firmware="bios", linux=False, memory=512, cpus=4, manifest=MANIFEST,
                  add=harness.guest_programs("halt_forever", "power_off"))
class TestIdle:
    @pytest.fixture(scope="class")
    def kept(self):
        return {}

    @pytest.fixture
    def table(self, boot, kept):
        if "table" not in kept:
            boot.wait_for("halt_forever: now")
            boot.to_host()
            boot.shows("gone: stopped: ")
            kept["table"] = boot.ask_host(f"top {SECONDS}")
            print(kept["table"])
        return kept["table"]

    @pytest.mark.parametrize("name", ["alone", "shares"])
    def test_a_halted_vcpu_costs_nothing(self, table, name):
        row = next(line.split() for line in table.splitlines() if line.startswith(name))
        assert row[3:] == ["halted", "0.0", "0.0", "0.0", "100.0", "0", "0"], table

    def test_idle_cpus_have_no_ticks(self, table):
        wakes = {int(cpu): int(count) for cpu, count in re.findall(r"CPU (\d+) (\d+)", table.splitlines()[-1])}
        assert wakes[1] == wakes[2] == 0, table
        # The console looks at the log four times a second, the manager says each second that it is still there.
        assert 0 < wakes[0] + wakes[3] <= 12 * SECONDS, table
