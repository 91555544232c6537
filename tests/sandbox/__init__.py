"""The simulators, driven by the vendors' own SDKs and by plain HTTP."""
