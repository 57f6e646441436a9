"""The history of schema `fleet`."""
