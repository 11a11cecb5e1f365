"""Words of a command that make no sense."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from perf.campaign.case import Case
from perf.campaign.homes import words
from perf.campaign.refusals import Malformed

WRONG = {  # the word -> what the message must name
    "recipe.steps=abc": "recipe.steps",
    "recipe.steps=0": "recipe.steps",
    "recipe.steps=-3": "recipe.steps",
    "recipe.steps=2.5": "recipe.steps",
    "recipe.batch=0": "recipe.batch",
    "recipe.batch=-2": "recipe.batch",
    "recipe.lr=nan": "recipe.lr",
    "recipe.lr=-1": "recipe.lr",
    "recipe.lr=inf": "recipe.lr",
    "recipe.warmup=-5": "recipe.warmup",
    "recipe.ema=1.5": "recipe.ema",
    "recipe.clip=-1": "recipe.clip",
    "recipe.flip=3": "recipe.flip",
    "recipe.scale=[2,1]": "recipe.scale",
    "recipe.scale=[0,0]": "recipe.scale",
    "recipe.scale=[1]": "recipe.scale",
    "recipe.crop=[0,0]": "recipe.crop",
    "recipe.crop=[32]": "recipe.crop",
    "recipe.crop=[-32,32]": "recipe.crop",
    "recipe.jitter=-1": "recipe.jitter",
    "recipe.momentum=7": "recipe.momentum",
    "recipe.weight_decay=-1": "recipe.weight_decay",
    "recipe.validations=0": "recipe.validations",
    "recipe.optimizer=adan": "recipe.optimizer",
    "recipe.schedule=linear": "recipe.schedule",
    "recipe.selection=first": "recipe.selection",
    "recipe.drops=[5]": "recipe.drops",
    "teacher.recipe.steps=-1": "teacher.recipe.steps",
    "teacher.recipe.batch=0": "teacher.recipe.batch",
    "teacher.seeds=0": "teacher.seeds",
    "teacher.checkpoint=no/such.pth": "no/such.pth",
    "teacher.weights=somewhere": "teacher.weights",
    "teacher.control=none": "teacher.control",
    "data.size=0": "data.size",
    "data.size=-32": "data.size",
    "data.size=[32]": "data.size",
    "data.size=[0,32]": "data.size",
    "data.size=large": "data.size",
    "data.train=0": "data.train",
    "data.train=-4": "data.train",
    "data.test=0": "data.test",
    "data.labeled=0": "data.labeled",
    "data.labeled=1/0": "data.labeled",
    "data.labeled=-1/2": "data.labeled",
    "data.labeled=3": "data.labeled",
    "data.labeled=some": "data.labeled",
    "data.cache=tape": "data.cache",
    "data.tuning_split=2": "data.tuning_split",
    "data.tuning_split=much": "data.tuning_split",
    "seed=-1": "seed",
    "seed=1.5": "seed",
    "seed=99999999999999999999999999": "seed",
    "workers=-1": "workers",
    "workers=many": "workers",
    "device=gpu": "device",
    "device=cuda:99": "device",
    "precision=64": "precision",
    "save_every=-1": "save_every",
    "save_every=nan": "save_every",
    "method=[]": "method",
    "method=mgdd": "mgdd",
    "method=./no_such.py:Method": "no_such.py",
    "methods.mgd.no_such=1": "no_such",
    "task=segg": "segg",
    "task=../seg": "seg",
    "data=sceness": "sceness",
    "protocol=fast": "fast",
    "experiment=none": "none",
    "tuning=no/such/folder": "no/such/folder",
    "student.encoder=resnet1999": "resnet1999",
    "student.decoder=nothing": "nothing",
    "student.weights=imagenett": "imagenett",
    "evaluation.window=[0,0]": "evaluation.window",
    "evaluation.overlap=1": "evaluation.overlap",
    "evaluation.batch=0": "evaluation.batch",
    "home=": "home",
    "home=taken": "taken",
    "no_such_key=1": "no_such_key",
    "+no_such_key=1": "no_such_key",
    "recipe": "recipe",
    "recipe.steps": "recipe.steps",
    "=3": "=3",
    'home="open': "home",
    "recipe.steps=[1": "recipe.steps",
    "recipe.steps=${recipe.batch}x": "recipe.steps",
    "home=${oc.env:NO_SUCH_VARIABLE}": "NO_SUCH_VARIABLE",
    "recipe.steps=null": "recipe.steps",
}


def met(word: str) -> Malformed:
    """Return the case of one word."""

    def write(folder: Path) -> list[str]:
        (folder / "taken").write_text("a file")
        usual = words("home", "method=none")
        return [*usual[:-1], word] if word.startswith("home=") else [*usual, word]

    return Malformed(word, write, [WRONG[word]])


def cases(chance: random.Random) -> Iterator[Case]:
    """Yield every word, in a drawn order."""
    for word in chance.sample(list(WRONG), len(WRONG)):
        yield met(word).case()
