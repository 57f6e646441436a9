"""What makes a page live: PostgreSQL says that something changed, every open page hears it, at most twice a second."""
