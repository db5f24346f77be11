"""Disks of two VMs on one file, each asked by a guest program: what they hold, what may be written, what a reset leaves."""
import re

import harness
import pytest

FILE = bytes((i // 512 + i) & 0xff for i in range(10100))
VM = """
[[vm]]
name    = "{0}"
kernel  = "test/disk.bin"
memory  = "4M"
cmdline = "{1}"
restart = "on-failure"
disk    = [ {{ file = "test/disk.img", size = "16K", serial = "first" }},
            {{ file = "test/disk.img", size = "16K", mode = "read-only" }}, {{ size = "64K" }} ]
"""
MANIFEST = '[host]\nconsole = ["serial"]\n' + VM.format("writer", "") + VM.format("beside", "wait")

pytestmark = pytest.mark.boot(linux=False, firmware="bios", manifest=MANIFEST, files=(("test/disk.img", FILE),),
                              add=harness.guest_programs("disk"))


def writer_has_ended(boot):
    """The first VM's terminal is shown unasked."""
    boot.shows("disk: answers after reset right:")


def expect_all_right(boot, words):
    right, count = map(int, boot.shows(re.compile(words.encode() + rb": (\d+) of (\d+)\r")).groups())
    assert "TEST-FAIL disk" not in boot.text()
    assert right == count > 0


class TestDisks:
    def test_each_request_is_answered_as_specified(self, boot):
        writer_has_ended(boot)
        expect_all_right(boot, "disk: answers right")

    def test_changes_outlive_a_reset(self, boot):
        writer_has_ended(boot)
        expect_all_right(boot, "disk: answers after reset right")

    def test_another_vm_sees_the_file_as_it_was(self, boot):
        writer_has_ended(boot)
        boot.console_of("beside")
        boot.shows("disk: waits for a key")
        boot.type("x")
        expect_all_right(boot, "disk: answers beside right")

    def test_list_says_that_changes_are_lost(self, boot):
        writer_has_ended(boot)
        boot.at_host()
        assert "3 disks, whose changes are lost at power-off" in boot.ask_host("list")
