"""Convex solids that stand upright: where rays enter them, and with which normal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np

from tasks.datasets.rendering.camera import Rays

DIAGONAL = 0.5**0.5
CIRCLE = np.array(
    [[1, DIAGONAL, 0, -DIAGONAL, -1, -DIAGONAL, 0, DIAGONAL], [0, DIAGONAL, 1, DIAGONAL, 0, -DIAGONAL, -1, -DIAGONAL]]
)
CUBE = np.array([(i, j, k) for i in (-1, 1) for j in (0, 1) for k in (-1, 1)], float).T
MISS = np.float32(np.inf)

Hit = tuple[np.ndarray, np.ndarray]  # depth (H,W), infinite where missed; unit normal (3,H,W)


class Body(Protocol):
    """Whatever casts a shadow."""

    def outline(self) -> np.ndarray:
        """Return points (3,K) whose convex hull is close to the body."""


class Solid(Body, Protocol):
    """A convex body, placed in the world."""

    def hit(self, eye: float, rays: Rays) -> Hit:
        """Intersect with rays that leave from ``eye`` metres above the origin."""

    def corners(self) -> np.ndarray:
        """Return the corners (3,8) of a box around the solid."""

    def moved(self, x: float, z: float) -> Self:
        """Return the same solid, further on along both axes of the ground."""


def _box_around(x: float, z: float, radius: float, low: float, high: float) -> np.ndarray:
    return CUBE * np.array([[radius], [high - low], [radius]]) + np.array([[x], [low], [z]])


@dataclass(frozen=True)
class Revolution:
    """A body of revolution about a vertical axis at (x, z), between the heights ``low`` and ``high``.

    Its squared radius is a quadratic of the height y above the ground, ``a y^2 + b y + c``: spheres, ellipsoids, cones
    and cylinders are all of this kind, and a ray meets each by solving one quadratic equation.
    """

    x: float
    z: float
    low: float
    high: float
    a: float
    b: float
    c: float
    radius: float  # the largest

    def hit(self, eye: float, rays: Rays) -> Hit:
        """Solve for where a ray enters."""
        dx, dy, dz = rays.x, rays.y, rays.z
        ox, oy, oz = np.float32(-self.x), np.float32(eye), np.float32(-self.z)
        a, b, c = np.float32(self.a), np.float32(self.b), np.float32(self.c)
        square = dx * dx + (dz * dz - a * dy * dy)
        square = np.where(np.abs(square) < 1e-6, np.float32(1e-6), square)
        half = ox * dx + (oz * dz - (a * oy + b / 2) * dy)
        constant = ox * ox + oz * oz - (a * oy * oy + b * oy + c)
        discriminant = half * half - square * constant
        root = np.sqrt(np.maximum(discriminant, 0))
        low, high = np.float32(self.low), np.float32(self.high)
        depth = np.full(root.shape, MISS)
        for sign in (-1, 1) if self.a > 0 else (-1,):  # of a cone, the nearer point may lie beyond its tip
            candidate = (sign * root - half) / square
            y = oy + candidate * dy
            inside = (discriminant > 0) & (y >= low) & (y <= high) & (candidate > 0) & (candidate < depth)
            depth = np.where(inside, candidate, depth)
        reach = np.where(np.isfinite(depth), depth, 0)
        y = oy + reach * dy
        normal = np.stack([ox + reach * dx, -(a * y + b / 2), oz + reach * dz])
        normal /= np.sqrt(normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2]) + np.float32(1e-6)
        return self._lid(depth, normal, eye, rays)

    def _lid(self, depth: np.ndarray, normal: np.ndarray, eye: float, rays: Rays) -> Hit:
        """Close the top, which only an eye above it sees."""
        rim = self.a * self.high**2 + self.b * self.high + self.c
        if eye <= self.high or rim < 1e-6:
            return depth, normal
        lid = np.float32(self.high - eye) / np.minimum(rays.y, np.float32(-1e-6))
        px, pz = lid * rays.x - np.float32(self.x), lid * rays.z - np.float32(self.z)
        closer = (px * px + pz * pz <= np.float32(rim)) & (lid < depth)
        upward = np.array([0, 1, 0], np.float32)[:, None, None]
        return np.where(closer, lid, depth), np.where(closer, upward, normal)

    def corners(self) -> np.ndarray:
        """Return the corners (3,8) of a box around it."""
        return _box_around(self.x, self.z, self.radius, self.low, self.high)

    def outline(self) -> np.ndarray:
        """Return points (3,K) to throw its shadow by."""
        heights = np.linspace(self.low, self.high, 5)
        radii = np.sqrt(np.maximum(self.a * heights * heights + self.b * heights + self.c, 0))
        x = self.x + radii[:, None] * CIRCLE[0]
        z = self.z + radii[:, None] * CIRCLE[1]
        return np.stack([x.ravel(), heights.repeat(8), z.ravel()])

    def moved(self, x: float, z: float) -> Revolution:
        """Return the same body, further on along both axes of the ground."""
        return replace(self, x=self.x + x, z=self.z + z)


@dataclass(frozen=True)
class Polyhedron:
    """A convex body of flat faces: the points p with ``normals @ p <= offsets``, and its ``vertices`` (3,K)."""

    normals: np.ndarray
    offsets: np.ndarray
    vertices: np.ndarray

    def hit(self, eye: float, rays: Rays) -> Hit:
        """Solve for where a ray enters."""
        n = self.normals.astype(np.float32)[..., None, None]
        slope = n[:, 0] * rays.x + (n[:, 1] * rays.y + n[:, 2] * rays.z)
        slope = np.where(np.abs(slope) < 1e-6, np.float32(1e-6), slope)
        depth = (self.offsets - self.normals[:, 1] * eye).astype(np.float32)[:, None, None] / slope
        entering = np.where(slope < 0, depth, -MISS)
        face = entering.argmax(axis=0)
        first = entering.max(axis=0)
        last = np.where(slope > 0, depth, MISS).min(axis=0)
        normal = np.moveaxis(self.normals.astype(np.float32)[face], -1, 0)
        return np.where((first < last) & (first > 0), first, MISS), normal

    def corners(self) -> np.ndarray:
        """Return the corners (3,8) of a box around it."""
        low, high = self.vertices.min(axis=1), self.vertices.max(axis=1)
        return np.stack(np.meshgrid(*zip(low, high, strict=True), indexing="ij")).reshape(3, 8)

    def outline(self) -> np.ndarray:
        """Return points (3,K) to throw its shadow by."""
        return self.vertices

    def moved(self, x: float, z: float) -> Polyhedron:
        """Return the same body, further on along both axes of the ground."""
        offsets = self.offsets + self.normals[:, 0] * x + self.normals[:, 2] * z
        return replace(self, offsets=offsets, vertices=self.vertices + np.array([[x], [0], [z]]))


def cylinder(x: float, z: float, radius: float, low: float, high: float) -> Revolution:
    """Stand a cylinder on the height ``low``."""
    return Revolution(x, z, low, high, 0.0, 0.0, radius**2, radius)


def cone(x: float, z: float, radius: float, low: float, high: float) -> Revolution:
    """Stand a cone on the height ``low``, its tip at ``high``."""
    k = (radius / (high - low)) ** 2
    return Revolution(x, z, low, high, k, -2 * k * high, k * high**2, radius)


def ellipsoid(x: float, z: float, radius: float, low: float, high: float) -> Revolution:
    """Stand an ellipsoid on the height ``low``; a sphere where ``high - low`` is twice the radius."""
    k = (2 * radius / (high - low)) ** 2
    middle = (low + high) / 2
    return Revolution(x, z, low, high, -k, 2 * k * middle, radius**2 - k * middle**2, radius)


def box(x: float, z: float, width: float, depth: float, height: float, heading: tuple[float, float]) -> Polyhedron:
    """Stand a box on the ground; ``heading`` is the (cosine, sine) of its turn about the vertical."""
    c, s = heading
    sides = np.array([(c, 0, s), (-c, 0, -s), (-s, 0, c), (s, 0, -c)])
    half = np.array([width, width, depth, depth]) / 2
    normals = np.concatenate([sides, [(0, 1, 0), (0, -1, 0)]])
    offsets = np.concatenate([half + sides[:, 0] * x + sides[:, 2] * z, [height, 0]])
    feet = np.array([(i * c * width - j * s * depth, i * s * width + j * c * depth) for i, j in _QUARTERS]) / 2
    corners = np.concatenate([feet, feet]) + np.array([x, z])
    return Polyhedron(normals, offsets, np.stack([corners[:, 0], np.repeat([0, height], 4), corners[:, 1]]))


def pyramid(x: float, z: float, width: float, height: float, heading: tuple[float, float]) -> Polyhedron:
    """Stand a pyramid of square base on the ground."""
    c, s = heading
    slant = (height**2 + (width / 2) ** 2) ** 0.5
    flat, rise = height / slant, width / 2 / slant
    normals = np.array([(i * flat, rise, j * flat) for i, j in ((c, s), (-c, -s), (-s, c), (s, -c))])
    offsets = rise * height + normals[:, 0] * x + normals[:, 2] * z
    base = np.array([(i * c - j * s, i * s + j * c) for i, j in _QUARTERS]) * width / 2 + np.array([x, z])
    corners = np.concatenate([base, [(x, z)]])
    normals = np.concatenate([normals, [(0, -1, 0)]])
    return Polyhedron(normals, np.append(offsets, 0), np.stack([corners[:, 0], [0, 0, 0, 0, height], corners[:, 1]]))


_QUARTERS = ((-1, -1), (1, -1), (1, 1), (-1, 1))
