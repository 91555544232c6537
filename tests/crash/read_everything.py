"""A process that serves every read once and then says which modules it has loaded.

`python -m tests.crash.read_everything '{"jobs": "job_...", ...}'` with an id for each noun.
"""

import asyncio
import json
import re
import sys

from app import bootstrap, settings
from tests.serving import api


async def read_everything(ids: dict[str, str]) -> None:
    """Every GET of the service's own description, each with the id of its noun.

    What a query must name is of the same noun.
    """
    house = bootstrap.build(settings.load())
    async with api(house, reconcile=False) as client:
        for path, operations in (await client.get("/openapi.json")).json()["paths"].items():
            if "get" in operations:
                noun = path.split("/")[1]
                given = {
                    one["name"]: ids[noun]
                    for one in operations["get"].get("parameters", [])
                    if one["in"] == "query" and one.get("required")
                }
                place = re.sub(r"{\w+}", ids.get(noun, ""), path)
                answer = await client.get(place, params=given)
                # Weights are not where the simulated provider trains.
                is_refused = path == "/models/{ref}/export" and answer.status_code == 409
                assert answer.status_code == 200 or is_refused, (path, answer.text)


if __name__ == "__main__":
    asyncio.run(read_everything(json.loads(sys.argv[1])))
    # A namespace is no code: looking whether a package of it is installed makes it known.
    loaded = [name for name, module in sys.modules.items() if getattr(module, "__file__", None)]
    sys.stdout.write(json.dumps(sorted({name.partition(".")[0] for name in loaded})))
