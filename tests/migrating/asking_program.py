"""A program that asks one model all along, with OpenAI's own client.

`python -m tests.migrating.asking_program <base url> <model>` writes a line for each answer, and
ends with its input. It never asks a second time: whatever is not an answer ends it.
"""

import json
import sys
import threading
import time

from openai import OpenAI


def ask_on(url: str, model: str, is_over: threading.Event) -> None:
    """Ask until it is over."""
    with OpenAI(base_url=url, api_key="none", max_retries=0, timeout=120) as client:
        while not is_over.is_set():
            begun = time.time()
            given = client.chat.completions.with_raw_response.create(
                model=model, messages=[{"role": "user", "content": "Was I charged twice?"}]
            )
            said = given.parse()
            told = {"status": given.status_code, "model": said.model, "begun": begun}
            print(json.dumps(told), flush=True)  # noqa: T201 - it is what the program is for


if __name__ == "__main__":
    over = threading.Event()
    asking = threading.Thread(target=ask_on, args=(sys.argv[1], sys.argv[2], over))
    asking.start()
    sys.stdin.read()
    over.set()
    asking.join()
