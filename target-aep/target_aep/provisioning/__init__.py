"""What a sandbox needs before events can be loaded: planned, made, extended."""
