"""What all simulators share: reading, checking, remembering, and spoiling requests by order."""
