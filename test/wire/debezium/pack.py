#!/usr/bin/env python3
"""pack.py: Debezium's events, as test/peers/debezium-engine writes them, in the form that the unit test reads.

A record is these lines, then an empty one:

    T topic [partition]
    K key            the bytes as they are; "K" alone: null; schema text stands as $0, $1, … (see below)
    V value          the same
    H name value     one for each header

Lines before the first record: "S schema" is the text for $0, $1, … in order. "$" stands nowhere else in the data.

Masked, for they differ from run to run (each is replaced, null stays null):
    source.ts_ms/ts_us/ts_ns   1700000000123, 1700000000123456, 1700000000123456000
    ts_ms/ts_us/ts_ns          1800000000456, 1800000000456789, 1800000000456789000
    txId, lsn, sequence        700, 26870000, ["26869000","26870000"]
    header …context.runId      01a20cae-a294-7df8-ac0a-87436a49f57d
Of heartbeats only the first is kept, at the end.
"""
import json
import re
import sys

MASKS = [
    (r'"ts_ms":\d+,"snapshot"', '"ts_ms":1700000000123,"snapshot"'),
    (r'"ts_us":\d+,"ts_ns":\d+,"schema"', '"ts_us":1700000000123456,"ts_ns":1700000000123456000,"schema"'),
    (r'"ts_ms":\d+,"ts_us":\d+,"ts_ns":\d+\}', '"ts_ms":1800000000456,"ts_us":1800000000456789,"ts_ns":1800000000456789000}'),
    (r'"op":"m","ts_ms":\d+', '"op":"m","ts_ms":1800000000456'),
    (r'\{"ts_ms":\d+\}', '{"ts_ms":1800000000456}'),
    (r'"txId":\d+', '"txId":700'),
    (r'"lsn":\d+', '"lsn":26870000'),
    (r'"sequence":"\[\\"\d+\\",\\"\d+\\"\]"', r'"sequence":"[\\"26869000\\",\\"26870000\\"]"'),
    (r'"sequence":"\[null,\\"\d+\\"\]"', r'"sequence":"[null,\\"26870000\\"]"'),
]
schemas = []


def packed(text):
    if text is None:
        return ''
    assert '$' not in text and '\n' not in text
    for pattern, mask in MASKS:
        text = re.sub(pattern, mask, text)
    if text.startswith('{"schema":'):
        at = text.index(',"payload":')
        schema = text[len('{"schema":'):at]
        if schema not in schemas:
            schemas.append(schema)
        text = '{"schema":$%d%s' % (schemas.index(schema), text[at:])
    return ' ' + text


def lines(event):
    partition = ' %d' % event['partition'] if 'partition' in event else ''
    out = ['T ' + event['topic'] + partition, 'K' + packed(event['key']), 'V' + packed(event['value'])]
    for name, value in event['headers']:
        if name.endswith('.runId'):
            value = '01a20cae-a294-7df8-ac0a-87436a49f57d'
        out.append('H %s %s' % (name, value))
    return '\n'.join(out) + '\n\n'


def main():
    events = [json.loads(line) for line in sys.stdin]
    beats = [e for e in events if e['topic'].startswith('__debezium-heartbeat')]
    records = ''.join(lines(e) for e in [e for e in events if e not in beats] + beats[:1])
    sys.stdout.write(''.join('S %s\n' % s for s in schemas) + records)


if __name__ == '__main__':
    main()
