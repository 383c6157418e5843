"""From a `.proto` to typed Python: the protoc plugin `protoc-gen-sage` and the command `sage-rpc gen`.

| module | what it is |
| --- | --- |
| `names` | what things of a `.proto` are called in Python |
| `schema` | services, methods and fields of a `.proto` as the generator sees them, with comments and places |
| `layout` | how Python code is laid out: types, calls, docstrings |
| `render` | the text of a `_sage.py` |
| `plugin` | protoc's side: a request in, files or an error out |
| `protoc` | one run of protoc with all outputs |
| `packages` | imports between generated modules, so that they can live in any package |
| `command` | `sage-rpc gen` |
| `skeleton` | the other way round: a `.proto` from a typed Python class |
"""
