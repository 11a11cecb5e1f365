from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.config import compose, plugin_configs, protocols
from benchmark.config.schema import Protocol
from tasks.base import tasks
from tasks.datasets.scenes import Scenes
from tasks.errors import InputError
from tasks.networks.build import build_network
from tests.support import built_in

NAMES = sorted(protocols.files())


@pytest.mark.parametrize("task", built_in(tasks))
@pytest.mark.parametrize("name", NAMES)
def test_every_protocol_serves_every_task_and_a_run_of_it_bears_its_name(name: str, task: str) -> None:
    config = compose.load([f"protocol={name}", f"task={task}", "seed=2"])
    assert list(protocols.changes(config)) == []
    assert protocols.name(config) == name


def test_quick_is_the_default_and_proves_nothing() -> None:
    config = compose.load([])
    assert config.protocol.name == "quick"
    assert not config.protocol.proves
    assert compose.load(["protocol=standard"]).protocol.proves


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (["recipe.steps=7"], "recipe.steps"),
        (["student=mobilenetv2"], "student.encoder"),
        (["teacher.recipe.lr=1"], "teacher.recipe"),
        (["data.size=64"], "data.size"),
        (["data.labeled=1/3"], "data.labeled"),
        (["task.loss=ohem"], "task"),
        (["precision=bf16"], "precision"),
        (["recipe.factor=3"], "recipe.factor"),
        (["teacher.seed=9"], "teacher.seed"),
        (["teacher.seeds=2"], "teacher.seeds"),
        (["evaluation.flip=true"], "evaluation"),
        (["recipe.ema=0.9"], "recipe.ema"),
    ],
)
def test_a_changed_value_costs_the_name(words: list[str], key: str) -> None:
    config = compose.load(words)
    assert key in list(protocols.changes(config))
    assert protocols.name(config) == "custom (based on quick)"


@pytest.mark.parametrize(
    "words",
    [
        ["seed=3", "method=pixel", "methods.pixel.temperature=2"],
        ["teacher.control=self"],
        ["recipe.budget=time", "data.labeled=1/8", "recipe.factor=2", "protocol=standard"],
        ["data.cache=memory", "workers=0", "home=elsewhere"],
    ],
)
def test_what_a_protocol_leaves_open_does_not(words: list[str]) -> None:
    assert not protocols.name(compose.load(words)).startswith("custom")


def test_each_seed_has_its_teacher() -> None:
    pairs = {seed: compose.load(["protocol=standard", f"seed={seed}"]).teacher.seed for seed in range(5)}
    assert pairs == {0: 0, 1: 1, 2: 2, 3: 0, 4: 1}
    assert compose.load(["teacher.seed=5", "teacher.seeds=2", "seed=3"]).teacher.seed == 6


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that writes the protocol ``own``, as if a plugin brought it."""
    monkeypatch.setattr(plugin_configs, "folders", lambda group: [tmp_path])
    return lambda text: (tmp_path / "own.yaml").write_text(text) and None


def test_values_for_a_task_go_over_those_for_every_task_and_over_the_classes_own(write: Callable[[str], None]) -> None:
    write(
        "name: own\nevery: {recipe: {steps: 7, lr: 0.5}, data: {train: 12}}\n"
        "tasks: {depth: {recipe: {steps: 9}, student: {encoder_options: {channels: [8, 8, 8, 8]}}}}\n"
    )
    depth = protocols.fixed(protocols.read("own"), tasks["depth"])
    seg = protocols.fixed(protocols.read("own"), tasks["seg"])
    assert (depth.recipe.steps, depth.recipe.lr, seg.recipe.steps) == (9, 0.5, 7)
    assert list(depth.student.encoder_options.channels) == [8, 8, 8, 8]
    assert depth.student.encoder_options.stem_width == tasks["depth"].student.encoder_options["stem_width"]
    assert seg.data.train == 12
    assert seg.teacher.recipe.steps == tasks["seg"].teacher_recipe["steps"]


def test_a_protocol_that_names_another_decoder_leaves_the_options_of_the_one_below(
    write: Callable[[str], None],
) -> None:
    deep = "{decoder: unet, decoder_options: {decoder_channels: [8, 8, 8, 8, 8]}}"
    write(
        f"name: own\nevery: {{student: {{decoder: unet}}, teacher: {{networks: {{deep: {deep}}}}}}}\n"
        "tasks: {depth: {student: {decoder: fpn, decoder_options: {decoder_pyramid_channels: 24}}}}\n"
    )
    depth = protocols.fixed(protocols.read("own"), tasks["depth"])
    assert depth.student.decoder_options == {"decoder_pyramid_channels": 24}
    assert depth.teacher.networks.deep.decoder_options == {"decoder_channels": [8, 8, 8, 8, 8]}
    assert depth.teacher.networks.wide.decoder_options == tasks["depth"].teachers["wide"].decoder_options
    assert protocols.fixed(protocols.read("own"), tasks["seg"]).student.decoder_options == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: other\n", "name: expected 'own'"),
        ("name: own\nseed: [1]\n", "Key 'seed' not in 'Protocol'"),
        ("name: own\nevery: {recip: {steps: 3}}\n", "'recip': expected student, teacher, recipe, data; did you mean"),
    ],
)
def test_a_file_that_is_no_protocol_is_refused(write: Callable[[str], None], text: str, expected: str) -> None:
    write(text)
    with pytest.raises(InputError) as caught:
        protocols.read("own")
    assert expected in str(caught.value)


def test_a_value_that_does_not_fit_names_protocol_task_and_key() -> None:
    wrong = Protocol("own", every={"recipe": {"stebs": 3}})
    with pytest.raises(InputError, match=r"protocol own, task seg: recipe\.stebs"):
        protocols.fixed(wrong, tasks["seg"])


def test_a_protocol_is_changed_in_its_file_alone() -> None:
    with pytest.raises(InputError, match="protocol quick is fixed by its file"):
        compose.load(["protocol.seeds=[7]"])
    with pytest.raises(InputError, match="unknown protocol 'quik'; did you mean 'quick'"):
        compose.load(["protocol=quik"])


def test_a_decoder_takes_its_options_with_it() -> None:
    """Those that a protocol gives the feature pyramid mean nothing to another decoder; encoders stay as they are."""
    words = ["student.decoder=unet", "teacher.networks.deep.decoder=unet"]
    config = compose.load([*words, "+student.decoder_options.decoder_channels=[64,32,16,8,8]"])
    assert config.student.decoder_options == {"decoder_channels": [64, 32, 16, 8, 8]}
    assert config.teacher.networks["deep"].decoder_options == {}
    own = tasks["seg"]
    assert config.student.encoder_options.keys() == own.student.encoder_options.keys()
    assert config.teacher.networks["wide"].decoder_options == own.teachers["wide"].decoder_options
    build_network(own(Scenes.info), config.student, (64, 64))  # its builder takes all that is left
