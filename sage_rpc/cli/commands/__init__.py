"""The subcommands of sage-rpc, a module each.

Rules: `add(commands)` adds the parser, whose default `run` is called with the arguments and gives the exit
code. What a program may read is on stdout (`--json`); complaints are on stderr, as a `CommandError` with one
clear line. Heavy modules are imported where they are used, so that every command starts quickly.
"""
