"""What development alone has: a PostgreSQL of its own, and tokens without a front end."""
