"""Finding listings by words."""
