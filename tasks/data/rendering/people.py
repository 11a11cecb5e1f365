"""People: upright figures in relief that face the camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.data.rendering.camera import Rays

ROWS, COLUMNS = 96, 56  # texels of a figure, whose height is ROWS
HEAD = 0.885  # height of the middle of the head, in heights of the person
NOBODY, LEGS, TORSO, SKIN, HAIR = range(5)


@dataclass(frozen=True)
class Pose:
    """What a figure looks like, from its top row down: ``part``, sideways ``normal`` and ``relief`` in body heights."""

    part: np.ndarray
    normal: np.ndarray
    relief: np.ndarray


def _capsule(
    x: np.ndarray, y: np.ndarray, start: tuple[float, float], end: tuple[float, float], radius: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return sideways normal and relief of a rounded limb; the relief is zero outside."""
    ax, ay = end[0] - start[0], end[1] - start[1]
    along = np.clip(((x - start[0]) * ax + (y - start[1]) * ay) / (ax * ax + ay * ay), 0, 1)
    dx, dy = x - start[0] - along * ax, y - start[1] - along * ay
    return dx / radius, np.sqrt(np.maximum(radius**2 - dx * dx - dy * dy, 0))


def _pose(feet: tuple[float, float], hands: tuple[tuple[float, float], tuple[float, float]]) -> Pose:
    """Draw a figure from the horizontal places of its feet and the places of its hands."""
    y = 1 - (np.arange(ROWS)[:, None] + 0.5) / ROWS
    x = (np.arange(COLUMNS)[None] + 0.5 - COLUMNS / 2) / ROWS
    limbs = [
        (LEGS, (-0.055, 0.42), (feet[0], 0.055), 0.058),
        (LEGS, (0.055, 0.42), (feet[1], 0.055), 0.058),
        (TORSO, (-0.12, 0.69), hands[0], 0.042),
        (TORSO, (0.12, 0.69), hands[1], 0.042),
        (TORSO, (0.0, 0.5), (0.0, 0.66), 0.12),
        (SKIN, (0.0, HEAD - 0.005), (0.0, HEAD + 0.005), 0.108),
    ]
    part = np.zeros((ROWS, COLUMNS), np.int64)
    normal = np.zeros((ROWS, COLUMNS), np.float32)
    relief = np.zeros((ROWS, COLUMNS), np.float32)
    for kind, start, end, radius in limbs:
        sideways, rise = _capsule(x, y, start, end, radius)
        above = rise > relief
        part[above], normal[above], relief[above] = kind, sideways[above], rise[above]
    part[(part == SKIN) & (y > HEAD + 0.015)] = HAIR
    return Pose(part, normal, relief)


POSES = (
    _pose((-0.06, 0.06), ((-0.15, 0.46), (0.15, 0.46))),
    _pose((-0.15, 0.11), ((-0.19, 0.5), (0.17, 0.48))),
    _pose((-0.09, 0.16), ((-0.22, 0.6), (0.13, 0.46))),
    _pose((-0.07, 0.08), ((-0.2, 0.92), (0.2, 0.92))),
)


@dataclass(frozen=True)
class Person:
    """A figure of ``height`` metres at (x, z); ``material`` is the first of four, of its legs, torso, skin and hair."""

    x: float
    z: float
    height: float
    pose: int
    mirrored: bool
    material: int

    def corners(self) -> np.ndarray:
        """Return the corners (3,4) of the upright rectangle that the figure stands in."""
        half = self.height * COLUMNS / ROWS / 2
        x, y = (self.x - half, self.x + half), (0.0, self.height)
        return np.array([(i, j, self.z) for i in x for j in y]).T

    def outline(self) -> np.ndarray:
        """Return points (3,K) whose hull casts the shadow."""
        points = ((-0.1, 0), (0.1, 0), (-0.15, 0.5), (0.15, 0.5), (-0.12, 0.78), (0.12, 0.78), (-0.05, 1), (0.05, 1))
        return np.array([(self.x + i * self.height, j * self.height, self.z) for i, j in points]).T

    def hit(self, eye: float, rays: Rays) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return depth (H,W; infinite where missed), body part (H,W) and sideways normal (H,W).

        As the figure's plane stands across the view, a row of pixels sees a row of the figure.
        """
        pose = POSES[self.pose]
        reach = np.float32(self.z) / rays.z
        row = np.floor((1 - (eye + reach * rays.y) / self.height) * ROWS).astype(np.int32)
        across = (reach * rays.x - self.x) * (ROWS / self.height)
        column = np.floor((-across if self.mirrored else across) + COLUMNS / 2).astype(np.int32)
        inside = ((row >= 0) & (row < ROWS)) & ((column >= 0) & (column < COLUMNS))
        row, column = np.minimum(np.maximum(row, 0), ROWS - 1), np.minimum(np.maximum(column, 0), COLUMNS - 1)
        texel = row * COLUMNS + column
        part = np.where(inside, pose.part.take(texel), NOBODY)
        depth = reach - pose.relief.take(texel) * np.float32(self.height)
        normal = pose.normal.take(texel)
        return np.where(part != NOBODY, depth, np.float32(np.inf)), part, -normal if self.mirrored else normal
