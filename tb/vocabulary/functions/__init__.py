"""The vocabulary's tables, one module for each family."""
