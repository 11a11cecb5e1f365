"""Where the jobs of a sweep run: launchers of Hydra over engines that exist, none of which a lost job stops."""
