"""The Asty agent on a refuse truck or a street gateway."""
