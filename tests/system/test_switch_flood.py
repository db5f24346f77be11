"""A flood on a switch leaves the others their bandwidth: guests/test/switch_flood.c. The figures are printed.

Two VMs exchange frames of 1514 bytes, first as many as they can, then one each millisecond, while a third floods in each way there
is, and then one whose card has a rate."""
import re

import harness
import pytest

SECOND = 200_000_000  # ticks
LEAST_OF_PACED = 0.75  # none is lost, but up to 25 ms of them may still be under way when the period ends
# Of what the pair has without a flood. The flood takes a VM's share of the CPUs, half of the switch's time, and half of what each
# receiver can take; frames that wait behind those of the flood do the rest.
LEAST_BESIDE_FLOOD = 0.08
LEAST_BESIDE_RATE = 0.12
FLOODER, SLOW_FLOODER = 3, 4
WAYS = {"broadcasts", "short broadcasts", "unknown destinations", "forged sources", "frames to two", "short frames to two",
        "packets to two"}
SLOW_WAYS = {"broadcasts", "short broadcasts", "packets to two"}
COUNTS = rb"(\d+) echoes, (\d+) lost, longest wait (\d+) us; "
LINE = re.compile(rb"flood (\d) ([a-z ]+): " + COUNTS + rb"paced: " + COUNTS + rb"(\d+) of the flood\r")


def vm(number, role, more=""):
    return (f'\n[[vm]]\nname = "{role}"\nkernel = "test/switch_flood.bin"\nmemory = "8M"\ncmdline = "role={role}"\n'
            f'net = [{{ switch = "lan", mac = "52:54:00:00:00:0{number}"{more} }}]\n')


MANIFEST = ('[host]\nconsole = ["serial"]\n\n[[switch]]\nname = "lan"\n' + vm(1, "one") + vm(2, "two", ", mac_filter = false")
            + vm(FLOODER, "flood", ", mac_filter = false") + vm(SLOW_FLOODER, "slow", ', rate = "4M"'))
PC = {"firmware": "bios", "linux": False, "manifest": MANIFEST, "add": harness.guest_programs("switch_flood")}


def figures(boot):
    """[(flooder, way, fast echoes, fast lost, paced echoes, paced lost, frames of the flood seen)], in the order measured."""
    boot.shows("switch_flood end", ticks=40 * SECOND)
    found = [(int(m[1]), m[2].decode(), *(int(m[i]) for i in (3, 4, 6, 7, 9))) for m in LINE.finditer(boot.pc.output)]
    for flooder, way, fast, fast_lost, paced, paced_lost, seen in found:
        print(f"{'card with rate' if flooder == SLOW_FLOODER else 'card'}, {way}: {fast} frames exchanged, {fast_lost} lost; "
              f"one each ms: {paced} exchanged, {paced_lost} lost; {seen} frames of the flood seen")
    return found


@pytest.mark.parametrize("boot", [{**PC, "cpus": 1}, pytest.param({**PC, "cpus": 2}, marks=pytest.mark.slow)], indirect=True,
                         ids=["1-cpu", "2-cpus"])
class TestFlood:
    def test_the_others_keep_their_bandwidth(self, boot):
        found = figures(boot)
        quiet = [line for line in found if line[1] == "nothing"]
        floods = [line for line in found if line[1] != "nothing"]
        assert {line[1] for line in floods if line[0] == FLOODER} == WAYS
        assert {line[1] for line in floods if line[0] == SLOW_FLOODER} == SLOW_WAYS
        assert len(quiet) == 2 and min(line[4] for line in quiet) > 0
        for flooder, way, fast, _, paced, lost, _ in floods:
            least = LEAST_BESIDE_RATE if flooder == SLOW_FLOODER else LEAST_BESIDE_FLOOD
            assert fast >= least * min(line[2] for line in quiet), way
            assert paced >= LEAST_OF_PACED * min(line[4] for line in quiet) and lost == 0, way
        assert all(line[6] > 0 for line in floods if "broadcasts" in line[1]) and all(line[6] == 0 for line in quiet)

    def test_the_prompt_says_what_was_dropped(self, boot):
        boot.shows("switch_flood end", ticks=40 * SECOND)
        boot.at_host()
        line = re.search(r"switch lan: running, 4 ports, (\d+) passed on, dropped: (\d+) for lack of room, (\d+) with a wrong "
                         "source", boot.ask_host("list"))
        print(line and line[0])
        assert line and all(int(count) > 0 for count in line.groups())
