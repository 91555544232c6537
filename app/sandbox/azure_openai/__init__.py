"""Azure OpenAI over HTTP: both of its surfaces, and the deployments of Azure Resource Manager."""
