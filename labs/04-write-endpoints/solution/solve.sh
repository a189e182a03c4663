# Nothing to type: `lab watch` and `lab check` run endpoints.py.
grep -A 12 'def decide' endpoints.py
