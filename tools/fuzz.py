#!/usr/bin/env python3
"""Runs fuzz targets (tests/fuzz), as many at once as there are CPUs: each for a time (`make fuzz`), or a fixed number of executions
from a fixed seed, which are the same each time (tools/run_tests.py).

Owns where inputs go: BUILD/fuzz/corpus/TARGET keeps what `make fuzz` found new and begins with next time, BUILD/fuzz/findings what
ended a target. Exit status 1 where there was one.
"""
import argparse
import concurrent.futures
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
ENDING_SECONDS = 120     # more than its time, for one that stands still
TAIL_CHARACTERS = 4000


def end_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def words_for(program, folder, seconds=None, executions=None):
    """The command line of one target."""
    words = [str(program.resolve()), "-verbosity=0", "-print_final_stats=0",
             f"-artifact_prefix={folder / 'findings'}/{program.name}-"]
    if executions:
        return words + [f"-runs={executions}", "-seed=1"]
    corpus = folder / "corpus" / program.name
    corpus.mkdir(parents=True, exist_ok=True)
    return words + [f"-max_total_time={seconds}", str(corpus)]


def run(program, folder, bound, **how):
    """(target, its exit status or None where it did not end, its output, seconds)."""
    started = time.monotonic()
    process = subprocess.Popen(words_for(program, folder, **how), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace", cwd=folder, preexec_fn=end_with_parent)
    try:
        output, status = process.communicate(timeout=bound)[0], process.returncode
    except subprocess.TimeoutExpired:
        process.kill()
        output, status = process.communicate()[0], None
    return program.name, status, output, time.monotonic() - started


def run_all(programs, folder, bound, **how):
    """Results as they come."""
    folder = folder.resolve()
    (folder / "findings").mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        waiting = [pool.submit(run, program, folder, bound, **how) for program in programs]
        for done in concurrent.futures.as_completed(waiting):
            yield done.result()


def main():
    parser = argparse.ArgumentParser(description="Runs fuzz targets, each for so many seconds.")
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--folder", type=Path, default=Path("build/fuzz"))
    parser.add_argument("programs", type=Path, nargs="+")
    arguments = parser.parse_args()
    failed = 0
    for name, status, output, seconds in run_all(arguments.programs, arguments.folder, arguments.seconds + ENDING_SECONDS,
                                                 seconds=arguments.seconds):
        failed += status != 0
        words = "found nothing" if status == 0 else f"ended with status {status}; the input is in {arguments.folder}/findings"
        print(f"{seconds:8.0f} s  {name}: {words}", flush=True)
        if status != 0:
            print(output[-TAIL_CHARACTERS:], flush=True)
    print(f"{len(arguments.programs) - failed} targets found nothing, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
