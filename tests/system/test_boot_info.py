"""What the loaders hand to the kernel, checked by a kernel that does nothing else (tests/testkernel): every way of booting.

No VT-x is needed: QEMU, where a boot takes seconds."""
import functools
import re

import harness
import pytest

TEST_KERNEL = f"{harness.BUILD}/testkernel.elf=system/kernel"
QEMU = {"machine": "qemu", "linux": False, "memory": 512, "add": (TEST_KERNEL,),
        "files": (("deep/er/and/deeper.txt", "x" * 5000), ("Mixed Case.TXT", "y"), ("empty", ""))}
UEFI = dict(QEMU)
GRUB_BIOS = {**QEMU, "firmware": "bios"}
WAYS = {"uefi": UEFI, "grub-bios": GRUB_BIOS, "grub-uefi": {**QEMU, "grub_uefi": True}, "iso-uefi": {**QEMU, "iso": True},
        "iso-bios": {**GRUB_BIOS, "iso": True}}
ALL = pytest.mark.parametrize("boot", WAYS.values(), indirect=True, ids=WAYS)
# On the stick as a user leaves it who has copied, replaced and removed files.
CHANGED = (("linux/vmlinuz", "a new kernel\n" * 700), ("Read Me.txt", "new"), ("empty", "no more"), ("hello/hello.bin", None))
LISTED = re.compile(r"^file: (.*) (\d+) ([0-9a-f]{8})$", re.MULTILINE)


def fnv1a(content):
    return functools.reduce(lambda sum, byte: (sum ^ byte) * 16777619 & 0xffffffff, content, 2166136261)


def passes(boot):
    boot.shows(re.compile(rb"TEST-(PASS|FAIL) boot_info"))
    text = boot.text()
    assert "TEST-FAIL" not in text
    return text


def assert_all_files_came(boot):
    listed = LISTED.findall(passes(boot))
    on_volume = {path: (len(content), fnv1a(content)) for path, content in boot.contents().items()}
    assert len(listed) == len(on_volume)
    assert {path: (int(size), int(checksum, 16)) for path, size, checksum in listed} == on_volume


@ALL
def test_every_promise_is_kept(boot):
    passes(boot)


@ALL
def test_every_file_below_bulkhead_is_loaded(boot):
    assert_all_files_came(boot)


@pytest.mark.parametrize("boot", [{**UEFI, "changed": CHANGED}, {**GRUB_BIOS, "changed": CHANGED}], indirect=True,
                         ids=["uefi", "grub-bios"])
def test_files_changed_on_a_finished_stick_are_seen(boot):
    assert_all_files_came(boot)
    contents = boot.contents()
    assert "hello/hello.bin" not in contents
    assert contents["empty"] == b"no more"
    assert contents["linux/vmlinuz"].startswith(b"a new kernel")
