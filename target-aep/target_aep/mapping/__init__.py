"""Mapping sets, and records made into XDM with them."""
