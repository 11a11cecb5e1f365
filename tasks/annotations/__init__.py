"""The kinds of annotation, one file each: what a value is, and how it moves, is kept, drawn, told and checked."""

from tasks.registry import import_modules

import_modules(__name__, __path__)
