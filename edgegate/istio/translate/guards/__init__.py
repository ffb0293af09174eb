"""Access policies to guards: a module for each kind, a row for each in C{compilation}."""
