"""Files of weights and of runs that are cut, of something else, or hide code."""

from __future__ import annotations

import io
import os
import pickle
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from leaderboards import store
from perf.campaign.case import Case
from perf.campaign.damage import Damage, cut, holding, put
from perf.campaign.finished import CHEAP, COHORT, copied, finished, main_teacher, record_of, unfinished
from perf.campaign.homes import words
from perf.campaign.refusals import EXECUTED, Malformed
from tests.support import student_bytes

State = dict[str, Tensor]


class Code:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {EXECUTED}",)


def saved(content: object, **options: Any) -> bytes:
    """Return what torch.save writes."""
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def changed(change: Callable[[State], object]) -> Damage:
    """Change the tensors of a safetensors file."""

    def damage(path: Path) -> None:
        state = safetensors.torch.load_file(path)
        change(state)
        safetensors.torch.save_file(state, path)

    return damage


def first(state: State) -> Tensor:
    """Return the first tensor of several weights."""
    return next(state[name] for name in sorted(state) if state[name].dim() > 1)


def renamed(state: State) -> None:
    """Give every tensor another name."""
    for name in list(state):
        state[f"{name}.other"] = state.pop(name)


def head(content: bytes) -> bytes:
    """Write the head of a safetensors file, whatever it says."""
    return struct.pack("<Q", len(content)) + content + bytes(64)


def empty_zip() -> bytes:
    """Return a zip archive of nothing."""
    file = io.BytesIO()
    zipfile.ZipFile(file, "w").close()
    return file.getvalue()


CHECKPOINTS: dict[str, Damage] = {
    "of zero bytes": holding(b""),
    "cut in the middle": cut(0.5),
    "cut in its head": cut(0.001),
    "that is a text": holding(b"see the releases\n"),
    "whose head says 1 EB": holding(struct.pack("<Q", 1 << 60) + b"{}"),
    "whose head is no JSON": holding(head(b"{nothing")),
    "whose tensors lie outside": holding(head(b'{"a":{"dtype":"F32","shape":[9999],"data_offsets":[0,39996]}}')),
    "of another architecture": lambda path: path.write_bytes(
        student_bytes(finished(*COHORT), record_of(finished(*COHORT), "none"))
    ),
    "of other names": changed(renamed),
    "that lacks a tensor": changed(lambda state: state.pop(min(state))),
    "with a tensor of another shape": changed(lambda state: state.update({min(state): torch.zeros(3, 1, 4, 1, 5)})),
    "with a weight that is no number": changed(lambda state: first(state).view(-1)[0].fill_(float("nan"))),
    "with an infinite weight": changed(lambda state: first(state).view(-1)[3].fill_(float("inf"))),
    "of no tensors": holding(saved({})),
    "of an optimizer": holding(saved({"optimizer": {"state": {}}, "epoch": 3})),
    "cut, as torch.save writes it": holding(saved({"state_dict": {"a": torch.zeros(999)}})[:2000]),
    "that is an empty archive": holding(empty_zip()),
    "that hides code in a pickle": holding(pickle.dumps(Code(), protocol=4)),
    "that hides code in an old pickle": holding(pickle.dumps(Code(), protocol=0)),
    "that hides code in torch.save": holding(saved({"state_dict": {"a": torch.zeros(2)}, "x": Code()})),
    "that hides code in torch.save of before 1.6": holding(saved(Code(), _use_new_zipfile_serialization=False)),
    "that is a whole module": holding(saved(torch.nn.Linear(2, 2))),
}


def checkpoint(damage: Damage) -> Callable[[Path], list[str]]:
    """Give a damaged copy of a good teacher as a checkpoint."""

    def made(folder: Path) -> list[str]:
        file = folder / "teacher.safetensors"
        file.write_bytes((main_teacher(finished(*COHORT)) / file.name).read_bytes())
        damage(file)
        return words("home", CHEAP, "method=mgd", f"teacher.checkpoint={file.name}")

    return made


def turned_over(path: Path) -> None:
    """Turn over the last byte of a file."""
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 255]))


def kept(file: Callable[[Path], Path], damage: Damage) -> Callable[[Path], list[str]]:
    """Damage a file that the suite keeps, below a run that starts again."""

    def made(folder: Path) -> list[str]:
        home = copied(folder / "home", *COHORT)
        path = file(home)
        run = unfinished(home, "mgd")
        damage(path if path.is_absolute() else run / path)
        return words("home", *COHORT)

    return made


def in_teacher(name: str) -> Callable[[Path], Path]:
    """Name a file of the main teacher."""
    return lambda home: main_teacher(home) / name


def in_run(name: str) -> Callable[[Path], Path]:
    """Name a file of the run that starts again."""
    return lambda home: Path(name)


def trivial(home: Path) -> Path:
    """Name what is kept of trivial predictors."""
    return next((home / "trivial").glob("*.json"))


KEPT: dict[str, tuple[Callable[[Path], Path], Damage, str]] = {
    "a teacher's weights with a byte turned over": (
        in_teacher("teacher.safetensors"),
        turned_over,
        "teacher.safetensors",
    ),
    "a teacher's weights that are gone": (in_teacher("teacher.safetensors"), Path.unlink, "teacher.safetensors"),
    "what is known of a teacher, cut": (in_teacher("teacher.json"), cut(0.4), "teacher.json"),
    "what is known of a teacher, of zero bytes": (in_teacher("teacher.json"), holding(b""), "teacher.json"),
    "what is known of a teacher, a list": (in_teacher("teacher.json"), holding(b"[1]"), "teacher.json"),
    "what is known of a teacher, without its scores": (
        in_teacher("teacher.json"),
        put(metrics=...),
        "teacher.json",
    ),
    "scores of trivial predictors, cut": (trivial, cut(0.5), "trivial"),
    "scores of trivial predictors, a list": (trivial, holding(b"[]"), "trivial"),
    "a resume state, cut": (
        in_run("resume.pt"),
        holding(saved({"step": 1, "a": torch.zeros(999)})[:2000]),
        "resume.pt",
    ),
    "a resume state that hides code": (in_run("resume.pt"), holding(saved({"layout": 4, "x": Code()})), "resume.pt"),
    "a resume state that is a list": (in_run("resume.pt"), holding(saved([1])), "resume.pt"),
    "a resume state of something else": (in_run("resume.pt"), holding(saved({"layout": 4, "step": 2})), "resume.pt"),
}


def student(damage: Damage, command: str) -> Callable[[Path], list[str]]:
    """Damage a trained student, and have its record's command meet it."""

    def made(folder: Path) -> list[str]:
        home = copied(folder / "home", *COHORT)
        record = record_of(home, "mgd")
        damage(home / str(record.artifacts.student))
        file = f"home/{store.RECORDS}/{record.run_id}.json"
        return ["export", file] if command == "export" else ["leaderboard", command, file]

    return made


STUDENTS: dict[str, Damage] = {
    "with a byte turned over": turned_over,
    "that is gone": Path.unlink,
    "that hides code": holding(pickle.dumps(Code(), protocol=4)),
}


def cases(chance: random.Random) -> Iterator[Case]:
    """Yield every damage, in a drawn order."""
    found = [
        Malformed(f"a checkpoint {name}", checkpoint(damage), ["teacher.safetensors"])
        for name, damage in CHECKPOINTS.items()
    ]
    found += [Malformed(name, kept(file, damage), [said]) for name, (file, damage, said) in KEPT.items()]
    found += [
        Malformed(f"a student {name}, {command}", student(damage, command), ["student.safetensors"])
        for name, damage in STUDENTS.items()
        for command in ("verify", "export")
    ]
    for each in chance.sample(found, len(found)):
        yield each.case()
