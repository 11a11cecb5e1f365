"""Builds the objects of a scene: solids, trees and poles.

A class of solid has a usual hue and a usual pattern, and often neither: colour and texture hint, shape decides.
"""

from __future__ import annotations

import colorsys
import math

import numpy as np

from tasks.datasets.rendering import scene as s
from tasks.datasets.rendering.solids import box, cone, cylinder, ellipsoid, pyramid
from tasks.datasets.rendering.textures import Material


def linear(hue: float, saturation: float, value: float) -> s.Colour:
    """Turn a display colour, given by hue (of any sign), saturation and value, into linear light (gamma 2)."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0))
    return red * red, green * green, blue * blue


PLAIN, RINGS, STRIPES, CHECKS, TILES = range(5)
TYPICAL = 0.9  # the share of objects with the hue of their class, and that with its pattern; the rest take any
STYLES = {  # hue, pattern
    s.BOX: (0.02, CHECKS),
    s.PYRAMID: (0.13, TILES),
    s.CYLINDER: (0.60, STRIPES),
    s.CONE: (0.78, RINGS),
    s.SPHERE: (0.48, PLAIN),
    s.POLE: (0.92, RINGS),
}


class Builder:
    """Makes objects, whose materials it adds to a list."""

    def __init__(self, rng: np.random.Generator, materials: list[Material]) -> None:
        self.rng, self.materials = rng, materials

    def build(self, label: int, x: float, z: float, size: float) -> s.Thing:
        """Build an object of any class; ``size`` is about its height in metres, of a tree half of it."""
        if label == s.TREE:
            return self.tree(x, z, size)
        if label == s.POLE:
            return self.pole(x, z, size)
        return self.solid(label, x, z, size)

    def solid(self, label: int, x: float, z: float, size: float, vivid: bool = False) -> s.Thing:
        """Build a box, pyramid, cylinder, cone or sphere; a vivid one has a stronger colour than any other."""
        turn = self.rng.uniform(0, math.pi / 2)
        heading = (math.cos(turn), math.sin(turn))
        material = self._add(self._coat(label, heading, vivid))
        slim = size * self.rng.uniform(0.38, 0.55)
        if label == s.BOX:
            width, depth = 2 * slim, 2 * slim * self.rng.uniform(0.6, 1.0)
            return s.Thing(label, x, z, 1.3 * slim, (s.Part(box(x, z, width, depth, size, heading), material),))
        if label == s.PYRAMID:
            return s.Thing(label, x, z, 1.4 * slim, (s.Part(pyramid(x, z, 2.2 * slim, size, heading), material),))
        if label == s.CYLINDER:
            return s.Thing(label, x, z, slim, (s.Part(cylinder(x, z, slim, 0, size), material),))
        if label == s.CONE:
            return s.Thing(label, x, z, 1.15 * slim, (s.Part(cone(x, z, 1.15 * slim, 0, size), material),))
        radius = 0.45 * size
        return s.Thing(label, x, z, radius, (s.Part(ellipsoid(x, z, radius, 0, 2 * radius), material),))

    def tree(self, x: float, z: float, size: float) -> s.Thing:
        """Build a trunk with a round crown or a conical one."""
        autumn, tone = self.rng.random() < 0.2, self.rng.random(4)
        hue = 0.04 + 0.08 * tone[0] if autumn else 0.2 + 0.18 * tone[0]
        leaf = linear(hue, 0.45 + 0.3 * tone[1], 0.32 + 0.3 * tone[2])
        foliage = self._add(Material(leaf, leaf, mottle=0.75, grain=40))
        bark = linear(0.07, 0.35, 0.25 + 0.25 * tone[3])
        trunk = self._add(Material(bark, bark, mottle=0.4))
        height, stem = 1.2 + 1.3 * size, 0.05 + 0.04 * size
        radius = height * self.rng.uniform(0.2, 0.32)
        if self.rng.random() < 0.4:
            crown = cone(x, z, radius, 0.2 * height, height)
        else:
            crown = ellipsoid(x, z, radius, 0.35 * height, height)
        parts = (s.Part(cylinder(x, z, stem, 0, 0.5 * height), trunk), s.Part(crown, foliage, 0.7))
        return s.Thing(s.TREE, x, z, radius, parts)

    def pole(self, x: float, z: float, size: float) -> s.Thing:
        """Build a thin post, with a lamp or a board on top."""
        height, radius = 1.6 + 0.6 * size, self.rng.uniform(0.14, 0.24)
        material = self._add(self._coat(s.POLE, (1.0, 0.0), False))
        lamp = self._add(self._coat(s.POLE, (1.0, 0.0), False))
        top = height + self.rng.uniform(0.6, 0.9)
        post = s.Part(cylinder(x, z, radius, 0, height), material)
        return s.Thing(s.POLE, x, z, 0.3, (post, s.Part(ellipsoid(x, z, (top - height) / 2, height, top), lamp)))

    def _add(self, material: Material) -> int:
        self.materials.append(material)
        return len(self.materials) - 1

    def _coat(self, label: int, heading: tuple[float, float], vivid: bool) -> Material:
        """Draw two colours and a pattern, in the style of a class or not."""
        rng = self.rng
        typical_hue, typical_pattern = rng.random(2) < TYPICAL
        spread, tone, depth, bright, step = rng.random(5).tolist()
        style_hue, style_pattern = STYLES[label]
        hue = style_hue + 0.12 * (spread - 0.5) if typical_hue else spread
        pattern = style_pattern if typical_pattern else int(rng.integers(5))
        if vivid:
            saturation, value = 0.8 + 0.2 * tone, 0.8 + 0.2 * bright
        else:
            saturation, value = 0.28 + 0.32 * tone, 0.35 + 0.4 * bright
        first = linear(hue, saturation, value)
        second = linear(hue + 0.08 * (depth - 0.5), saturation * (0.6 + 0.5 * depth), value * (0.45 + 0.3 * step))
        c, n = heading
        rate = rng.uniform(0.9, 2.0)
        none, upright = (0.0, 0.0, 0.0), (0.0, rate, 0.0)
        along, across = (rate * c, 0.0, rate * n), (-rate * n, 0.0, rate * c)
        axes = ((none, none), (upright, none), (along, none), (upright, along), (along, across))[pattern]
        mottle, grain = rng.uniform(0.1, 0.4), rng.uniform(16, 40)
        return Material(first, first if pattern == PLAIN else second, *axes, mottle=mottle, grain=grain)
