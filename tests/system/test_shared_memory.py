"""Memory that VMs share: what each side sees, by guests/test/shared_memory.c. In the same boot: what kicks of a virtio driver
cost, by guests/bench/virtio.c."""
import re

import harness
import pytest

SIDES = {
    "writer": 'shared = [{ name = "ring", vectors = 2 }]',
    "reader": 'shared = [{ name = "ring", access = "read-only" }]',
    "neighbour": 'shared = [{ name = "other", vectors = 2 }]',
    "stranger": "",
}
REGIONS = '[[shared]]\nname = "ring"\nsize = "64K"\n[[shared]]\nname = "other"\nsize = "4K"\n'
MANIFEST = '[host]\nconsole = ["serial"]\n' + REGIONS + "".join(
    f'[[vm]]\nname = "{name}"\nkernel = "test/shared_memory.bin"\nmemory = "2M"\ncmdline = "{name}"\n{shared}\n'
    for name, shared in SIDES.items())
REQUESTS = 100
KICKS = 2000 + REQUESTS  # rounds of guests/bench
MANIFEST += f'''[[vm]]
name = "kicks"
kernel = "test/virtio_bench.bin"
memory = "2M"
cmdline = "rounds={REQUESTS} bulkhead.ledger"
disk = [{{ size = "1M" }}]
'''
BOOT = pytest.mark.boot(firmware="bios", cpus=2, linux=False, manifest=MANIFEST,
                        add=harness.guest_programs("shared_memory", "virtio_bench"))


@BOOT
@pytest.mark.parametrize("side", SIDES)
def test_what_each_side_sees(boot, side):
    boot.shows(f"{side}: runs:")  # before that the prompt knows no such VM
    boot.console_of(side)
    boot.shows(f"TEST-PASS shared_memory {side}")


def ledger(log, key):
    found = re.search(rf"ledger kicks: {key}: (\d+)", log)
    return int(found[1]) if found else None


@BOOT
def test_kicks_cost_no_visit_to_the_vmm(boot):
    boot.shows("kicks: runs:")
    boot.console_of("kicks")
    boot.shows("bench end")
    boot.at_host()
    log = boot.ask_host("log")
    for _ in range(20):  # its end is told a little later
        if ledger(log, "exits-to-vmm") is not None:
            break
        log = boot.ask_host("log")
    print(boot.ask_host("list"))
    port_exits, to_vmm = ledger(log, "exit-reason 30"), ledger(log, "exits-to-vmm")
    print(f"{port_exits} port exits, {to_vmm} exits to the VMM")
    assert port_exits >= KICKS
    # What else it does by ports, mostly printing, is less.
    assert to_vmm < KICKS / 2
