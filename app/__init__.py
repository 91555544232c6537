"""Luthier: one REST service in front of every place where a language model can be fine-tuned."""
