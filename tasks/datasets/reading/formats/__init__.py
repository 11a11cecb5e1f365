"""Formats of annotations, one file each: how files of one kind are recognised, and what they tell of an image."""

from tasks.registry import import_modules

import_modules(__name__, __path__)
