"""Renders a scene: one ray a pixel, a depth buffer, then shading."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from tasks.datasets.rendering import scene as s
from tasks.datasets.rendering import shading
from tasks.datasets.rendering.camera import Rays
from tasks.datasets.rendering.people import HEAD, LEGS, NOBODY, Person
from tasks.datasets.rendering.solids import Body
from tasks.datasets.rendering.textures import noise, paint

NOTHING = 0  # owner of sky and ground

Window = tuple[slice, slice]  # rows, columns


@dataclass(frozen=True)
class Rendering:
    """An image and what it shows.

    ``image`` uint8 (H,W,3); ``classes`` uint8 (H,W); ``depth`` float32 (H,W), metres along the optical axis, 0 in the
    sky; ``owner`` int32 (H,W): 0, or 1 + the index of the object, or 1 + objects + the index of the person that is
    seen; ``extent`` (1 + objects + people): pixels that each would cover if nothing stood before it; ``heads`` (P,2):
    x,y of every person's head in pixels, seen or not.
    """

    image: np.ndarray
    classes: np.ndarray
    depth: np.ndarray
    owner: np.ndarray
    extent: np.ndarray
    heads: np.ndarray


class _Buffers:
    """The nearest surface at each pixel."""

    def __init__(self, size: int, owners: int) -> None:
        self.depth = np.full((size, size), np.inf, np.float32)
        self.owner = np.zeros((size, size), np.int32)
        self.surface = np.zeros((size, size), np.int32)
        self.normal = np.zeros((3, size, size), np.float32)
        self.normal[1] = 1
        self.extent = np.zeros(owners, np.int64)

    def put(self, window: Window, depth: np.ndarray, owner: int, surface: int | np.ndarray, normal: np.ndarray) -> None:
        """Write a surface wherever it is nearer than what is there; a normal (H,W) is its sideways part alone."""
        nearer = depth < self.depth[window]
        np.copyto(self.depth[window], depth, where=nearer)
        np.copyto(self.owner[window], owner, where=nearer)
        np.copyto(self.surface[window], surface, where=nearer)
        np.copyto(self.normal[: 3 if normal.ndim == 3 else 1, *window], normal, where=nearer)


def render(scene: s.Scene, size: int, rng: np.random.Generator) -> Rendering:
    """Render a scene at ``size`` x ``size`` pixels; ``rng`` is the sensor's noise."""
    rays = scene.camera.rays(size)
    buffers = _Buffers(size, 1 + len(scene.things) + len(scene.people))
    classes = _lay_ground(scene, rays, buffers)
    labels = [s.SKY, *[thing.label for thing in scene.things], *[s.PERSON] * len(scene.people)]
    windows = _windows(scene, size)
    eye = scene.camera.height
    for index, thing in enumerate(scene.things):
        _place_thing(scene, thing, rays, windows[index], buffers, 1 + index)
    for index, person in enumerate(scene.people, len(scene.things)):
        _place_person(person, eye, rays, windows[index], buffers, 1 + index)
    _turn_people(buffers.normal, buffers.owner > len(scene.things))
    classes = np.where(buffers.owner > NOTHING, np.array(labels, np.uint8)[buffers.owner], classes)
    image = shading.expose(scene.sensor, _shade(scene, rays, buffers, classes), rng)
    depth = np.where(classes == s.SKY, np.float32(0), buffers.depth)
    return Rendering(image, classes, depth, buffers.owner, buffers.extent, _heads(scene, size))


def _lay_ground(scene: s.Scene, rays: Rays, buffers: _Buffers) -> np.ndarray:
    """Fill the buffers with the ground plane and return the class map (H,W) of sky, ground, path and water."""
    below = rays.y < 0
    reach = np.where(below, -np.float32(scene.camera.height) / np.minimum(rays.y, np.float32(-1e-6)), np.inf)
    buffers.depth[:] = reach
    flat = np.where(below, reach, 0).astype(np.float32)
    x, z = _painted(scene, flat * rays.x, flat * rays.z, NOTHING)
    kind = np.full(buffers.depth.shape, s.GROUND, np.uint8)
    if scene.pond is not None:
        across, ahead = (x - scene.pond.x) / scene.pond.length, (z - scene.pond.z) / scene.pond.breadth
        kind[across * across + ahead * ahead + noise(x * 6, z * 6) < 1.4] = s.WATER
    for path in scene.paths:
        bent = z - 9
        kind[np.abs(path.a * x + path.b * z + path.bend * bent * bent - path.offset) < path.width] = s.PATH
    buffers.surface[:] = kind - s.GROUND
    return np.where(below, kind, np.uint8(s.SKY))


def _windows(scene: s.Scene, size: int) -> list[Window]:
    """Return the rows and columns that each object, then each person, may be seen at; may be empty."""
    corners = [np.concatenate([part.solid.corners() for part in thing.parts], axis=1) for thing in scene.things]
    corners += [person.corners() for person in scene.people]
    starts = np.cumsum([0] + [each.shape[1] for each in corners[:-1]])
    places = np.stack(scene.camera.project(*np.concatenate(corners, axis=1))) * size
    low = np.clip(np.minimum.reduceat(places, starts, axis=1), 0, size).astype(int).T.tolist()
    high = np.clip(np.maximum.reduceat(places, starts, axis=1) + 1, 0, size).astype(int).T.tolist()
    return [(slice(a[1], b[1]), slice(a[0], b[0])) for a, b in zip(low, high, strict=True)]


def _painted(scene: s.Scene, x: np.ndarray, z: np.ndarray, owner: int | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lead from where points of the ground, an object or a person are seen to where they were painted."""
    if scene.anchors is None:
        return x, z
    across, ahead = scene.anchors.astype(np.float32)
    return x + across[owner], z + ahead[owner]


def _place_thing(scene: s.Scene, thing: s.Thing, rays: Rays, window: Window, buffers: _Buffers, owner: int) -> None:
    """Put an object into the buffers, wherever it is nearer than what is there."""
    eye, view = scene.camera.height, rays.window(*window)
    covered = np.zeros(buffers.depth[window].shape, bool)
    for part in thing.parts:
        depth, normal = part.solid.hit(eye, view)
        if part.ragged:
            depth = _fray(scene, part.ragged, depth, normal, view, owner)
        covered |= np.isfinite(depth)
        buffers.put(window, depth, owner, part.material, normal)
    buffers.extent[owner] = covered.sum()


def _fray(scene: s.Scene, ragged: float, depth: np.ndarray, normal: np.ndarray, rays: Rays, owner: int) -> np.ndarray:
    """Cut notches into the outline of foliage, where the surface turns away from the eye."""
    reach = np.where(np.isfinite(depth), depth, 0)
    facing = -(normal[0] * rays.x + normal[1] * rays.y + normal[2] * rays.z)
    x, z = _painted(scene, reach * rays.x, reach * rays.z, owner)
    texel = noise((x + z) * 30, (scene.camera.height + reach * rays.y) * 30)
    return np.where(facing < ragged * texel, np.float32(np.inf), depth)


def _place_person(person: Person, eye: float, rays: Rays, window: Window, buffers: _Buffers, owner: int) -> None:
    """Put a person into the buffers, wherever they are nearer than what is there."""
    depth, part, sideways = person.hit(eye, rays.window(*window))
    buffers.extent[owner] = np.count_nonzero(part != NOBODY)
    buffers.put(window, depth, owner, part + (person.material - LEGS), sideways)


def _turn_people(normal: np.ndarray, people: np.ndarray) -> None:
    """Complete the normals (3,H,W) of people, known sideways, by a share towards the camera and one upwards."""
    sideways = normal[0][people]
    toward = np.sqrt(np.maximum(1 - sideways * sideways, 0))
    normal[1][people] = toward * np.float32(0.4)
    normal[2][people] = toward * np.float32(-0.9)


def _shade(scene: s.Scene, rays: Rays, buffers: _Buffers, classes: np.ndarray) -> np.ndarray:
    """Return the light (3,H,W) that reaches the lens."""
    air = classes == s.SKY
    depth = np.where(air, np.float32(1), buffers.depth)
    x, z = _painted(scene, depth * rays.x, depth * rays.z, buffers.owner)
    y = np.float32(scene.camera.height) + depth * rays.y
    albedo = paint(scene.materials, buffers.surface, x, y, z, depth)
    shadow = shading.soften(_shadows(scene, len(depth)).astype(np.float32))
    shadow = np.where(buffers.owner == NOTHING, shadow, 0)
    colour = shading.lit(scene.light, albedo, buffers.normal, shadow)
    wet = classes == s.WATER
    if wet.any():
        colour = np.where(wet, shading.water(scene.light, rays, x, z, colour), colour)
    colour = shading.through_air(scene.light, colour, depth)
    return np.where(air, shading.sky(scene.light, rays), colour)


def _shadows(scene: s.Scene, size: int) -> np.ndarray:
    """Return where the ground lies in shadow, uint8 (H,W): the outline of each body, thrown along the light."""
    shadow = np.zeros((size, size), np.uint8)
    bodies: list[Body] = [part.solid for thing in scene.things for part in thing.parts]
    outlines = [body.outline() for body in (*bodies, *scene.people)]
    x, y, z = np.concatenate(outlines, axis=1)
    sun = scene.light.sun
    columns, rows = scene.camera.project(x - y * (sun[0] / sun[1]), np.zeros_like(y), z - y * (sun[2] / sun[1]))
    points = np.clip(np.stack([columns, rows], 1) * (16 * size) - 8, -(2**14), 2**14).astype(np.int32)
    start = 0
    for outline in outlines:
        end = start + outline.shape[1]
        cv2.fillConvexPoly(shadow, cv2.convexHull(points[start:end]), 1, shift=4)
        start = end
    return shadow


def _heads(scene: s.Scene, size: int) -> np.ndarray:
    """Return where every person's head is, (P,2) x,y in pixels."""
    places = np.array([(p.x, HEAD * p.height, p.z) for p in scene.people]).reshape(-1, 3)
    columns, rows = scene.camera.project(*places.T)
    return np.stack([columns, rows], axis=1) * size
