"""tools/fuzz.py with targets that a shell plays: what is run, what a finding and a target that stands still become."""
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import fuzz


def target(folder, name, body):
    path = folder / name
    path.write_text(f"#!/bin/sh\necho \"$@\" >>{folder}/{name}.words\n{body}\n")
    path.chmod(0o755)
    return path


def test_each_target_runs_for_its_time_with_a_corpus_of_its_own(tmp_path):
    programs = [target(tmp_path, f"fuzz_{name}", "exit 0") for name in "ab"]
    done = subprocess.run([sys.executable, ROOT / "tools/fuzz.py", "--seconds", "7", "--folder", tmp_path, *programs],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.endswith("2 targets found nothing, 0 failed\n")
    for name in ("fuzz_a", "fuzz_b"):
        words = (tmp_path / f"{name}.words").read_text()
        assert "-max_total_time=7" in words and words.endswith(f"corpus/{name}\n") and (tmp_path / "corpus" / name).is_dir()


def test_a_finding_is_told_and_is_status_1(tmp_path):
    programs = [target(tmp_path, "fuzz_good", "exit 0"), target(tmp_path, "fuzz_bad", "echo SUMMARY: overflow; exit 77")]
    done = subprocess.run([sys.executable, ROOT / "tools/fuzz.py", "--folder", tmp_path, *programs], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    assert done.returncode == 1
    assert "fuzz_bad: ended with status 77" in done.stdout and "SUMMARY: overflow" in done.stdout
    assert done.stdout.endswith("1 targets found nothing, 1 failed\n")


def test_a_fixed_number_of_executions_is_the_same_each_time(tmp_path):
    program = target(tmp_path, "fuzz_a", "exit 0")
    (result,) = fuzz.run_all([program], tmp_path, 60, executions=1000)
    assert result[:2] == ("fuzz_a", 0)
    words = (tmp_path / "fuzz_a.words").read_text()
    assert "-runs=1000 -seed=1" in words and "corpus" not in words


def test_a_target_that_stands_still_is_ended(tmp_path):
    (result,) = fuzz.run_all([target(tmp_path, "fuzz_a", "exec sleep 100")], tmp_path, 1, executions=1)
    assert result[1] is None
