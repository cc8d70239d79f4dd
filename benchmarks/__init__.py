"""Measurements of the pair on this machine; never part of the tests."""
