"""How the tables are distributed over several servers with Citus: by user, each user's rows on one server."""

from todo_api.adapters.sqlalchemy.tables import database_identity, metadata

# The column by which each table is distributed: the user's id, with which each primary key begins.
DISTRIBUTION_COLUMNS = {
    table.name: table.primary_key.columns[0].name for table in metadata.sorted_tables if table is not database_identity
}
