"""RECORD lines into rows, in this process or in others beside it."""
