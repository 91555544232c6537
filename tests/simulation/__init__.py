"""The reconciler under every schedule of faults that a seed can draw."""
