"""Every way from power-on to a Linux guest's shell: firmware, loader, medium."""
import re

import harness
import pytest

COUNTED = re.compile(rb"hello from hello: (\d+) seconds\r?\n")

UEFI = {"cpus": 2, "memory": 1024}
GRUB_BIOS = {"cpus": 2, "memory": 1024, "firmware": "bios"}
GRUB_UEFI = {"cpus": 2, "memory": 1024, "grub_uefi": True}
BOTH = pytest.mark.parametrize("boot", [UEFI, GRUB_BIOS], indirect=True, ids=["uefi", "grub-bios"])
ALL = pytest.mark.parametrize("boot", [UEFI, GRUB_BIOS, GRUB_UEFI], indirect=True, ids=["uefi", "grub-bios", "grub-uefi"])


@ALL
def test_linux_shell_answers(boot):
    answer = boot.ask_guest("uname -a")
    assert answer.startswith("Linux bulkhead-guest ")
    assert answer.endswith("x86_64 GNU/Linux")


@ALL
def test_a_good_boot_prints_at_most_25_lines(boot):
    boot.guest_prompt()
    text = boot.text()
    ours = text[text.index("Bulkhead"):text.index("[linux:")]
    assert len(ours.splitlines()) <= 25


@BOTH
def test_guest_computes(boot):
    assert boot.ask_guest("echo $((6 * 7)); seq 1 1000 | wc -l").split() == ["42", "1000"]


@BOTH
def test_control_c_reaches_the_guest(boot):
    boot.guest_prompt()
    # While the shell still reads its line, Ctrl-C is a byte like others, and between two commands of a list it may get lost in the
    # shell: what says that it has begun must itself be what is ended.
    boot.type("sh -c 'echo begins; exec sleep 100000'\r")
    boot.wait_for(re.compile(rb"\nbegins"))
    boot.type("\x03")
    boot.wait_for(harness.GUEST_PROMPT)


@pytest.mark.boot(**UEFI)
def test_second_vm_runs_beside_the_first(boot):
    boot.guest_prompt()
    boot.to_host()
    states = dict(line.split()[:2] for line in boot.ask_host("list").splitlines() if len(line.split()) > 1)
    assert states["linux"] == states["hello"] == "running"
    boot.type("console hello\r")
    first = int(boot.wait_for(COUNTED).group(1))
    second = int(boot.wait_for(COUNTED).group(1))
    assert second == first + 1
    boot.to_host()
    boot.type("console linux\r\r")
    boot.wait_for(harness.GUEST_PROMPT)


# UEFI gives names as they are on the volume, GRUB short ones in lower case; the manifest may write them in any way.
MIXED_CASE = {"machine": "qemu", "linux": False, "memory": 512, "add": (f"{harness.BUILD}/hello.bin=Upper/KERNEL.BIN",),
              "manifest": '[[vm]]\nname = "mixed"\nkernel = "upPer/Kernel.bin"\nmemory = "16M"\n'}


@pytest.mark.parametrize("boot", [MIXED_CASE, {**MIXED_CASE, "firmware": "bios"}], indirect=True, ids=["uefi", "grub-bios"])
def test_file_is_found_in_any_case(boot):
    boot.shows("E401 mixed: not started: ", seconds=120)
    assert "E201" not in boot.text()


@pytest.mark.boot(**UEFI, fresh=True)
def test_power_off_at_the_prompt(boot):
    boot.guest_prompt()
    boot.to_host()
    boot.power_off()
    assert not boot.running
