"""From networks and batches to weights: the training loop and what it needs."""
