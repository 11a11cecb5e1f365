"""The renderer of ``scenes``.

Every value that reaches a pixel comes from additions, products, quotients and square roots of arrays, or from Python's
scalar ``math``: the vectorised transcendental functions differ between processors in the last bit, these do not.
"""
