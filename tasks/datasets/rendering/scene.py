"""What a scene consists of: camera, ground, objects, people, light and air."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.datasets.rendering.camera import Camera
from tasks.datasets.rendering.people import Person
from tasks.datasets.rendering.solids import Solid
from tasks.datasets.rendering.textures import Material

CLASSES = ("sky", "ground", "path", "water", "box", "pyramid", "cylinder", "cone", "sphere", "tree", "pole", "person")
SKY, GROUND, PATH, WATER, BOX, PYRAMID, CYLINDER, CONE, SPHERE, TREE, POLE, PERSON = range(len(CLASSES))

Colour = tuple[float, float, float]  # linear RGB


@dataclass(frozen=True)
class Part:
    """A solid, the index of its material, and how ragged its outline is (0 smooth, foliage about 0.7)."""

    solid: Solid
    material: int
    ragged: float = 0.0


@dataclass(frozen=True)
class Thing:
    """An object of one class, made of parts, that stands at (x, z) and takes up a disc of the ground."""

    label: int
    x: float
    z: float
    radius: float
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Path:
    """A bent band on the ground, ``width`` metres to each side of ``a x + b z + bend (z - 9)^2 = offset``."""

    a: float
    b: float
    bend: float
    offset: float
    width: float


@dataclass(frozen=True)
class Pond:
    """An ellipse of water with a ragged shore."""

    x: float
    z: float
    length: float
    breadth: float


@dataclass(frozen=True)
class Light:
    """The sun's direction (unit vector to it) and colour, the sky's colours, haze per metre, cover of clouds."""

    sun: tuple[float, float, float]
    strength: Colour
    ambient: Colour
    horizon: Colour
    zenith: Colour
    haze: float
    clouds: float
    drift: tuple[float, float]


@dataclass(frozen=True)
class Sensor:
    """Exposure, standard deviation of the noise (of a range of 1) and darkening towards the corners."""

    exposure: float
    noise: float
    vignette: float


@dataclass(frozen=True)
class Scene:
    """All that an image and its annotations follow from, at any size.

    The first three ``materials`` are those of ground, path and water. ``things[salient]`` is the conspicuous one. Where
    camera or objects have moved, ``anchors`` (2, 1 + things + people) leads from where the ground, each object and each
    person is seen back to where it was painted: x and z, in metres, to be added. Paths and pond stay where they were.
    """

    camera: Camera
    materials: list[Material]
    paths: tuple[Path, ...]
    pond: Pond | None
    things: tuple[Thing, ...]
    people: tuple[Person, ...]
    light: Light
    sensor: Sensor
    salient: int
    anchors: np.ndarray | None = None
