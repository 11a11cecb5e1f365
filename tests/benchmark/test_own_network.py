"""A user's network, from a file, as student and as teacher."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmark.config import compose
from tasks.datasets.scenes import Scenes
from tests.benchmark.test_cli import command
from tests.support import tiny_run

pytestmark = pytest.mark.usefixtures("registries")

SOURCE = '''
from torch import nn


class MyNet(nn.Module):
    """Three stages and a map."""

    def __init__(self, channels, *, width: int = 8):
        super().__init__()
        self.one, self.two = nn.Conv2d(3, width, 3, 2, 1), nn.Conv2d(width, 2 * width, 3, 2, 1)
        self.three, self.head = nn.Conv2d(2 * width, 2 * width, 3, 2, 1), nn.Conv2d(2 * width, channels, 1)

    def forward(self, image):
        return self.head(self.three(self.two(self.one(image).relu()).relu()).relu())
'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with one network."""
    path = tmp_path / "my_net.py"
    path.write_text(SOURCE)
    return path


def test_words_choose_it(file: Path) -> None:
    """As student with its options; as the one teacher, which keeps the task's recipe for teachers."""
    config = compose.load(["task=depth", f"student={file}:MyNet", "student.options.width=4", f"teacher={file}:MyNet"])
    assert (config.student.network, config.student.options) == ("my_net", {"width": 4})
    assert {name: spec.network for name, spec in config.teacher.networks.items()} == {"my_net": "my_net"}
    assert config.teacher.recipe == compose.load(["task=depth"]).teacher.recipe


def test_it_runs_as_student_and_teacher(file: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The record names it, the same command finds it finished, and another content of the file is another run."""
    words = [
        "task=seg",
        f"student={file}:MyNet",
        f"teacher={file}:MyNet",
        "method=[pixel,skt]",
        "student.options.width=4",
    ]
    first = tiny_run(home, *words)
    assert [record.status for record in first] == ["ok"] * len(first)
    assert {(record.student.decoder, record.teachers[0].decoder) for record in first} == {("my_net", "my_net")}
    assert first[0].student.options["network"] == {"width": 4}
    again = tiny_run(home, *words)
    assert [record.run_id for record in again] == [record.run_id for record in first]
    file.write_text(SOURCE.replace("Three stages", "Three small stages"))
    changed = tiny_run(home, *words)
    assert {record.run_id for record in changed}.isdisjoint(record.run_id for record in first)


def test_it_is_checked(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("check", f"student={file}:MyNet", "task=seg", "method=pixel") == 0
    printed = capsys.readouterr().out
    assert "network my_net on seg:" in printed
    assert "network my_net on seg with method pixel:" in printed


def test_a_name_that_a_preset_has_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "resnet18.py"
    path.write_text(SOURCE)
    assert command("run", f"student={path}:MyNet") == 2
    assert (
        "student=resnet18 or teacher=resnet18 means something else; give network 'resnet18' another name"
        in capsys.readouterr().err
    )


TORCHVISION = '''
from torch import nn
from torchvision.models.segmentation import lraspp_mobilenet_v3_large


class Small(nn.Module):
    """LR-ASPP on MobileNetV3, as torchvision has it."""

    def __init__(self, channels):
        super().__init__()
        self.net = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=channels)

    def forward(self, image):
        return self.net(image)["out"]
'''


@pytest.mark.slow  # a ResNet-50 is the teacher
def test_torchvisions_networks_teach_and_learn_in_one_command(tmp_path: Path) -> None:
    """The teacher from the file that a training loop on several cards left, auxiliary head and all."""
    from torchvision.models.segmentation import fcn_resnet50

    (tmp_path / "small.py").write_text(TORCHVISION)
    classes = len(Scenes(size=64, train=1, val=1, test=1).info.classes)
    model = fcn_resnet50(weights=None, weights_backbone=None, num_classes=classes, aux_loss=True)
    state = {f"module.{name}": tensor for name, tensor in model.state_dict().items()}
    torch.save({"model": state, "epoch": 3}, tmp_path / "fcn.pth")
    records = tiny_run(
        tmp_path / "runs",
        "task=seg",
        "method=[pixel,cwd,structured,skt]",
        f"student={tmp_path / 'small.py'}:Small",
        "teacher=torchvision",
        "teacher.networks.torchvision.options.name=fcn_resnet50",
        f"teacher.checkpoint={tmp_path / 'fcn.pth'}",
    )
    assert {record.method.name: record.status for record in records} == dict.fromkeys(
        ("pixel", "cwd", "structured", "skt"), "ok"
    )
    assert records[0].teachers[0].decoder == "torchvision"
    assert records[0].teachers[0].steps is None
