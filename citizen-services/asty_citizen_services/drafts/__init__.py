"""What somebody is writing: a form's answers and files, kept until it is filed, given up or too old."""
