"""Devices that QEMU also has, each asked by a guest of its own in one boot."""
import re

import harness
import pytest

LINES = {"testdev": 19}  # a line for each question
VMS = {"testdev": ("testdev", "testdev = true")}
MANIFEST = '[host]\nconsole = ["serial"]\n' + "".join(
    f'\n[[vm]]\nname = "{name}"\nkernel = "test/{program}.bin"\nmemory = "4M"\n{more}\n' for name, (program, more) in VMS.items())


@pytest.mark.boot(linux=False, manifest=MANIFEST, add=harness.guest_programs(*sorted({row[0] for row in VMS.values()})))
class TestQemuDevices:
    @pytest.mark.parametrize("name", list(VMS))
    def test_every_question_has_its_answer(self, boot, name):
        boot.console_of(name)
        boot.shows(f"{name}: done")
        lines = set(re.findall(rf"TEST-(\w+) {name}: ([^\n]*)", boot.text()))
        assert [line for result, line in lines if result != "PASS"] == []
        assert len(lines) == LINES[name]
