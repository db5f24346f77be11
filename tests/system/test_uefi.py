"""UEFI guests: Debian's OVMF as it is. One VM is at its shell on the serial line; in another OVMF starts GRUB from a virtio disk,
and GRUB Debian's kernel. Both in one boot."""
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
MANIFEST = """[host]
console = ["serial"]

[[vm]]
name     = "grub"
firmware = "fw/OVMF.fd"
disk     = [{ file = "fw/guest.img", mode = "read-only" }]
memory   = "256M"
vcpus    = 2

[[vm]]
name     = "shell"
firmware = "fw/OVMF.fd"
memory   = "128M"
"""

pytestmark = [pytest.mark.slow,
              pytest.mark.boot(firmware="bios", linux=False, memory=768, manifest=MANIFEST,
                               add=(f"{harness.BUILD}/OVMF.fd=fw/OVMF.fd", f"{harness.BUILD}/uefi-guest.img=fw/guest.img"))]


@pytest.fixture(scope="module", autouse=True)
def files():
    shutil.copyfile(ovmf.file(), harness.BUILD / "OVMF.fd")
    uefi_disk.make(harness.BUILD / "uefi-guest.img", mkimage.linux_folder(None))


def test_ovmf_starts_grub_and_grub_linux(boot):
    boot.shows(harness.GUEST_PROMPT, TICKS, SECONDS)
    linux = LinuxVms(boot)
    assert uefi_disk.GREETING in boot.text()
    assert linux.ask("grub", "cat /proc/cmdline").startswith("BOOT_IMAGE=/linux/vmlinuz ")
    assert linux.ask("grub", "dmesg | grep -c 'efi: EFI v2'") == "1"
    assert linux.ask("grub", "nproc") == "2"


def test_ovmf_powers_its_vm_off(boot):
    boot.console_of("shell")
    boot.type("\r")
    boot.wait_for(PROMPT, TICKS, SECONDS)
    boot.type("reset -s\r")
    boot.shows("shell: stopped: the guest powered off", ticks=4_000_000_000)
