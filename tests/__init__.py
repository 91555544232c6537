"""The tests of Luthier."""
