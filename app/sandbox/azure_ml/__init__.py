"""Azure Machine Learning on loopback: a workspace's jobs, models and blob storage."""
