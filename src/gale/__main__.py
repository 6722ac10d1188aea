"""``python -m gale`` is the command ``gale``."""

from gale.cli import main

if __name__ == "__main__":
    main()
