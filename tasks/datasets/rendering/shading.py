"""Turns surfaces, normals and depths into light that reaches the sensor."""

from __future__ import annotations

import numpy as np

from tasks.datasets.rendering.camera import Rays
from tasks.datasets.rendering.scene import Colour, Light, Sensor
from tasks.datasets.rendering.textures import noise


def _column(colour: Colour) -> np.ndarray:
    return np.array(colour, np.float32)[:, None, None]


def sky_colour(light: Light, rise: np.ndarray) -> np.ndarray:
    """Return the sky's colour (3,...) for directions that rise ``rise`` metres a metre ahead: pale to deep."""
    height = np.clip(rise, 0, 1)
    share = height / (height + np.float32(0.22))
    return _column(light.horizon) + (_column(light.zenith) - _column(light.horizon)) * share


def sky(light: Light, rays: Rays) -> np.ndarray:
    """Return the sky (3,H,W) behind everything, with clouds on a plane high above."""
    rise = np.maximum(rays.y, np.float32(0.02))
    colour = sky_colour(light, np.broadcast_to(rays.y, (len(rays.y), rays.x.shape[1])))
    across, ahead = rays.x / rise, rays.z / rise
    cover = noise(across * 22 + light.drift[0], ahead * 22 + light.drift[1])
    cloud = np.clip((cover - (1 - light.clouds) * 0.8) * 3, 0, 1) * np.clip(rays.y * 8, 0, 1) * np.float32(0.8)
    bright = _column(light.horizon) * np.float32(0.3) + np.float32(0.7) * _column(light.ambient) + np.float32(0.2)
    return colour + (bright - colour) * cloud


def lit(light: Light, albedo: np.ndarray, normal: np.ndarray, shadow: np.ndarray) -> np.ndarray:
    """Light matt surfaces by the sun, where ``shadow`` (H,W) is 0, and by the sky above them."""
    sun = [np.float32(value) for value in light.sun]
    facing = np.maximum(normal[0] * sun[0] + normal[1] * sun[1] + normal[2] * sun[2], 0) * (1 - shadow)
    overhead = np.float32(0.62) + np.float32(0.38) * normal[1]
    return albedo * (_column(light.strength) * facing + _column(light.ambient) * overhead)


def water(light: Light, rays: Rays, x: np.ndarray, z: np.ndarray, bed: np.ndarray) -> np.ndarray:
    """Return still water (3,H,W) over a bed: it mirrors the sky, more so at a flat angle, broken by ripples."""
    ripple = noise(x * 9, z * 26) - np.float32(0.5)
    steep = -rays.y / rays.z
    mirror = np.clip(np.float32(0.85) - np.float32(1.1) * steep, 0.2, 0.75)
    return bed + (sky_colour(light, np.maximum(steep + np.float32(0.35) * ripple, 0)) - bed) * mirror


def through_air(light: Light, colour: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Blend with the colour of the horizon along the way: ``exp(-haze * depth)`` by its first three terms."""
    path = np.float32(light.haze) * depth
    passed = 1 / (1 + path * (1 + path / 2))
    return colour * passed + _column(light.horizon) * (1 - passed)


def expose(sensor: Sensor, colour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Form the image, uint8 (H,W,3), from light (3,H,W): a slightly soft lens, gamma 2, noise of the sensor."""
    size = colour.shape[-1]
    place = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / size - np.float32(0.5)
    radius = place * place + (place * place)[:, None]
    image = soften(colour) * (np.float32(sensor.exposure) * (1 - np.float32(sensor.vignette) * 2 * radius))
    image = np.sqrt(np.clip(image, 0, 1))
    image += rng.standard_normal(image.shape, dtype=np.float32) * np.float32(sensor.noise)
    return np.ascontiguousarray((np.clip(image, 0, 1) * 255 + np.float32(0.5)).astype(np.uint8).transpose(1, 2, 0))


def soften(values: np.ndarray) -> np.ndarray:
    """Average with the neighbours along both last axes, weights 1/8, 3/4, 1/8."""
    for axis in (-1, -2):
        front = np.moveaxis(values, axis, 0)
        blurred = front * np.float32(0.75)
        blurred[1:] += front[:-1] * np.float32(0.125)
        blurred[0] += front[0] * np.float32(0.125)
        blurred[:-1] += front[1:] * np.float32(0.125)
        blurred[-1] += front[-1] * np.float32(0.125)
        values = np.moveaxis(blurred, 0, axis)
    return values
