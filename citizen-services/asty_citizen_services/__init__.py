"""Citizens' procedures, from the form to the signed document and the last notice."""
