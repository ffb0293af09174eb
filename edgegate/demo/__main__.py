"""Lets C{python -m edgegate.demo} start the demo."""

from edgegate.demo.command import demo

if __name__ == "__main__":
    demo(prog_name="python -m edgegate.demo")
