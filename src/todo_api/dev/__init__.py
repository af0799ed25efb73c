"""For development alone: an embedded PostgreSQL, and tokens without a front end. Not in the image."""
