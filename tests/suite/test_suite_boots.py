"""tools/suite/suite.py: which images share a boot, what follows from a PC that was lost, and the exit status."""
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

SUITE = Path(__file__).resolve().parents[2] / "tools/suite"
sys.path.insert(0, str(SUITE))
import images
import suite
from prompt import PromptLost
from verdict import End


@pytest.fixture
def make(tmp_path):
    def image(name, vcpus=1, size=16):
        path = tmp_path / name
        path.write_bytes(b"")
        with open(path, "r+b") as file:
            file.truncate(size)
        return images.Image(name=name, path=path, vm_name=name, vcpus=vcpus)
    return image


def names(batches):
    return ["".join(image.name[0] for image in batch) for batch in batches]


def test_a_boot_holds_no_more_than_a_manifest_and_the_memory(make):
    many = [make(f"a{number}") for number in range(130)]
    assert [len(batch) for batch in suite.batches(many)] == [64, 64, 2]
    assert names(suite.batches([make("a", size=200 << 20), make("b", size=100 << 20), make("c")])) == ["a", "bc"]
    assert names(suite.batches([make("a", size=300 << 20)])) == ["a"]


def test_images_of_several_cpus_have_a_boot_of_their_own_where_it_pays(make):
    few = [make("a"), make("b", vcpus=4)]
    assert names(suite.batches(few)) == ["ab"]
    many = [make(name) for name in "cdefghi"]
    assert names(suite.batches(few + many)) == ["acdefghi", "b"]


class PlayedBoots:
    """Takes the place of run_boot(): each boot runs so many images and is then lost, or None."""

    def __init__(self, monkeypatch, *lives):
        self.lives = list(lives)
        monkeypatch.setattr(suite, "run_boot", self)

    def __call__(self, arguments, pending, reporter):
        count = self.lives.pop(0)
        while pending and count != 0:
            image = pending.pop(0)
            lost = End("lost", words="ring 0 stopped while it ran")
            end = lost if count == 1 else End("stopped", words="the guest ended with exit code 1")
            reporter.ended(image, end, None)
            count = count - 1 if count else None
        if pending or count == 0:
            raise PromptLost("ring 0 stopped")


def run_played(wanted):
    return suite.run_all(SimpleNamespace(xml=None, base=".", folder="x", time_limit=None), wanted, [])


def test_after_a_lost_pc_the_others_run_in_a_new_one(make, monkeypatch, capsys):
    boots = PlayedBoots(monkeypatch, 2, None)
    assert run_played([make(name) for name in "abc"]) == 1
    assert boots.lives == []
    out = capsys.readouterr().out
    assert "FAIL     0.00 s  b: the hypervisor: ring 0 stopped while it ran" in out
    assert "the 1 images left run in a new boot" in out
    assert out.endswith("2 passed, 1 failed, 0 skipped\n")


def test_a_hypervisor_that_does_not_come_up_fails_them_all_and_is_tried_once(make, monkeypatch, capsys):
    boots = PlayedBoots(monkeypatch, 0)
    assert run_played([make("a"), make("b")]) == 1
    assert boots.lives == []
    out = capsys.readouterr().out
    assert out.count("the hypervisor: did not come up: ring 0 stopped") == 2
    assert out.endswith("0 passed, 2 failed, 0 skipped\n")


def test_a_pc_that_is_lost_while_it_tells_what_an_image_printed_leaves_its_verdict(make, capsys):
    class Lost:
        def output_of(self, name):
            raise PromptLost("ring 0 stopped")

    image = make("a")
    reporter = suite.Reporter([image])
    with pytest.raises(PromptLost):
        reporter.ended(image, End("stopped", words="the guest ended with exit code 3"), Lost())
    assert [row[0].name for row in reporter.rows] == ["a"]
    assert "FAIL" in capsys.readouterr().out


def test_all_passed_is_status_0(make, monkeypatch, capsys):
    PlayedBoots(monkeypatch, None)
    assert run_played([make("a"), make("b")]) == 0
    assert capsys.readouterr().out.endswith("2 passed, 0 failed, 0 skipped\n")


@pytest.mark.parametrize("words, message", [
    (["{folder}"], "has no image to run"), (["{folder}/nothing"], "is no folder"),
    (["{folder}", "--time-limit", "x"], "is no time limit"), ([], "DIR")])
def test_what_cannot_run_is_status_2(tmp_path, words, message):
    done = subprocess.run([sys.executable, SUITE / "suite.py", *[word.format(folder=tmp_path) for word in words]],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 2 and message in done.stderr
