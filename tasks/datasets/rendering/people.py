"""People: upright figures in relief that face the camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.datasets.rendering.camera import Rays

ROWS, COLUMNS = 96, 56  # texels of a figure, whose height is ROWS
HEAD = 0.885  # height of the middle of the head, in heights of the person
NOBODY, LEGS, TORSO, SKIN, HAIR = range(5)


@dataclass(frozen=True)
class Pose:
    """What a figure looks like, from its top row down: ``part``, sideways ``normal`` and ``relief`` in body heights.

    Around it lies a border of one texel in which, as everywhere beside the figure, there is nobody at depth infinity.
    """

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
        (SKIN, (0.0, HEAD - 0.005), (0.0, HEAD + 0.005), 0.112),
    ]
    part = np.zeros((ROWS, COLUMNS), np.int32)
    normal = np.zeros((ROWS, COLUMNS), np.float32)
    relief = np.zeros((ROWS, COLUMNS), np.float32)
    for kind, start, end, radius in limbs:
        sideways, rise = _capsule(x, y, start, end, radius)
        above = rise > relief
        part[above], normal[above], relief[above] = kind, sideways[above], rise[above]
    part[(part == SKIN) & (y > HEAD - 0.01)] = HAIR
    relief[part == NOBODY] = -np.inf
    return Pose(np.pad(part, 1), np.pad(normal, 1), np.pad(relief, 1, constant_values=-np.inf))


POSES = (
    _pose((-0.06, 0.06), ((-0.15, 0.46), (0.15, 0.46))),
    _pose((-0.15, 0.11), ((-0.19, 0.5), (0.17, 0.48))),
    _pose((-0.09, 0.16), ((-0.22, 0.6), (0.13, 0.46))),
    _pose((-0.07, 0.08), ((-0.2, 0.92), (0.2, 0.92))),
)


HALF = COLUMNS / ROWS / 2
BOARD = np.array([(-HALF, HALF, -HALF, HALF), (0, 0, 1, 1), (0, 0, 0, 0)])
SILHOUETTE = np.array(
    [(-0.12, 0.12, -0.18, 0.18, -0.15, 0.15, -0.07, 0.07), (0, 0, 0.5, 0.5, 0.72, 0.72, 1, 1), (0,) * 8]
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
        return BOARD * self.height + np.array([[self.x], [0], [self.z]])

    def outline(self) -> np.ndarray:
        """Return points (3,K) whose hull casts the shadow."""
        return SILHOUETTE * self.height + np.array([[self.x], [0], [self.z]])

    def hit(self, eye: float, rays: Rays) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return depth (H,W; infinite where missed), body part (H,W) and sideways normal (H,W).

        As the figure's plane stands across the view, a row of pixels sees a row of the figure.
        """
        pose = POSES[self.pose]
        reach = np.float32(self.z) / rays.z
        row = ((1 - (eye + reach * rays.y) / self.height) * ROWS + 1).astype(np.int32)
        across = (reach * rays.x - self.x) * ((-ROWS if self.mirrored else ROWS) / self.height)
        column = (across + (COLUMNS / 2 + 1)).astype(np.int32)
        row = np.minimum(np.maximum(row, 0), ROWS + 1) * (COLUMNS + 2)
        texel = row + np.minimum(np.maximum(column, 0), COLUMNS + 1)
        depth = reach - pose.relief.take(texel) * np.float32(self.height)
        normal = pose.normal.take(texel)
        return depth, pose.part.take(texel), -normal if self.mirrored else normal
