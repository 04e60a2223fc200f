"""What alembic runs, over the connection that `migrations.history` hands it.

It is not told our metadata: migrations name every constraint themselves, and the naming convention of the models
would be applied to those names a second time.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
