"""Clips: a scene seen by a camera that drifts, in which a few things and people move by themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from tasks.datasets.rendering import scene as s
from tasks.datasets.rendering.layout import draw_scene

DRIFT = 0.12  # metres a frame, at most, along each axis of the ground; frames are about a fifth of a second apart
SPEED = (0.25, 0.6)  # metres a frame, of what moves
MOVERS = 3  # at most
WALKERS = 12  # people that are kept of a crowd
IN_VIEW = 0.4  # image widths from the middle: where a mover is in the middle of a clip
FIXED = (s.TREE, s.POLE)  # what never moves


@dataclass(frozen=True)
class Clip:
    """A scene at its middle frame, the camera's drift, and how each object and person moves.

    ``drift`` (2,) and ``velocity`` (2, things + people) are x and z in metres a frame; most velocities are zero.
    """

    scene: s.Scene
    drift: np.ndarray
    velocity: np.ndarray
    length: int

    def since(self, time: int) -> float:
        """How many frames after the middle of the clip a frame is."""
        return time - (self.length - 1) / 2

    def at(self, time: int) -> s.Scene:
        """Return the scene as the camera sees it at a frame, which may lie before the first one."""
        seen = self.velocity * self.since(time) - self.drift[:, None] * self.since(time)
        things = tuple(_moved(thing, x, z) for thing, (x, z) in zip(self.scene.things, seen.T.tolist(), strict=False))
        steps = seen[:, len(things) :].T.tolist()
        people = tuple(
            replace(person, x=person.x + x, z=person.z + z)
            for person, (x, z) in zip(self.scene.people, steps, strict=True)
        )
        ground = self.drift[:, None] * self.since(time)
        return replace(self.scene, things=things, people=people, anchors=np.concatenate([ground, -seen], axis=1))

    def speeds(self, time: int) -> np.ndarray:
        """How far each object and person went in the image since the frame before, by moving itself, (things + people).

        In image widths: the way that it makes against the ground on which it stands. What the camera does is no part
        of it.
        """
        now = self.at(time)
        x, z = _places(now)
        level = np.zeros_like(x)
        columns, rows = now.camera.project(x, level, z)
        before = now.camera.project(x - self.velocity[0], level, z - self.velocity[1])
        return np.sqrt((columns - before[0]) ** 2 + (rows - before[1]) ** 2)


def _places(scene: s.Scene) -> np.ndarray:
    """Return where objects and people stand, (2, things + people): x and z."""
    places = [(thing.x, thing.z) for thing in scene.things] + [(person.x, person.z) for person in scene.people]
    return np.array(places).T


def _moved(thing: s.Thing, x: float, z: float) -> s.Thing:
    parts = tuple(replace(part, solid=part.solid.moved(x, z)) for part in thing.parts)
    return replace(thing, x=thing.x + x, z=thing.z + z, parts=parts)


def draw_clip(rng: np.random.Generator, length: int) -> Clip:
    """Draw a scene with fewer people, then the camera's drift, then who moves, and how; one frame tells nothing of it.

    All solids and people that stand in view are equally likely to move, the conspicuous one too.
    """
    scene = draw_scene(rng)
    scene = replace(scene, people=scene.people[:WALKERS])
    drift = rng.uniform(-DRIFT, DRIFT, 2)
    labels = [*(thing.label for thing in scene.things), *[s.PERSON] * len(scene.people)]
    x, z = _places(scene)
    column, _ = scene.camera.project(x, np.zeros_like(x), z)
    able = [i for i, label in enumerate(labels) if label not in FIXED and abs(column[i] - 0.5) < IN_VIEW]
    movers = rng.permutation(able)[: rng.integers(1, MOVERS + 1)]
    velocity = np.zeros((2, len(scene.things) + len(scene.people)))
    for mover in movers.tolist():
        speed, turn = rng.uniform(*SPEED), rng.uniform(0, 2 * math.pi)
        velocity[:, mover] = speed * math.cos(turn), speed * 0.6 * math.sin(turn)
    return Clip(scene, drift, velocity, length)
