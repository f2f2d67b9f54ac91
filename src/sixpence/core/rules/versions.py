"""The versions of the rules: what a later one decides differently from the one before it.

A row is replayed by the version that decided it. Its detail names that version where an earlier one could decide
otherwise; a row that names none is of version 1, or all versions decide it alike. Not here: the rules themselves.
"""

CURRENT = 2

# A plan change takes what it ends unspent off what the term has given, and carries over what the new plan does not
# replace. In version 1 ended credits still counted as given.
UNSPENT_CREDITS_RETURN = 2
# Under an unlimited plan a capture is free beyond what its hold has set aside. In version 1 it was charged.
UNLIMITED_BEYOND_HELD = 2
