"""The history of the tables, and the one place that brings a database up to date (`migrations.history`)."""
