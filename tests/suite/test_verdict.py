"""tools/suite/verdict.py and report.py: each way a VM can end, and what the user and other programs read of it."""
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/suite"))
import images
import report
import verdict
from verdict import End

POWERED_OFF = "the guest powered off"


def judged(end, expected=None):
    parsed = images.parse_expected(expected) if expected else images.Expectation()
    return verdict.judge(images.Image(name="a", path=None, limit=5, expected=parsed), end)


def stopped(words, code="", **more):
    return End("stopped", words=words, code=code, **more)


def exit_code(number):
    return stopped(f"the guest ended with exit code {number}")


@pytest.mark.parametrize("end, expected", [
    (exit_code(1), None), (exit_code(33), "33"), (exit_code(8589934591), "0x1ffffffff"),
    (stopped(POWERED_OFF, output=("TEST-PASS one", "text")), None), (stopped(POWERED_OFF), "power-off"),
    (stopped("the guest asked for a reset"), "reset"), (stopped("triple fault", "E301"), "E301"),
    (End("refused", "x is no kernel", "E210"), "E210")])
def test_passes(end, expected):
    assert judged(end, expected) == verdict.Verdict("passed")


@pytest.mark.parametrize("end, expected, words", [
    (exit_code(3), None, "exit code 3; expected was 1"),
    (exit_code(1), "33", "exit code 1; expected was 33"),
    (exit_code(155), "1", "exit code 155; expected was 1"),
    (exit_code(1), "reset", "exit code 1; expected was reset"),
    (stopped(POWERED_OFF), None, "powered off without an exit code or a line TEST-PASS"),
    (stopped(POWERED_OFF, output=("text TEST-PASS",)), None, "powered off without an exit code or a line TEST-PASS"),
    (stopped(POWERED_OFF, output=("TEST-PASS a", "TEST-FAIL b", "TEST-PASS c")), None, "powered off after TEST-FAIL b"),
    (stopped(POWERED_OFF, output=("TEST-PASS a",), output_whole=False), None, "powered off after more output than is kept, so "
     "that a TEST-FAIL may be lost; end by the debug-exit port"),
    (stopped(POWERED_OFF, output=("TEST-PASS a",)), "1", "stopped: the guest powered off; expected was exit code 1"),
    (stopped("triple fault", "E301"), None, "stopped: E301 triple fault"),
    (stopped("triple fault", "E301"), "E306", "stopped: E301 triple fault; expected was E306"),
    (stopped("stopped by the user"), None, "stopped: stopped by the user"),
    (stopped("the guest ended with exit code 1 or so"), None, "stopped: the guest ended with exit code 1 or so"),
    (End("refused", "x is no kernel", "E210"), None, "did not start: E210 x is no kernel"),
    (End("refused", "x is no kernel", "E210"), "E211", "did not start: E210 x is no kernel"),
    (End("late"), None, "time limit: did not end within 5 s"),
    (End("late"), "E301", "time limit: did not end within 5 s"),
    (End("lost", "the PC switched off while it ran"), "power-off", "the hypervisor: the PC switched off while it ran")])
def test_failures_have_words_of_their_own(end, expected, words):
    assert judged(end, expected) == verdict.Verdict("failed", words)


def test_a_suite_with_nothing_to_test_did_not_pass():
    assert judged(exit_code(155)).result == "skipped"


def test_output_is_asked_for_where_it_decides():
    image = images.Image(name="a", path=None)
    assert verdict.needs_output(image, stopped(POWERED_OFF))
    assert not verdict.needs_output(image, exit_code(1)) and not verdict.needs_output(image, End("late"))


def rows():
    named = [images.Image(name=name, path=None) for name in ("good", "bad", "odd")]
    ends = [stopped("", seconds=1.5), stopped("", seconds=0.25, output=("one", "two\x1b<&>")), End("stopped")]
    results = [verdict.Verdict("passed"), verdict.Verdict("failed", "exit code 3"), verdict.Verdict("skipped", "nothing")]
    return list(zip(named, ends, results))


def test_the_tail_is_shown_where_an_image_did_not_pass():
    good, bad, _ = [list(report.image_lines(*row)) for row in rows()]
    assert good == ["pass     1.50 s  good"]
    assert bad == ["FAIL     0.25 s  bad: exit code 3", "                  | one", "                  | two\x1b<&>"]


def test_the_closing_line_counts():
    assert report.closing_line([row[2] for row in rows()]) == "1 passed, 1 failed, 1 skipped"


def test_junit_xml(tmp_path):
    path = tmp_path / "x.xml"
    report.write_xml(path, "folder", rows(), [("README", "no image")], 3)
    suite = ElementTree.parse(path).getroot().find("testsuite")
    assert {name: suite.get(name) for name in ("name", "tests", "failures", "errors", "skipped")} == {
        "name": "folder", "tests": "4", "failures": "1", "errors": "0", "skipped": "2"}
    good, bad, odd, other = suite.findall("testcase")
    assert (good.get("name"), good.get("time"), list(good)) == ("good", "1.500", [])
    assert bad.find("failure").get("message") == "exit code 3"
    assert bad.find("system-out").text == "one\ntwo?<&>"
    assert odd.find("skipped") is not None and other.get("name") == "README" and other.find("skipped") is not None
