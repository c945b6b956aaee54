"""Explanations of computed values: in the language's words, clause by clause, and how far from flipping."""
