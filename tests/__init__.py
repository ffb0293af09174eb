"""
The tests of edgegate; they mirror the package.

No property has a deadline: how long an example takes says something of the machine, and nothing of the code.
"""

from hypothesis import settings

settings.register_profile("edgegate", deadline=None)
settings.load_profile("edgegate")
