"""The demo: generated Mixpanel events into the emulated Experience Platform, twice."""
