"""A switch that dies is started again, three times, and those on it go on: tests/programs/dying_switch.c in its place,
guests/test/switch_flood.c asks it to die."""
import re

import harness
import pytest

SECOND = 200_000_000  # ticks
RESTARTS = 3
DYING_SWITCH = f"{harness.BUILD}/dying_switch"
LINE = re.compile(rb"deaths (\d): (\d+) echoes, (\d+) lost, longest wait (\d+) us; \r")


def vm(number, role):
    return (f'\n[[vm]]\nname = "{role}"\nkernel = "test/switch_flood.bin"\nmemory = "8M"\ncmdline = "role={role}"\n'
            f'net = [{{ switch = "lan", mac = "52:54:00:00:00:0{number}" }}]\n')


MANIFEST = '[host]\nconsole = ["serial"]\n\n[[switch]]\nname = "lan"\n' + vm(1, "deaths") + vm(2, "two")
pytestmark = [pytest.mark.slow,
              pytest.mark.boot(cpus=1, firmware="bios", linux=False, manifest=MANIFEST, without=("system/switch",),
                               add=(*harness.guest_programs("switch_flood"), f"{DYING_SWITCH}=system/switch"))]


def test_those_on_it_go_on(boot):
    boot.shows("switch_flood end", ticks=20 * SECOND)
    found = {int(m[1]): (int(m[2]), int(m[3])) for m in LINE.finditer(boot.pc.output)}
    print(found)
    assert set(found) == set(range(RESTARTS + 2))
    for deaths in range(RESTARTS + 1):
        assert found[deaths][0] > found[0][0] / 2 and found[deaths][1] == 0
    assert found[RESTARTS + 1][0] == 0


def at_prompt(boot):
    boot.shows("switch_flood end", ticks=20 * SECOND)
    boot.at_host()
    boot.shows("deaths: stopped: the guest powered off")  # the last notice: those before it name commands


def test_the_log_says_so(boot):
    at_prompt(boot)
    log = boot.ask_host("log")
    assert len(re.findall(r"E640 switch lan: stopped by exception 6 at 0x[0-9a-f]+, address 0x0; VMs go on", log)) == RESTARTS + 1
    assert f"E640 switch lan: stopped {RESTARTS + 1} times and stays off: cards on it reach nobody" in log


def test_list_shows_it(boot):
    at_prompt(boot)
    assert re.search(r"switch lan: stopped, 2 ports, \d+ passed on", boot.ask_host("list"))
