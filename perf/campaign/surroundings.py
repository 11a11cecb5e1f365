"""Clocks, languages, time zones and folders that are not ours: in fresh processes, which read them as they start."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from benchmark.training import cost
from perf.campaign.case import Case, require
from perf.campaign.finished import COHORT, finished
from perf.campaign.homes import require_same, settled, with_an_earlier_run, words
from perf.campaign.moments import cache_of
from perf.campaign.process import PATIENCE, Outcome
from tasks.data.cache import ROOT

PROJECT = Path(__file__).parents[2]
NOBODY = 65_533  # a user that no system has a name or a home for
READS = "-all,+dac_read_search"  # may read, but not write, what is not its own: Python may lie in a closed folder
AS_NOBODY = (
    *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
    *(f"--inh-caps={READS}", f"--ambient-caps={READS}"),
)
CLOCK = """
import datetime, itertools, time
jumps = itertools.cycle((0, -86_400, 7_200, -40_000_000, 3_600))
real, kind = time.time, datetime.datetime
time.time = lambda: real() + next(jumps)
class Jumping(kind):
    @classmethod
    def now(cls, tz=None):
        return kind.fromtimestamp(time.time(), tz)
datetime.datetime = Jumping
"""
COMMAS = "import locale; locale.setlocale(locale.LC_ALL, ''); assert locale.localeconv()['decimal_point'] == ','\n"
SHORT = "from benchmark.training import cost; cost.REPEATS = {}\nfrom benchmark.cli import main\nmain()\n"


def cases(chance: random.Random) -> Iterator[Case]:
    """Yield surroundings."""
    yield Case("a clock that jumps back and forth", partial(_run, prelude=CLOCK))
    yield Case("texts in ASCII", partial(_run, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"))
    yield Case("a locale with decimal commas", _with_commas)
    yield Case("a time zone ahead by 14 hours", partial(_run, TZ="Pacific/Kiritimati"))
    yield Case("no HOME, and a user without a name", partial(_run, nobody=True))
    yield Case("no write access to the package, nor to the folder", partial(_run, nobody=True, closed=True))
    yield Case("a path with spaces and other scripts", partial(_run, name="läufe für 実験 (1) [a]=b, 'c'"))
    yield Case("a home that is a link", partial(_run, link=True))


def _run(
    folder: Path,
    prelude: str = "",
    name: str = "home",
    nobody: bool = False,
    closed: bool = False,
    link: bool = False,
    **environment: str,
) -> None:
    """Run a command in a process of its own, and hold its home against one of usual surroundings."""
    whole = settled(finished(*COHORT))
    home = with_an_earlier_run(folder / name)
    if link:
        home = home.rename(folder / "elsewhere")
        (folder / name).symlink_to(home)
    shared = cache_of(folder)
    Path(shared[ROOT]).mkdir()
    if nobody and os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    place = folder
    if closed:
        place = folder / "closed"
        place.mkdir()
        place.chmod(0o555)
    word = words(home if closed else name, *COHORT)
    outcome = _fresh(word, place, prelude, nobody, {**shared, **environment})
    require(outcome.code == 0, f"exit code {outcome.code}: {outcome.tail}")
    require_same(home, whole)
    if link:
        shutil.rmtree(home)


def _with_commas(folder: Path) -> None:
    """Make a German locale, which need not be installed, and have the process of the command take it on."""
    german = "de_DE.UTF-8"
    subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", folder / german], check=True, capture_output=True)
    _run(folder, prelude=COMMAS, LOCPATH=str(folder), LC_ALL=german, LANG=german, LANGUAGE="de")


def _fresh(word: list[str], folder: Path, prelude: str, nobody: bool, environment: Mapping[str, str]) -> Outcome:
    """Run a command as a shell would."""
    kept = {key: value for key, value in os.environ.items() if not (nobody and key in ("HOME", "USER", "LOGNAME"))}
    short = SHORT.format(cost.REPEATS)
    done = subprocess.run(
        [*(AS_NOBODY if nobody and os.geteuid() == 0 else ()), sys.executable, "-c", prelude + short, *word],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(PROJECT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=PATIENCE,
        check=False,
    )
    return Outcome(done.returncode, done.stdout.decode(errors="replace"))
