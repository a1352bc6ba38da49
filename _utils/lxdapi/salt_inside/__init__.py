"""Salt inside instances: nothing has to be installed there, and nothing keeps running."""
