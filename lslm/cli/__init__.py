"""The command line: one file a command, no heavy library before it is needed."""


def main() -> None:
    """Run the command line; the process ends with status 0, 1 (failed), 2 (bad input), 130 or 143."""
    from lslm.cli.app import run_app

    run_app()
