"""Experience Platform's services, as far as they are called."""
