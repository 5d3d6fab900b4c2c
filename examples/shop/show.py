#!/usr/bin/python3
"""Change events from `weir tail --json` in commit order, a line each: what happened, to which row, and what it is now."""

import json
import sys

WORDS = {"r": "read", "c": "create", "u": "update", "d": "delete"}

changes = [record for record in map(json.loads, sys.stdin) if record["value"] is not None]
for record in sorted(changes, key=lambda r: r["value"]["source"]["lsn"]):
    change = record["value"]
    row = json.dumps(change["after"], ensure_ascii=False) if change["after"] else "-"
    print(f"  {WORDS[change['op']]}  {change['source']['table']:9}  {json.dumps(record['key'])}  {row}")
