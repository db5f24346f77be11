"""UEFI guests: Debian's OVMF as it is. One VM is at its shell on the serial line, with memory above 4 GiB and variables that stay
over a reset; in another OVMF starts GRUB from a virtio disk, and GRUB Debian's kernel, which reboots. Both in one boot."""
import re
import shutil
import sys

import harness
import mkimage
import pytest
from linux_vms import LinuxVms

sys.path.insert(0, str(harness.ROOT / "guests"))
import ovmf
import uefi_disk

PROMPT = "Shell> "
# The firmware executes 1.5 G instructions; then the boot manager and the shell wait some seconds for a key.
TICKS = 30_000_000_000
SECONDS = 800
GUID = "6ad4b1f0-3c55-4c1e-9a0e-2f6a5f0c7b11"
MANIFEST = """[host]
console = ["serial"]

[[vm]]
name     = "grub"
firmware = "fw/OVMF.fd"
disk     = [{ file = "fw/guest.img", mode = "read-only" }]
memory   = "256M"
vcpus    = 2
restart  = "on-failure"

[[vm]]
name     = "shell"
firmware = "fw/OVMF.fd"
memory   = "3G"
restart  = "on-failure"
"""

pytestmark = [pytest.mark.slow,
              pytest.mark.boot(firmware="bios", linux=False, memory=4096, manifest=MANIFEST,
                               add=(f"{harness.BUILD}/OVMF.fd=fw/OVMF.fd", f"{harness.BUILD}/uefi-guest.img=fw/guest.img"))]


@pytest.fixture(scope="module", autouse=True)
def files():
    shutil.copyfile(ovmf.file(), harness.BUILD / "OVMF.fd")
    uefi_disk.make(harness.BUILD / "uefi-guest.img", mkimage.linux_folder(None))


def ask(boot, command, sign):
    """What the UEFI shell says to a command, from `sign` on to the next prompt. The echo has escape sequences within."""
    boot.type(command + "\r")
    start = boot.wait_for(sign).start()
    end = boot.wait_for(PROMPT).start()
    return harness.ESCAPE_SEQUENCE.sub("", bytes(boot.pc.output[start:end]).decode("utf-8", "replace"))


@pytest.fixture(scope="module")
def kept():
    return {}


@pytest.fixture
def linux(boot, kept):
    if kept.get("boot") is not boot:
        kept["boot"], kept["linux"] = boot, LinuxVms(boot)
        boot.shows(harness.GUEST_PROMPT, TICKS, SECONDS)
    return kept["linux"]


def test_ovmf_starts_grub_and_grub_linux(boot, linux):
    assert uefi_disk.GREETING in boot.text()
    assert linux.ask("grub", "cat /proc/cmdline").startswith("BOOT_IMAGE=/linux/vmlinuz ")
    assert linux.ask("grub", "dmesg | grep -c 'efi: EFI v2'") == "1"
    assert linux.ask("grub", "nproc") == "2"


def test_linux_leaves_bars_above_4_gib_where_ovmf_put_them(linux):
    """The host bridge's resources in the DSDT have such a window."""
    assert linux.ask("grub", "dmesg | grep -c \"can't claim\"; true") == "0"
    assert re.search(r"^ *[1-9a-f][0-9a-f]{8,}-[0-9a-f]+ : 0000:00:02\.0$", linux.ask("grub", "cat /proc/iomem"), re.MULTILINE)


def test_linux_reboots_through_ovmf_and_grub(boot, linux):
    linux.show("grub")
    boot.type("reboot\r")
    for sign in ("reboot: Restarting system", uefi_disk.GREETING, harness.GUEST_PROMPT):
        boot.wait_for(sign, TICKS, SECONDS)
    assert linux.ask("grub", "dmesg | grep -c 'efi: EFI v2'") == "1"


def test_ovmf_finds_memory_above_4_gib(boot):
    boot.console_of("shell")
    boot.type("\r")
    boot.wait_for(PROMPT, TICKS, SECONDS)
    rows = re.findall(r"^Available +([0-9A-F]{16})-([0-9A-F]{16})", ask(boot, "memmap", "Type "), re.MULTILINE)
    assert ("0000000100000000", "000000013FFFFFFF") in rows


def test_ovmf_keeps_its_variables_over_a_reset_of_the_guest(boot):
    boot.type(f"setvar bulkhead -guid {GUID} -nv -bs -rt =0x5aa5\r")
    boot.wait_for(PROMPT)
    boot.type("reset\r")
    boot.wait_for("UEFI Interactive Shell", TICKS, SECONDS)
    boot.wait_for(PROMPT, TICKS, SECONDS)
    # A number of two bytes, the lower one first.
    assert "A5 5A" in ask(boot, f"setvar bulkhead -guid {GUID}", "0002 Bytes")


def test_ovmf_powers_its_vm_off(boot):
    boot.type("reset -s\r")
    boot.shows("shell: stopped: the guest powered off", ticks=4_000_000_000)
