"""`target-aep retry`: the dead letters again."""
