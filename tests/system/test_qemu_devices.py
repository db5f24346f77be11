"""Devices that QEMU also has, each asked by a guest of its own in one boot, and PCI."""
import re

import harness
import pytest

QUESTIONS = {"testdev": 19, "fw_cfg": 22, "pci": 43}
VMS = {"testdev": ("testdev", "testdev = true"), "fw_cfg": ("fw_cfg", ""), "pci": ("pci", 'disk = [{ size = "1M" }]')}
MANIFEST = '[host]\nconsole = ["serial"]\n' + "".join(
    f'\n[[vm]]\nname = "{name}"\nkernel = "test/{program}.bin"\nmemory = "4M"\n{more}\n' for name, (program, more) in VMS.items())
SEABIOS = "/usr/share/seabios/bios-256k.bin=fw/bios-256k.bin"  # Debian's package, which QEMU needs too
FIRMWARE = """
[[vm]]
name = "seabios"
firmware = "fw/bios-256k.bin"
memory = "32M"
vcpus = 2

[[vm]]
name = "rom"
kernel = "test/rom.bin"
memory = "2M"

[[vm]]
name = "no-rom"
firmware = "test/fw_cfg.bin"
memory = "4M"
"""


def terminal_of(boot, name):
    """Leads to that VM's terminal. Before all have started there may be no such, and the first one is shown unasked."""
    if not getattr(boot, "all_have_started", False):
        boot.shows("testdev: answers right")
        boot.to_host()
        boot.shows("E231 no-rom: test/fw_cfg.bin is not a PC's firmware")
    boot.all_have_started = True
    boot.console_of(name)


@pytest.mark.boot(linux=False, manifest=MANIFEST + FIRMWARE,
                  add=(*harness.guest_programs("rom", *sorted({row[0] for row in VMS.values()})), SEABIOS))
class TestQemuDevices:
    @pytest.mark.parametrize("name", list(VMS))
    def test_every_question_has_its_answer(self, boot, name):
        terminal_of(boot, name)
        right, count = map(int, boot.shows(re.compile(name.encode() + rb": answers right: (\d+) of (\d+)\r")).groups())
        assert f"TEST-FAIL {name}" not in boot.text()
        assert right == count == QUESTIONS[name]

    def test_seabios_starts_from_its_rom_and_tries_to_boot(self, boot):
        terminal_of(boot, "seabios")
        boot.shows(re.compile(rb"Booting from Hard Disk...\s+Boot failed[^\0]*No bootable device"))
        boot.shows(re.compile(rb"SeaBIOS \(version "))

    def test_a_rom_is_read_only_until_the_processor_writes_to_it(self, boot):
        """Exit code 1: no answer was wrong."""
        terminal_of(boot, "testdev")
        boot.to_host()
        boot.shows("rom: stopped: the guest ended with exit code 1\r")

    def test_a_file_that_is_no_rom_is_refused(self, boot):
        terminal_of(boot, "testdev")
        boot.to_host()
        assert "E231 refused" in boot.states()["no-rom"]


OPTION_ROM = "/usr/share/qemu/linuxboot_dma.bin=fw/linuxboot_dma.bin"  # Debian's package qemu-system-data
LINUX_BY_SEABIOS = """
[[vm]]
name = "linux"
firmware = "fw/bios-256k.bin"
modules = ["fw/linuxboot_dma.bin"]
kernel = "linux/vmlinuz"
initrd = "linux/initrd"
cmdline = "console=ttyS0 quiet"
memory = "256M"
vcpus = 2
"""


@pytest.mark.slow
@pytest.mark.boot(manifest='[host]\nconsole = ["serial"]\n' + LINUX_BY_SEABIOS, add=(SEABIOS, OPTION_ROM))
class TestLinuxByFirmware:
    """QEMU's option ROM takes kernel, initrd and command line from fw_cfg and enters the kernel's 16-bit code."""

    def test_linux_starts_with_all_processors(self, boot):
        boot.guest_prompt()
        assert boot.ask_guest("nproc") == "2"

    def test_the_tables_are_those_that_the_firmware_placed(self, boot):
        boot.guest_prompt()
        assert "RSDP 0x00000000000F" in boot.ask_guest("dmesg | grep RSDP")
        assert {"APIC", "DSDT", "FACP", "FACS", "MCFG", "SSDT"} <= set(boot.ask_guest("ls /sys/firmware/acpi/tables").split())

    def test_configuration_space_is_where_the_firmware_put_it(self, boot):
        """SeaBIOS moves ECAM to B0000000h; tables that it fetches afterwards say so, for bus 0."""
        boot.guest_prompt()
        said = boot.ask_guest("dmesg | grep -i 'mem 0xb0000000-0x'")
        assert re.search(r"(MMCONFIG for domain 0000 \[bus 00\S* at |ECAM )\[mem 0xb0000000-0xb00fffff", said), said
        assert boot.ask_guest("wc -c < /sys/bus/pci/devices/0000:00:00.0/config") == "4096"

    def test_the_command_line_is_the_manifests(self, boot):
        boot.guest_prompt()
        assert boot.ask_guest("cat /proc/cmdline") == "console=ttyS0 quiet"
