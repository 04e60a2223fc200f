"""The catalogue: what groups offer, how much of it there is, its pictures, and how shoppers find it."""
