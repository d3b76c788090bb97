"""The command line. typer and rich are imported when a command runs, not before."""


def main() -> None:
    """Run the command line on ``sys.argv`` and exit with its status."""
    from chainrule.cli.commands import run

    run()
