#!/usr/bin/env python3
"""Turns api/openapi.yaml into JSON for the executable: openapi_json.py IN.yaml OUT.inc

OUT is a C++ raw string literal, in pieces that compilers take. Fails on what JSON cannot say (a day that
YAML took for a date, a key that is no string), so that a slip in the contract stops the build.
"""
import json
import sys

import yaml

PIECE = 16000


def check(value, path):
    if isinstance(value, dict):
        for key, below in value.items():
            if not isinstance(key, str):
                sys.exit(f"{sys.argv[1]}: the key {key!r} at {path} is no string: put it in quotes")
            check(below, f"{path}/{key}")
    elif isinstance(value, list):
        for i, below in enumerate(value):
            check(below, f"{path}/{i}")
    elif not isinstance(value, (str, int, float, bool, type(None))):
        sys.exit(f"{sys.argv[1]}: {value!r} at {path} is no JSON value: put it in quotes")


def main():
    with open(sys.argv[1], encoding="utf-8") as source:
        document = yaml.load(source, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    check(document, "")
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
    pieces = [text[i:i + PIECE] for i in range(0, len(text), PIECE)]
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        for piece in pieces:
            out.write(f'R"canbao_json({piece})canbao_json"\n')


main()
