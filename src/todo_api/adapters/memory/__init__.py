"""Driven adapter: repositories in memory, held to the same contract as those on PostgreSQL."""
