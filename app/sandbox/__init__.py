"""Honest simulators of the vendors' HTTP APIs, with faults that can be ordered."""
