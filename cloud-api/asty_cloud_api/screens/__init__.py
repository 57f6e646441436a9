"""The pages: the live page, a page and an export for each list, and what is said when the database is away."""
