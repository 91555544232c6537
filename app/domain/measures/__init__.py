"""What one answer is worth, and what many together say: arithmetic over texts and numbers."""
