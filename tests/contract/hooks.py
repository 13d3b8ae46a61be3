"""Puts ids of things that exist, and unused keys, into requests that schemathesis makes up.

FLIP360_CONTRACT_IDS maps prefixes to ids. What does not look like an id of ours stays as it is.
"""

import json
import os
import re

import schemathesis

IDS = json.loads(os.environ["FLIP360_CONTRACT_IDS"])
ID = re.compile(r"([a-z_]+)_[0-7][0-9a-hjkmnp-tv-z]{25}\Z")


def known(value):
    """The id of something that exists for three of four well-formed ids of such a kind."""
    if isinstance(value, dict):
        return {key: known(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [known(inner) for inner in value]
    match = ID.match(value) if isinstance(value, str) else None
    if match is None or sum(value.encode()) % 4 == 0:
        return value
    return IDS.get(match.group(1), value)


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    return known(path_parameters)


@schemathesis.hook
def map_query(context, query):
    return known(query)


@schemathesis.hook
def map_body(context, body):
    return known(body)
