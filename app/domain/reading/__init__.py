"""Reading files of examples: unpacking, telling containers apart, and cutting them into rows."""
