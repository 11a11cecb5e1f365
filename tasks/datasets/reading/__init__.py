"""What adapters read with: files, list files, boxes, points."""
