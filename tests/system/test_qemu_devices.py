"""Devices that QEMU also has, each asked by a guest of its own in one boot."""
import re

import harness
import pytest

QUESTIONS = {"testdev": 19, "fw_cfg": 22}
VMS = {"testdev": ("testdev", "testdev = true"), "fw_cfg": ("fw_cfg", "")}
MANIFEST = '[host]\nconsole = ["serial"]\n' + "".join(
    f'\n[[vm]]\nname = "{name}"\nkernel = "test/{program}.bin"\nmemory = "4M"\n{more}\n' for name, (program, more) in VMS.items())


@pytest.mark.boot(linux=False, manifest=MANIFEST, add=harness.guest_programs(*sorted({row[0] for row in VMS.values()})))
class TestQemuDevices:
    @pytest.mark.parametrize("name", list(VMS))
    def test_every_question_has_its_answer(self, boot, name):
        boot.console_of(name)
        right, count = map(int, boot.shows(re.compile(name.encode() + rb": answers right: (\d+) of (\d+)\r")).groups())
        assert f"TEST-FAIL {name}" not in boot.text()
        assert right == count == QUESTIONS[name]
