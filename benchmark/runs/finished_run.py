"""A finished run, from its record: the task, the data and the student that it names, built again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from benchmark.config import catalog, compose
from benchmark.config.schema import Config, EvaluationConfig, check_words, data_schema, options_schema
from benchmark.runs.identity import REVISION, source_of
from benchmark.training.deployed import rebuilt
from benchmark.training.problem import build_dataset
from leaderboards import attachments, store
from leaderboards.errors import RecordError
from leaderboards.record import Record
from leaderboards.values import sha256_of
from tasks.base import Info, NetworkSpec, Task, datasets, networks, tasks
from tasks.errors import InputError, first_line
from tasks.networks.weights import load_weights
from tasks.registry import NAME

FACTS = ("revision", "task", "data", "labeled", "numerics", "student")  # see benchmark.runs.identity
KEYS = ("data.root", "device", "files")  # what a record cannot know of the machine it is read on


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """Say of whatever a record's configuration leads to that it is this record's."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(
            f"{path}: provenance.config is not that of a run of this suite ({type(error).__name__}: "
            f"{first_line(error)}); take the record as its run wrote it"
        ) from error


@dataclass(frozen=True)
class Stored:
    """A record that ran to its end, and its file."""

    record: Record
    path: Path

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the run id is the hash of."""
        return self.record.provenance.config

    @property
    def student_file(self) -> Path:
        """The trained student, whose hash has been checked."""
        return attachments.home(self.path) / str(self.record.artifacts.student)

    @property
    def spec(self) -> NetworkSpec:
        """The student's architecture; first weights matter only where the architecture comes with them."""
        with understood(self.path):
            facts = dict(self.facts["student"])
            first = str(facts.pop("weights") or "")
            for place in ("source", "folder"):
                facts.pop(place, None)
            if (network := facts.get("network")) is not None and network not in networks:
                raise ValueError(f"network '{network}' is not registered here")
            return NetworkSpec(**facts, weights=first if first.startswith("hub:") else None)

    def config(self, words: Sequence[str]) -> Config:
        """Compose the configuration of the run, as far as it says what is predicted on what and by which network.

        Raises InputError for words other than these, and ``files`` with the classes that came from single files.
        """
        for word in words:
            if word.partition("=")[0] not in KEYS:
                raise InputError(f"'{word}': the record says all but where the data lies; expected {', '.join(KEYS)}")
        with understood(self.path):
            return self._config(words)

    def _config(self, words: Sequence[str]) -> Config:
        facts, task, data = self.facts, dict(self.facts["task"]), dict(self.facts["data"])
        for part in (task, data):  # a word of the command line could name a file, whose code would run
            if not NAME.fullmatch(part["name"]):
                raise ValueError(f"'{part['name']}' is no name of a task or dataset")
        task.pop("source", None)
        data.pop("manifest", None)
        data.pop("source", None)
        made = compose.load([f"task={task['name']}", f"data={data['name']}", *words])
        made.task, made.data = made.task | task, made.data | data | {"labeled": self._labeled()}
        made.student = self.spec
        numerics = facts["numerics"]
        made.precision, made.channels_last = numerics["precision"], numerics["channels_last"]
        made.tf32, made.deterministic = numerics.get("tf32", False), numerics.get("deterministic", False)
        made.seed = self.record.seed
        made.evaluation = EvaluationConfig(**facts.get("evaluation", {}))
        check_words(made)
        check_words(options_schema(tasks[task["name"]], name=task["name"])(**made.task), "task.")
        check_words(data_schema(datasets[data["name"]])(**made.data), "data.")
        return made

    def _labeled(self) -> str:
        """The labelled part as ``data.labeled`` names it; of a list only the name is known: all images, then."""
        kind, _, rest = self.facts["labeled"]["name"].partition("-")
        return rest if kind == "seeded" else "1"

    def task(self, words: Sequence[str]) -> Task:
        """Build the task; the data is opened only where the dataset's classes stand in its files."""
        made = self.config(words)
        with understood(self.path):
            return self._task(made)

    def _task(self, made: Config) -> Task:
        cls, chosen = tasks[made.task["name"]], {key: value for key, value in made.task.items() if key != "name"}
        info: Info = getattr(datasets[made.data["name"]], "info", None) or build_dataset(made.data).info
        task: Task = cls(info, **chosen)
        return task

    def load(self, student: nn.Module, task: Task, size: tuple[int, int]) -> nn.Module:
        """Fill a network of the student's architecture, and what its method deploys behind it, with the stored weights.

        Raises InputError where they do not fit.
        """
        method = self.record.method
        network = rebuilt(student, task, size, method.name, method.options)
        load_weights(network, self.student_file)
        return network

    def check_code(self) -> None:
        """Raise RecordError where this installation computes another thing than the one that made the record."""
        revision, source = self.facts["revision"], self.facts["task"].get("source", "")
        if revision != REVISION:
            raise RecordError(
                f"{self.path}: made by revision {revision} of the suite, this one is revision {REVISION}; install the "
                f"version that made it (densedistill {self.record.method.version or 'unknown'})"
            )
        here = source_of(tasks, self.record.task.name)
        if source != here:
            raise RecordError(
                f"{self.path}: task '{self.record.task.name}' is another one here: expected source "
                f"{source or 'built in'}, found {here or 'built in'}; install the plugin that made the record"
            )


def open_stored(path: str | Path) -> Stored:
    """Read the record of a finished run and check its student's hash.

    Raises RecordError naming what is missing, or expected and found.
    """
    catalog.load()
    path = Path(path)
    record = store.read_one(path)
    stored = Stored(record, path)
    if record.status != "ok":
        raise RecordError(f"{path}: the run is {record.status}, expected ok; run it to its end first")
    if missing := [name for name in FACTS if name not in record.provenance.config]:
        raise RecordError(f"{path}: provenance.config lacks {', '.join(missing)}; a run of this suite writes them")
    if record.artifacts.student is None or not stored.student_file.is_file():
        where = stored.student_file if record.artifacts.student else "artifacts.student is null"
        raise RecordError(f"{path}: there is no student: {where}; keep records/ and runs/ side by side")
    actual, expected = sha256_of(stored.student_file), record.provenance.student_sha256
    if actual != expected:
        raise RecordError(
            f"{stored.student_file}: expected sha256 {expected}, found {actual}; not the recorded student"
        )
    return stored
