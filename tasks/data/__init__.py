"""From samples to batches: loading, resizing, augmentation, cache, partition."""
