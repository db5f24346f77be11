"""What the loaders hand to the kernel, checked by a kernel that does nothing else (tests/testkernel): every way of booting.

No VT-x is needed: QEMU, where a boot takes seconds."""
import functools
import os
import re
import tempfile

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


def both(**more):
    """The test by both loaders."""
    return pytest.mark.parametrize("boot", [{**UEFI, **more}, {**GRUB_BIOS, **more}], indirect=True, ids=["uefi", "grub-bios"])


# On the stick as a user leaves it who has copied, replaced and removed files.
CHANGED = (("linux/vmlinuz", "a new kernel\n" * 700), ("Read Me.txt", "new"), ("empty", "no more"), ("hello/hello.bin", None))
DEEP = (("1/2/3/4/5/6/7/file", "a"), ("1/2/3/4/5/6/7/8/deepest", "b"))
BARE = {"linux": True, "add": (), "cmdline": "bare=linux/vmlinuz initrd=linux/initrd -- console=ttyS0 quiet"}
# Made by the tests that use them, before their PC is switched on.
OTHER_KERNEL = harness.BUILD / "kernel-of-another-release.elf"
LARGE = harness.BUILD / "large-file"
LARGE_MIB = 100
NOTE_NAME = b"Bulkhead\0\0\0\0"
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
    text = passes(boot)
    # The test kernel looks at what it is given: these PCs have tables, and so it must have been given them.
    assert re.search(r"^rsdp: 0*[1-9a-f]", text, re.MULTILINE), text
    assert re.search(r"^pc: 1 CPUs, [1-9]", text, re.MULTILINE), text


@ALL
def test_every_file_below_bulkhead_is_loaded(boot):
    assert_all_files_came(boot)


@both(changed=CHANGED)
def test_files_changed_on_a_finished_stick_are_seen(boot):
    assert_all_files_came(boot)
    contents = boot.contents()
    assert "hello/hello.bin" not in contents
    assert contents["empty"] == b"no more"
    assert contents["linux/vmlinuz"].startswith(b"a new kernel")


def write_whole(path, fill):
    """Makes a file that another worker may be reading: in one step."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        fill(file)
    os.replace(file.name, path)


def kernel_of_another_release():
    """The kernel with the next version in its note (abi/boot_info.h, BOOT_NOTE_NAME); the file's path."""
    kernel = bytearray((harness.BUILD / "kernel.elf").read_bytes())
    descriptor = kernel.index(NOTE_NAME) + len(NOTE_NAME)
    kernel[descriptor] += 1
    write_whole(OTHER_KERNEL, lambda file: file.write(kernel))


@both(add=(f"{OTHER_KERNEL}=system/kernel",))
def test_loader_and_kernel_of_different_releases_say_so(boot):
    kernel_of_another_release()
    boot.shows(re.compile(rb"E503: loader and kernel do not match: loader speaks version (\d+), kernel \d+\.\r?\n"
                          rb"  What to do: copy both from the same release"))
    assert boot.running


@both(memory=128, add=(TEST_KERNEL, f"{LARGE}=large"))
def test_files_may_fill_three_quarters_of_memory(boot):
    write_whole(LARGE, lambda file: file.truncate(LARGE_MIB << 20))
    text = passes(boot)
    assert f"warning E508: bulkhead/large ({LARGE_MIB << 10} KiB) was skipped: not enough memory" in text
    assert f"file: large {LARGE_MIB << 20} skipped" in text
    assert set(boot.contents()) - {path for path, _, _ in LISTED.findall(text)} == {"large"}


@both(files=DEEP)
def test_files_eight_deep_are_loaded_and_deeper_ones_named(boot):
    text = passes(boot)
    assert "1/2/3/4/5/6/7/file" in [path for path, _, _ in LISTED.findall(text)]
    assert "deepest" not in [path.rsplit("/", 1)[-1] for path, _, _ in LISTED.findall(text)]
    assert "warning E512: 1 boot files or folders were left out, the first: bulkhead/1/2/3/4/5/6/7/8" in text


@both(cmdline="x" * 5000)
def test_command_line_that_is_cut_is_said(boot):
    assert "warning E516: the command line was cut: it is longer than 4095 characters" in passes(boot)


@pytest.mark.slow
@both(**BARE)
def test_linux_boots_bare(boot):
    assert boot.ask_guest("cat /proc/cmdline") == "console=ttyS0 quiet"
