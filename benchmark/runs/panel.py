"""The panel: the same validation images as input, truth and prediction of teacher, control and student."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from benchmark.runs.planned_runs import Contestant
from benchmark.runs.teachers import Teacher
from benchmark.training.deployed import rebuilt
from benchmark.training.problem import Problem
from benchmark.training.randomness import Randomness
from benchmark.training.step import arrived, predict
from leaderboards.atomic import atomic_write
from tasks.base import Batch
from tasks.data.clips import frames
from tasks.data.loader import ordered
from tasks.data.resize import resize_sample, target_size
from tasks.data.sheet import lay_out
from tasks.drawing import encode_png
from tasks.networks.weights import load_weights

ROWS = 4
TILE = 192  # shorter side of a tile, pixels


def draw_panels(
    problem: Problem, teachers: Mapping[str, Teacher], contestants: Sequence[Contestant], files: Sequence[Path]
) -> None:
    """Draw one picture of what the students of finished runs predict, into some files."""
    networks = {f"teacher ({name})": teacher.network for name, teacher in teachers.items()}
    blank = problem.build_network(problem.config.student, Randomness(problem.config.seed))
    for contestant in contestants:
        options = problem.config.methods.get(contestant.name, {})
        network = rebuilt(copy.deepcopy(blank), problem.task, problem.first_size, contestant.name, options)
        load_weights(network, contestant.student_file)
        networks["student alone" if contestant.method.control else f"student, {contestant.name}"] = network
    picture = encode_png(draw_panel(problem, networks))
    for file in files:
        atomic_write(file, picture)


def draw_panel(problem: Problem, networks: Mapping[str, nn.Module]) -> Image.Image:
    """Draw a row a validation image: the image, the truth, and the prediction of each network."""
    count = len(problem.dataset.ids("val"))
    chosen = sorted({round(position) for position in np.linspace(0, count - 1, min(ROWS, count))})
    rows = []
    for images, samples in ordered(problem.dataset, "val", problem.size, 1, chosen):
        sample = resize_sample(samples[0], target_size(samples[0].image, TILE))  # so that text has room
        newest = frames(sample.image)[0]
        truth = problem.task.picture(problem.task.truth(sample), newest)
        predicted = [_prediction(problem, network, images, newest) for network in networks.values()]
        rows.append([newest, truth, *predicted])
    return lay_out(rows, ["image", "ground truth", *networks])


def _prediction(problem: Problem, network: nn.Module, images: torch.Tensor, image: np.ndarray) -> np.ndarray:
    network.eval()
    batch = arrived(Batch.whole("panel", images), problem.fabric)
    with torch.no_grad():
        prediction = predict(network, batch, problem.fabric)
    return problem.task.picture(problem.task.decode(prediction, 0, (image.shape[0], image.shape[1])), image)
