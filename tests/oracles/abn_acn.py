"""Writes fixtures/abn_acn.csv: numbers and the verdict of python-stdnum (2.2) on each.

    python3 -m venv v && v/bin/pip install python-stdnum==2.2 && v/bin/python abn_acn.py

The tests read the committed file; this script is only needed to make it anew.
"""
import pathlib
import random

from stdnum.au import abn, acn

random.seed(360)
rows = []


def add(kind, number):
    rows.append((kind, number, "valid" if {"abn": abn, "acn": acn}[kind].is_valid(number) else "invalid"))


for known in ("51824753556", "83914571673", "51 824 753 556", "11111111138", "00000000000", "99999999999", "01234567890", "5182475355", "518247535560", ""):
    add("abn", known)
for known in ("004085616", "004 085 616", "010749961", "010749960", "00408561", "0040856160", "000000019", ""):
    add("acn", known)
for _ in range(30):
    body = "".join(random.choice("0123456789") for _ in range(9))
    good = abn.calc_check_digits(body) + body
    add("abn", good)
    place = random.randrange(11)
    add("abn", good[:place] + str((int(good[place]) + random.randint(1, 9)) % 10) + good[place + 1:])
    swap = random.randrange(10)
    add("abn", good[:swap] + good[swap + 1] + good[swap] + good[swap + 2:])
for body in range(100_000_000, 100_000_060):
    # every remainder in turn, so that the extremes of the two check digits are met
    for prefix in ("%02d" % (int(abn.calc_check_digits(str(body))) + 89), "%02d" % max(int(abn.calc_check_digits(str(body))) - 89, 0)):
        if len(prefix) == 2:
            add("abn", prefix + str(body))
    good = abn.calc_check_digits(str(body)) + str(body)
    if good[0] in "19":
        add("abn", good)
for _ in range(30):
    body = "".join(random.choice("0123456789") for _ in range(8))
    good = body + acn.calc_check_digit(body)
    add("acn", good)
    place = random.randrange(9)
    add("acn", good[:place] + str((int(good[place]) + random.randint(1, 9)) % 10) + good[place + 1:])

out = pathlib.Path(__file__).parent / "fixtures" / "abn_acn.csv"
out.write_text("kind,number,verdict\n" + "".join(f"{k},{n},{v}\n" for k, n, v in rows))
print(len(rows))
