"""What can be asked for: one folder a procedure, with manifest, form, process and document templates."""
