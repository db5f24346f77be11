"""`./dev suite`: this project's own images (tests/guest), and each way in which an image can fail."""
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import harness
import pytest

SECONDS = 600


@pytest.fixture
def suite(boots):
    def run(folder, *words):
        boots.end()  # the tool has a PC of its own
        return subprocess.run([sys.executable, harness.ROOT / "tools/suite/suite.py", folder, *words], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=SECONDS)
    return run


def test_the_projects_own_images_pass(suite, tmp_path):
    done = suite(harness.BUILD / "guest-suite", "--xml", tmp_path / "x.xml")
    assert done.returncode == 0, done.stdout + done.stderr
    cases = ElementTree.parse(tmp_path / "x.xml").getroot().findall("testsuite/testcase")
    assert len(cases) == done.stdout.count("pass ") > 25
    assert done.stdout.endswith(f"{len(cases)} passed, 0 failed, 0 skipped\n")


# name, command line, time limit, expected end, file
ROWS = (
    ("code", "value=1", "", "1", "debug_exit.bin"),
    ("right code", "value=16", "", "33", "debug_exit.bin"),
    ("hangs", "", "1", "", "spin_on_key.bin"),
    ("triple", "", "", "", "triple_fault.bin"),
    ("silent", "", "", "", "power_off.bin"),
    ("resets", "", "", "", "ask_reset.bin"),
    ("text.txt", "", "", "", ""),
    ("halted", "", "", "E308", "halt_forever.bin"),
    ("last", "value=16", "", "33", "debug_exit.bin"),
)
INDEX = "name\tcommand line\ttime limit\texpected\timage\tmemory\n" + "".join("\t".join((*row, "4M\n")) for row in ROWS)
FAILURES = {
    "code": "exit code 3; expected was 1",
    "hangs": "time limit: did not end within 1 s",
    "triple": "stopped: E301 triple fault: the guest could not deliver a double fault",
    "silent": "powered off without an exit code or a line TEST-PASS",
    "resets": "stopped: the guest asked for a reset",
    "text.txt": "did not start: E210 ",
}


def test_each_failure_has_its_words_and_stops_no_other(suite, tmp_path):
    for name in ("debug_exit", "spin_on_key", "triple_fault", "power_off", "ask_reset", "halt_forever"):
        shutil.copy(harness.BUILD / f"{name}.bin", tmp_path)
    (tmp_path / "text.txt").write_text("no kernel at all\n")
    (tmp_path / "README").write_text("not run\n")
    (tmp_path / "index.tsv").write_text(INDEX)
    done = suite(tmp_path)
    lines = done.stdout.splitlines()
    assert done.returncode == 1, done.stdout + done.stderr
    assert lines[-1] == "3 passed, 6 failed, 1 skipped", done.stdout
    for name, words in FAILURES.items():
        assert any(line.startswith("FAIL ") and f"s  {name}: {words}" in line for line in lines), (name, done.stdout)
    for name in ("right code", "halted", "last"):
        assert any(line.startswith("pass ") and line.endswith(f"s  {name}") for line in lines), (name, done.stdout)
    assert "                  | spin_on_key: waits" in lines
