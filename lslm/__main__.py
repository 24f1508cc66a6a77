"""`python -m lslm`."""

from lslm.cli import main

if __name__ == "__main__":
    main()
