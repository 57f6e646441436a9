"""A procedure's form as data: JSON Schema for what is true of the answers, pages for how they are asked. No I/O but `load`."""
