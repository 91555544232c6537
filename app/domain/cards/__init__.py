"""Model cards: what reproduces a tuned model, and what came of it."""
