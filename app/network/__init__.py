"""The way out: everything that is fetched from, or sent to, addresses that users name."""
