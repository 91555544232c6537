"""One recipe on several targets, side by side."""
