"""Adobe's Data Prep language: expressions of mapping sets, compiled into Python functions."""
