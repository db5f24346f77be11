"""The mutants' patches fit the source as it is; that the tests notice them is `./dev mutants`' business."""
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/mutants"))
import run as mutants

PATCHES = sorted((ROOT / "tests/mutants").glob("*.patch"))


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_mutant_can_be_made(patch):
    mutant = mutants.Mutant(patch)
    assert mutant.units or mutant.system
    subprocess.run(["git", "apply", "--check", *mutants.APPLY, str(patch)], cwd=ROOT, check=True)
