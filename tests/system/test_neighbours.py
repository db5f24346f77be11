"""Guests that do all they can to take time from others, beside one that counts what it gets: it keeps its share, the prompt
answers, and the PC switches off. guests/test/hostile.c, guests/bench/share.c.

On one CPU, and on two. The figures are printed."""
import re

import harness
import pytest

SECOND = 200_000_000  # ticks
GOOD_WEIGHT = 400
LEAST_OF_FAIR = 0.95
PERIODS = 4
# Each a VM, with the usual weight of 100.
WAYS = ("interrupt-itself", "interrupt-all", "interrupt-nobody", "start-nobody", "nmi", "spin", "pause", "timer-past",
        "timer-next", "timer-periodic", "priority", "local-apic")
# VMs of two vCPUs: guests/test/hostile_pair.c.
PAIR_WAYS = ("storm", "restart")
HOSTILE_WEIGHT = 100
PROMPT_TICKS = 2 * SECOND


def vm(name, program, cmdline, more=""):
    return f'\n[[vm]]\nname = "{name}"\nkernel = "test/{program}.bin"\nmemory = "2M"\ncmdline = "{cmdline}"\n{more}'


MANIFEST = ('[host]\nconsole = ["serial"]\n' + vm("good", "share", "start=1000 period=250", f"weight = {GOOD_WEIGHT}\n")
            + vm("sleeper", "hello", "name=sleeper") + "".join(vm(f"{way}", "hostile", way) for way in WAYS)
            + "".join(vm(way, "hostile_pair", way, "vcpus = 2\n") for way in PAIR_WAYS))
PC = {"firmware": "bios", "linux": False, "manifest": MANIFEST,
      "add": tuple(f"{harness.BUILD}/{name}.bin=test/{name}.bin" for name in ("hostile", "hostile_pair", "hello", "share"))}
SHARE = re.compile(rb"share (\d+) of (\d+) ticks, longest gap (\d+), (\d+) gaps\r?\n")


def fair_share(cpus):
    """Of one CPU: at most all of it, for one vCPU."""
    return min(1, cpus * GOOD_WEIGHT / (GOOD_WEIGHT + HOSTILE_WEIGHT * len(WAYS + PAIR_WAYS)))


@pytest.mark.parametrize("boot", [{**PC, "cpus": cpus} for cpus in (1, 2)], indirect=True, ids=["1-cpu", "2-cpus"])
class TestNeighbours:
    def test_the_good_one_keeps_its_share(self, boot):
        run = wall = longest = 0
        for _ in range(PERIODS):
            found = boot.wait_for(SHARE, ticks=10 * SECOND)
            run, wall, longest = run + int(found[1]), wall + int(found[2]), max(longest, int(found[3]))
        fair = fair_share(boot.arguments["cpus"])
        print(f"share {run / wall:.4f} of a CPU, fair {fair:.4f}, longest gap {longest} ticks ({boot.arguments['cpus']} CPUs)")
        assert run / wall >= LEAST_OF_FAIR * fair

    def test_the_prompt_answers_and_all_run(self, boot):
        boot.shows(SHARE)
        boot.console_of("good")
        before = boot.ticks()
        boot.type(harness.TO_HOST)
        boot.wait_for(harness.HOST_PROMPT, ticks=PROMPT_TICKS)
        listed = boot.ask_host("list", ticks=PROMPT_TICKS)
        print(f"Ctrl-] and list: {boot.ticks() - before} ticks")
        for name in ("good", "sleeper", *WAYS, *PAIR_WAYS):
            assert re.search(rf"^{name} +running", listed, re.MULTILINE), listed
        assert not re.search(r"\bE\d{3}\b", boot.ask_host("log", ticks=PROMPT_TICKS))

    def test_one_that_sleeps_is_woken(self, boot):
        boot.console_of("sleeper")
        boot.wait_for(re.compile(rb"hello from sleeper: [1-9]\d* seconds"), ticks=5 * SECOND)
        boot.to_host()

    def test_the_pc_switches_off(self, boot):
        boot.shows(SHARE)
        boot.at_host()
        boot.power_off()
        assert not boot.running
