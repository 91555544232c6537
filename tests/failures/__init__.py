"""The stories of how systems like this one have failed, each with the tests that it is told by."""
