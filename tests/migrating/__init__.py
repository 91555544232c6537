"""A tuned model is made anew elsewhere, and what asks for it never notices."""
