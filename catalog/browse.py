"""What is on sale where.

One question, asked by the browse page, the search page, the front page and a group's page: which listings,
in which order, and how many there would be behind each other choice a buyer could make.
"""
