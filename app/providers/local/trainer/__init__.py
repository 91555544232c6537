"""The training process: `python -m app.providers.local.trainer RUN_FOLDER LOCK_DESCRIPTOR`.

It is started by `RunFolder.launch` alone and talks to the service through the run folder.
"""
