"""The manager on a PC without VT-x: it starts, refuses each VM in words, answers the prompt and switches the PC off."""
import re
import struct
import time

import pytest

pytestmark = pytest.mark.boot(machine="qemu", linux=False)

ONE_VM = """
[[vm]]
name   = "hello"
kernel = "hello/hello.bin"
memory = "16M"
"""
# The notice of the refusal, and the prompt drawn again below it.
AT_PROMPT = re.compile(rb"E401 hello[^\r\n]*[\r\n]+[^\r\n]*bulkhead> ")
SWITCHED_OFF = "[host]\ndisable = [\"vmx\"]\n" + ONE_VM


@pytest.mark.boot(manifest=ONE_VM)
class TestWithoutVtX:
    def test_each_vm_is_refused_with_the_reason(self, boot):
        boot.shows("E401 hello: not started: this PC's processor has no Intel VT-x")

    def test_list_shows_it(self, boot):
        boot.shows(AT_PROMPT)
        boot.pc.seek(len(boot.pc.output))
        answer = boot.ask_host("list")
        assert "hello" in answer
        assert "not started" in answer

    def test_poweroff_switches_the_pc_off(self, boot):
        boot.shows(AT_PROMPT)
        boot.power_off()
        assert not boot.running


@pytest.mark.boot(manifest=SWITCHED_OFF)
def test_manager_refuses_all_vms_when_vmx_is_disabled(boot):
    boot.shows("E405 hello: not started: \"vmx\" is needed, and `disable` in bulkhead.toml switches it off; remove it there")


@pytest.mark.boot(manifest=ONE_VM, without=("system/console",))
class TestWithoutConsole:
    def test_the_serial_port_says_so(self, boot):
        boot.shows("E632 bulkhead/system/console: is missing: no prompt and no terminals")

    def test_vms_are_served_all_the_same(self, boot):
        boot.shows("E401 hello: not started")

    def test_the_power_button_works(self, boot):
        boot.shows("E401 hello: not started")
        boot.pc.monitor("system_powerdown")
        boot.wait_end(60)
        assert not boot.running


@pytest.mark.boot(manifest=ONE_VM, without=("system/console",), files=(("system/console", "not a program"),))
def test_manager_refuses_a_console_that_is_no_program(boot):
    boot.shows("E632 bulkhead/system/console: ")


# ACPI's SPCR behind its header: full 16550, reserved, COM2 in I/O space, its 8259 interrupt, 115200 baud, no PCI device.
SPCR = struct.pack("<B3xBBBBQBBIBBBBBBHH", 0, 1, 8, 0, 1, 0x2F8, 1, 3, 0, 7, 0, 1, 0, 0, 0, 0xFFFF, 0xFFFF)
FILE_SECONDS = 300


def test_console_is_at_the_port_that_the_firmware_names(boots, tmp_path):
    table, com2 = tmp_path / "spcr", tmp_path / "com2"
    table.write_bytes(SPCR.ljust(80 - 36, b"\0"))
    image = boots.images.image({"linux": False, "manifest": ONE_VM})
    with boots.emulator(image=str(image), machine="qemu", firmware="bios", memory=256,
                        extra=("-acpitable", f"sig=SPCR,data={table}", "-serial", f"file:{com2}")) as pc:
        deadline = time.monotonic() + FILE_SECONDS
        while not (com2.exists() and b"bulkhead> " in com2.read_bytes()):
            assert pc.running and time.monotonic() < deadline
            pc.pump(0.1)
    assert "bulkhead> " not in pc.text()
