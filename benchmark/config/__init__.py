"""From key=value words to a typed configuration."""
