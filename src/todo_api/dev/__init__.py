"""Code for development only, not in the image: an embedded PostgreSQL, and tokens without a front end."""
