"""Settings shared by every test."""

from hypothesis import settings

# The same examples on every run, so that a red test is the commit's doing. To look further:
# pytest --hypothesis-profile=explore
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile("fixed")
