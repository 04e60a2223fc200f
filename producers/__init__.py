"""Producer groups: who they are, their people, their books and their plan.

Identity goes down, knowledge stays up: a group points at its centre, and what a centre or an order does with a group
is told in the rooms above.
"""
