"""``python -m deptbus``: the command, where no script of that name is installed."""

from deptbus.cli import main

if __name__ == "__main__":
    main()
