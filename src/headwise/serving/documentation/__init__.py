"""The page of the API under ``/docs``: every route with an example that runs, without scripts."""
