"""GRUB as a guest, by Multiboot: a boot loader at its prompt on the serial line."""
import re
import sys

import harness
import pytest

sys.path.insert(0, str(harness.ROOT / "guests"))
import grub

MEMORY_MIB = 64
PROMPT = "grub> "
MANIFEST = f'[host]\nconsole = ["serial"]\n\n[[vm]]\nname = "grub"\nkernel = "grub/grub"\nmemory = "{MEMORY_MIB}M"\n'

pytestmark = [pytest.mark.slow,
              pytest.mark.boot(firmware="bios", linux=False, manifest=MANIFEST, add=(f"{harness.BUILD}/grub-guest=grub/grub",))]


@pytest.fixture(scope="module", autouse=True)
def image():
    grub.make(harness.BUILD / "grub-guest", MEMORY_MIB << 20)


def ask(boot, command):
    boot.shows(PROMPT)
    boot.pc.seek(len(boot.pc.output))
    boot.type(command + "\r")
    start = boot.wait_for(re.compile(rb"\r?\n")).end()
    end = boot.wait_for(PROMPT).start()
    return harness.ESCAPE_SEQUENCE.sub("", bytes(boot.pc.output[start:end]).decode("utf-8", "replace"))


def test_grub_comes_to_its_prompt(boot):
    boot.shows("GNU GRUB  version 2.")
    boot.shows(PROMPT)


def test_grub_answers_commands(boot):
    assert "seven 7" in ask(boot, "echo seven 7")
    assert f"base_addr = 0x100000, length = 0x{(MEMORY_MIB - 1) << 20:x}" in ask(boot, "lsmmap")
    assert "64-bit" in ask(boot, "if cpuid -l; then echo 64-bit; fi")


def test_grub_powers_its_vm_off(boot):
    """It looks for the RSDP as on a PC, and in the DSDT for S5."""
    boot.shows(PROMPT)
    boot.type("halt\r")
    boot.shows("grub: stopped: the guest powered off", ticks=4_000_000_000)
