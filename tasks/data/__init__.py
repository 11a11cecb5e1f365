"""Datasets, one file each, and what turns their samples into batches."""
