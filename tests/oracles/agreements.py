"""Default agreements worked out again from the words of docs/default-agreements.md, with decimal and nothing of ours.

agreements.py < deals.jsonl > lines.jsonl: a deal a line, in any order; for each, in the order of its line, its lines as
[component, role, earned, taken back, payable from], amounts in cents.
"""
import json, sys
from calendar import monthrange
from collections import Counter
from datetime import date, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal as D, getcontext

getcontext().prec = 60

def cents(exact): return int(exact.quantize(D(1), ROUND_HALF_UP))  # decimal's half up is away from zero
def day(text): return date.fromisoformat(text) if text else None

def months_after(start, n):
    year, month = divmod(start.year * 12 + start.month - 1 + n, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))

def whole_months(start, end):
    n = 0
    while months_after(start, n + 1) <= end: n += 1
    return n

def split(whole, shares):
    """Largest remainder, ties to the earlier."""
    exact = [(role, D(whole) * D(share)) for role, share in shares]
    parts = {role: int(part.quantize(D(1), ROUND_DOWN)) for role, part in exact}
    odd = sorted(exact, key=lambda e: -(e[1] % 1))  # stable
    for role, _ in odd[: whole - sum(parts.values())]: parts[role] += 1
    return parts

def there(deal, role):
    if not role.startswith("upline_"): return True
    level = int(role[7:])
    return level <= deal["uplines"] and level not in deal["own"]

def pass_on(deal, parts, heirs):
    for role, heir in heirs:
        if not there(deal, role):
            parts[heir] += parts[role]
            parts[role] = 0
    return parts

def lines(component, parts, start, hold, back=D(0)):
    on = (start + timedelta(days=hold)).isoformat()
    return [[component, role, part, cents(part * back), on] for role, part in parts.items() if part]

def by_steps(deal, *steps):
    if deal["discharged"]:
        for months, fraction in steps:
            if deal["discharged"] < months_after(deal["settled"], months): return D(fraction)
    return D(0)

def mortgage(deal):
    shares = [("member", "0.6"), ("upline_1", "0.1"), ("platform", "0.3")]
    heirs = [("upline_1", "platform")]
    if deal["month"]:
        first = day(deal["month"])
        end = date(first.year, first.month, monthrange(first.year, first.month)[1])
        if (deal["discharged"] and deal["discharged"] <= end) or deal["balance"] < 10_000_00: return []
        whole = cents(D(deal["balance"]) * D("0.0015") / 12)
        return lines("trail", pass_on(deal, split(whole, shares), heirs), end, 10)
    whole = cents(D(deal["amount"] - deal["offset"]) * D("0.0065"))
    parts = pass_on(deal, split(whole, shares), heirs)
    over = max(0, parts["member"] - 6_000_00)
    parts["member"] -= over
    parts["platform"] += over
    return lines("upfront", parts, deal["settled"], 10, by_steps(deal, (12, "1"), (18, "0.5")))

def life(deal):
    shares = [("member", "0.55"), ("upline_1", "0.05"), ("platform", "0.4")]
    heirs = [("upline_1", "platform")]
    if deal["month"]:
        first = day(deal["month"])
        end = date(first.year, first.month, monthrange(first.year, first.month)[1])
        if (deal["discharged"] and deal["discharged"] <= end) or deal["balance"] < 250_00: return []
        whole = cents(D(deal["balance"]) * D("0.2"))
        return lines("ongoing", pass_on(deal, split(whole, shares), heirs), end, 30)
    if deal["premium"] is None: return []
    parts = pass_on(deal, split(cents(D(deal["premium"]) * D("0.6")), shares), heirs)
    return lines("initial", parts, deal["settled"], 30, by_steps(deal, (12, "1"), (24, "0.6")))

def sale(deal):
    made = lines("listing", split(200_00, [("member", "0.7"), ("platform", "0.3")]), deal["contracted"], 5)
    if not deal["settled"]: return made
    left, exact = deal["amount"], D(0)
    for width, rate in ((500_000_00, "0.004"), (500_000_00, "0.003"), (1_000_000_00, "0.002"), (left, "0.001")):
        band = min(left, width)
        exact += D(band) * D(rate)
        left -= band
    shares = [("member", "0.6"), ("upline_1", "0.08"), ("upline_2", "0.02"), ("platform", "0.3")]
    parts = split(cents(exact), shares)
    # Whoever is not there passes on to the next who is.
    second = "upline_1" if there(deal, "upline_1") else "platform"
    parts = pass_on(deal, parts, [("upline_1", "platform"), ("upline_2", second)])
    return made + lines("sale", parts, deal["settled"], 10, by_steps(deal, (3, "1")))

connected = Counter()

def telco(deal):
    quarter = (deal["member"], deal["settled"].year, (deal["settled"].month - 1) // 3)
    before = connected[quarter]
    after = connected[quarter] = before + deal["connections"]
    def worth(n): return n * (70_00 if n >= 26 else 55_00 if n >= 11 else 40_00)
    whole = worth(after) - worth(before)
    if whole <= 0: return []
    back = by_steps(deal, (3, "1"), (12, "0.5"))
    made = lines("connection", split(whole, [("member", "0.8"), ("platform", "0.2")]), deal["settled"], 45, back)
    for level, rate in ((1, "0.1"), (2, "0.05"), (3, "0.02")):
        if level <= deal["uplines"]:
            who = f"upline_{level}" if there(deal, f"upline_{level}") else "platform"
            made += lines(f"override_{level}", {who: cents(D(whole) * D(rate))}, deal["settled"], 45, back)
    return made

def placement(deal):
    rates = [(200_000_00, "0.03"), (120_000_00, "0.025"), (80_000_00, "0.02"), (40_000_00, "0.015")]
    rate = next((rate for least, rate in rates if deal["salary"] >= least), None)
    if rate is None: return []
    whole = min(cents(D(deal["salary"]) * D(rate)), 6_000_00)
    parts = split(whole, [("member", "0.6"), ("upline_1", "0.1"), ("platform", "0.3")])
    back = D(0)
    if deal["discharged"]:
        months = whole_months(deal["settled"], deal["discharged"])
        back = [D("1"), D("0.5"), D("0.25")][months] if months < 3 else D(0)
    return lines("placement", pass_on(deal, parts, [("upline_1", "platform")]), deal["settled"], 30, back)

AGREEMENTS = {"V01": mortgage, "V05": life, "V08": sale, "V15": telco, "V16": placement}

def main():
    deals = [json.loads(text) for text in sys.stdin]
    for deal in deals:
        for field in ("contracted", "settled", "discharged"): deal[field] = day(deal[field])
    # A running total adds up by the date that governs, then by who said it and what they call it, however it arrived.
    order = sorted(range(len(deals)), key=lambda n: (deals[n]["settled"] or deals[n]["contracted"], deals[n]["ref"]))
    made = [None] * len(deals)
    for n in order: made[n] = AGREEMENTS[deals[n]["vertical"]](deals[n])
    sys.stdout.write("".join(json.dumps(found) + "\n" for found in made))

if __name__ == "__main__":
    main()
