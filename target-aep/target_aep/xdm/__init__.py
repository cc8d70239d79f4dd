"""XDM schemas, and values in the types of their fields."""
