"""`python -m pneumobench` is `pneumobench`."""

from pneumobench.cli import main

if __name__ == "__main__":
    main()
