"""One paid job, wherever the service dies and whichever answer is lost, at every vendor."""
