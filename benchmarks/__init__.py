"""The load benchmark: `make bench`."""
