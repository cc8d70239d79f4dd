"""`target-aep status`: the last batches of datasets, and the rows that they left out."""
