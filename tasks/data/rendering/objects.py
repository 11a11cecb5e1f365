"""Builds the objects of a scene: solids, trees and poles.

Colours and patterns are drawn in the same way for every class of solid, so that only shape tells them apart.
"""

from __future__ import annotations

import colorsys
import math

import numpy as np

from tasks.data.rendering import scene as s
from tasks.data.rendering.solids import box, cone, cylinder, ellipsoid, pyramid
from tasks.data.rendering.textures import Material


def linear(hue: float, saturation: float, value: float) -> s.Colour:
    """Turn a display colour, given by hue (of any sign), saturation and value, into linear light (gamma 2)."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0))
    return red * red, green * green, blue * blue


class Builder:
    """Makes objects whose materials it adds to a list; ``hue`` is the one that the scene's colours lie around."""

    def __init__(self, rng: np.random.Generator, materials: list[Material], hue: float) -> None:
        self.rng, self.materials, self.hue = rng, materials, hue

    def build(self, label: int, x: float, z: float, size: float) -> s.Thing:
        """Build an object of any class; ``size`` is about its height in metres, of a tree half of it."""
        if label == s.TREE:
            return self.tree(x, z, size)
        if label == s.POLE:
            return self.pole(x, z, size)
        return self.solid(label, x, z, size)

    def solid(self, label: int, x: float, z: float, size: float, vivid: bool = False) -> s.Thing:
        """Build a box, pyramid, cylinder, cone or sphere; a vivid one has a strong colour across the wheel."""
        turn = self.rng.uniform(0, math.pi / 2)
        heading = (math.cos(turn), math.sin(turn))
        material = self._add(self._coat(heading, vivid))
        slim = size * self.rng.uniform(0.32, 0.55)
        if label == s.BOX:
            width, depth = 2 * slim, 2 * slim * self.rng.uniform(0.6, 1.0)
            return s.Thing(label, x, z, 1.3 * slim, (s.Part(box(x, z, width, depth, size, heading), material),))
        if label == s.PYRAMID:
            return s.Thing(label, x, z, 1.4 * slim, (s.Part(pyramid(x, z, 2.2 * slim, size, heading), material),))
        if label == s.CYLINDER:
            return s.Thing(label, x, z, slim, (s.Part(cylinder(x, z, slim, 0, size), material),))
        if label == s.CONE:
            return s.Thing(label, x, z, 1.15 * slim, (s.Part(cone(x, z, 1.15 * slim, 0, size), material),))
        radius = 0.42 * size
        return s.Thing(label, x, z, radius, (s.Part(ellipsoid(x, z, radius, 0, 2 * radius), material),))

    def tree(self, x: float, z: float, size: float) -> s.Thing:
        """Build a trunk with a round crown or a conical one."""
        autumn, tone = self.rng.random() < 0.2, self.rng.random(4)
        hue = 0.04 + 0.08 * tone[0] if autumn else 0.2 + 0.18 * tone[0]
        leaf = linear(hue, 0.35 + 0.3 * tone[1], 0.3 + 0.3 * tone[2])
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
        height, radius = 2.0 + 0.7 * size, self.rng.uniform(0.05, 0.1)
        material = self._add(self._coat((1.0, 0.0), False))
        lamp = self._add(self._coat((1.0, 0.0), False))
        top = height + self.rng.uniform(0.25, 0.5)
        post = s.Part(cylinder(x, z, radius, 0, height), material)
        return s.Thing(s.POLE, x, z, 0.3, (post, s.Part(ellipsoid(x, z, (top - height) / 2, height, top), lamp)))

    def _add(self, material: Material) -> int:
        self.materials.append(material)
        return len(self.materials) - 1

    def _coat(self, heading: tuple[float, float], vivid: bool) -> Material:
        """Draw two colours and a pattern; what is not vivid keeps near the scene's hue, or looks like stone."""
        rng = self.rng
        spread, tone, depth, bright, step, kind = rng.random(6).tolist()
        if vivid:
            hue, saturation, value = self.hue + 0.5 + 0.24 * (spread - 0.5), 0.62 + 0.33 * tone, 0.6 + 0.38 * bright
        else:
            hue, saturation, value = self.hue + 0.5 * (spread - 0.5), 0.08 + 0.5 * tone, 0.32 + 0.6 * bright
        first = linear(hue, saturation, value)
        second = linear(hue + 0.1 * (depth - 0.5), saturation * (0.5 + 0.6 * depth), value * (0.45 + 0.4 * step))
        c, n = heading
        rate = rng.uniform(0.9, 2.4)
        none, upright = (0.0, 0.0, 0.0), (0.0, rate, 0.0)
        along, across = (rate * c, 0.0, rate * n), (-rate * n, 0.0, rate * c)
        axes = {0: (none, none), 1: (upright, none), 2: (along, none), 3: (upright, along), 4: (along, across)}
        mottle, grain = rng.uniform(0.1, 0.5), rng.uniform(16, 40)
        if kind < 0.4:
            return Material(first, first, mottle=mottle, grain=grain)
        return Material(first, second, *axes[1 + int(4 * (kind - 0.4) / 0.6)], mottle=mottle, grain=grain)
