"""`python -m pneumobench` is `pneumobench`."""

import sys

if __name__ == "__main__":
    try:
        from pneumobench.cli import main
    except KeyboardInterrupt:  # Ctrl-C in the first tenths of a second, while the command line is imported
        print("pneumobench: interrupted", file=sys.stderr)
        sys.exit(130)
    main()
