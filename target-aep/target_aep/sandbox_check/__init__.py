"""`target-aep check`: what a run needs, one line for each thing; nothing is written."""
