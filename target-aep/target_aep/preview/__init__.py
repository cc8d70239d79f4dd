"""`target-aep preview`: what records become, and why."""
