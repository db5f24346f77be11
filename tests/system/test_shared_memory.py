"""Memory that VMs share: what each side sees, by guests/test/shared_memory.c."""
import harness
import pytest

SIDES = {
    "writer": 'shared = [{ name = "ring", vectors = 2 }]',
    "reader": 'shared = [{ name = "ring", access = "read-only" }]',
    "stranger": "",
}
MANIFEST = '[host]\nconsole = ["serial"]\n[[shared]]\nname = "ring"\nsize = "64K"\n' + "".join(
    f'[[vm]]\nname = "{name}"\nkernel = "test/shared_memory.bin"\nmemory = "2M"\ncmdline = "{name}"\n{shared}\n'
    for name, shared in SIDES.items())


@pytest.mark.boot(firmware="bios", cpus=2, linux=False, manifest=MANIFEST, add=harness.guest_programs("shared_memory"))
@pytest.mark.parametrize("side", SIDES)
def test_what_each_side_sees(boot, side):
    boot.shows(f"{side}: runs:")  # before that the prompt knows no such VM
    boot.console_of(side)
    boot.shows(f"TEST-PASS shared_memory {side}")
