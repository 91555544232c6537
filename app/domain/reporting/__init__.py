"""What is good and bad about a dataset: small checks that each look for one thing."""
