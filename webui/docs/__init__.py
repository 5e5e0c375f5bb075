"""The manual: its pages, how they become HTML, how they are searched, and the tables that the declarations fill.

Knows no HTTP and no torch.
"""
