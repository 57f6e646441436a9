"""Cases in the database: begun at the filing, moved by people, by the system and by time."""
