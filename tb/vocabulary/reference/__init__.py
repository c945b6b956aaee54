"""The plain definitions of the functions: the specification the compiled kernels must equal bit for bit.

A windowed function is defined on one window, a recursive one on one history without unknown values; `histories` turns such a
definition into a `Reference` over whole series.
"""
