"""Calls of functions of the language, as the compiler makes them."""

from __future__ import annotations

from target_aep.data_prep.functions import FUNCTIONS


def call(name, *arguments):
    return FUNCTIONS[name].call(*arguments)
