"""The screen of a PC with UEFI's framebuffer (GOP): boot lines, prompt and VMs' states, read back from pictures of it."""
import harness
import pytest
import screen_text

MANIFEST = """
[[vm]]
name   = "hello"
kernel = "hello/hello.bin"
memory = "16M"
"""
WRONG_FONT = "/usr/share/consolefonts/Uni2-VGA16.psf.gz"
NOTICE = "E401 hello: not started"
LINES_MOST = 25
# No VT-x is needed to draw: QEMU, where a picture is one monitor command.
# One CPU: on a busy host the counters of several that QEMU translates differ enough for E605.
pytestmark = pytest.mark.boot(machine="qemu", linux=False, memory=512, cpus=1, manifest=MANIFEST)


def test_good_boot_is_on_the_screen(boot, tmp_path):
    boot.shows(NOTICE)
    rows = screen_text.wait_for_row(boot, tmp_path, NOTICE)
    text = "\n".join(rows)
    assert "Bulkhead 0.1: 1 CPU (QEMU TCG CPU" in text
    assert harness.HOST_PROMPT.strip() in text
    assert len([row for row in rows if row]) <= LINES_MOST


def test_boot_prints_few_lines(boot):
    boot.shows(NOTICE)
    text = boot.text()
    assert len(text[text.index("Bulkhead: "):text.index(NOTICE)].splitlines()) <= LINES_MOST


def test_wrong_font_reads_nothing(boot, tmp_path):
    boot.shows(NOTICE)
    screen_text.wait_for_row(boot, tmp_path, NOTICE)
    assert not any("bulkhead>" in row or "E401" in row for row in screen_text.rows(boot, tmp_path, WRONG_FONT))


def test_screen_follows_the_prompt(boot, tmp_path):
    boot.shows(NOTICE)
    screen_text.wait_for_row(boot, tmp_path, NOTICE)
    boot.pc.seek(len(boot.pc.output))
    answer = boot.ask_host("list")
    rows = screen_text.wait_for_row(boot, tmp_path, "bulkhead> list")
    assert "not started" in answer
    for line in answer.splitlines():
        assert line.strip() in "\n".join(rows)


def test_screen_scrolls(boot, tmp_path):
    boot.shows(NOTICE)
    screen_text.wait_for_row(boot, tmp_path, NOTICE)
    boot.pc.seek(len(boot.pc.output))
    for _ in range(12):
        boot.ask_host("help")
    boot.ask_host("list")
    rows = screen_text.wait_for_row(boot, tmp_path, "bulkhead> list")
    assert not any("Bulkhead 0.1" in row for row in rows)
    assert rows[-1].startswith("bulkhead>")


@pytest.mark.parametrize("boot", [{"no_uart": True}, {"no_uart": True, "firmware": "bios"}], indirect=True,
                         ids=["uefi", "grub-bios"])
def test_pc_without_serial_port_starts_and_shows_it(boot, tmp_path):
    rows = screen_text.wait_for_row(boot, tmp_path, NOTICE, harness.BOOT_SECONDS)
    assert any("Bulkhead 0.1" in row for row in rows)
    assert boot.text() == ""
