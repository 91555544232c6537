"""What is at a vendor already becomes ours, each thing once."""
