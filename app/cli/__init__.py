"""The command line: to run the service, and to use one over HTTP."""
