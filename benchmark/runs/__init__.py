"""From weights to records: the identity of a run, its teachers, its report."""
