"""Output spaces: what the maps of a network mean, and the verbs that follow from it; one file each."""
