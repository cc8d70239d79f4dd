"""Which properties a project has, what they are called as columns, and of which types."""
