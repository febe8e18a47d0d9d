"""What slopes of a schedule cost: in reverse mode, and by differences of runs; processor seconds.

python benchmarks/schedule_slopes.py [PATIENTS]
"""

import sys
import time
from collections.abc import Callable

from ketasim.config.schedules import load_schedule
from ketasim.engines.contract import Settings
from ketasim.studies.schedules import slopes
from ketasim.studies.schedules.runs import Runs

REPEATS = 3


def spent(work: Callable[[], object]) -> float:
    """Return the least processor time of several goes [s]; the first, which compiles, is left."""
    work()
    found = []
    for _ in range(REPEATS):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def main() -> None:
    patients = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    problem = load_schedule("iv_eight_weeks", sets=[f"cohort.patients={patients}"]).problem
    plan = problem.plans[0]
    runs = Runs(problem, plan, problem.cohort, Settings("ensemble", threads=1))
    point = 0.9 * plan.guess + 0.05
    found = runs.at(point[None, :])
    goal, counts = problem.objectives[0], found.counts[0, 0]
    limits = range(2, runs.n_outputs)
    rows = {
        "values of all goals": lambda: runs.at(point[None, :]),
        "slopes of the wish, reverse mode": lambda: slopes.by_reverse(runs, point, goal, counts),
        "slopes of the wish, differences": lambda: slopes.by_differences(runs, point, found, [0]),
        "slopes of limits, who count in them": lambda: slopes.by_differences(
            runs, point, found, limits
        ),
    }
    print(f"{patients} patients, {len(plan.variables)} free numbers, one thread")
    for name, work in rows.items():
        print(f"{name:40s} {spent(work):8.3f} s")


if __name__ == "__main__":
    main()
