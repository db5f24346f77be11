"""Debian's memtest86+, unmodified: the 32-bit image by the 32-bit boot protocol, the 64-bit one by the 64-bit protocol."""
import re
import shutil
import sys

import harness
import pytest

sys.path.insert(0, str(harness.ROOT / "guests"))
import memtest

NAMES = {"ia32": "memtest86+ia32.bin", "x64": "memtest86+x64.bin"}
MANIFEST = '[host]\nconsole = ["serial"]\n' + "".join(
    f'\n[[vm]]\nname = "{name}"\nkernel = "memtest/{name}"\nmemory = "16M"\ncmdline = "console=ttyS0,115200"\n' for name in NAMES)
TEST_4_OR_LATER = re.compile(rb"#([4-9]|10) +\[")


@pytest.fixture(scope="module")
def images():
    for name, file in NAMES.items():
        shutil.copyfile(memtest.folder() / file, harness.BUILD / f"memtest-{name}")


@pytest.mark.slow
@pytest.mark.boot(firmware="bios", linux=False, manifest=MANIFEST,
                  add=tuple(f"{harness.BUILD}/memtest-{name}=memtest/{name}" for name in NAMES))
@pytest.mark.parametrize("name", list(NAMES))
def test_memtest86_finds_no_errors_in_tests_0_to_3(images, boot, name):
    boot.shows("Memtest86+")
    boot.console_of(name)
    boot.wait_for(TEST_4_OR_LATER, ticks=40_000_000_000)
    assert set(re.findall(r"Errors: *(\d+)", boot.text())) == {"0"}
