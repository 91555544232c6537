"""Making a better version of a dataset out of one that is there, and telling them apart."""
