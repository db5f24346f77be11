"""What the simulator printed, as words of the bench table's note."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tools"))
import bench_schedule  # noqa: E402

PRINTED = """\
sched_reserved_periods 1000000 count
sched_reserved_misses 3 count
sched_reserved_lateness_max_ticks 993000 ticks
sched_reserved_margin_min_ticks 15601100 ticks
"""


def test_the_figure_is_told_by_its_own_name_with_what_it_rests_on():
    words = bench_schedule.parse_simulated(PRINTED, "sched_reserved_lateness_max_ticks")
    assert words == "simulated: 993000, sched_reserved_periods 1000000, sched_reserved_misses 3"


def test_a_figure_that_is_not_there_is_no_figure():
    with pytest.raises(KeyError):
        bench_schedule.parse_simulated(PRINTED, "sched_wakeup_p99_ticks")


def test_every_figure_of_the_emulator_has_one_of_the_simulator():
    assert bench_schedule.SIMULATED.keys() == bench_schedule.FIGURES.keys()
