"""The workspace itself: what it says of itself, its datastore, environments and clusters."""

from typing import Any

from app.sandbox.azure_ml.identity import workspace_id
from app.sandbox.azure_ml.storage import CONTAINER, DATASTORE
from app.sandbox.frame.exchange import Asked, Refused, Reply

ACCOUNT = "sandboxstorage"

_KIND = "Microsoft.MachineLearningServices/workspaces"


class Workspace:
    """Whatever workspace is asked for; they are all the same one."""

    def __init__(self) -> None:
        self.environments: dict[str, Any] = {}

    def get(self, asked: Asked) -> Reply:
        """GET …/workspaces/{workspaceName}, with the address of its data plane"""
        name = asked.names["workspaceName"]
        properties = {
            "friendlyName": name,
            "discoveryUrl": f"http://{asked.headers['host']}/discovery",
        }
        home = workspace_id(asked.names)
        return Reply.of({"id": home, "name": name, "type": _KIND, "properties": properties})

    def datastores(self, asked: Asked) -> Reply:
        """GET …/datastores"""
        return Reply.of({"value": [_datastore(workspace_id(asked.names))]})

    def datastore(self, asked: Asked) -> Reply:
        """GET …/datastores/{name}"""
        if asked.names["name"] != DATASTORE:
            raise Refused(404, f"Datastore {asked.names['name']} was not found.", code="UserError")
        return Reply.of(_datastore(workspace_id(asked.names)))

    def put_environment(self, asked: Asked) -> Reply:
        """PUT …/environments/{name}/versions/{version}; the same again is fine"""
        name, version = asked.names["name"], asked.names["version"]
        home = f"{workspace_id(asked.names)}/environments/{name}/versions/{version}"
        is_new = home not in self.environments
        self.environments[home] = asked.body["properties"]
        shape = {"id": home, "name": version, "properties": asked.body["properties"]}
        return Reply.of(shape, status=201 if is_new else 200)


def _datastore(home: str) -> dict[str, Any]:
    return {
        "id": f"{home}/datastores/{DATASTORE}",
        "name": DATASTORE,
        "type": f"{_KIND}/datastores",
        "properties": {
            "datastoreType": "AzureBlob",
            "isDefault": True,
            "accountName": ACCOUNT,
            "containerName": CONTAINER,
            "endpoint": "core.windows.net",
            "protocol": "https",
            "credentials": {"credentialsType": "None"},
        },
    }
