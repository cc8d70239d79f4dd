"""Local stand-ins for Mixpanel and Adobe Experience Platform."""
