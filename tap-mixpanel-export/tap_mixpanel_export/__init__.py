"""Singer tap for Mixpanel's Raw Event Export API."""
