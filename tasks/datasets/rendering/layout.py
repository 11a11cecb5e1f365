"""Draws a scene at random."""

from __future__ import annotations

import math

import numpy as np

from tasks.datasets.rendering import scene as s
from tasks.datasets.rendering.camera import FOCAL, Camera
from tasks.datasets.rendering.objects import Builder, linear
from tasks.datasets.rendering.people import POSES, Person
from tasks.datasets.rendering.textures import Material

FAR = 14.0  # metres: beyond this nothing stands
CROWD = 80  # people at most
HATS = 0.8  # the share of people who wear one, of a warm colour
GROUNDS = (  # hue, saturation, value; then mottle. The first four lie around paths, the others on them
    (0.24, 0.50, 0.46, 0.55),
    (0.17, 0.45, 0.56, 0.50),
    (0.05, 0.45, 0.50, 0.35),
    (0.10, 0.38, 0.70, 0.25),
    (0.08, 0.10, 0.58, 0.45),
    (0.60, 0.06, 0.36, 0.25),
    (0.58, 0.05, 0.80, 0.15),
)
SKINS = ((0.07, 0.39, 0.85), (0.06, 0.49, 0.72), (0.06, 0.54, 0.5), (0.06, 0.55, 0.33))
HAIRS = ((0.04, 0.33, 0.12), (0.07, 0.6, 0.25), (0.09, 0.56, 0.45), (0.08, 0.07, 0.3))


def draw_scene(rng: np.random.Generator) -> s.Scene:
    """Draw camera, light, ground, objects and crowd, in this order, from one generator."""
    camera = Camera(height=rng.uniform(2.6, 4.6), pitch=rng.uniform(0.2, 0.42))
    nearest = camera.height / math.tan(camera.pitch + math.atan(0.5 / FOCAL) - 0.05)
    light = _light(rng)
    materials = _ground(rng)
    builder = Builder(rng, materials)
    things = _things(rng, builder, nearest)
    people = _crowd(rng, materials, things, nearest)
    paths = tuple(_path(rng) for _ in range(rng.choice(3, p=(0.15, 0.6, 0.25))))
    pond = _pond(rng, nearest) if rng.random() < 0.8 else None
    sensor = s.Sensor(*rng.uniform((0.95, 0.008, 0.0), (1.4, 0.02, 0.3)).tolist())
    return s.Scene(camera, materials, paths, pond, things, people, light, sensor, salient=0)


def _light(rng: np.random.Generator) -> s.Light:
    """Draw a time of day and a weather: a low sun is warm, clouds and haze take its strength away."""
    turn, elevation = rng.uniform(0, 2 * math.pi), rng.uniform(0.45, 1.15)
    sun = (math.cos(elevation) * math.cos(turn), math.sin(elevation), math.cos(elevation) * math.sin(turn))
    clear, warmth = rng.random(), max(0.0, 1 - (elevation - 0.45) / 0.4)
    direct = 0.35 + 0.75 * clear
    strength = (direct * (1 + 0.15 * warmth), direct * (1 - 0.08 * warmth), direct * (0.92 - 0.35 * warmth))
    blue = rng.uniform(0.55, 0.63)
    zenith = linear(blue, 0.12 + 0.5 * clear, rng.uniform(0.6, 0.85))
    pale = linear(0.08 if warmth > 0.5 else blue, 0.05 + 0.25 * warmth + 0.1 * clear, rng.uniform(0.8, 0.95))
    shade = 0.62 - 0.2 * clear
    ambient = (shade * (0.75 + 0.3 * zenith[0]), shade * (0.75 + 0.3 * zenith[1]), shade * (0.8 + 0.3 * zenith[2]))
    haze = 0.003 + 0.025 * rng.random() ** 2
    drift = tuple(rng.uniform(0, 256, 2).tolist())
    return s.Light(sun, strength, ambient, pale, zenith, haze, rng.uniform(0, 0.9), drift)


def _ground(rng: np.random.Generator) -> list[Material]:
    """Draw the materials of ground, path and water; the first two come from kinds of their own."""
    materials = []
    for kind in (rng.integers(0, 4), rng.integers(4, len(GROUNDS))):
        hue, saturation, value, mottle = GROUNDS[kind]
        shift = rng.uniform((-0.03, -0.08, -0.1), (0.03, 0.08, 0.1))
        colour = linear(hue + shift[0], saturation + shift[1], value + shift[2])
        other = linear(hue + shift[0], saturation + shift[1], value + shift[2] - 0.12)
        paved, turn = rng.random() < 0.3, rng.uniform(0, math.pi / 2)
        c, n = 0.5 * math.cos(turn), 0.5 * math.sin(turn)
        axes = ((c, 0.0, n), (-n, 0.0, c)) if paved else ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
        materials.append(Material(colour, other, *axes, mottle=mottle, grain=rng.uniform(14, 30)))
    deep = linear(rng.uniform(0.48, 0.62), 0.65, 0.4)
    return [*materials, Material(deep, deep, mottle=0.2)]


def _things(rng: np.random.Generator, builder: Builder, nearest: float) -> tuple[s.Thing, ...]:
    """Place the conspicuous object first, then the others wherever they neither touch nor hide it."""
    distance = rng.uniform(nearest + 1.0, nearest + 5.0)
    across = rng.uniform(-0.26, 0.26) / FOCAL
    things = [
        builder.solid(int(rng.integers(s.BOX, s.TREE)), across * distance, distance, rng.uniform(1.5, 2.7), vivid=True)
    ]
    labels = [*rng.integers(s.BOX, s.TREE, rng.integers(4, 8)), *[s.TREE] * rng.integers(1, 6)]
    for label in [*labels, *[s.POLE] * rng.integers(1, 5)]:
        for _ in range(8):
            distance = nearest + 0.6 + (FAR - nearest) * rng.random() ** 1.6
            x = rng.uniform(-0.6, 0.6) / FOCAL * distance
            size = rng.uniform(1.4, 3.3)
            radius = size * (0.4 if label == s.POLE else 0.75)
            if all(_apart(x, distance, radius, other) for other in things) and not _hides(x, distance, size, things[0]):
                things.append(builder.build(int(label), x, distance, size))
                break
    return tuple(things)


def _apart(x: float, z: float, radius: float, other: s.Thing) -> bool:
    return (x - other.x) ** 2 + (z - other.z) ** 2 > (radius + other.radius) ** 2


def _hides(x: float, z: float, size: float, target: s.Thing) -> bool:
    """Tell whether something that stands at (x, z) would cover more than an edge of the target."""
    return z < target.z and abs(x / z - target.x / target.z) < 0.6 * (size / z + target.radius / target.z)


def _path(rng: np.random.Generator) -> s.Path:
    turn = rng.uniform(-1.0, 1.0) if rng.random() < 0.7 else rng.uniform(1.0, 2.1)
    a, b = math.cos(turn), math.sin(turn)
    through = a * rng.uniform(-4, 4) + b * rng.uniform(7, 13)
    return s.Path(a, b, rng.uniform(-0.03, 0.03), through, rng.uniform(0.7, 1.7))


def _pond(rng: np.random.Generator, nearest: float) -> s.Pond:
    z = rng.uniform(nearest + 1, 14)
    return s.Pond(rng.uniform(-0.45, 0.45) * z, z, rng.uniform(1.8, 4.8), rng.uniform(1.5, 3.8))


def _crowd(
    rng: np.random.Generator, materials: list[Material], things: tuple[s.Thing, ...], nearest: float
) -> tuple[Person, ...]:
    """Gather up to CROWD people around a few places; a few scenes are empty, most hold some, some are crowded."""
    wanted = 0 if rng.random() < 0.08 else int(CROWD * rng.random() ** 1.5) + 1
    middle = rng.uniform((-4.5, nearest + 1), (4.5, FAR - 4), (rng.integers(1, 5), 2))
    group = rng.integers(0, len(middle), 3 * CROWD)
    spread = rng.uniform(0.6, 3.0, len(middle))[group, None]
    around = rng.uniform(-1, 1, (3 * CROWD, 2)) + rng.uniform(-1, 1, (3 * CROWD, 2))
    places = middle[group] + spread * around
    x, z = places.T
    free = (z > nearest) & (z < FAR) & (np.abs(x) < 0.5 / FOCAL * z)
    for thing in things:
        free &= (x - thing.x) ** 2 + (z - thing.z) ** 2 > (thing.radius + 0.25) ** 2
    target = things[0]
    free &= (z > target.z) | (np.abs(x / z - target.x / target.z) > 0.75 * target.radius / target.z)
    places = places[free][:wanted]
    looks = rng.random((len(places), 9)).tolist()
    kinds = rng.integers(0, (len(POSES), 2, len(SKINS), len(HAIRS)), (len(places), 4)).tolist()
    people = []
    for place, look, (pose, mirrored, skin, hair) in zip(places.tolist(), looks, kinds, strict=True):
        people.append(Person(place[0], place[1], 1.6 + 0.35 * look[0], pose, bool(mirrored), len(materials)))
        trousers = linear(look[1], 0.4 * look[2], 0.1 + 0.25 * look[2])
        clothes = linear(look[3], 0.25 + 0.55 * look[4], 0.45 + 0.45 * look[5])
        hat = linear(0.14 * look[6], 0.55 + 0.4 * look[7], 0.75 + 0.25 * look[5])
        head = hat if look[8] < HATS else linear(*HAIRS[hair])
        for colour in (trousers, clothes, linear(*SKINS[skin]), head):
            materials.append(Material(colour, colour, mottle=0.12))
    return tuple(people)
