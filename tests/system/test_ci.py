""".ci/run itself, with a ./dev that is played: its result, and that its limit ends all that runs."""
import os
import re
import shutil
import subprocess
import time

import harness

SECONDS = 120


def start_ci(folder, dev, **environment):
    """A copy of .ci/run beside a ./dev of our own."""
    (folder / ".ci").mkdir()
    shutil.copy(harness.ROOT / ".ci/run", folder / ".ci/run")
    (folder / "dev").write_text(f"#!/bin/sh\n{dev}\n")
    (folder / "dev").chmod(0o755)
    return subprocess.Popen(["bash", ".ci/run"], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment})


def run_ci(folder, dev, **environment):
    """Its status and output."""
    process = start_ci(folder, dev, **environment)
    output = process.communicate(timeout=SECONDS)[0]
    return process.returncode, output


def number_of(line):
    return re.search(r"^number (\d+)$", line, re.MULTILINE).group(1)


def test_ci_passes_on_what_dev_says(tmp_path):
    status, output = run_ci(tmp_path, 'echo "$* in CI=$CI"; echo "3 passed, 0 failed, 0 skipped"')
    assert status == 0
    assert "test --all in CI=true" in output
    assert output.splitlines()[-1] == "3 passed, 0 failed, 0 skipped"


def test_ci_fails_when_dev_does(tmp_path):
    status, output = run_ci(tmp_path, 'case $1 in test) echo "2 passed, 1 failed, 0 skipped"; exit 1 ;; esac')
    assert status == 1
    assert output.splitlines()[-1] == "2 passed, 1 failed, 0 skipped"


def test_ci_ends_itself_and_all_that_runs_at_its_limit(tmp_path):
    started = time.monotonic()
    status, output = run_ci(tmp_path, "case $1 in test) echo number $$; sleep 1000; sleep 1000 ;; esac",
                            BULKHEAD_CI_SECONDS="2")
    assert status not in (0, None)
    assert time.monotonic() - started < SECONDS
    assert "CI: the limit of 2 s is over; running was: ./dev test --all" in output
    assert not os.path.exists(f"/proc/{number_of(output)}")


def test_ci_that_is_ended_ends_all_that_runs(tmp_path):
    process = start_ci(tmp_path, "case $1 in test) echo number $$; sleep 1000; sleep 1000 ;; esac")
    line = next(line for line in process.stdout if line.startswith("number "))
    started = time.monotonic()
    process.terminate()
    process.communicate(timeout=SECONDS)
    assert process.returncode == 143
    assert time.monotonic() - started < SECONDS
    assert not os.path.exists(f"/proc/{number_of(line)}")
