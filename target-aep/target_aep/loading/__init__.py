"""Records on their way into a dataset: spooled, committed, loaded once, or kept aside."""
