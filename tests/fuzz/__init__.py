"""
What is made up at random until the time is over: C{make fuzz FUZZ_SECONDS=3600}.

What fails is told with what was said, as short as it could be made, and the seed that makes it again:
C{EDGEGATE_FUZZ_SEED=...}. What was found once stands in C{corpus/}, and is said first, and with changes.
"""
