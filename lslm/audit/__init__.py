"""A hostile reading of a finished pipeline: whether what was fitted saw what it must not see.

Checks are functions of one shape, one idea a file: from an opened `Case` to findings. They trust no
record alone: what was written down is compared with what the documents themselves say.
"""
