"""Files of examples, made here so that every byte of them can be read."""
