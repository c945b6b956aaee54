"""The files that `tb init` writes: a small project that lints clean and trades on the simulated sample market."""
