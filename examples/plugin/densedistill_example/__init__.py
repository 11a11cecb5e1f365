"""Attention transfer and surface normals, as a plugin of DenseDistill."""
