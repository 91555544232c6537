"""The small world that the tiny base model reads about: a shop, its customers, their letters."""
