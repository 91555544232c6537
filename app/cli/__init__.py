"""The command line: `luthier serve`, `worker`, `migrate`, `doctor`, `demo`."""
