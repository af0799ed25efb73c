"""`python -m todo_api` is `todo-api`."""

import sys

from todo_api.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
